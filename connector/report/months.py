"""Month by month: SLA of the departments, and how long approvals wait.

A cell behind which stand fewer people than the minimum is kept from sight, and so is a second one
of the same department where one alone could be had from the department's total.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import sqlglot
from sqlglot import exp

from connector.report.departments import belongings, has_clocks
from connector.report.figures import (
    NO_DEPARTMENT,
    ApprovalMonth,
    DepartmentFigures,
    DepartmentMonths,
    Months,
    Period,
    Share,
)
from connector.report.source import Source
from connector.store.database import Row
from connector.timestamps import format_instance, midnight

HEAT_MONTHS = 6
"""The touchpoints are shown month by month for so long."""

FEWEST_MONTHS, MOST_MONTHS = 12, 13
"""At least a year, for a month to be held against; at most that and the month it began in."""

_SLA = """
WITH slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($numbers) AS i)
SELECT i, b.department, count(DISTINCT b.person) AS people,
       count(*) AS decided, count(*) FILTER (k.result = 'met') AS met
FROM clock AS k
JOIN belongs AS b ON b.sys_id = k.task
JOIN slice ON k.started >= s AND k.started < e
WHERE k.result <> 'running' AND k.started < $until
GROUP BY i, b.department
"""

# The tool keeps no instant of the decision: it is the last change of the approval's own columns.
_APPROVALS = """
WITH slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($numbers) AS i),
approval AS (
    SELECT l.opened AS asked, a.approver, a.state IN ('approved', 'rejected') AS is_decided,
           a.state IN ('requested', 'more_info_required') AS is_waiting,
           epoch(TRY_CAST(a._inputs_updated_on AS TIMESTAMP))
           - epoch(TRY_CAST(l.opened AS TIMESTAMP)) AS wait
    FROM current.sysapproval_approver AS a
    JOIN life AS l ON l.table_name = 'sysapproval_approver' AND l.sys_id = a.sys_id
    JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
    WHERE NOT list_contains($ignored, c.rule_id) AND l.opened < $until
)
SELECT i, count(*) FILTER (is_decided) AS decided, count(*) FILTER (is_waiting) AS waiting,
       count(DISTINCT approver) FILTER (is_decided) AS people,
       median(wait) FILTER (is_decided) AS median_wait,
       quantile_cont(wait, 0.9) FILTER (is_decided) AS slow_wait
FROM slice JOIN approval ON asked >= s AND asked < e
GROUP BY i
"""


def measure_months(
    source: Source,
    data_until: datetime | None,
    departments: Sequence[DepartmentFigures],
    minimum_group: int,
) -> Months:
    """The months of the period and enough before it; only departments shown by name."""
    if data_until is None or data_until <= source.period.start:
        return Months()
    months = months_of(source.period, data_until)
    cells = _sla_cells(source, months)
    named = [d for d in departments if d.department not in ("", NO_DEPARTMENT)]
    rows = [
        DepartmentMonths(
            d.department,
            d.name,
            hide([cells.get((d.department, i)) for i in range(len(months))], minimum_group),
        )
        for d in named
    ]
    first = min((i for row in rows for i, met in enumerate(row.met) if met), default=len(months))
    return Months(
        tuple(months[first:]),
        tuple(replace(row, met=row.met[first:]) for row in rows if any(row.met)),
        _approvals(source, months, minimum_group),
    )


def months_of(period: Period, data_until: datetime) -> list[date]:
    last = min(period.local(period.end - timedelta(seconds=1)), period.local(data_until))
    first = period.local(period.start)
    span = 12 * (last.year - first.year) + last.month - first.month + 1
    count = min(max(span, FEWEST_MONTHS), MOST_MONTHS)
    newest = 12 * last.year + last.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(newest - count + 1, newest + 1)]


def slices_of(source: Source, months: Sequence[date]) -> dict[str, object]:
    bounds = [*months, (months[-1] + timedelta(days=31)).replace(day=1)]
    instants = [format_instance(midnight(day, source.period.time_zone)) for day in bounds]
    return {"starts": instants[:-1], "ends": instants[1:], "numbers": list(range(len(months)))}


def _sla_cells(source: Source, months: Sequence[date]) -> dict[tuple[str, int], Row]:
    belongs = belongings(source)
    if belongs is None or not has_clocks(source):
        return {}
    query = sqlglot.parse_one(_SLA, dialect="duckdb", into=exp.Select)
    sql = query.with_("belongs", as_=belongs).sql("duckdb")
    rows = source.read(sql, **slices_of(source, months))
    return {(row["department"], row["i"]): row for row in rows}


def hide(cells: Sequence[Row | None], minimum_group: int) -> tuple[Share | None, ...]:
    """The shares of one department's months (`people`, `met`, `decided`) that may be shown."""
    sizes = {i: cell["people"] for i, cell in enumerate(cells) if cell is not None}
    shown = {i for i, people in sizes.items() if people >= minimum_group}
    if shown and len(sizes) - len(shown) == 1:
        shown.remove(min(shown, key=lambda i: (sizes[i], i)))
    return tuple(
        Share(cell["met"], cell["decided"]) if cell is not None and i in shown else None
        for i, cell in enumerate(cells)
    )


def _approvals(
    source: Source, months: Sequence[date], minimum_group: int
) -> tuple[ApprovalMonth, ...]:
    if not source.has("sysapproval_approver", "state", "approver"):
        return ()
    rows = source.read(_APPROVALS, **slices_of(source, months))
    return tuple(
        ApprovalMonth(
            months[row["i"]],
            row["decided"],
            row["waiting"],
            *((row["median_wait"], row["slow_wait"]) if is_enough else (None, None)),
        )
        for row in sorted(rows, key=lambda row: row["i"])
        if (is_enough := row["people"] >= minimum_group) or row["decided"] or row["waiting"]
    )
