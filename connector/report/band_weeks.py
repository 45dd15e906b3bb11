"""Time in each band of visibility, week by week: what the band chart is drawn from."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from connector.report.figures import Period, WeekBands
from connector.report.source import Source
from connector.report.suppress import hide_in_row
from connector.store.database import Row
from connector.timestamps import midnight

_WEEKS = """
WITH slice AS (SELECT unnest($starts::TIMESTAMP[]) AS s, unnest($ends::TIMESTAMP[]) AS e,
                      unnest($numbers::INTEGER[]) AS i),
piece AS (
    SELECT p.table_name, p.sys_id, p.band, p.since,
           lead(p.since) OVER (PARTITION BY p.table_name, p.sys_id ORDER BY p.since) AS next_at
    FROM band_piece AS p
), timed AS (
    SELECT w.person, p.band, p.since, least(coalesce(p.next_at, $now::TIMESTAMP), $now::TIMESTAMP,
               CASE WHEN l.is_open THEN $now::TIMESTAMP
                    ELSE coalesce(l.ended::TIMESTAMP, p.since) END) AS till
    FROM piece AS p JOIN life AS l ON l.table_name = p.table_name AND l.sys_id = p.sys_id
    LEFT JOIN who AS w ON w.table_name = p.table_name AND w.sys_id = p.sys_id
    WHERE p.band <> '' AND NOT list_contains($measures, p.table_name)
)
SELECT i, band, sum(date_diff('second', greatest(since, s), least(till, e)))::BIGINT AS seconds,
       count(DISTINCT person) AS people
-- A band that a record came to after its end has no time of its life.
FROM slice JOIN timed ON since < e AND till > s AND till > since GROUP BY i, band
"""

MOST = 53
"""Weeks shown: a year."""


def measure_band_weeks(
    source: Source, data_until: datetime | None, minimum: int = 0
) -> tuple[WeekBands, ...]:
    """Seconds in each band in every week that touches the period, up to where the data reach.

    A week with fewer people than `minimum` in one of the bands is empty: the bands are shown as
    parts of a whole, so that one of them would tell the others. So is a second one, where one alone
    could be had from the time of all.
    """
    if data_until is None or data_until <= source.period.start:
        return ()
    mondays = _mondays(source.period, data_until)
    zone = source.period.time_zone
    bounds = [(midnight(day, zone), midnight(day + timedelta(weeks=1), zone)) for day in mondays]
    rows = source.read(
        _WEEKS,
        starts=[_naive(start) for start, _end in bounds],
        ends=[_naive(end) for _start, end in bounds],
        numbers=list(range(len(bounds))),
        now=_naive(data_until),
    )
    found: dict[int, dict[str, int]] = {}
    few = _few(rows, minimum)
    for row in (row for row in rows if row["i"] not in few):
        found.setdefault(row["i"], {})[row["band"]] = row["seconds"]
    return tuple(WeekBands(day, found.get(i, {})) for i, day in enumerate(mondays))


def _few(rows: Sequence[Row], minimum: int) -> set[int]:
    """The weeks to keep from sight."""
    dark: set[int] = set()
    for band in {row["band"] for row in rows}:
        mine = [row for row in rows if row["band"] == band]
        people = [row["people"] for row in mine]
        # The time of all weeks may be told: the last place stands for it, and stays in sight.
        dark |= {
            mine[i]["i"] for i in hide_in_row([*people, sum(people)], minimum) if i < len(mine)
        }
    return dark


def _mondays(period: Period, data_until: datetime) -> list[date]:
    first = period.local(period.start).date()
    first -= timedelta(days=first.weekday())
    end = min(period.end, data_until) - timedelta(seconds=1)
    last = period.local(end).date()
    days = [first + timedelta(weeks=i) for i in range((last - first).days // 7 + 1)]
    return days[-MOST:]


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
