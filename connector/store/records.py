"""Records at rest: landing → current, and what is kept of older versions.

A page lands append-only, in one transaction with its cursor; one set-based merge per table and run
keeps the newest version. Values are the tool's strings: NULL = unknown, '' = empty.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.errors import StoreError
from connector.messages import _
from connector.store.database import Packed, Store

SYSTEM_COLUMNS = ("sys_id", "sys_updated_on", "sys_mod_count")
"""What every table of records has; they say which version a row is."""

OWN_PREFIX = "u_journey_"
"""Columns that our own writes move: never inputs."""

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,79}$")


@dataclass(frozen=True)
class Merged:
    """What a merge did: records new to us, with changed inputs, and the same (our echoes)."""

    new: int
    changed: int
    same: int


def name(text: str) -> str:
    """`text`, quoted, if it is a legal table or column name of the tool. Raises StoreError."""
    if not _NAME.match(text):
        raise StoreError(_("{text!r} is not a legal table or column name").format(text=text))
    return f'"{text}"'


def texts(columns: Iterable[str]) -> dict[str, str]:
    """Columns of records as `Store.given` takes them: every value of the tool is a string."""
    return {column: "VARCHAR" for column in columns}


def list_tables(store: Store) -> list[str]:
    """The ITSM tables that the store holds."""
    rows = store.read(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'current' ORDER BY 1"
    )
    return [row["table_name"] for row in rows]


def list_columns(store: Store, table: str) -> list[str]:
    """The tool's columns of a table at rest, [] if the table is not there."""
    if not store.shapes:  # DuckDB goes through its whole catalogue for each such question
        rows = store.read(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'current' ORDER BY table_name, ordinal_position"
        )
        for row in rows:
            store.shapes.setdefault(row["table_name"], []).append(row["column_name"])
    return [column for column in store.shapes.get(table, []) if not column.startswith("_")]


def has_rows(store: Store, table: str) -> bool:
    """Whether any record of the table is at rest."""
    return bool(store.read(f"SELECT 1 FROM current.{name(table)} LIMIT 1"))


def ensure_table(store: Store, table: str, columns: Iterable[str]) -> list[str]:
    """Make the table, or add the columns it lacks. Answers the columns added to an existing one."""
    wanted = list(dict.fromkeys((*SYSTEM_COLUMNS, *columns)))
    present = list_columns(store, table)
    if not present:
        _create(store, table, wanted)
        return []
    added = [column for column in wanted if column not in present]
    with store.transaction():
        for column in added:
            for schema in ("landing", "current", "version"):
                store.execute(
                    f"ALTER TABLE {schema}.{name(table)} ADD COLUMN {name(column)} VARCHAR"
                )
    return added


def _create(store: Store, table: str, columns: Sequence[str]) -> None:
    body = ", ".join(f"{name(column)} VARCHAR" for column in columns)
    with store.transaction():
        store.execute(
            f"CREATE TABLE landing.{name(table)}"
            f" (_seq BIGINT DEFAULT nextval('seen'), _run_id VARCHAR, {body})"
        )
        store.execute(
            f"CREATE TABLE current.{name(table)}"
            f" (_inputs_updated_on VARCHAR, _inputs_hash VARCHAR, {body})"
        )
        store.execute(
            f"CREATE TABLE version.{name(table)} (_seen_at TIMESTAMP, _inputs_hash VARCHAR, {body})"
        )


def land(
    store: Store,
    table: str,
    columns: Sequence[str],
    records: Sequence[Mapping[str, str]] | Packed,
    run_id: str,
) -> int:
    """Append what is not known yet of a page; answers how many rows were new to us.

    A row equal in every column to the one at rest (the lag's re-reading) is dropped here.
    """
    if not records:
        return 0
    quoted = [name(column) for column in columns]
    into = f"INSERT INTO landing.{name(table)} (_run_id, {', '.join(quoted)}) SELECT $run_id, "
    if not has_rows(store, table):  # a first read: there is nothing that it could equal
        fresh = f"{into} {', '.join(quoted)} FROM"
        return store.pour(fresh, records, texts(columns), run_id=run_id)
    same = " AND ".join(f"c.{column} IS NOT DISTINCT FROM p.{column}" for column in quoted)
    with store.given("page", records, texts(columns)):
        return int(
            store.value(
                f"{into} {', '.join('p.' + column for column in quoted)} FROM page p"
                f" WHERE NOT EXISTS (SELECT 1 FROM current.{name(table)} c WHERE {same})",
                run_id=run_id,
            )
        )


