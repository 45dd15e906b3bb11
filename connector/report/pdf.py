"""A report as PDF, for those who installed the extra: typst sets it, from a wheel of its own.

Nothing of the system is needed (docs/adr/0028). What typst is given is data: a JSON of the view and
the pictures as files, in a folder of their own, out of which it can read nothing. Same figures,
same bytes: the file carries no date.
"""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from connector.errors import ConnectorError
from connector.messages import _, speaking
from connector.report.drawing.picture import Picture
from connector.report.layout import Linked, Section, Table
from connector.report.pictures import MAP
from connector.report.view import View
from connector.resources import shipped

EXTRA = "travesia[pdf]"
TEMPLATE = "pdf.typ"
_PAPER_PIXELS = 720.0
"""A picture of so many pixels is as wide as the text on the paper; smaller ones keep their size."""
_LINE, _PADDING, _WIDEST = 108, 2, 36
"""Letters: on a line of a table, around the words of a cell, the most that a column asks for."""
_SHORT = 14
_MANY, _SMALL = 9, 135
"""With more columns the letters are smaller, and more of them are on a line."""


def pdf_of(view: View) -> bytes:
    """The report as PDF. Raises ConnectorError where the extra is not installed."""
    typst = _typst()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = shipped("templates") / "report" / TEMPLATE
        (folder / TEMPLATE).write_bytes(source.read_bytes())
        data = json.dumps(_data(view, folder), ensure_ascii=False)
        (folder / "view.json").write_text(data, encoding="utf-8")
        made: bytes = typst.compile(str(folder / TEMPLATE), root=name, format="pdf")
    return made


def _typst() -> Any:
    try:
        import typst  # noqa: PLC0415 - an extra, and large: only a PDF needs it
    except ImportError as error:
        raise ConnectorError(
            _('PDF needs an extra that is not installed; run pip install "{extra}"').format(
                extra=EXTRA
            )
        ) from error
    return typst


def _data(view: View, folder: Path) -> dict[str, Any]:
    """The view as the template reads it; its pictures are put into the folder."""
    files = {
        section: [_picture(picture, folder, f"{section}-{i}") for i, picture in enumerate(pictures)]
        for section, pictures in view.pictures.items()
    }
    facts = [asdict(fact) for fact in view.facts]
    with speaking(view.language):
        words = {
            "definitions": _("What each figure means"),
            "definitions_lead": _(
                "All figures are of the period, scope and time zone named at the head, and of the"
                " data until the instant named there."
            ),
        }
    return {
        "language": view.language,
        "title": view.title,
        "description": view.journey_description,
        "scope": view.facts[1].text,
        "journey": view.journey,
        "journey_description": view.journey_description,
        "facts": facts,
        "groups": [asdict(group) for group in view.groups],
        "notes": view.notes,
        "tiles": [asdict(tile) for tile in view.tiles],
        "journey_pictures": files.get(MAP, []),
        "sections": [_section(section, files.get(section.id, [])) for section in view.sections],
        "closing": view.closing,
        "definitions": [asdict(term) for term in view.definitions],
        "credits": view.credits,
        "words": words,
    }


def _picture(picture: Picture, folder: Path, name: str) -> dict[str, Any]:
    file = f"{name}.pdf"
    (folder / file).write_bytes(picture.pdf())
    share = min(picture.width / _PAPER_PIXELS, 1.0)
    return {
        "file": file,
        "title": picture.title,
        "description": picture.description or picture.title,
        "share": share,
    }


def _section(section: Section, pictures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": section.title,
        "lead": section.lead,
        "notes": section.notes,
        "pictures": pictures,
        "tables": [_table(table) for table in section.tables],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "caption": table.caption,
        "columns": table.columns,
        "texts": table.texts,
        "widths": widths(table),
        "rows": [[_cell(cell) for cell in row] for row in table.rows],
    }


def _cell(cell: str) -> dict[str, str]:
    return {"text": str(cell), "url": cell.url if isinstance(cell, Linked) else ""}


def widths(table: Table) -> list[float]:
    """How wide each column should be against the others: no word is broken that need not be.

    Every column has its longest word; what is left of the line goes to those with longer texts. The
    last cell of a row that is too short spans the rest, and weighs nothing.
    """
    full = len(table.columns)
    rows = [row if len(row) == full else row[:-1] for row in table.rows]
    columns = [
        (title, [row[i] for row in rows if len(row) > i]) for i, title in enumerate(table.columns)
    ]
    least = [_least(title, cells) for title, cells in columns]
    more = [
        max(min(_usual(cells), _WIDEST) - n, 1)
        for n, (_t, cells) in zip(least, columns, strict=True)
    ]
    line = _SMALL if full > _MANY else _LINE
    left = max(line - sum(least), 0) / sum(more, 0.0) if more else 0.0
    return [round(n + m * left, 1) for n, m in zip(least, more, strict=True)]


def _least(title: str, cells: Sequence[str]) -> int:
    """The longest word; of short cells ("19.6 hours") the whole of them."""
    longest = max((len(cell) for cell in cells), default=0)
    whole = longest if longest <= _SHORT else 0
    return min(max(_longest_word([title, *cells]), whole) + _PADDING, _WIDEST)


def _usual(cells: Sequence[str]) -> float:
    return mean(len(cell) for cell in cells) if cells else 0.0


def _longest_word(texts: Iterable[str]) -> int:
    return max((len(word) for text in texts for word in text.split()), default=0)
