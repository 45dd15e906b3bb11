"""Rows for the tool's own reports and dashboards: step × touchpoint × service × day.

Kept current by difference, like every write: a row has a sys_id made of its place, so the same cell
is the same row for ever. A cell that is empty now is set to 0 and never deleted. Only for the whole
organisation: rows carry no scope.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5

from connector.errors import InstanceError
from connector.itsm.base import Instance, RecordUpdate, UpdateReply
from connector.journey.fields import SUMMARY_TABLE
from connector.messages import _
from connector.report.report import Report
from connector.report.source import Source, open_source
from connector.store.database import Row, Store
from connector.store.records import name
from connector.timestamps import midnight

TABLE = SUMMARY_TABLE.name
BATCH = 50
COUNTS = ("u_opened", "u_still_open", "u_moments_won", "u_moments_lost")
_PLACE = ("u_day", "u_step", "u_touchpoint", "u_service")

_ROWS = """
WITH service AS ({services}),
slice AS (SELECT unnest($starts) AS s, unnest($ends) AS e, unnest($days) AS day),
weighed AS (
    SELECT table_name, sys_id, count(*) FILTER (polarity = 'positive') AS won,
           count(*) FILTER (polarity = 'negative') AS lost
    FROM moment GROUP BY ALL
)
SELECT day AS u_day, c.steps[$journey] AS u_step, c.touchpoint AS u_touchpoint,
       coalesce(v.service, '') AS u_service, count(*) AS u_opened,
       count(*) FILTER (l.is_open) AS u_still_open,
       coalesce(sum(m.won), 0)::BIGINT AS u_moments_won,
       coalesce(sum(m.lost), 0)::BIGINT AS u_moments_lost
FROM slice JOIN life AS l ON l.opened >= s AND l.opened < e
JOIN classification AS c ON c.table_name = l.table_name AND c.sys_id = l.sys_id
LEFT JOIN weighed AS m ON m.table_name = l.table_name AND m.sys_id = l.sys_id
LEFT JOIN service AS v ON v.table_name = l.table_name AND v.sys_id = l.sys_id
WHERE c.touchpoint <> '' AND c.steps[$journey] IS NOT NULL
  AND NOT list_contains($measures, l.table_name)
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class SummaryRow:
    """One cell, as the tool holds it."""

    sys_id: str
    values: Mapping[str, str]


def summary_rows(store: Store, report: Report) -> Iterator[SummaryRow]:
    """The rows of the period of a report on the whole organisation; none for a part of it."""
    if report.figures.scope.is_part:
        return
    source = open_source(store, report.mapping, report.period)
    journey = report.figures.shown.journey
    sql = _ROWS.format(services=_services(source))
    for row in source.read(sql, journey=journey, **_days(report)):
        yield _row(row)


def _services(source: Source) -> str:
    """(table_name, sys_id, service) of the tables that name one."""
    tables = [table for table in source.columns if "business_service" in source.columns[table]]
    parts = [
        f"SELECT '{name(table)[1:-1]}' AS table_name, sys_id,"
        f" nullif(business_service, '') AS service FROM current.{name(table)}"
        for table in tables
    ] or ["SELECT '' AS table_name, '' AS sys_id, NULL::VARCHAR AS service WHERE FALSE"]
    return " UNION ALL ".join(parts)


def _days(report: Report) -> dict[str, list[str]]:
    period = report.period
    first = period.local(period.start).date()
    count = max((period.local(period.end).date() - first).days, 1)
    days = [first + timedelta(days=i) for i in range(count + 1)]
    at = [f"{midnight(day, period.time_zone):%Y-%m-%d %H:%M:%S}" for day in days]
    return {"starts": at[:-1], "ends": at[1:], "days": [day.isoformat() for day in days[:-1]]}


def _row(row: Row) -> SummaryRow:
    values = {column: str(row[column]) for column in (*_PLACE, *COUNTS)}
    return SummaryRow(row_id(values), values)


def row_id(values: Mapping[str, str]) -> str:
    """The sys_id of a cell: made of its day, step, touchpoint and service."""
    key = "|".join((TABLE, *(values[column] for column in _PLACE)))
    return md5(key.encode(), usedforsecurity=False).hexdigest()


def send_rows(instance: Instance, rows: Sequence[SummaryRow], first: str, last: str) -> int:
    """Bring the rows of the days `first` to `last` to what they should be; answers how many were
    sent. Raises InstanceError kinds; what was sent stays, and sending again goes on there.
    """
    held = {
        row["sys_id"]: row
        for row in instance.list_records(
            TABLE, ("sys_id", *_PLACE, *COUNTS), f"u_day>={first}^u_day<={last}"
        )
    }
    new = [{"sys_id": row.sys_id, **row.values} for row in rows if row.sys_id not in held]
    changed = [
        RecordUpdate(TABLE, row.sys_id, different)
        for row in rows
        if row.sys_id in held and (different := _different(row.values, held[row.sys_id]))
    ]
    wanted = {row.sys_id for row in rows}
    zero = dict.fromkeys(COUNTS, "0")
    changed += [
        RecordUpdate(TABLE, sys_id, different)
        for sys_id, row in sorted(held.items())
        if sys_id not in wanted and (different := _different(zero, row))
    ]
    for start in range(0, len(new), BATCH):
        _check(instance.create_records(TABLE, new[start : start + BATCH]))
    for start in range(0, len(changed), BATCH):
        _check(instance.send_updates(changed[start : start + BATCH]))
    return len(new) + len(changed)


def _different(wanted: Mapping[str, str], held: Mapping[str, str]) -> dict[str, str]:
    """Counts only: the place is in the sys_id. A column that is hidden is no difference."""
    return {k: wanted[k] for k in COUNTS if k in held and held[k] != wanted[k]}


def _check(replies: Sequence[UpdateReply]) -> None:
    refused = [reply for reply in replies if reply.status != "written"]
    if refused:
        raise InstanceError(
            _(
                "{n} rows of {table} could not be written ({detail}); check the account's roles"
            ).format(n=len(refused), table=TABLE, detail=refused[0].detail or refused[0].status),
            method="POST",
            path="/api/now/v1/batch",
            detail=refused[0].detail,
        )
