"""The weekly sweep: are the keys at rest the keys in the instance?

1. Count each table by the Aggregate API, what changed since the last sync set aside by its keys.
   Where the number of records, their newest change and how often they were saved agree with the
   store, nothing more is asked; every so many sweeps the keys are compared all the same, because
   opposite differences can hide each other.
2. Else read the keys (three columns, no content).
3. What the instance has and the store lacks, or holds in another version, is read again: rows
   committed late under an old timestamp never pass the cursor.
4. What the store has and the instance lacks is a deletion only if `sys_audit_delete` says so or
   after two sweeps; above 1 % missing without proof the sweep of that table stops and asks,
   because a revoked role is not a deletion.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from connector import log
from connector.context import Run
from connector.encoded_query import and_to_every_branch
from connector.errors import InstanceError
from connector.messages import _
from connector.store import records, sweeps, tombstones
from connector.store.database import Store
from connector.timestamps import format_instance

_log = log.get("reconcile")

MISSING_SHARE = 0.01
MISSING_FLOOR = 10
"""Up to so many missing records no share is an alarm: one of three in a small table is 33 %."""

CHUNK = 1000

FEW = 10_000
"""Changes since the last sync that are set aside one by one; with more the keys are compared."""


@dataclass(frozen=True)
class Swept:
    """What the sweep of one table found; `question` is set when a person must decide."""

    table: str
    keys: int
    read_again: int
    missing: int
    removed: int
    question: str = ""
    by: Literal["counts", "keys"] = "keys"
    """What was compared; `keys` then holds the instance's count."""


@dataclass(frozen=True)
class Counting:
    """When counts suffice. `since` and `closed_before` are those of the last whole sync."""

    since: datetime
    closed_before: str
    keys_every: int
    """The keys are compared at least every so many sweeps."""


def sweep(
    run: Run,
    wanted: Mapping[str, Sequence[str]],
    filters: Mapping[str, str],
    mark: datetime,
    closed_before: str,
    counting: Counting | None = None,
) -> list[Swept]:
    """Compare all tables, by counts where `counting` says so, else by their keys.

    `filters` limits what is read of each, as extraction does; records closed before
    `closed_before` are past retention and stay away.

    Raises InstanceError, InterruptedRunError.
    """
    tombstones.begin(run.store)
    _merge_leftovers(run.store, wanted, mark)
    asked = [_Asked(table, columns, filters.get(table, "")) for table, columns in wanted.items()]
    agreed = {
        one.table: count
        for one in asked
        if counting is not None
        and not sweeps.is_keys_turn(run.store, one.table, counting.keys_every)
        and (count := _agreed(run, one, counting)) is not None
    }
    keys = {
        one.table: _read_keys(run, one.table, one.columns, one.where)
        for one in asked
        if one.table not in agreed
    }
    tombstones.add_stored_keys(run.store, agreed)
    return [
        _only_counted(run, one.table, agreed[one.table], mark)
        if one.table in agreed
        else _compared(run, one, keys[one.table], mark, closed_before)
        for one in asked
    ]


def _merge_leftovers(store: Store, tables: Iterable[str], mark: datetime) -> None:
    """What a killed run read and did not merge may be deleted by now: it must be compared too."""
    for table in tables:
        if records.list_columns(store, table):
            records.merge(store, table, mark)


@dataclass(frozen=True)
class _Asked:
    """One table, as extraction reads it."""

    table: str
    columns: Sequence[str]
    where: str

    def narrowed(self, condition: str, closed_before: str) -> str:
        """What retention keeps of it, under one more condition."""
        kept = f"^active!=false^ORclosed_atISEMPTY^ORclosed_at>={closed_before}"
        has_end = set(tombstones.END_COLUMNS) <= set(self.columns)
        return and_to_every_branch(self.where, condition + (kept if has_end else ""))


def _agreed(run: Run, one: _Asked, counting: Counting) -> int | None:
    """How many records the instance counts; None where it will not, or the store differs.

    What changed since the last sync is at rest in its old version: it is left out on both sides.
    What an unfinished run read of it and the instance lacks by now is too much on ours.
    A newest change that the store lacks, or one more save, is a row that was committed late.
    """
    until = format_instance(counting.since)
    run.pause_point()
    since = f"sys_updated_on>{until}"
    try:
        changed = _few_keys(run, one.table, and_to_every_branch(one.where, since))
        there = run.instance.count_records(
            one.table, one.narrowed(f"sys_updated_on<={until}", counting.closed_before)
        )
    except InstanceError as error:
        _log.info("not_counted", run_id=run.run_id, table=one.table, reason=type(error).__name__)
        return None
    if changed is None:
        return None
    held = sweeps.held(run.store, one.table, changed)
    hidden = sweeps.hidden(run.store, one.table)
    agree = hidden is not None and (
        there.records == held.records + hidden
        and there.newest <= held.newest
        and (hidden > 0 or there.saves in (held.saves, None))
    )
    return there.records + len(changed) if agree else None


def _few_keys(run: Run, table: str, query: str) -> list[str] | None:
    """The sys_ids of a query; None where they are so many that counting spares nothing."""
    rows = run.instance.list_records(table, ["sys_id"], query)
    keys = [row["sys_id"] for row in islice(rows, FEW + 1)]
    return keys if len(keys) <= FEW else None


def _only_counted(run: Run, table: str, records_there: int, mark: datetime) -> Swept:
    sweeps.note_counted(run.store, table, mark)
    _log.info("counted", run_id=run.run_id, table=table, records=records_there)
    return Swept(table, records_there, 0, 0, 0, by="counts")


def _compared(run: Run, one: _Asked, keys: int, mark: datetime, closed_before: str) -> Swept:
    """The keys of a table; from here on counts may suffice, unless something is open."""
    found = _sweep_table(run, one.table, one.columns, keys, mark, closed_before)
    hidden = _hidden(run, one, mark, closed_before)
    if found.question or found.missing > found.removed or hidden is None:
        sweeps.forget(run.store, one.table)
    else:
        sweeps.note_keys(run.store, one.table, hidden, mark)
    return found


def _hidden(run: Run, one: _Asked, mark: datetime, closed_before: str) -> int | None:
    """How many the instance counts beyond those whose keys it showed."""
    until = format_instance(mark)
    query = one.narrowed(f"sys_updated_on<={until}", closed_before)
    try:
        total = run.instance.count_records(one.table, query).records
    except InstanceError:
        return None
    return max(0, total - tombstones.count_keys(run.store, one.table, until, closed_before))


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
