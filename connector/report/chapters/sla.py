"""SLA by step, and by priority beside what is usual for that priority."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connector.messages import _, mark
from connector.report import sections
from connector.report.chapters.model import Asked, Chapter, Count, few_note, headings, part
from connector.report.definitions import meaning
from connector.report.departments import has_clocks
from connector.report.figures import Figures, Share
from connector.report.layout import Line, Section, Table
from connector.report.report import Report
from connector.report.wording import clean, count
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
class Sla:
    """Beside the common figures by step."""

    priorities: tuple[Priority, ...]
    is_hiding: bool


def measure(asked: Asked) -> Sla | None:
    """None where the tool's SLA rows are not read."""
    source = asked.source
    if not has_clocks(source):
        return None
    tables = [table for table in source.tickets if source.has(table, "priority")]
    if not tables:
        return Sla((), is_hiding=False)
    ranked = " UNION ALL ".join(
        f"SELECT sys_id, coalesce(priority, '') AS priority FROM current.{name(t)}" for t in tables
    )
    rows = source.read(f"WITH ranked AS ({ranked}) {_BY_PRIORITY}")
    labels = {
        language: choice_labels(source.store, tables[0], language) for language in ("en", "es")
    }
    priorities, is_hiding = _priorities(rows, labels, asked.base)
    return Sla(priorities, is_hiding)


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
    yield Section(
        "sla-priority", _("SLA by priority"), meaning("sla_usual"), (table,), notes, ("sla_usual",)
    )


def lines(_report: Report, figures: Sla) -> Iterator[Line]:
    """By priority; those by step are in every CSV."""
    for row in figures.priorities:
        item = f"priority {row.priority}"
        if row.share:
            yield Line("sla_met_share", row.share.ratio, row.share.whole, item=item)
        if row.usual:
            yield Line("sla_usual", row.usual.ratio, row.usual.whole, item=item)


CHAPTER = Chapter("sla", mark("SLA by step"), ("sla_met_share",), measure, write, lines)
