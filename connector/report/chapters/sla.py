"""SLA by step, and by priority beside what is usual for that priority."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.messages import _, mark
from connector.report import sections
from connector.report.chapters.model import (
    Asked,
    Chapter,
    Count,
    few_note,
    headings,
    part,
    shown_steps,
)
from connector.report.definitions import meaning
from connector.report.departments import has_clocks
from connector.report.figures import Figures, Share
from connector.report.layout import Line, Section, Table
from connector.report.population import NOWHERE
from connector.report.report import Report
from connector.report.wording import clean, count, duration, number
from connector.store.coverage import choice_labels
from connector.store.database import Row
from connector.store.records import name

_BY_PRIORITY = """
SELECT r.priority, count(*) FILTER (k.in_period AND k.result = 'met') AS met,
       count(*) FILTER (k.in_period AND k.result = 'breached') AS breached,
       count(*) FILTER (k.result = 'met') AS all_met, count(*) AS all_decided
FROM clock AS k JOIN ranked AS r ON r.sys_id = k.task
WHERE k.result <> 'running' GROUP BY 1 ORDER BY 1
"""


_SPARE = """
SELECT coalesce(k.steps[$journey], '') AS step, count(*) AS n,
       median(epoch(s.planned_end_time::TIMESTAMP) - epoch(k.ended::TIMESTAMP)) AS seconds
FROM clock AS k JOIN current.task_sla AS s ON s.sys_id = k.clock_id
WHERE k.in_period AND k.result = 'met' AND k.ended IS NOT NULL
  AND coalesce(s.planned_end_time, '') <> '' GROUP BY 1
"""


@dataclass(frozen=True)
class Priority:
    """Clocks decided on records of one priority. `usual`: of all kept, whenever they ran."""

    priority: str
    label: dict[str, str]
    met: Count
    breached: Count
    share: Share | None
    usual: Share | None


@dataclass(frozen=True)
class Spare:
    """Half of the clocks met in a step ("" = nowhere) had this much left, in seconds, or more."""

    step: str
    met: int
    seconds: float


@dataclass(frozen=True)
class Sla:
    """Beside the common figures by step. `spare` is None where no planned end is read."""

    priorities: tuple[Priority, ...]
    is_hiding: bool
    spare: tuple[Spare, ...] | None = None


def measure(asked: Asked) -> Sla | None:
    """None where the tool's SLA rows are not read."""
    source = asked.source
    if not has_clocks(source):
        return None
    spare = _spare(asked) if source.has("task_sla", "planned_end_time") else None
    tables = [table for table in source.tickets if source.has(table, "priority")]
    if not tables:
        return Sla((), is_hiding=False, spare=spare)
    ranked = " UNION ALL ".join(
        f"SELECT sys_id, coalesce(priority, '') AS priority FROM current.{name(t)}" for t in tables
    )
    rows = source.read(f"WITH ranked AS ({ranked}) {_BY_PRIORITY}")
    labels = {
        language: choice_labels(source.store, tables[0], language) for language in ("en", "es")
    }
    priorities, is_hiding = _priorities(rows, labels, asked.base)
    return Sla(priorities, is_hiding, spare)


def _spare(asked: Asked) -> tuple[Spare, ...]:
    """By step, in order. Of a part only where its met clocks are shown."""
    journey = asked.journey
    found = {
        row["step"]: Spare(row["step"], row["n"], row["seconds"])
        for row in asked.source.read(_SPARE, journey=journey.id)
        if not asked.base.is_hidden("sla", journey.id, row["step"] or NOWHERE, "met")
    }
    return tuple(found[id_] for id_ in (*(s.id for s in journey.steps), "") if id_ in found)


def _priorities(
    rows: Sequence[Row], labels: dict[str, dict[tuple[str, str], str]], base: Figures
) -> tuple[tuple[Priority, ...], bool]:
    found = tuple(_priority(row, labels, base) for row in rows)
    return found, base.hides("priority") or base.hides("priority_usual")


def _priority(row: Row, labels: dict[str, dict[tuple[str, str], str]], base: Figures) -> Priority:
    key = f"p{row['priority']}"
    said = {
        language: known.get(("priority", row["priority"])) or str(row["priority"])
        for language, known in labels.items()
    }
    met = base.counted(row["met"], "priority", key, "met")
    breached = base.counted(row["breached"], "priority", key, "breached")
    share = None if met is None or breached is None else Share(met, met + breached)
    is_dark = any(base.is_hidden("priority_usual", key, r) for r in ("met", "breached"))
    usual = None if is_dark else Share(row["all_met"], row["all_decided"])
    return Priority(row["priority"], said, met, breached, share, usual)


def write(report: Report, figures: Sla) -> Iterator[Section]:
    """By step, as in every report; then by priority."""
    yield sections.sla(report, report.figures.shown)
    if figures.spare:
        yield _spare_section(report, figures.spare)
    if not figures.priorities:
        return
    table = Table(
        _("SLA clocks by priority"),
        (_("Priority"), *headings("sla_met", "sla_breached", "sla_met_share", "sla_usual")),
        tuple(
            (
                clean(row.label.get(report.language, row.priority)) or _("No priority"),
                count(row.met),
                count(row.breached),
                part(row.share),
                part(row.usual),
            )
            for row in figures.priorities
        ),
    )
    notes = few_note(report, is_hiding=figures.is_hiding)
    ids = ("sla_met", "sla_breached", "sla_met_share", "sla_usual")
    yield Section("sla-priority", _("SLA by priority"), meaning("sla_usual"), (table,), notes, ids)


def _spare_section(report: Report, spare: tuple[Spare, ...]) -> Section:
    names = dict(shown_steps(report))
    rows = tuple(
        (names.get(one.step, _("Record not placed")), duration(one.seconds), number(one.met))
        for one in spare
    )
    columns = (_("Step"), *headings("sla_spare", "sla_met"))
    table = Table(_("What was left of the time when a clock was met"), columns, rows)
    ids = ("sla_spare", "sla_met")
    return Section("sla-spare", _("Time to spare"), meaning("sla_spare"), (table,), (), ids)


def lines(report: Report, figures: Sla) -> Iterator[Line]:
    """By priority, and what was left; those by step are in every CSV."""
    journey = report.journey.id
    for one in figures.spare or ():
        name = report.step_name(journey, one.step) if one.step else ""
        yield Line("sla_spare", one.seconds, one.met, journey, one.step, name)
    for row in figures.priorities:
        item = f"priority {row.priority}"
        if row.share:
            yield Line("sla_met_share", row.share.ratio, row.share.whole, item=item)
        if row.usual:
            yield Line("sla_usual", row.usual.ratio, row.usual.whole, item=item)


CHAPTER = Chapter(
    "sla",
    mark("SLA by step"),
    ("sla_met_share", "sla_usual", "sla_spare"),
    measure,
    write,
    lines,
)
