"""The words of the PDF: what its template made (a small HTML), read into blocks that can be set.

A template of an organisation's own is Jinja2 like the others, so it runs in the same sandbox and
its faults are named with their line; what it makes is read here. What paper has no form for is
refused by name, never left out without a word. Pure: pictures are only named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from connector.errors import ConnectorError
from connector.messages import _
from connector.report.layout import Table
from connector.report.paper import widths

TEMPLATE = "pdf.html.j2"

HEADINGS = {"h1": 1, "h2": 2, "h3": 3}
GROUPS = frozenset({"section", "div", "header", "footer", "main", "nav", "article"})
WORDS = frozenset({"a", "strong", "b", "em", "i", "small", "span", "br", "wbr"})
PARTS = frozenset(
    {"li", "dt", "dd", "caption", "thead", "tbody", "tr", "th", "td", "figcaption", "img"}
)
BLOCKS = frozenset({"p", "ul", "ol", "dl", "table", "figure", "hr"}) | HEADINGS.keys() | GROUPS
VOID = frozenset({"br", "wbr", "hr", "img"})

Block = dict[str, Any]
Words = list[dict[str, Any]]


@dataclass
class Element:
    """An element of the rendered template, with the line on which it begins."""

    tag: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["str | Element"] = field(default_factory=list)

    def of(self, *tags: str) -> Iterator["Element"]:
        """Its children of these kinds."""
        yield from (c for c in self.children if isinstance(c, Element) and c.tag in tags)

    @property
    def kind(self) -> str:
        """Its first class, "" for none."""
        return (self.attributes.get("class") or "").partition(" ")[0]


def blocks_of(html: str, pictures: Sequence[str]) -> list[Block]:
    """The rendered template as blocks. `pictures`: the files that an image may name.

    Raises ConnectorError for an element that paper has no form for, one that is not closed, and a
    picture that is not there.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if len(reader.open) > 1:
        raise _fault(reader.open[-1], _("<{tag}> is not closed"))
    return list(_Setter(frozenset(pictures)).blocks(reader.open[0]))


def _fault(element: Element, text: str) -> ConnectorError:
    what = text.format(tag=element.tag)
    return ConnectorError(
        _(
            "The template {name} cannot be set as a PDF (line {line} of what it made): {what}"
        ).format(name=TEMPLATE, line=element.line, what=what)
    )


