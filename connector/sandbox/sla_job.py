"""The SLA engine's jobs: percentages of running task_sla rows are rewritten now and then.

Schedule of the r_InstalledWithServiceLevelMgmt page (servicenow-api.md §4.5): the nearer the
breach, the more often. Between two runs the percentages are stale; each run moves sys_updated_on,
so that an incremental reader sees nearly every running SLA again and again. A row with a schedule
counts the demo's working hours, the only calendar there is; one without counts evenly from start
to breach. Off unless switched on (`sla_job`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connector.sandbox.catalogue import Record, Table
from connector.sandbox.instance import Instance
from connector.sandbox.seeds.demo.working_time import hours_between
from connector.timestamps import format_instance, parse_instance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 1000
"""com.snc.sla.calculation.percentage: no breached row is counted beyond it."""

_NEEDED = ("active", "start_time", "planned_end_time", "pause_time", "pause_duration", "sla")


@dataclass(frozen=True)
class _Job:
    """Runs every `every` over the rows whose breach is between `nearest` and `furthest` away."""

    every: timedelta
    nearest: timedelta
    furthest: timedelta


_JOBS = (
    _Job(timedelta(minutes=1), timedelta(0), timedelta(minutes=10)),
    _Job(timedelta(minutes=10), timedelta(minutes=10), timedelta(hours=1)),
    _Job(timedelta(hours=1), timedelta(hours=1), timedelta(days=1)),
    _Job(timedelta(days=1), timedelta(days=1), timedelta(days=30)),
    _Job(timedelta(days=5), timedelta(days=30), timedelta(days=20_000)),
    _Job(timedelta(days=1), timedelta(days=-365), timedelta(0)),
)
"""The last one is that of the rows already breached."""


def run_due(instance: Instance) -> None:
    """Bring every running row to its last run; looks once in a minute of the virtual clock."""
    if not instance.policies.sla_job:
        return
    now = instance.clock.now()
    minute = int(now.timestamp()) // 60
    table = instance.database.catalogue.get("task_sla")
    if table is None or minute == instance.sla_minute or _lacks(table):
        return
    instance.sla_minute = minute
    with instance.database.transaction():
        for row in _running(instance):
            if at := last_run(row["planned_end_time"], row["sys_updated_on"], now):
                _rewrite(instance, table, row, at)


def _lacks(table: Table) -> bool:
    return any(name not in table.columns for name in _NEEDED)


def _running(instance: Instance) -> list[Record]:
    """A paused row stands still: its percentages do not grow."""
    return instance.database.engine.records(
        "SELECT * FROM task_sla WHERE active = 'true' AND pause_time = '' "
        "AND start_time != '' AND planned_end_time != ''"
    )


def last_run(breach: str, after: str, now: datetime) -> datetime | None:
    """When a job last ran over a row that breaches then, None where none did since `after`."""
    ends, since = parse_instance(breach), parse_instance(after)
    runs = [run for job in _JOBS for run in _runs(job, ends, now) if run > since]
    return max(runs, default=None)


def _runs(job: _Job, ends: datetime, now: datetime) -> Iterator[datetime]:
    latest = min(now, ends - job.nearest)
    run = _EPOCH + (latest - _EPOCH) // job.every * job.every
    if run > ends - job.furthest:
        yield run


# ── one row ──────────────────────────────────────────────────────────────────────────────────


def _rewrite(instance: Instance, table: Table, row: Record, at: datetime) -> None:
    """The row as the job at that instant leaves it. Jobs write no audit."""
    values = measured(row, _target(instance, row["sla"]), at)
    if (
        float(values["business_percentage"]) > _MOST
        and parse_instance(row["planned_end_time"]) < at
    ):
        return
    known = {name: value for name, value in values.items() if name in table.columns}
    stamps = {
        "sys_updated_on": format_instance(at),
        "sys_updated_by": "system",
        "sys_mod_count": str(int(row["sys_mod_count"] or 0) + 1),
    }
    instance.database.write(table, row["sys_id"], known | stamps)


def _target(instance: Instance, sla: str) -> timedelta | None:
    """The time that the SLA's definition grants."""
    table = instance.database.catalogue.get("contract_sla")
    if table is None or "duration" not in table.columns:
        return None
    definition = instance.database.get(table, sla)
    return _length(definition["duration"]) if definition and definition["duration"] else None


def measured(row: Record, target: timedelta | None, at: datetime) -> Record:
    """Elapsed, left and percentages of a running row at an instant."""
    start, ends = parse_instance(row["start_time"]), parse_instance(row["planned_end_time"])
    paused = _length(row["pause_duration"]) if row["pause_duration"] else timedelta(0)
    granted = max(ends - start - paused, timedelta(seconds=1))
    target = target or granted
    elapsed = max(at - start - paused, timedelta(0))
    business = _business(row, start, at) if row.get("schedule") else elapsed / granted * target
    return {
        "duration": _text(elapsed),
        "business_duration": _text(business),
        "percentage": f"{elapsed / target * 100:.2f}",
        "business_percentage": f"{business / target * 100:.2f}",
        "time_left": _text(target - elapsed),
        "business_time_left": _text(target - business),
    }


def _business(row: Record, start: datetime, at: datetime) -> timedelta:
    paused = row.get("business_pause_duration", "")
    worked = timedelta(hours=hours_between(start, at))
    return max(worked - (_length(paused) if paused else timedelta(0)), timedelta(0))


def _length(text: str) -> timedelta:
    return parse_instance(text) - _EPOCH


def _text(length: timedelta) -> str:
    return format_instance(_EPOCH + max(length, timedelta(0)))
