"""Step 1, extract: what changed in the tool since the stored cursors lands in the store.

1. The high mark: the instance's own clock less `settle_seconds`, one for all tables of a run.
2. The schema: which tables and columns the mapping needs and the instance has.
3. Per table, pages by key from `lag_minutes` under the cursor; each lands with its cursor in one
   transaction; one merge per table keeps the newest versions.

Refuses to guess: a table the instance lacks is left out with one line; a column an ACL hides stays
unknown. Never writes to the instance.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from connector import log
from connector.backfill import Query, backfill
from connector.context import Run
from connector.errors import ConfigError
from connector.itsm.base import Cursor, Instance
from connector.journey.fields import RECORD_FIELDS, STEWARD_FIELDS
from connector.journey.model import FieldInfo, Schema
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _
from connector.schema import Needed
from connector.store import records, runs, shards
from connector.store.database import Store
from connector.store.runs import StoredCursor
from connector.timestamps import format_instance, parse_instance

_log = log.get("extract")


@dataclass(frozen=True)
class Reading:
    """How one run reads. Durations as in the config."""

    lag: timedelta
    since: datetime | None = None
    """Read again from here on, if that is before the cursor."""
    full: bool = False
    """Ignore the cursors."""


@dataclass(frozen=True)
class Extracted:
    """What one table brought: rows read, rows new to us, and what the merge made of them."""

    table: str
    read: int
    landed: int
    new: int
    changed: int
    hidden_rows: int
    lost_columns: tuple[str, ...] = ()
    """Columns that could be read until now: nothing of the table was taken over."""


def columns_to_read(mapping: JourneyMapping, needed: Needed) -> dict[str, tuple[str, ...]]:
    """The tables to read with their columns, our own included where the instance has them.

    Raises ConfigError if an asked table that is not optional is missing.
    """
    _refuse_missing(mapping, needed.absent)
    by_key = {one.table for one in mapping.history}
    return {
        table: _with_own(table, columns, needed.schema)
        for table, columns in needed.wanted.items()
        if table not in by_key
    }


def _with_own(table: str, columns: Sequence[str], schema: Schema) -> tuple[str, ...]:
    ours = (*RECORD_FIELDS, *STEWARD_FIELDS)
    own = [field.name for field in ours if (table, field.name) in schema]
    return tuple(dict.fromkeys((*records.SYSTEM_COLUMNS, *columns, *own)))


def _refuse_missing(mapping: JourneyMapping, absent: Sequence[str]) -> None:
    needed = [t for t in absent if t not in mapping.tables or not mapping.tables[t].optional]
    if needed:
        raise ConfigError(
            "[extract] tables",
            [
                _(
                    "The instance has no table {table}; check its name, or take it out of the list"
                ).format(table=table)
                for table in needed
            ],
        )


def save_schema(store: Store, instance: Instance, schema: Schema, tables: Iterable[str]) -> None:
    """Keep the dictionary and the choice labels for rules, reports and explanations."""
    names = sorted(tables)
    columns = [
        {
            "table_name": table,
            "element": element,
            "type": info.type,
            "label": "",
            "reference": info.reference,
            "is_choice": False,
            "is_hidden": False,
        }
        for (table, element), info in sorted(schema.items())
    ]
    choices = [
        {
            "table_name": c.table,
            "element": c.element,
            "value": c.value,
            "label": c.label,
            "language": c.language,
        }
        for c in instance.list_choices(names)
    ]
    runs.save_dictionary(store, columns, choices)


def stored_schema(store: Store) -> Schema:
    """The schema as the last run saw it, without the columns that an ACL hides.

    So a rule that needs such a column is off and named, instead of quietly never matching.
    """
    return {
        (row["table_name"], row["element"]): FieldInfo(row["type"], row["reference"])
        for row in runs.read_schema_rows(store)
        if not row["is_hidden"]
    }


def high_mark(instance: Instance, settle: timedelta) -> datetime:
    """Up to where this run reads, by the instance's own clock."""
    return instance.now() - settle


