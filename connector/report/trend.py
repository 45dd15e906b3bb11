"""Tickets opened and resolved: in a period, and week by week."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from connector.report.figures import Flow, Week
from connector.report.source import Source
from connector.timestamps import format_instance, midnight

TREND_WEEKS = 8
"""The trend shows at least so many weeks, so that a month has something to be held against."""

_FLOW = """
WITH ticket AS (
    SELECT l.opened, CASE WHEN l.is_open THEN NULL ELSE l.ended END AS ended
    FROM life AS l
    JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
    WHERE list_contains($tickets, l.table_name) AND NOT list_contains($ignored, c.rule_id)
), slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($numbers) AS i)
SELECT i, 'opened' AS kind, count(*) AS n
FROM slice JOIN ticket ON opened >= s AND opened < e GROUP BY i
UNION ALL
SELECT i, 'resolved' AS kind, count(*) AS n
FROM slice JOIN ticket ON ended >= s AND ended < e GROUP BY i
"""


def measure_flows(source: Source, slices: Sequence[tuple[datetime, datetime]]) -> list[Flow]:
    """Tickets opened and resolved in each [start, end)."""
    rows = source.read(
        _FLOW,
        starts=[format_instance(start) for start, _end in slices],
        ends=[format_instance(end) for _start, end in slices],
        numbers=list(range(len(slices))),
    )
    counts = {(row["i"], row["kind"]): row["n"] for row in rows}
    return [
        Flow(counts.get((i, "opened"), 0), counts.get((i, "resolved"), 0))
        for i in range(len(slices))
    ]


def measure_weeks(source: Source, data_until: datetime | None) -> tuple[Week, ...]:
    """Whole weeks that touch the period, and enough before it; leading empty ones dropped."""
    if data_until is None:
        return ()
    period = source.period
    first = _monday(period.local(period.start).date())
    last = _monday(
        min(period.local(period.end - timedelta(seconds=1)).date(), period.local(data_until).date())
    )
    first = min(first, last - timedelta(weeks=TREND_WEEKS - 1))
    mondays = [first + timedelta(weeks=i) for i in range((last - first).days // 7 + 1)]
    slices = [
        (midnight(day, period.time_zone), midnight(day + timedelta(weeks=1), period.time_zone))
        for day in mondays
    ]
    weeks = [
        Week(day, flow, is_complete=end <= data_until)
        for day, (_start, end), flow in zip(
            mondays, slices, measure_flows(source, slices), strict=True
        )
    ]
    return tuple(_without_leading_zeros(weeks, _monday(period.local(period.start).date())))


def measure_weeks_before(source: Source, weeks: Sequence[Week]) -> tuple[Flow, ...]:
    """Tickets of as many whole weeks just before `weeks`."""
    zone = source.period.time_zone
    mondays = [week.monday - timedelta(weeks=len(weeks)) for week in weeks]
    bounds = [(midnight(day, zone), midnight(day + timedelta(weeks=1), zone)) for day in mondays]
    return tuple(measure_flows(source, bounds)) if bounds else ()


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _without_leading_zeros(weeks: Sequence[Week], keep_from: date) -> Sequence[Week]:
    for i, week in enumerate(weeks):
        if week.flow != Flow() or week.monday >= keep_from:
            return weeks[i:]
    return ()
