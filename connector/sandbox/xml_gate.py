"""The one door for XML from outside: what is hostile or odd does not come in.

Refused: a document type (so no entities, no bombs), what is too deep or has too many elements, and
what is no XML. Expat itself fetches nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat  # not etree: its parser cannot be told to refuse a document type

from connector.messages import mark

MOST_ELEMENTS = 100_000
DEEPEST = 12


@dataclass
class Node:
    """An element: its name, attributes, text (of its own, not of its children) and children."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["Node"] = field(default_factory=list)

    def value(self, name: str) -> str:
        """The text of the first child of that name, '' where there is none."""
        return next((child.text for child in self.children if child.name == name), "")


class HostileXmlError(ValueError):
    """The document is refused; the text says why, in one sentence, in English.

    `sentence` is a text of the message catalogue with places for `values`.
    """

    def __init__(self, sentence: str, **values: object) -> None:
        self.sentence = sentence
        self.values = values
        super().__init__(sentence.format(**values))

    def said(self, text: Callable[[str], str]) -> str:
        """The sentence as `text` translates it, and the parser's `reason` in it."""
        reason = {k: text(str(v)) for k, v in self.values.items() if k == "reason"}
        return text(self.sentence).format(**{**self.values, **reason})


_FAULTS = (
    mark("syntax error"),
    mark("no element found"),
    mark("not well-formed (invalid token)"),
    mark("unclosed token"),
    mark("mismatched tag"),
    mark("duplicate attribute"),
    mark("junk after document element"),
    mark("undefined entity"),
    mark("unclosed CDATA section"),
)
"""What expat says most often, in its own words, for the catalogue to translate."""


def parse(data: bytes | str) -> Node:
    """The root element. Raises HostileXmlError."""
    reading = _Reading()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code) or "?"
        sentence = mark("this is no XML: {reason} in line {line}")
        raise HostileXmlError(sentence, reason=reason, line=error.lineno) from None
    except (ValueError, LookupError) as error:
        if isinstance(error, HostileXmlError):
            raise
        raise HostileXmlError(mark("this is no XML: its encoding is not known")) from None
    return reading.root


def _refuse_doctype(*_parts: object) -> NoReturn:
    raise HostileXmlError(mark("a document type (DOCTYPE) is not accepted: it can hold entities"))


class _Reading:
    """Builds the tree."""

    def __init__(self) -> None:
        self._above: list[Node] = []
        self._count = 0
        self.root = Node("", {})

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element opens."""
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise HostileXmlError(mark("it has more than {n} elements"), n=MOST_ELEMENTS)
        if len(self._above) >= DEEPEST:
            raise HostileXmlError(mark("its elements are nested deeper than {n}"), n=DEEPEST)
        node = Node(name, attributes)
        if self._above:
            self._above[-1].children.append(node)
        else:
            self.root = node
        self._above.append(node)

    def text(self, data: str) -> None:
        """Characters of the open element."""
        self._above[-1].text += data

    def end(self, _name: str) -> None:
        """An element closes."""
        self._above.pop()
