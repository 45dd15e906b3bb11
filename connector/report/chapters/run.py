"""What Travesía itself did in the period: every run, what it read, placed, wrote and could not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connector.messages import _, mark
from connector.report.chapters.model import Asked, Chapter, headings
from connector.report.layout import Line, Section, Table
from connector.report.report import Report
from connector.report.wording import NOTHING, clean, duration, instant, number
from connector.store.database import Row

SHOWN = 40

_RUNS = """
SELECT run_id, kind, started_at, finished_at, outcome, counts FROM run
WHERE started_at >= $since::TIMESTAMP AND started_at < $until::TIMESTAMP
ORDER BY started_at DESC, run_id
"""


@dataclass(frozen=True)
class Pass:
    """One run. Counts are of records, `refused` of fields; 0 where the run did not get so far."""

    run_id: str
    kind: str
    started: datetime
    seconds: float | None
    outcome: str
    read: int
    placed: int
    planned: int
    confirmed: int
    refused: int
    healed: int


def measure(asked: Asked) -> tuple[Pass, ...]:
    """Runs by this machine's clock, newest first."""
    return tuple(_pass(row) for row in asked.source.read(_RUNS))


def _pass(row: Row) -> Pass:
    counts: dict[str, Any] = json.loads(row["counts"]) if row["counts"] else {}
    tables = counts.get("tables", [])
    ended, started = row["finished_at"], row["started_at"]
    return Pass(
        row["run_id"],
        row["kind"],
        started.replace(tzinfo=UTC),
        (ended - started).total_seconds() if ended else None,
        row["outcome"] or "",
        sum(table.get("extracted", 0) for table in tables),
        sum(table.get("classified", 0) for table in tables),
        counts.get("planned", 0),
        counts.get("confirmed", 0),
        counts.get("refused", 0),
        counts.get("healed", 0),
    )


def write(report: Report, figures: tuple[Pass, ...]) -> Iterator[Section]:
    """A row a run, and their sum."""
    if not figures:
        yield CHAPTER.section((), (_("There was no run in this period."),))
        return
    table = Table(
        _("Runs"),
        (
            _("Begun"),
            _("Kind"),
            _("Result"),
            *headings("run_read", "run_placed", "run_planned", "run_confirmed", "run_refused"),
            *headings("run_healed", "run_seconds"),
        ),
        (*(_row(report, one) for one in figures[:SHOWN]), _total(figures)),
        texts=3,
    )
    more = len(figures) - SHOWN
    notes = (_("{n} older runs are not listed.").format(n=number(more)),) if more > 0 else ()
    yield CHAPTER.section((table,), notes)


def _row(report: Report, one: Pass) -> tuple[str, ...]:
    return (
        instant(one.started, report.period),
        clean(one.kind),
        _outcome(one.outcome),
        *(number(n) for n in _counts(one)),
        duration(one.seconds),
    )


def _counts(one: Pass) -> tuple[int, ...]:
    return (one.read, one.placed, one.planned, one.confirmed, one.refused, one.healed)


def _total(figures: tuple[Pass, ...]) -> tuple[str, ...]:
    sums = [sum(column) for column in zip(*(_counts(one) for one in figures), strict=True)]
    # Placed anew by every run: the sum would count each record once a night.
    cells = [NOTHING if i == 1 else number(n) for i, n in enumerate(sums)]
    time = sum(one.seconds or 0.0 for one in figures)
    return (_("All"), number(len(figures)), "", *cells, duration(time))


def _outcome(outcome: str) -> str:
    names = {
        "succeeded": _("succeeded"),
        "partial": _("partial"),
        "failed": _("failed"),
        "interrupted": _("interrupted"),
    }
    return names.get(outcome, clean(outcome) or NOTHING)


def lines(_report: Report, figures: tuple[Pass, ...]) -> Iterator[Line]:
    """Every run."""
    for one in figures:
        item = one.run_id
        yield Line("run_read", one.read, one.read, item=item)
        yield Line("run_confirmed", one.confirmed, one.planned, item=item)
        yield Line("run_refused", one.refused, one.planned, item=item)
        yield Line("run_seconds", one.seconds, one.read, item=item)


CHAPTER = Chapter(
    "run",
    mark("Run report"),
    (
        "run_read",
        "run_placed",
        "run_planned",
        "run_confirmed",
        "run_refused",
        "run_healed",
        "run_seconds",
    ),
    measure,
    write,
    lines,
)
