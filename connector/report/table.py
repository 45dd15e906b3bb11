"""Every figure in one long table, as CSV and Parquet: a row a figure, for spreadsheets and others.

Ids and numbers are the same in every language (point as decimal mark, instants in UTC); the name
columns and the definition are for people. In the CSV a cell that a spreadsheet would run as a
formula is disarmed; Parquet has types, and nothing to run.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from connector.journey.engagement_words import rounded
from connector.messages import speaking
from connector.report.chapters import lines_of
from connector.report.definition import Definition
from connector.report.definitions import DEFINITIONS
from connector.report.figures import Figures, JourneyFigures, Months, Share, SlaFigures
from connector.report.layout import Line
from connector.report.report import Report
from connector.report.wording import clean
from connector.store import parquet
from connector.timestamps import format_instance

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that spreadsheets may take for a formula, also in their full width (OWASP, "CSV
Injection"). Blanks before them are skipped by some."""


COLUMNS = (
    "figure",
    "name",
    "journey",
    "step",
    "item",
    "item_name",
    "band",
    "value",
    "unit",
    "records",
    "period_from",
    "period_to",
    "time_zone",
    "scope",
    "data_until",
    "definition",
)

NUMBERS = {"value": "DOUBLE", "records": "BIGINT"}
INSTANTS = ("period_from", "period_to", "data_until")
"""Columns of the Parquet file that are no text; instants are in UTC."""


def csv_of(report: Report) -> str:
    """The long table as CSV (RFC 4180), with a heading."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    with speaking(report.language):
        frame = _frame(report.figures)
        for line in lines(report):
            cells = (*_cells(line), *frame, DEFINITIONS[line.figure].said_text)
            writer.writerow([disarm(cell) for cell in cells])
    return out.getvalue()


def parquet_of(report: Report) -> bytes:
    """The same table, with types: numbers are numbers, a hidden or unknown value is NULL."""
    figures = report.figures
    until = figures.data_until
    instants = (
        figures.period.start.timestamp(),
        figures.period.end.timestamp(),
        until.timestamp() if until else None,
    )
    types = {name: NUMBERS.get(name, "VARCHAR") for name in COLUMNS}
    types |= dict.fromkeys(INSTANTS, "DOUBLE")
    with speaking(report.language):
        frame = _frame(figures)
        rows: list[dict[str, Any]] = []
        for line in lines(report):
            cells = (*_cells(line), *frame, DEFINITIONS[line.figure].said_text)
            row: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
            row |= dict(zip(INSTANTS, instants, strict=True))
            rows.append(row | {"value": None if row["value"] == "" else row["value"]})
    return parquet.parquet_of(rows, types, INSTANTS)


def disarm(cell: str | int | float) -> str:
    """A cell's text; words that a spreadsheet would run begin with an apostrophe."""
    if isinstance(cell, int | float):
        return f"{cell:g}" if isinstance(cell, float) else str(cell)
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.strip().startswith(_FORMULA) else cell


def _cells(line: Line) -> tuple[str | int | float, ...]:
    definition = DEFINITIONS[line.figure]
    value: str | int | float = "" if line.value is None else line.value
    if isinstance(value, float):
        value = _rounded(value, definition)
    # Whatever has a journey and no step of its own is a figure of the step itself.
    step = line.step or (line.item if line.journey else "")
    names = (line.journey, clean(step), clean(line.item), clean(line.item_name), line.band)
    return (line.figure, definition.said_name, *names, value, definition.unit, line.records)


def _rounded(value: float, definition: Definition) -> int | float:
    """As the pages round it, so that page and table agree."""
    decimals = 4 if definition.unit == "ratio" else definition.decimals
    if definition.unit == "points" and not decimals:
        return rounded(value)
    return round(value, decimals) if decimals else round(value)


def _frame(figures: Figures) -> tuple[str, ...]:
    period = figures.period
    until = format_instance(figures.data_until) if figures.data_until else ""
    bounds = (format_instance(period.start), format_instance(period.end))
    return (*bounds, period.time_zone, figures.scope.key, until)


