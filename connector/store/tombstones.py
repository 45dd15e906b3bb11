"""Which records at rest the instance no longer has: the sets of keys, compared in SQL."""

from collections.abc import Iterable, Mapping, Sequence

from connector.store import records
from connector.store.database import Store
from connector.store.runs import utc_now

END_COLUMNS = ("active", "closed_at")
"""They say whether a record is past retention."""


def begin(store: Store) -> None:
    """Start a sweep: forget the keys of the last one."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE key_seen"
        " (table_name VARCHAR, sys_id VARCHAR, sys_updated_on VARCHAR, sys_mod_count VARCHAR,"
        " active VARCHAR, closed_at VARCHAR)"
    )


def add_keys(store: Store, table: str, keys: Sequence[Mapping[str, str]]) -> None:
    """Note keys that the instance has."""
    asked = (*records.SYSTEM_COLUMNS, *END_COLUMNS)
    shown = ", ".join(f"coalesce({column}, '')" for column in asked)
    with store.given("page", keys, records.texts(asked)):
        store.execute(f"INSERT INTO key_seen SELECT $table, {shown} FROM page", table=table)


def add_stored_keys(store: Store, tables: Iterable[str]) -> None:
    """Note the keys at rest of tables whose counts agree: a record may have moved there."""
    for table in tables:
        store.execute(
            "INSERT INTO key_seen SELECT $table, sys_id, sys_updated_on, sys_mod_count, '', ''"
            f" FROM current.{records.name(table)}",
            table=table,
        )


def count_keys(store: Store, table: str, until: str, closed_before: str) -> int:
    """How many keys the instance named, changed up to `until`, that retention keeps."""
    return int(
        store.value(
            "SELECT count(*) FROM key_seen WHERE table_name = $table AND sys_updated_on <= $until"
            " AND NOT (active = 'false' AND closed_at <> '' AND closed_at < $closed_before)",
            table=table,
            until=until,
            closed_before=closed_before,
        )
    )


def list_stale(store: Store, table: str, mark: str, closed_before: str) -> list[str]:
    """sys_ids that the instance has up to `mark` and the store lacks or has in another version."""
    rows = store.read(
        f"SELECT k.sys_id FROM key_seen k LEFT JOIN current.{records.name(table)} c USING (sys_id)"
        " WHERE k.table_name = $table AND k.sys_updated_on <= $mark"
        " AND (c.sys_id IS NULL OR c.sys_updated_on IS DISTINCT FROM k.sys_updated_on"
        " OR c.sys_mod_count IS DISTINCT FROM k.sys_mod_count)"
        " AND NOT (k.active = 'false' AND k.closed_at <> '' AND k.closed_at < $closed_before)"
        " ORDER BY 1",
        table=table,
        mark=mark,
        closed_before=closed_before,
    )
    return [row["sys_id"] for row in rows]


def list_missing(store: Store, table: str) -> list[str]:
    """sys_ids at rest that the instance did not name; contacts from a file were never there."""
    rows = store.read(
        f"SELECT sys_id FROM current.{records.name(table)} c WHERE NOT EXISTS"
        " (SELECT 1 FROM key_seen k WHERE k.table_name = $table AND k.sys_id = c.sys_id)"
        " AND sys_id NOT IN (SELECT sys_id FROM contact_line)"
        " ORDER BY 1",
        table=table,
    )
    return [row["sys_id"] for row in rows]


def list_moved(store: Store, sys_ids: Sequence[str]) -> set[str]:
    """Those that the instance now has in another table (a class change)."""
    rows = store.read(
        "SELECT DISTINCT sys_id FROM key_seen WHERE list_contains($ids, sys_id)", ids=list(sys_ids)
    )
    return {row["sys_id"] for row in rows}


def note_missing(store: Store, table: str, sys_ids: Iterable[str], proven: set[str]) -> list[str]:
    """Count one more sweep without these records; answers those that count as deleted now.

    A deletion counts when `sys_audit_delete` proves it, or after two sweeps.
    """
    gone = []
    for sys_id in sys_ids:
        source = "sys_audit_delete" if sys_id in proven else "sweep"
        store.execute(
            "INSERT INTO tombstone (table_name, sys_id, gone_at, source, sweeps, is_confirmed)"
            " VALUES ($table, $id, $now, $source, 1, $proven) ON CONFLICT DO UPDATE SET"
            " sweeps = sweeps + 1, source = excluded.source,"
            " is_confirmed = excluded.is_confirmed OR sweeps + 1 >= 2",
            table=table,
            id=sys_id,
            now=utc_now(),
            source=source,
            proven=sys_id in proven,
        )
        if store.value(
            "SELECT is_confirmed FROM tombstone WHERE table_name = $table AND sys_id = $id",
            table=table,
            id=sys_id,
        ):
            gone.append(sys_id)
    return gone


def forget_reappeared(store: Store, table: str) -> None:
    """A record that the instance names again was not deleted."""
    store.execute(
        "DELETE FROM tombstone WHERE table_name = $table AND sys_id IN"
        " (SELECT sys_id FROM key_seen WHERE table_name = $table)",
        table=table,
    )
