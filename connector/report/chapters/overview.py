"""The journey as a whole: each step, the weeks, how it ended, and the other period beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from connector.messages import _, mark
from connector.report import sections
from connector.report.chapters import relations
from connector.report.chapters.model import Asked, Chapter, Count, part, shown_steps
from connector.report.chapters.relations import Relationships
from connector.report.definitions import heading, meaning
from connector.report.figures import Before, Figures, Share
from connector.report.layout import Line, Linked, Section, Table
from connector.report.people import departments, months
from connector.report.report import Report
from connector.report.wording import NOTHING, count, number, percent, span

_OPEN = """
SELECT l.table_name, c.steps[$journey] AS step, count(*) AS n
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
WHERE l.is_open AND c.steps[$journey] IS NOT NULL AND NOT list_contains($measures, l.table_name)
  AND NOT list_contains($ignored, c.rule_id)
GROUP BY ALL
"""


@dataclass(frozen=True)
class Overview:
    """The common figures, and what is open now by table and step: (table, step) → records.

    Nothing of a part of the organisation: no list of the tool says exactly what belongs to it.
    """

    base: Figures
    open: Mapping[tuple[str, str], int]
    relationships: Relationships | None = None
    """For the ribbon of the journey map."""


def measure(asked: Asked) -> Overview:
    """Whatever the period, for what is open now."""
    found = relations.measure(asked)
    if asked.source.scope.is_part:
        return Overview(asked.base, {}, found)
    rows = asked.source.read(_OPEN, journey=asked.journey.id)
    return Overview(asked.base, {(row["table_name"], row["step"]): row["n"] for row in rows}, found)


def write(report: Report, found: Overview) -> Iterator[Section]:
    """Steps, weeks, value; people where they are read; the comparison."""
    figures = found.base
    steps = sections.steps(report, figures.shown)
    yield replace(steps, figures=(*steps.figures, "moments_won", "moments_lost", "trust_step"))
    if found.open:
        yield _open(report, found.open)
    yield sections.weeks(report)
    yield sections.value(report)
    if figures.before:
        yield _comparison(figures, figures.before)
    if figures.departments:
        yield departments(report)
    if figures.months.departments or figures.months.approvals:
        yield months(report)


def _open(report: Report, cells: Mapping[tuple[str, str], int]) -> Section:
    tables = sorted({table for table, _step in cells}, key=lambda t: (report.table_name(t), t))
    rows = tuple(
        (name, *(_open_cell(report, cells, table, id_) for table in tables))
        for id_, name in shown_steps(report)
        if any((table, id_) in cells for table in tables)
    )
    columns = (_("Step"), *(report.table_name(table) for table in tables))
    table = Table(_("Open now, by step and table"), columns, rows)
    notes = (_("A linked number leads to exactly these records in the tool."),)
    return Section(
        "open-now",
        _("Open now"),
        meaning("open_now"),
        (table,),
        notes if any(isinstance(cell, Linked) for row in rows for cell in row) else (),
        ("open_now",),
    )


def _open_cell(report: Report, cells: Mapping[tuple[str, str], int], table: str, step: str) -> str:
    n = cells.get((table, step), 0)
    return report.tool.open_at(number(n), table, step=step) if n else ""


def _comparison(figures: Figures, before: Before) -> Section:
    total = figures.sla_total
    pairs = [
        ("records_in_period", figures.records, before.records, "records"),
        ("tickets_opened", figures.flow.opened, before.flow.opened, "opened"),
        ("tickets_resolved", figures.flow.resolved, before.flow.resolved, "resolved"),
    ]
    rows = []
    for id_, n, past, name in pairs:
        now, then = _counts(figures, name, n, past)
        rows.append((heading(id_), count(now), count(then), _change(now, then)))
    is_dark = figures.is_dark("sla_all", "met", "breached")
    now_sla = total.met_share if total and not is_dark else None
    shares: list[tuple[str, Share | None, Share | None]] = [
        ("sla_met_share", now_sla, before.sla),
    ]
    if not figures.scope.is_part:
        # Of a part the closures of two periods together may tell what one of them hides.
        now_value, then_value = (c.confirmed_share for c in (figures.closures, before.closures))
        shares.append(("value_confirmed_share", now_value, then_value))
    rows += [(heading(id_), part(now), part(then), _points(now, then)) for id_, now, then in shares]
    # Where records stood then is not kept.
    rows.append((heading("visible_share"), part(figures.visible), NOTHING, NOTHING))
    columns = (_("Figure"), span(figures.period), span(before.period), _("Change"))
    table = Table(_("The period and the one it is compared with"), columns, tuple(rows))
    note = _("Where records stood then is not kept: only what can be counted for both is compared.")
    return Section(
        "comparison",
        _("Compared"),
        meaning("records_in_period"),
        (table,),
        (note,),
        (*(id_ for id_, *_r in pairs), *(id_ for id_, *_r in shares), "visible_share"),
    )


def _counts(figures: Figures, name: str, now: int, then: int) -> tuple[Count, Count]:
    """A figure of the period and of the other one; None is kept from sight."""
    return figures.counted(now, "head", name), figures.counted(then, "head", f"{name}_before")


def _change(now: Count, then: Count) -> str:
    if not then or now is None:
        return NOTHING
    return ("+" if now > then else "") + percent((now - then) / then)


def _points(now: Share | None, then: Share | None) -> str:
    if now is None or then is None or now.ratio is None or then.ratio is None:
        return NOTHING
    points = round(100 * (now.ratio - then.ratio))
    return _("{n} points").format(n=f"{points:+d}".replace("-", "\u2212"))


def lines(report: Report, found: Overview) -> Iterator[Line]:
    """What is open by table and step, and what the other period had."""
    journey = report.journey.id
    for (table, step), n in sorted(found.open.items()):
        yield Line("open_now", n, n, journey, table, report.table_name(table), step=step)
    before = found.base.before
    if before is None:
        return
    item = f"{before.period.start:%Y-%m-%d}"
    for name, past in (
        ("records", before.records),
        ("opened", before.flow.opened),
        ("resolved", before.flow.resolved),
    ):
        then = found.base.counted(past, "head", f"{name}_before")
        yield Line(f"{name}_before", then, then or 0, item=item)


CHAPTER = Chapter(
    "overview",
    mark("Journey overview"),
    ("records_in_period", "open_now"),
    measure,
    write,
    lines,
)