def lines(report: Report) -> Iterator[Line]:
    """All figures, in a fixed order."""
    figures = report.figures
    yield from _totals(report)
    for journey in figures.journeys:
        yield from _journey_lines(report, journey)
    for t in figures.touchpoints:
        yield Line(
            "touchpoint_records",
            t.in_period,
            t.in_period,
            figures.shown.journey,
            t.touchpoint,
            report.touchpoint_name(t.touchpoint),
            t.band,
            t.step,
        )
    for week in figures.weeks:
        item = week.monday.isoformat()
        for way, n in (("opened", week.flow.opened), ("resolved", week.flow.resolved)):
            yield _counted(f"tickets_{way}", figures.counted(n, "week", way, item), item=item)
    for table in figures.tables:
        name = report.table_name(table.table)
        for figure, n in (
            ("records_in_period", table.in_period),
            ("records_open", table.open),
            ("records_placed", table.placed),
        ):
            yield Line(figure, n, n, item=table.table, item_name=name)
    for d in figures.departments:
        yield Line("department_tickets", d.opened, d.opened, "", d.department, d.name)
    yield from _month_lines(figures.months)
    yield from lines_of(report)


def _month_lines(months: Months) -> Iterator[Line]:
    for row in months.departments:
        for first, met in zip(months.months, row.met, strict=True):
            if met is not None:
                item = f"{row.department} {first:%Y-%m}"
                yield Line("sla_met_by_month", met.ratio, met.whole, "", item, row.name)
    for month in months.approvals:
        item = f"{month.month:%Y-%m}"
        yield Line("approvals_decided", month.decided, month.decided, item=item)
        yield Line("approval_wait_median", month.median_seconds, month.decided, item=item)
        yield Line("approval_wait_slow", month.slow_seconds, month.decided, item=item)
        yield Line("approvals_waiting", month.waiting, month.waiting, item=item)


def _totals(report: Report) -> Iterator[Line]:
    figures = report.figures
    for figure, n, name in (
        ("records_in_period", figures.records, "records"),
        ("records_open", figures.open, "open"),
        ("open_now", figures.open_now, "open_now"),
        ("tickets_opened", figures.flow.opened, "opened"),
        ("tickets_resolved", figures.flow.resolved, "resolved"),
    ):
        yield _counted(figure, figures.counted(n, "head", name))
    closures = figures.closures
    if not figures.is_dark("closures", "confirmed", "presumed"):
        yield _share("value_confirmed_share", closures.confirmed_share)
    for how, n in (
        ("confirmed", closures.confirmed),
        ("presumed", closures.presumed),
        ("denied", closures.denied),
        ("unknown", closures.unknown),
        *closures.outcomes.items(),
    ):
        if not figures.is_hidden("closures", how):
            yield Line("closures", n, n, item=how)
    yield _share("visible_share", figures.visible)
    yield _share("unclassified_share", figures.unclassified)
    yield _share("low_confidence_share", figures.low_confidence)
    if figures.sla_total:
        yield from _sla_lines(report, figures.sla_total, "")


def _counted(figure: str, n: int | None, *where: str, **more: str) -> Line:
    """A count with its records; empty where it is kept from sight."""
    return Line(figure, n, n or 0, *where, **more)


def _share(figure: str, value: Share) -> Line:
    return Line(figure, value.ratio, value.whole)


def _journey_lines(report: Report, journey: JourneyFigures) -> Iterator[Line]:
    for step in journey.steps:
        where = (journey.journey, step.step, report.step_name(journey.journey, step.step))
        if not step.has_source:
            # An empty value, not 0: this tool has nothing that could stand here.
            yield Line("records_in_period", None, 0, *where)
            continue
        for figure, column, n in (
            ("records_in_period", "in_period", step.in_period),
            ("records_open", "open", step.open),
            ("records_placed", "placed", step.placed),
            ("records_entered", "entered", step.entered),
            ("records_left", "left", step.left),
        ):
            is_hidden = report.figures.is_hidden(column, journey.journey, step.step)
            yield _counted(figure, None if is_hidden else n, *where)
        yield Line("dwell_median", step.dwell_seconds, step.dwell_records, *where)
        yield Line("age_median", step.age_seconds, step.open, *where)
        for band, n in step.bands.items():
            yield Line("records_in_band", n, n, *where, band=band)
    for row in journey.sla or ():
        yield from _sla_lines(report, row, journey.journey)


def _sla_lines(report: Report, row: SlaFigures, journey: str) -> Iterator[Line]:
    name = report.step_name(journey, row.step) if row.step else ""
    where = (journey, row.step, name)
    cells = report.figures.sla_cells(row, journey)
    for figure, n in cells.items():
        yield _counted(f"sla_{figure}", n, *where)
    if None not in (cells["met"], cells["breached"]):
        decided = row.met_share
        yield Line("sla_met_share", decided.ratio, decided.whole, *where)
