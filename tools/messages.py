"""The message catalogue against the sources: `make messages` adds what is missing.

Finds every `_("…")`, `_n("…", "…", n)` and `mark("…")` in the code and the templates, and the
`text("…")` of the sandbox's pages. Names the messages that have no Spanish yet, and those built
before they are translated, which no catalogue can hold; never translates, and drops what nobody
says.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "connector" / "locale" / "es.po"
KEYWORDS = {"_": 1, "_n": 2, "mark": 1, "text": 1}
"""What says a message → how many of its arguments are messages."""

MessageId = str | tuple[str, str]

_PYTHON = ("connector/**/*.py", "tools/demo.py")
_TEMPLATES = ("templates/**/*.j2",)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_NAMED = re.compile(r"\{(\w+)")


@cache
def list_messages(root: Path = ROOT) -> Mapping[MessageId, str]:
    """Every message of the sources → the first place that says it; read once."""
    found: dict[MessageId, str] = {}
    for patterns, read in ((_PYTHON, _in_python), (_TEMPLATES, _in_template)):
        for path in _files(root, patterns):
            for line, message in read(path):
                found.setdefault(message, f"{path.relative_to(root)}:{line}")
    return found


def list_built(root: Path = ROOT) -> list[str]:
    """`place: code` of every message put together before it is translated.

    Of an f-string, a sum or a `"…".format()` inside `_` the catalogue never sees the text.
    """
    return [
        f"{path.relative_to(root)}:{argument.lineno}: {ast.unparse(argument)}"
        for path in _files(root, _PYTHON)
        for arguments in _said(path)
        for argument in arguments
        if _is_built(argument)
    ]


def _files(root: Path, patterns: Iterable[str]) -> list[Path]:
    return [path for pattern in patterns for path in sorted(root.glob(pattern))]


def _in_python(path: Path) -> Iterator[tuple[int, MessageId]]:
    # Not by Babel: it reads tokens, and before Python 3.12 an f-string with a `_("…")` inside is
    # a single one.
    for arguments in _said(path):
        match [argument.value for argument in arguments if isinstance(argument, ast.Constant)]:
            case [str() as message]:
                yield arguments[0].lineno, message
            case [str() as one, str() as many]:
                yield arguments[0].lineno, (one, many)


def _said(path: Path) -> Iterator[list[ast.expr]]:
    """The message arguments of every call of a keyword, in the order of the file."""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and _keyword(node) in KEYWORDS
    ]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if arguments := call.args[: KEYWORDS[_keyword(call)]]:
            yield arguments


def _keyword(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def _is_built(argument: ast.expr) -> bool:
    called = getattr(argument, "func", None)
    return isinstance(argument, ast.JoinedStr | ast.BinOp) or (
        isinstance(called, ast.Attribute) and called.attr == "format"
    )


def _in_template(path: Path) -> Iterator[tuple[int, MessageId]]:
    keywords = {"_": None, "_n": (1, 2)}
    options = {"encoding": "utf-8", "silent": "false", "trimmed": "false"}
    for line, message, _comments, _context in extract_from_file(
        "jinja2.ext:babel_extract", path, keywords=keywords, options=options
    ):
        yield line, message if isinstance(message, str) else (message[0], message[1])


def read_catalogue(path: Path = CATALOGUE) -> Catalog:
    """The Spanish catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale="es")


def forms(message: Message) -> tuple[str, ...]:
    """The translated forms of a message, empty ones included."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def list_untranslated(messages: Mapping[MessageId, str], catalogue: Catalog) -> list[str]:
    """`place: text` of every message without Spanish."""
    missing = []
    for id_, place in messages.items():
        message = catalogue.get(id_)
        if message is None or not all(forms(message)) or message.fuzzy:
            missing.append(f"{place}: {id_ if isinstance(id_, str) else id_[0]}")
    return missing


def placeholders(text: str) -> set[str]:
    """The names that `format` fills."""
    return {match[1] for part in _PLACEHOLDER.findall(text) if (match := _NAMED.match(part))}


def list_differing(catalogue: Catalog) -> list[str]:
    """Messages whose Spanish names other placeholders than the English."""
    return [_first(message) for message in catalogue if message.id and _differs(message)]


def _differs(message: Message) -> bool:
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    return any(
        form and placeholders(form) != placeholders(id_)
        for id_, form in zip(ids, forms(message), strict=False)
    )


def _first(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def renew(path: Path = CATALOGUE) -> list[str]:
    """Rewrite the catalogue: sorted, what is new added without Spanish, what is gone dropped.

    Answers `place: text` of every message that waits for Spanish.
    """
    messages, known = list_messages(), read_catalogue(path)
    fresh = Catalog(locale="es", header_comment="# Spanish. Add what is missing: make messages")
    for id_ in sorted(messages, key=str):
        old = known.get(id_)
        fresh.add(id_, string=old.string if old is not None else None)
    with path.open("wb") as file:
        file.write(_head())
        write_po(file, fresh, width=0, omit_header=True)
    return list_untranslated(messages, read_catalogue(path))


def _head() -> bytes:
    # By hand: Babel's own head holds today's date, and the file must not change by itself.
    return (
        b'# Spanish. "make messages" adds what is missing; the tests find what has no Spanish.\n'
        b'msgid ""\nmsgstr ""\n'
        b'"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: es\\n"\n'
        b'"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
    )


def main() -> int:
    """Renew the catalogue and name what waits for Spanish, or can have none."""
    waiting, built = renew(), list_built()
    for line in (*built, *waiting):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(waiting)} without Spanish in {CATALOGUE.relative_to(ROOT)}\n")
    return 1 if built else 0


if __name__ == "__main__":
    sys.exit(main())
