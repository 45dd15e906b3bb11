"""Touchpoints: the records at each, and month by month what they did to the relationship."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from connector.messages import _, mark
from connector.report import sections
from connector.report.chapters.model import Asked, Chapter, Count, few_note
from connector.report.definitions import meaning
from connector.report.figures import Figures
from connector.report.layout import Line, Section, Table
from connector.report.months import HEAT_MONTHS, months_of, slices_of
from connector.report.report import Report
from connector.report.wording import count, month
from connector.store.database import Row

SHOWN_TOUCHPOINTS = 20

_CELLS = """
WITH slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($numbers) AS i),
weighed AS (
    SELECT table_name, sys_id, count(*) FILTER (polarity = 'positive') AS won,
           count(*) FILTER (polarity = 'negative') AS lost
    FROM moment GROUP BY ALL
)
SELECT c.touchpoint, i, count(*) AS n,
       coalesce(sum(m.won), 0)::BIGINT AS won, coalesce(sum(m.lost), 0)::BIGINT AS lost
FROM slice JOIN life AS l ON l.opened >= s AND l.opened < e
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
LEFT JOIN weighed AS m ON m.table_name = l.table_name AND m.sys_id = l.sys_id
WHERE c.touchpoint <> '' AND l.opened < $until AND NOT list_contains($measures, l.table_name)
GROUP BY ALL
"""


@dataclass(frozen=True)
class Cell:
    """Records opened in a month that stand at a touchpoint now, and the moments decided on them.

    `impact` is won less lost. None is kept from sight.
    """

    records: Count
    impact: Count


@dataclass(frozen=True)
class Heat:
    """Touchpoint × month; a cell is None where nothing was opened."""

    months: tuple[date, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    is_hiding: bool


def measure(asked: Asked) -> Heat | None:
    """The last months up to the end of the period; None before the data begin."""
    until = asked.base.data_until
    if until is None or until <= asked.period.start:
        return None
    months = months_of(asked.period, until)[-HEAT_MONTHS:]
    rows = asked.source.read(_CELLS, **slices_of(asked.source, months))
    return _heat(rows, months, asked.base)


def _heat(rows: Sequence[Row], months: Sequence[date], base: Figures) -> Heat:
    cells = {(row["touchpoint"], row["i"]): row for row in rows}
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["touchpoint"]] = totals.get(row["touchpoint"], 0) + row["n"]
    busiest = sorted(totals, key=lambda id_: (-totals[id_], id_))[:SHOWN_TOUCHPOINTS]
    hidden = {
        (id_, i)
        for id_ in busiest
        for i, first in enumerate(months)
        if base.is_hidden("heat", id_, f"{first}")
    }
    # Their difference is shown: it needs both.
    dark = {
        (id_, i)
        for id_ in busiest
        for i, first in enumerate(months)
        if any(base.is_hidden(way, id_, f"{first}") for way in ("heat_won", "heat_lost"))
    }
    return Heat(
        tuple(months),
        tuple(
            (
                id_,
                tuple(
                    _cell(cells.get((id_, i)), (id_, i) in hidden, (id_, i) in dark)
                    for i in range(len(months))
                ),
            )
            for id_ in busiest
        ),
        bool(hidden | dark),
    )


def _cell(row: Row | None, is_hidden: bool, is_dark: bool) -> Cell | None:
    if is_hidden:
        return Cell(None, None)
    if row is None:
        return None
    return Cell(row["n"], None if is_dark else row["won"] - row["lost"])


def write(report: Report, figures: Heat) -> Iterator[Section]:
    """The list of the period, then the months."""
    yield sections.touchpoints(report)
    if not figures.rows:
        return
    columns = (_("Touchpoint"), *(month(first) for first in figures.months))
    rows = tuple(
        (report.touchpoint_name(id_), *(_said(cell) for cell in cells))
        for id_, cells in figures.rows
    )
    table = Table(_("Records by touchpoint and month (balance of moments)"), columns, rows)
    yield Section(
        "touchpoints-months",
        _("Touchpoints month by month"),
        meaning("touchpoint_impact"),
        (table,),
        few_note(report, is_hiding=figures.is_hiding),
        ("touchpoint_opened", "touchpoint_impact"),
    )


def _said(cell: Cell | None) -> str:
    if cell is None:
        return ""
    if not cell.impact:
        return count(cell.records)
    sign = "+" if cell.impact > 0 else "\u2212"
    return f"{count(cell.records)} ({sign}{abs(cell.impact)})"


def lines(report: Report, figures: Heat) -> Iterator[Line]:
    """Every cell that is shown."""
    for id_, cells in figures.rows:
        for first, cell in zip(figures.months, cells, strict=True):
            if cell and cell.records is not None:
                item, name = f"{id_} {first:%Y-%m}", report.touchpoint_name(id_)
                yield Line("touchpoint_opened", cell.records, cell.records, "", item, name)
                if cell.impact is not None:
                    yield Line("touchpoint_impact", cell.impact, cell.records, "", item, name)


CHAPTER = Chapter(
    "touchpoints",
    mark("Touchpoints"),
    ("touchpoint_records", "touchpoint_opened", "touchpoint_impact"),
    measure,
    write,
    lines,
)