def extract_table(
    run: Run,
    table: str,
    columns: Sequence[str],
    mark: datetime,
    reading: Reading,
    where: str = "",
) -> Extracted:
    """Read one table from its cursor up to the high mark, and merge what came.

    A column that could be read until now and no longer comes stops the table before anything of
    it lands (`lost_columns`): a revoked right must not empty what is known. `full` accepts it.
    A column that comes for the first time (a right given, our columns provisioned) reads the table
    from the start. Raises InterruptedRunError between two pages if the run was asked to stop.
    """
    store = run.store
    records.ensure_table(store, table, columns)
    cursor = _cursor(store, table, _query_hash(columns, where), reading)
    read = landed = new = hidden = 0
    is_up_to_mark = False
    if not cursor.updated_on and not cursor.is_complete:
        query = Query(table, columns, where, cursor.query_hash)
        if parts := backfill(run, query, mark):
            read, landed, new = parts.read, parts.landed, parts.new
            hidden, cursor = parts.hidden, parts.cursor
            # Begun by this very run: what came late below the mark is within the next run's lag.
            is_up_to_mark = cursor.updated_on == format_instance(mark)
    unseen = set(runs.empty_columns(store, table)) if cursor.is_complete else set()
    pages = run.instance.list_pages(table, columns, _start(cursor, reading), mark, where)
    for page in () if is_up_to_mark else pages:
        answered = _answered(page.records, columns)
        if answered & unseen:
            return extract_table(run, table, columns, mark, replace(reading, full=True), where)
        if lost := _lost(run, table, columns, answered, cursor if page.records else None, reading):
            return Extracted(table, read, landed, 0, 0, hidden, lost_columns=lost)
        cursor = _forward(cursor, page.cursor)
        landed += runs.save_page(
            store, table, columns, page.records, cursor=cursor, run_id=run.run_id
        )
        read += len(page.records)
        # Never twice: what the parts hid may be in the lag under their mark as well.
        hidden = max(hidden, page.hidden)
        del page  # one page in memory, not this one beside the next
        run.progress("extract", table, read, None)
        run.pause_point()
    if not cursor.is_complete:
        with store.transaction():
            runs.save_cursor(store, table, replace(cursor, is_complete=True), run.run_id)
            shards.forget(store, table)
    merged = records.merge(store, table, mark)
    found = Extracted(table, read, landed, new + merged.new, merged.changed, hidden)
    counts = {k: v for k, v in asdict(found).items() if v}
    _log.info("extracted", run_id=run.run_id, **counts)
    return found


def _answered(records: Iterable[Mapping[str, str]], columns: Sequence[str]) -> set[str]:
    """Which of the columns came with any of the records."""
    missing, answered = set(columns), set[str]()
    for record in records:
        if missing.issubset(answered):
            break
        answered.update(record)
    return answered


def _lost(
    run: Run,
    table: str,
    columns: Sequence[str],
    answered: set[str],
    cursor: StoredCursor | None,
    reading: Reading,
) -> tuple[str, ...]:
    """Columns that no row of a page has, though a record at rest has them and lost them too."""
    if cursor is None or reading.full or not cursor.is_complete:
        return ()
    missing = [column for column in columns if column not in answered]
    return tuple(column for column in missing if _is_lost(run, table, column))


def _is_lost(run: Run, table: str, column: str) -> bool:
    # Rows may hide a column one by one (a conditional ACL): ask for one that had it.
    witness = records.witness(run.store, table, column)
    if witness is None:
        return False
    rows = run.instance.read_records(table, [witness], ["sys_id", column])
    return bool(rows) and column not in rows[0]


def _cursor(store: Store, table: str, query_hash: str, reading: Reading) -> StoredCursor:
    """Where to go on; from the start if the columns or the filter are others than last time."""
    stored = runs.read_cursor(store, table)
    if stored is None or stored.query_hash != query_hash:
        return StoredCursor(query_hash, "", "", is_complete=False)
    if reading.full and stored.is_complete:
        return StoredCursor(query_hash, "", "", is_complete=False)
    return stored


def _start(stored: StoredCursor, reading: Reading) -> Cursor:
    if not stored.updated_on:
        return Cursor()
    start = parse_instance(stored.updated_on) - reading.lag
    # Never later than the cursor allows: what lies between would be lost.
    return Cursor(format_instance(min(start, reading.since or start)))


def _forward(stored: StoredCursor, seen: Cursor) -> StoredCursor:
    newest = max((stored.updated_on, stored.sys_id), (seen.updated_on, seen.sys_id))
    return StoredCursor(stored.query_hash, *newest, is_complete=stored.is_complete)


def _query_hash(columns: Sequence[str], where: str) -> str:
    # Our own columns count: those that provisioning adds are unknown until they were read once.
    asked = sorted(columns)
    return hashlib.sha256("\n".join([*asked, where]).encode()).hexdigest()[:16]
