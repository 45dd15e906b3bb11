"""The journey as a whole: each step, the weeks, how it ended, and the other period beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.journey.fields import TOUCHPOINT, VALUE_CHOICES
from connector.messages import _, mark
from connector.report import sections
from connector.report.chapters import relations
from connector.report.chapters.model import (
    Asked,
    Chapter,
    Count,
    part,
    shown_steps,
)
from connector.report.chapters.relations import Relationships
from connector.report.cube import VOICE
from connector.report.definitions import heading, meaning
from connector.report.figures import Before, Figures, Share
from connector.report.layout import Line, Section, Table
from connector.report.lists import Cell, Is, at
from connector.report.people import departments, months
from connector.report.report import Report
from connector.report.sections import ending_name, list_notes
from connector.report.wording import NOTHING, count, percent, span

_OPEN = """
SELECT l.table_name, c.steps[$journey] AS step, count(*) FILTER (l.is_open) AS open,
       count(*) FILTER (l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since))
           AS in_period
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
WHERE c.steps[$journey] IS NOT NULL AND NOT list_contains($measures, l.table_name)
  AND NOT list_contains($ignored, c.rule_id)
GROUP BY ALL
"""

_ENDED = """
SELECT l.table_name, coalesce(nullif(c.value, ''), nullif(c.outcome, ''),
           CASE WHEN c.touchpoint = $voice THEN 'denied' ELSE 'unknown' END) AS how, count(*) AS n
FROM life AS l
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
WHERE list_contains($tickets, l.table_name) AND NOT l.is_open AND l.ended >= $since
  AND l.ended < $until AND NOT list_contains($ignored, c.rule_id)
GROUP BY ALL
"""

Cells = Mapping[tuple[str, str], int]
"""(table, step or ending) → records."""


@dataclass(frozen=True)
class Overview:
    """The common figures; what is open now and was in the period by table and step; what ended.

    By table nothing is told of a part of the organisation: no list of the tool says exactly what
    belongs to it.
    """

    base: Figures
    open: Cells
    in_period: Cells
    ended: Cells
    relationships: Relationships | None = None
    """For the ribbon of the journey map."""


def measure(asked: Asked) -> Overview:
    """Whatever the period, for what is open now."""
    found = relations.measure(asked)
    if asked.source.scope.is_part:
        return Overview(asked.base, {}, {}, {}, found)
    rows = asked.source.read(_OPEN, journey=asked.journey.id)
    ended = asked.source.read(_ENDED, voice=VOICE)
    return Overview(
        asked.base,
        {(row["table_name"], row["step"]): row["open"] for row in rows if row["open"]},
        {(row["table_name"], row["step"]): row["in_period"] for row in rows if row["in_period"]},
        {(row["table_name"], row["how"]): row["n"] for row in ended},
        found,
    )


def write(report: Report, found: Overview) -> Iterator[Section]:
    """Steps, weeks, value; people where they are read; the comparison."""
    figures = found.base
    steps = sections.steps(report, figures.shown)
    yield replace(steps, figures=(*steps.figures, "moments_won", "moments_lost", "trust_step"))
    if found.open or found.in_period:
        yield _by_table(report, found)
    yield sections.weeks(report)
    value = sections.value(report)
    if found.ended:
        value = replace(value, tables=(*value.tables, _ended(report, found.ended)))
    yield value
    if figures.before:
        yield _comparison(figures, figures.before)
    if figures.departments:
        yield departments(report)
    if figures.months.departments or figures.months.approvals:
        yield months(report)


def _by_table(report: Report, found: Overview) -> Section:
    steps = tuple(shown_steps(report))
    tables = [
        _cells(report, caption, steps, cells, cell_of)
        for caption, cells, cell_of in (
            (_("Open now, by table and step"), found.open, _open_at),
            (_("In the period, by table and step"), found.in_period, _in_period_at),
        )
        if cells
    ]
    return Section(
        "open-now",
        _("By table"),
        " ".join((meaning("open_now"), meaning("records_in_period"))),
        tuple(tables),
        list_notes(report, tables),
        ("open_now", "records_in_period"),
    )


def _open_at(step: str) -> Cell:
    return at("open", step=step)


def _in_period_at(step: str) -> Cell:
    return at("in_period", step=step)


def _cells(
    report: Report,
    caption: str,
    named: Sequence[tuple[str, str]],
    cells: Cells,
    cell_of: Callable[[str], Cell],
) -> Table:
    """A row a table, a column for each of `named` (id, title) that is used; linked if a list says
    the same."""
    tables = sorted({table for table, _id in cells}, key=lambda t: (report.table_name(t), t))
    used = [(id_, title) for id_, title in named if any((table, id_) in cells for table in tables)]
    rows = tuple(
        (
            report.table_name(table),
            *(
                report.lists.link(n, table, cell_of(id_)) if n else ""
                for id_, _title in used
                for n in (cells.get((table, id_), 0),)
            ),
        )
        for table in tables
    )
    return Table(caption, (_("Table"), *(title for _id, title in used)), rows)


def _ended(report: Report, cells: Cells) -> Table:
    outcomes = sorted({how for _table, how in cells} - set(KNOWN_ENDINGS))
    named = [(how, ending_name(report, how)) for how in (*KNOWN_ENDINGS, *outcomes)]
    return _cells(report, _("Tickets that ended, by table"), named, cells, _ended_so)


KNOWN_ENDINGS = ("confirmed", "presumed", "denied", "unknown")


def _ended_so(how: str) -> Cell:
    if how in VALUE_CHOICES:
        return at("ended", value=how)
    if how not in ("denied", "unknown"):
        return at("ended", value="", outcome=how)
    is_voiced = Is(TOUCHPOINT, VOICE, is_not=how == "unknown")
    return Cell((*at(value="", outcome="").where, is_voiced), ("ended",))


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
    change = percent((now - then) / then).replace("-", "\u2212")
    return ("+" if now > then else "") + change


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
    for (table, step), n in sorted(found.in_period.items()):
        yield Line("records_in_period", n, n, journey, table, report.table_name(table), step=step)
    for (table, how), n in sorted(found.ended.items()):
        yield Line("closures", n, n, "", f"{how} {table}", report.table_name(table))
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
