"""The reference of what a template may show: made from the very classes that it is given."""

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

from connector.report.brief import BriefView
from connector.report.drawing.picture import Picture
from connector.report.layout import Linked, Section, Table
from connector.report.pdf import PaperPicture
from connector.report.view import Group, Part, Stop, Term, Tile, View

GIVEN: tuple[tuple[str, type[Any]], ...] = (
    ("`view` in html.j2, md.j2, article.html.j2, pdf.html.j2", View),
    ("`view` in brief.html.j2, brief.md.j2", BriefView),
    ("a group of sentences", Group),
    ("a tile", Tile),
    ("a stop of the strip", Stop),
    ("a fact or a definition", Term),
    ("a chapter", Part),
    ("a section", Section),
    ("a table", Table),
    ("a picture", Picture),
    ("a picture on paper (`images` in pdf.html.j2)", PaperPicture),
)
"""What each class is in a template, the outermost first."""

FILTERS = (
    ("cell", "a text that stays one plain cell in a Markdown table"),
    ("linked_cell", "the same, with its link into the tool where it has one"),
    ("linked", "an HTML cell, escaped, with its link where it has one"),
    ("by_group", "the stops as runs of the same group: (title, stops)"),
)


def templates_markdown() -> str:
    """Every class with its fields and their types, then the filters."""
    parts = []
    for place, kind in GIVEN:
        doc = (kind.__doc__ or "").strip().splitlines()
        parts += [f"### {kind.__name__}: {place}", "", *(line.strip() for line in doc), ""]
        parts += ["| Field | Type |", "|---|---|"]
        parts += [f"| `{name}` | {_said(hint)} |" for name, hint in _fields(kind)]
        parts.append("")
    parts += ["### Filters and globals", "", "| Name | What it does |", "|---|---|"]
    parts += [f"| `{name}` | {text} |" for name, text in FILTERS]
    parts += [
        "| `_(\"…\")` | a fixed text in the reader's language (the shipped catalogue's texts) |",
        "| `theme` | the colours of the pictures, by what they mean |",
        "| `drawings` | section id → its pictures as SVG (html.j2 only) |",
        "| `images` | section id → its pictures: with `url`, `title`, `description` in"
        " article.html.j2, as PaperPicture in pdf.html.j2 |",
    ]
    parts += ["", f"A cell of a table is a text, or a `{Linked.__name__}`: a text with a `url`."]
    return "\n".join(parts)


def _fields(kind: type[Any]) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind)
    return [(one.name, hints[one.name]) for one in fields(kind)]


def _said(hint: Any) -> str:
    """A type in words: `tuple[Section, ...]` → list of Section."""
    inner = [one for one in get_args(hint) if one is not Ellipsis]
    if not inner:
        return str(hint.__name__) if is_dataclass(hint) and isinstance(hint, type) else _plain(hint)
    origin = getattr(hint, "__origin__", None)
    if origin is dict:
        return f"{_said(inner[0])} → {_said(inner[1])}"
    if len(set(inner)) > 1 or (len(inner) > 1 and Ellipsis not in get_args(hint)):
        return f"({', '.join(_said(one) for one in inner)})"
    return f"list of {_said(inner[0])}"


def _plain(hint: Any) -> str:
    names = {str: "text", int: "number", bool: "true or false"}
    return names.get(hint, "anything")
