"""What happened to records: journal and audit entries at rest, and up to where they were read.

Entries are kept of records that are open or were closed lately, so that a store of many nights and
a fresh one hold the same. Kind and time only: there is no column for a text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.store import records
from connector.store.database import Store
from connector.store.records import name


@dataclass(frozen=True)
class Taken:
    """All entries that the instance has of some records of one table."""

    table: str
    sys_ids: Sequence[str]
    entries: Sequence[Mapping[str, str]]


_MARKS = ("sys_id", "sys_updated_on", "sys_mod_count")


def ensure(store: Store, source: str, columns: Sequence[str]) -> None:
    """Make the table of entries, or add the columns it lacks."""
    records.ensure_table(store, source, columns)


def begin(store: Store, tables: Sequence[str], closed_since: str) -> None:
    """TEMP TABLE `history_window`: the records whose history is kept.

    Those that are open, or were closed at or after `closed_since` (the tool's format).
    """
    parts = [
        f"SELECT '{name(table)[1:-1]}' AS table_name, sys_id, sys_updated_on, sys_mod_count"
        f" FROM current.{name(table)} WHERE {_is_kept(records.list_columns(store, table))}"
        for table in tables
        if records.list_columns(store, table)
    ]
    nobody = "SELECT NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR WHERE false"
    store.execute(
        "CREATE OR REPLACE TEMP TABLE history_window"
        " (table_name VARCHAR, sys_id VARCHAR, sys_updated_on VARCHAR, sys_mod_count VARCHAR)"
    )
    for part in parts or [nobody]:
        params = {"since": closed_since} if "$since" in part else {}
        store.execute(f"INSERT INTO history_window {part}", **params)


def _is_kept(columns: Sequence[str]) -> str:
    ended = [c for c in ("closed_at", "resolved_at", "sys_updated_on") if c in columns]
    when = ", ".join(f"nullif({name(column)}, '')" for column in ended)
    is_late = f"coalesce({when}, '9999') >= $since"
    return f"active IS DISTINCT FROM 'false' OR {is_late}" if "active" in columns else is_late


def end(store: Store) -> None:
    """Forget the window."""
    store.execute("DROP TABLE IF EXISTS history_window")


def prune(store: Store, source: str, record: str) -> None:
    """Drop the entries and marks of records that are outside of the window, or no more."""
    with store.transaction():
        store.execute(
            f"DELETE FROM current.{name(source)} WHERE {name(record)}"
            " NOT IN (SELECT sys_id FROM history_window)"
        )
        store.execute(
            "DELETE FROM history_read WHERE source = $source AND (table_name, sys_id)"
            " NOT IN (SELECT (table_name, sys_id) FROM history_window)",
            source=source,
        )


def has_entries(store: Store, source: str) -> bool:
    """Whether any entry of this source is at rest: then it can be read."""
    return bool(store.read(f"SELECT 1 FROM current.{name(source)} LIMIT 1"))


def list_pending(store: Store, source: str, table: str, after: str, limit: int) -> list[str]:
    """sys_ids after `after` whose history is not known up to their present version, in order."""
    rows = store.read(
        f"{_PENDING} AND w.sys_id > $after{_FIRST.format(order='w.sys_id')}",
        source=source,
        table=table,
        after=after,
        limit=limit,
    )
    return [row["sys_id"] for row in rows]


def list_touched(store: Store, source: str, table: str, limit: int) -> list[str]:
    """Of those that `list_pending` names, the ones that changed most often."""
    rows = store.read(
        _PENDING
        + _FIRST.format(order="try_cast(w.sys_mod_count AS BIGINT) DESC NULLS LAST, w.sys_id"),
        source=source,
        table=table,
        limit=limit,
    )
    return [row["sys_id"] for row in rows]


_PENDING = (
    "SELECT w.sys_id FROM history_window w LEFT JOIN history_read h ON h.source = $source"
    " AND h.table_name = w.table_name AND h.sys_id = w.sys_id"
    " WHERE w.table_name = $table AND (h.updated_on IS DISTINCT FROM w.sys_updated_on"
    " OR h.mod_count IS DISTINCT FROM w.sys_mod_count)"
)

_FIRST = " QUALIFY row_number() OVER (ORDER BY {order}) <= $limit ORDER BY {order}"
"""The first rows. Not by LIMIT: DuckDB 2.0.0 drops it after a LEFT JOIN with an empty table."""


def take(
    store: Store, source: str, record: str, taken: Taken, columns: Sequence[str], until: str
) -> None:
    """Replace the entries of some records, and note up to which version they are known.

    A version after `until` (the tool's format) is not noted: its entries may be still to come, and
    are asked for by the next run. The record stays known up to there: forgetting it would take back
    what was decided by its history, when all that came was our own write.
    """
    keys = [{"sys_id": sys_id} for sys_id in taken.sys_ids]
    quoted = ", ".join(name(column) for column in columns)
    with (
        store.transaction(),
        store.given("page", taken.entries, records.texts(columns)),
        store.given("keys", keys, records.texts(("sys_id",))),
    ):
        store.execute(
            f"DELETE FROM current.{name(source)} WHERE {name(record)} IN (SELECT sys_id FROM keys)"
        )
        store.execute(
            f"INSERT INTO current.{name(source)} ({quoted}) SELECT DISTINCT {quoted} FROM page"
        )
        store.execute(
            "DELETE FROM history_read WHERE source = $source AND table_name = $table"
            " AND sys_id IN (SELECT sys_id FROM keys)",
            source=source,
            table=taken.table,
        )
        store.execute(
            "INSERT INTO history_read"
            " SELECT $source, $table, sys_id,"
            " CASE WHEN sys_updated_on <= $until THEN sys_updated_on ELSE '' END,"
            " CASE WHEN sys_updated_on <= $until THEN sys_mod_count ELSE '' END"
            f" FROM current.{name(taken.table)} SEMI JOIN keys USING (sys_id)",
            source=source,
            table=taken.table,
            until=until,
        )


def follow(store: Store, table: str, replies: Sequence[Mapping[str, str]]) -> None:
    """Our own write made a new version: what was known stays known, if nobody wrote in between.

    Call it before the reply is taken over. One step of `sys_mod_count` is ours; a larger one means
    that there is more to read.
    """
    with store.given("page", replies, records.texts(_MARKS)):
        store.execute(
            "UPDATE history_read h SET updated_on = p.sys_updated_on, mod_count = p.sys_mod_count"
            f" FROM page p JOIN current.{name(table)} t USING (sys_id)"
            " WHERE h.table_name = $table AND h.sys_id = p.sys_id"
            " AND h.updated_on = t.sys_updated_on AND h.mod_count = t.sys_mod_count"
            " AND try_cast(p.sys_mod_count AS BIGINT) = try_cast(t.sys_mod_count AS BIGINT) + 1",
            table=table,
        )


def hide(store: Store, source: str) -> None:
    """Note that this source cannot be read: what needs it is unknown, not empty."""
    store.execute("UPDATE dictionary SET is_hidden = true WHERE table_name = $s", s=source)