def put_first(
    store: Store,
    table: str,
    columns: Sequence[str],
    records: Sequence[Mapping[str, str]] | Packed,
) -> int:
    """Put records at rest that cannot be there yet, nor come twice; answers how many.

    What a merge would make of them, without writing each of them twice.
    """
    if not records:
        return 0
    quoted = ", ".join(name(column) for column in columns)
    inputs_hash = _inputs_hash(list_columns(store, table), columns)
    return store.pour(
        f"INSERT INTO current.{name(table)} (_inputs_updated_on, _inputs_hash, {quoted})"
        f" SELECT sys_updated_on, {inputs_hash}, {quoted} FROM",
        records,
        texts(columns),
    )


def merge(store: Store, table: str, now: datetime, *, is_by_key: bool = False) -> Merged:
    """Move the newest version of each landed record to `current`, in one transaction.

    Rows read by their key are what the tool holds now and always count; a page may have been
    overtaken, so an older version on it never replaces a newer one at rest.

    Superseded versions whose inputs differ go to `version`; landing is empty afterwards.
    `_inputs_updated_on` keeps the instant at which what rules may see last changed.
    """
    if not store.value(f"SELECT 1 FROM landing.{name(table)} LIMIT 1"):
        return Merged(0, 0, 0)
    columns = list_columns(store, table)
    quoted = ", ".join(name(column) for column in columns)
    inputs_hash = _inputs_hash(columns)
    target = name(table)
    with store.transaction():
        _end_first_read(store, table)
        if not has_rows(store, table) and (count := _count_if_distinct(store, target)):
            return _merge_first(store, target, quoted, inputs_hash, count)
        store.execute(
            f"CREATE OR REPLACE TEMP TABLE newest AS SELECT *, {inputs_hash} AS _inputs_hash,"
            f" row_number() OVER (PARTITION BY sys_id ORDER BY sys_updated_on DESC,"
            f" try_cast(sys_mod_count AS BIGINT) DESC, _seq DESC) AS _rank"
            f" FROM landing.{target}"
        )
        store.execute(
            "CREATE OR REPLACE TEMP TABLE arriving AS"
            " SELECT n.*, c.sys_id IS NULL AS _is_new,"
            " c._inputs_hash IS DISTINCT FROM n._inputs_hash AS _is_changed,"
            " c._inputs_updated_on AS _old_inputs_updated_on FROM newest n"
            f" LEFT JOIN current.{target} c USING (sys_id) WHERE n._rank = 1"
            " AND ($is_by_key OR c.sys_id IS NULL OR n.sys_updated_on >= c.sys_updated_on)",
            is_by_key=is_by_key,
        )
        _keep_superseded(store, target, quoted, now)
        store.execute(f"DELETE FROM current.{target} WHERE sys_id IN (SELECT sys_id FROM arriving)")
        store.execute(
            f"INSERT INTO current.{target} (_inputs_updated_on, _inputs_hash, {quoted})"
            " SELECT CASE WHEN _is_changed THEN sys_updated_on ELSE _old_inputs_updated_on END,"
            f" _inputs_hash, {quoted} FROM arriving"
        )
        counts = store.read(
            "SELECT count(*) FILTER (_is_new) AS new,"
            " count(*) FILTER (NOT _is_new AND _is_changed) AS changed,"
            " count(*) FILTER (NOT _is_new AND NOT _is_changed) AS same FROM arriving"
        )[0]
        store.execute(f"DELETE FROM landing.{target}")
        store.execute("DROP TABLE newest")
        store.execute("DROP TABLE arriving")
    return Merged(counts["new"], counts["changed"], counts["same"])


def _end_first_read(store: Store, table: str) -> None:
    """From here on a read in parts that is under way is not the only one with records at rest."""
    store.execute("UPDATE shard SET is_first = false WHERE table_name = $table", table=table)


