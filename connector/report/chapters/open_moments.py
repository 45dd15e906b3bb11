"""Moments of truth that can still turn out well: the most urgent first, with what would do it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connector.messages import _, _n, mark
from connector.report.chapters.model import Asked, Chapter, Count
from connector.report.chapters.moments import moment_name
from connector.report.layout import Line, Section, Table
from connector.report.population import URGENT
from connector.report.report import Report
from connector.report.wording import NOTHING, clean, duration, instant, number
from connector.store.database import Row, Store
from connector.store.moments import numbers_of

SHOWN = 30

OPEN = """
SELECT table_name, sys_id, moment_id, window_ends_at, weight FROM moment
WHERE polarity = 'open'
ORDER BY window_ends_at NULLS LAST, weight DESC, table_name, sys_id, moment_id
"""


@dataclass(frozen=True)
class Open:
    """One that can still be turned. `ends` is aware UTC, None where nothing has set its end yet."""

    moment_id: str
    table: str
    sys_id: str
    number: str
    ends: datetime | None
    left: timedelta | None


@dataclass(frozen=True)
class OpenMoments:
    """The most urgent ones of `total`, and how many end within three days of the data's end.

    The counts are None where too few people are behind them.
    """

    moments: tuple[Open, ...]
    total: Count
    urgent: Count


def measure(asked: Asked) -> OpenMoments | None:
    """As of the end of the data, whatever the period: the past cannot be turned any more."""
    if asked.until is None or not asked.mapping.moments:
        return None
    rows = asked.source.read(OPEN)
    ends = [row["window_ends_at"] for row in rows if row["window_ends_at"]]
    urgent = sum(end - asked.until <= URGENT for end in ends)
    return OpenMoments(
        named(asked.source.store, rows[:SHOWN], asked.until),
        asked.base.counted(len(rows), "moment_open_all"),
        asked.base.counted(urgent, "moment_urgent"),
    )


def named(store: Store, rows: Sequence[Row], until: datetime) -> tuple[Open, ...]:
    """Rows of moments with the numbers of their records."""
    numbers = numbers_of(store, [(r["table_name"], r["sys_id"]) for r in rows])
    return tuple(_open(row, numbers[row["table_name"], row["sys_id"]], until) for row in rows)


def _open(row: Row, called: str, until: datetime) -> Open:
    end: datetime | None = row["window_ends_at"]
    return Open(
        row["moment_id"],
        row["table_name"],
        row["sys_id"],
        called,
        end.replace(tzinfo=UTC) if end else None,
        end - until if end else None,
    )


def write(report: Report, figures: OpenMoments) -> Iterator[Section]:
    """One list."""
    notes = more_notes(figures.total, figures.moments)
    tables = (open_table(report, figures.moments),) if figures.moments else ()
    yield CHAPTER.section(tables, notes)


def more_notes(total: Count, shown: Sequence[Open]) -> tuple[str, ...]:
    """That none is open, or how many are beside those shown."""
    if not shown:
        return (_("No moment of truth is open."),)
    more = (total or 0) - len(shown)
    text = _n(
        "{n} more is open; travesia moments --open lists it.",
        "{n} more are open; travesia moments --open lists them.",
        more,
    )
    return (text.format(n=number(more)),) if more > 0 else ()


def open_table(report: Report, moments: Sequence[Open]) -> Table:
    """What is left of each window, and what would turn it positive."""
    return Table(
        _("Open moments of truth"),
        (_("Time left"), _("Record"), _("Moment"), _("Until"), _("What would turn it positive")),
        tuple(_row(report, one) for one in moments),
        texts=5,
    )


def _row(report: Report, one: Open) -> tuple[str, ...]:
    moment = report.mapping.moment(one.moment_id)
    turns = moment.turns_positive.in_(report.language) if moment else ""
    return (
        _left(one.left),
        report.tool.record(clean(one.number), one.table, one.sys_id),
        moment_name(report, one.moment_id),
        instant(one.ends, report.period),
        clean(turns) or NOTHING,
    )


def _left(left: timedelta | None) -> str:
    if left is None:
        return _("no end yet")
    if left <= timedelta():
        return _("now")
    return duration(left.total_seconds())


def lines(_report: Report, figures: OpenMoments) -> Iterator[Line]:
    """How many, and how many of them are urgent."""
    yield Line("moments_open", figures.total, figures.total or 0)
    yield Line("moments_urgent", figures.urgent, figures.urgent or 0)


CHAPTER = Chapter(
    "open",
    mark("Moments that can still be turned"),
    ("moments_open", "moments_urgent"),
    measure,
    write,
    lines,
)
