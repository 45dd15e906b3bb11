"""The weekly sweep: are the keys at rest the keys in the instance?

1. Read the keys of each table (three columns, no content).
2. What the instance has and the store lacks, or holds in another version, is read again: rows
   committed late under an old timestamp never pass the cursor.
3. What the store has and the instance lacks is a deletion only if `sys_audit_delete` says so or
   after two sweeps; above 1 % missing without proof the sweep of that table stops and asks,
   because a revoked role is not a deletion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from connector import log
from connector.context import Run
from connector.errors import InstanceError
from connector.messages import _
from connector.store import records, tombstones
from connector.timestamps import format_instance

_log = log.get("reconcile")

MISSING_SHARE = 0.01
MISSING_FLOOR = 10
"""Up to so many missing records no share is an alarm: one of three in a small table is 33 %."""

CHUNK = 1000


@dataclass(frozen=True)
class Swept:
    """What the sweep of one table found; `question` is set when a person must decide."""

    table: str
    keys: int
    read_again: int
    missing: int
    removed: int
    question: str = ""


def sweep(
    run: Run,
    wanted: Mapping[str, Sequence[str]],
    filters: Mapping[str, str],
    mark: datetime,
    closed_before: str,
) -> list[Swept]:
    """Compare the keys of all tables. `filters` limits what is read of each, as extraction does;
    records closed before `closed_before` are past retention and stay away.

    Raises InstanceError, InterruptedRunError.
    """
    tombstones.begin(run.store)
    counts = {
        table: _read_keys(run, table, columns, filters.get(table, ""))
        for table, columns in wanted.items()
    }
    return [
        _sweep_table(run, table, wanted[table], counts[table], mark, closed_before)
        for table in wanted
    ]


def _read_keys(run: Run, table: str, columns: Sequence[str], where: str) -> int:
    asked = [*records.SYSTEM_COLUMNS, *(c for c in tombstones.END_COLUMNS if c in columns)]
    keys = iter(run.instance.list_records(table, asked, where))
    count = 0
    while chunk := list(islice(keys, CHUNK)):
        tombstones.add_keys(run.store, table, chunk)
        count += len(chunk)
        run.progress("reconcile", table, count, None)
        run.pause_point()
    return count


def _sweep_table(
    run: Run,
    table: str,
    columns: Sequence[str],
    keys: int,
    mark: datetime,
    closed_before: str,
) -> Swept:
    records.ensure_table(run.store, table, columns)
    stale = tombstones.list_stale(run.store, table, format_instance(mark), closed_before)
    read_again = 0
    for start in range(0, len(stale), CHUNK):
        fresh = run.instance.read_records(table, stale[start : start + CHUNK], columns)
        read_again += len(fresh)
        with run.store.transaction():
            records.land(run.store, table, columns, fresh, run.run_id)
        run.pause_point()
    records.merge(run.store, table, mark, is_by_key=True)
    missing = tombstones.list_missing(run.store, table)
    with run.store.transaction():
        removed, question = _bury(run, table, missing)
        tombstones.forget_reappeared(run.store, table)
    found = Swept(table, keys, read_again, len(missing), removed, question)
    _log.info(
        "swept", run_id=run.run_id, table=table, keys=keys, read_again=read_again, removed=removed
    )
    return found


def _bury(run: Run, table: str, missing: Sequence[str]) -> tuple[int, str]:
    moved = tombstones.list_moved(run.store, missing)
    left = [sys_id for sys_id in missing if sys_id not in moved]
    proven = _proven(run, table, left)
    total = run.store.value(f"SELECT count(*) FROM current.{records.name(table)}")  # noqa: S608 - the name is checked
    unproven = len(left) - len(proven)
    if unproven > max(MISSING_FLOOR, MISSING_SHARE * total):
        gone = tombstones.note_missing(run.store, table, sorted(proven), proven)
        records.remove(run.store, table, [*gone, *moved])
        return len(moved | proven), _(
            "{table}: {missing} of {total} records are no longer readable and no deletion is"
            " recorded; check the roles of the integration user before the next sweep"
        ).format(table=table, missing=unproven, total=total)
    gone = tombstones.note_missing(run.store, table, left, proven)
    records.remove(run.store, table, [*gone, *moved])
    return len(gone) + len(moved), ""


def _proven(run: Run, table: str, sys_ids: Sequence[str]) -> set[str]:
    """Those whose deletion the instance's own audit records; none if it may not be read."""
    proven: set[str] = set()
    for start in range(0, len(sys_ids), 100):
        chunk = ",".join(sys_ids[start : start + 100])
        query = f"tablename={table}^documentkeyIN{chunk}"
        try:
            rows = list(
                run.instance.list_records("sys_audit_delete", ["sys_id", "documentkey"], query)
            )
        except InstanceError as error:
            _log.info(
                "no_delete_audit", run_id=run.run_id, table=table, reason=type(error).__name__
            )
            return proven
        proven |= {row.get("documentkey", "") for row in rows}
    return proven & set(sys_ids)