def _inputs_hash(columns: Sequence[str], given: Sequence[str] | None = None) -> str:
    """What tells two versions of a record apart that rules may see as different, as SQL.

    `given`: the columns that the rows have; the others are NULL.
    """
    inputs = ", ".join(
        f"coalesce({name(column)}, chr(0))" if given is None or column in given else "chr(0)"
        for column in sorted(columns)
        if _is_input(column)
    )
    return f"md5(concat_ws(chr(31), sys_id, {inputs or chr(39) * 2}))"


def _count_if_distinct(store: Store, target: str) -> int:
    """How many records were landed, 0 if one of them came more than once."""
    row = store.read(
        f"SELECT count(*) AS rows, count(DISTINCT sys_id) AS records FROM landing.{target}"
    )[0]
    return int(row["rows"]) if row["rows"] == row["records"] else 0


def _merge_first(store: Store, target: str, quoted: str, inputs_hash: str, count: int) -> Merged:
    """A first read in which every record came once: no version is older, nothing is at rest."""
    store.execute(
        f"INSERT INTO current.{target} (_inputs_updated_on, _inputs_hash, {quoted})"
        f" SELECT sys_updated_on, {inputs_hash}, {quoted} FROM landing.{target}"
    )
    store.execute(f"DELETE FROM landing.{target}")
    return Merged(count, 0, 0)


def _is_input(column: str) -> bool:
    return column not in SYSTEM_COLUMNS and not column.startswith(OWN_PREFIX)


def _keep_superseded(store: Store, target: str, quoted: str, now: datetime) -> None:
    store.execute(
        f"INSERT INTO version.{target} (_seen_at, _inputs_hash, {quoted})"
        f" SELECT $now, _inputs_hash, {quoted} FROM current.{target}"
        " WHERE sys_id IN (SELECT sys_id FROM arriving WHERE _is_changed)"
        f" UNION ALL SELECT $now, _inputs_hash, {quoted} FROM newest n"
        " WHERE _rank > 1 AND NOT EXISTS (SELECT 1 FROM arriving a"
        " WHERE a.sys_id = n.sys_id AND a._inputs_hash = n._inputs_hash)",
        now=now.replace(tzinfo=None),
    )


def take_seen(
    store: Store, table: str, columns: Sequence[str], records: Sequence[Mapping[str, str]]
) -> None:
    """Overwrite our own columns and the version marks of records at rest with what a reply said.

    So the echo of a write is known before it comes, and a foreign edit beside it still shows.
    """
    sets = ", ".join(f"{name(c)} = coalesce(p.{name(c)}, t.{name(c)})" for c in columns)
    with store.given("page", records, texts(("sys_id", *columns))):
        store.execute(
            f"UPDATE current.{name(table)} t SET {sets} FROM page p WHERE t.sys_id = p.sys_id"
        )


def witness(store: Store, table: str, column: str) -> str | None:
    """The sys_id of a record at rest whose value of `column` is known; None if there is none."""
    found = store.value(
        f"SELECT max(sys_id) FROM current.{name(table)} WHERE {name(column)} IS NOT NULL"
    )
    return str(found) if found else None


def remove(store: Store, table: str, sys_ids: Sequence[str]) -> None:
    """Take records out of `current` (their tombstones say why)."""
    store.execute(
        f"DELETE FROM current.{name(table)} WHERE list_contains($ids, sys_id)", ids=list(sys_ids)
    )


def prune(
    store: Store, table: str, versions_before: datetime, closed_before: str
) -> tuple[int, int]:
    """Retention: drop old versions, and records closed before `closed_before` (the tool's format).

    Answers how many versions and records went.
    """
    target = name(table)
    columns = list_columns(store, table)
    versions = store.value(
        f"SELECT count(*) FROM version.{target} WHERE _seen_at < $t",
        t=versions_before.replace(tzinfo=None),
    )
    if versions:
        store.execute(
            f"DELETE FROM version.{target} WHERE _seen_at < $t",
            t=versions_before.replace(tzinfo=None),
        )
    if not {"closed_at", "active"} <= set(columns):
        return int(versions), 0
    old = "active = 'false' AND closed_at <> '' AND closed_at < $t"
    records = store.value(f"SELECT count(*) FROM current.{target} WHERE {old}", t=closed_before)
    if records:
        store.execute(f"DELETE FROM current.{target} WHERE {old}", t=closed_before)
    return int(versions), int(records)