class _Reader(HTMLParser):
    """HTML → elements. Strict: what is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("main", 1)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, self.getpos()[0], {name: value or "" for name, value in attrs})
        if tag not in BLOCKS | WORDS | PARTS:
            raise _fault(made, _("paper has no form for <{tag}>"))
        self.open[-1].children.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if len(self.open) < 2 or self.open[-1].tag != tag:
            raise _fault(Element(tag, self.getpos()[0]), _("</{tag}> closes nothing"))
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


class _Setter:
    """Elements → blocks."""

    def __init__(self, pictures: frozenset[str]) -> None:
        self._pictures = pictures

    def blocks(self, parent: Element) -> Iterator[Block]:
        """What stands in an element that holds blocks; loose words are a paragraph."""
        loose: list[Element | str] = []
        for child in parent.children:
            if isinstance(child, str) or child.tag in WORDS:
                loose.append(child)
                continue
            yield from _paragraph(loose)
            loose = []
            yield from self._block(child)
        yield from _paragraph(loose)

    def _block(self, element: Element) -> Iterator[Block]:
        tag = element.tag
        if tag in GROUPS:
            inner = self.blocks(element)
            if element.kind == "panel":
                yield {"kind": "panel", "blocks": list(inner)}
            else:
                yield from inner
        elif tag in HEADINGS:
            id_ = element.attributes.get("id", "")
            yield {"kind": "heading", "level": HEADINGS[tag], "id": id_, "words": words_of(element)}
        elif tag == "table":
            yield table_of(element)
        elif tag in ("figure", "img"):
            yield self._figure(element)
        else:
            yield _plain(element)

    def _figure(self, element: Element) -> Block:
        image = element if element.tag == "img" else next(element.of("img"), None)
        if image is None:
            raise _fault(element, _("<{tag}> has no <img>"))
        file = image.attributes.get("src", "")
        if file not in self._pictures:
            text = _("there is no picture {file!r} beside the template").format(file=file)
            raise _fault(image, text.replace("{", "{{").replace("}", "}}"))
        title = next((words_of(one) for one in element.of("figcaption")), [])
        share = _percent(image.attributes.get("width", ""))
        alternative = image.attributes.get("alt", "")
        return {"kind": "picture", "file": file, "description": alternative, "title": title,
                "share": share}  # fmt: skip


def _percent(text: str) -> float:
    number = text.removesuffix("%")
    return min(float(number) / 100, 1.0) if number.replace(".", "", 1).isdigit() else 1.0


def _plain(element: Element) -> Block:
    """A paragraph, a list, terms or a line."""
    tag, kind = element.tag, element.kind
    if tag == "hr":
        return {"kind": "page" if kind == "page" else "line"}
    if tag in ("ul", "ol"):
        items = [words_of(item) for item in element.of("li")]
        return {"kind": "list", "class": kind, "is_numbered": tag == "ol", "items": items}
    if tag == "dl":
        names = [words_of(one) for one in element.of("dt")]
        texts = [words_of(one) for one in element.of("dd")]
        pairs = [{"name": n, "words": t} for n, t in zip(names, texts, strict=False)]
        return {"kind": "terms", "class": kind, "terms": pairs}
    if tag == "p":
        return {"kind": "text", "class": kind, "words": words_of(element)}
    raise _fault(element, _("<{tag}> cannot stand here"))


def _paragraph(loose: Sequence[Element | str]) -> Iterator[Block]:
    words = _joined(_runs(loose, {}))
    if words:
        yield {"kind": "text", "class": "", "words": words}


def words_of(element: Element) -> Words:
    """Runs of text: `text`, and where they are so `url`, `is_strong`, `is_slanted`, `is_small`;
    {"text": "\\n"} is a line break."""
    return _joined(_runs(element.children, {}))


_LOOKS = {"strong": "is_strong", "b": "is_strong", "em": "is_slanted", "i": "is_slanted",
          "small": "is_small"}  # fmt: skip


def _runs(children: Sequence[Element | str], look: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for child in children:
        if isinstance(child, str):
            yield {"text": child, **look}
        elif child.tag == "br":
            yield {"text": "\n"}
        elif child.tag == "wbr":  # a zero width space: where a long word may be broken
            yield {"text": "\u200b", **look}
        elif child.tag not in WORDS:
            raise _fault(child, _("<{tag}> cannot stand among words"))
        else:
            more: dict[str, Any] = {_LOOKS[child.tag]: True} if child.tag in _LOOKS else {}
            if child.tag == "a":
                more["url"] = child.attributes.get("href", "")
            yield from _runs(child.children, {**look, **more})


def _joined(runs: Iterator[dict[str, Any]]) -> Words:
    """White space as a page has it: runs of it are one blank, none at either end."""
    found: Words = []
    for run in runs:
        text = run["text"]
        if text != "\n":
            text = _single_blanks(text)
            if not found or found[-1]["text"].endswith((" ", "\n")):
                text = text.removeprefix(" ")
        if text:
            found.append({**run, "text": text})
    while found and not found[-1]["text"].strip():
        found.pop()
    if found:
        found[-1]["text"] = found[-1]["text"].removesuffix(" ")
    return found


def _single_blanks(text: str) -> str:
    # Not those that keep words together (U+00A0, U+202F).
    out: list[str] = []
    for letter in text:
        blank = letter in " \t\r\n\f"
        if not (blank and out and out[-1] == " "):
            out.append(" " if blank else letter)
    return "".join(out)


def table_of(element: Element) -> Block:
    """A table: columns with their sides and widths, rows of cells that may span the rest."""
    heads = [cell for row in _rows(element, "thead") for cell in row.of("th", "td")]
    columns = [words_of(cell) for cell in heads]
    rows = [[_cell(cell) for cell in row.of("th", "td")] for row in _rows(element, "tbody")]
    wide = max([len(columns), *(sum(cell["span"] for cell in row) for row in rows)], default=0)
    if wide != len(columns):
        raise _fault(element, _("a row of the <{tag}> has more cells than there are columns"))
    caption = next((words_of(one) for one in element.of("caption")), [])
    plain = tuple(tuple(said(cell["words"]) for cell in row) for row in rows)
    return {
        "kind": "table",
        "caption": caption,
        "columns": columns,
        "is_right": [head.kind == "n" for head in heads],
        "widths": widths(Table("", tuple(map(said, columns)), plain)),
        "rows": rows,
    }


def _rows(table: Element, group: str) -> Iterator[Element]:
    for part in table.of(group):
        yield from part.of("tr")


def _cell(cell: Element) -> dict[str, Any]:
    span = cell.attributes.get("colspan", "1")
    return {"words": words_of(cell), "span": int(span) if span.isdigit() else 1}


def said(words: Words) -> str:
    """The letters alone."""
    return "".join(run["text"] for run in words)
