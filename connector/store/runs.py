"""Runs, cursors and the instance's dictionary: what the store knows about its own work."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connector.errors import StoreError
from connector.messages import _
from connector.store import records
from connector.store.database import Row, Store


@dataclass(frozen=True)
class StoredCursor:
    """Where extraction of a table stands; `is_complete` once the first full read ended."""

    query_hash: str
    updated_on: str
    sys_id: str
    is_complete: bool


def naive(moment: datetime) -> datetime:
    """Aware → the naive UTC that the store's TIMESTAMP columns hold."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def utc_now() -> datetime:
    """This machine's clock, for the run log only; the data's time is the instance's."""
    return datetime.now(UTC).replace(tzinfo=None)


def begin_run(store: Store, run_id: str, kind: str, mapping_hash: str) -> None:
    """Open a run's row; runs that never ended are marked as interrupted."""
    with store.transaction():
        store.execute(
            "UPDATE run SET outcome = 'interrupted', finished_at = started_at"
            " WHERE finished_at IS NULL"
        )
        store.execute(
            "INSERT INTO run (run_id, kind, started_at, mapping_hash)"
            " VALUES ($run_id, $kind, $now, $hash)",
            run_id=run_id,
            kind=kind,
            now=utc_now(),
            hash=mapping_hash,
        )


def set_high_mark(store: Store, run_id: str, high_mark: datetime) -> None:
    """Note up to where in the instance's time this run reads."""
    store.execute(
        "UPDATE run SET high_mark = $mark WHERE run_id = $run_id",
        mark=naive(high_mark),
        run_id=run_id,
    )


def finish_run(
    store: Store, run_id: str, outcome: str, counts: Mapping[str, Any], message: str = ""
) -> None:
    """Close a run's row."""
    store.execute(
        "UPDATE run SET outcome = $outcome, finished_at = $now, counts = $counts,"
        " message = $message WHERE run_id = $run_id",
        run_id=run_id,
        outcome=outcome,
        now=utc_now(),
        counts=json.dumps(counts, default=str, sort_keys=True),
        message=message,
    )


def last_mark(store: Store) -> datetime | None:
    """Data until here (aware UTC): the high mark of the latest whole sync that ended well."""
    found = store.value(
        "SELECT arg_max(high_mark, started_at) FROM run"
        " WHERE kind = 'sync' AND outcome IN ('succeeded', 'partial')"
    )
    return found.replace(tzinfo=UTC) if found else None


def mark_before(store: Store, instant: datetime) -> datetime | None:
    """The last high mark (aware UTC) of a whole sync that ended well, not after `instant`."""
    found = store.value(
        "SELECT max(high_mark) FROM run WHERE kind = 'sync'"
        " AND outcome IN ('succeeded', 'partial') AND high_mark <= $instant",
        instant=naive(instant),
    )
    return found.replace(tzinfo=UTC) if found else None


def bind_instance(store: Store, url: str) -> None:
    """A store belongs to one instance for good. Raises StoreError if it is another's.

    Addresses on this machine say nothing: a sandbox comes back on another port.
    """
    known = store.value("SELECT url FROM instance")
    if known is None:
        store.execute("INSERT INTO instance (url) VALUES ($url)", url=url)
    elif known != url and not (_is_local(known) and _is_local(url)):
        raise StoreError(
            _(
                "The store {path} holds the records of {known}, and the settings name {url};"
                " give each instance a store of its own ([store] path)"
            ).format(path=store.path, known=known, url=url)
        )


def read_identity(store: Store) -> str:
    """What the instance said it was when the store first saw it, or when a person accepted it."""
    return str(store.value("SELECT coalesce(max(identity), '') FROM instance"))


def save_identity(store: Store, identity: str) -> None:
    """Note what the instance says it is."""
    store.execute("UPDATE instance SET identity = $identity", identity=identity)


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "") in {"localhost", "127.0.0.1", "::1"}


def list_runs(store: Store, limit: int = 10) -> list[Row]:
    """The newest runs first."""
    return store.read(
        "SELECT * FROM run ORDER BY started_at DESC, run_id LIMIT $limit", limit=limit
    )


def mean_of_syncs(store: Store, last: int = 7) -> tuple[int, float, float]:
    """How many of the last whole syncs are known, the mean of their rows read and records written,
    relationships among them.

    The first of all is left out where there are others: it reads everything.
    """
    rows = store.read(
        "SELECT counts FROM run WHERE kind = 'sync' AND outcome IN ('succeeded', 'partial')"
        " ORDER BY started_at DESC LIMIT $last + 1",
        last=last,
    )
    found = [json.loads(row["counts"] or "{}") for row in rows]
    found = found[: max(1, min(last, len(found) - 1))]
    read = [sum(table["extracted"] for table in one.get("tables", ())) for one in found]
    written = [one.get("confirmed", 0) + one.get("relationships", 0) for one in found]
    n = len(found)
    return n, sum(read) / n if n else 0.0, sum(written) / n if n else 0.0


def read_cursor(store: Store, table: str) -> StoredCursor | None:
    """The cursor of a table, None before its first page."""
    rows = store.read(
        "SELECT query_hash, updated_on, sys_id, is_complete FROM cursor WHERE table_name = $table",
        table=table,
    )
    return StoredCursor(**rows[0]) if rows else None


def save_cursor(store: Store, table: str, cursor: StoredCursor, run_id: str) -> None:
    """Set the cursor of a table; call it in the transaction that stores its page."""
    store.execute(
        "INSERT OR REPLACE INTO cursor VALUES ($table, $hash, $on, $id, $complete, $run_id)",
        table=table,
        hash=cursor.query_hash,
        on=cursor.updated_on,
        id=cursor.sys_id,
        complete=cursor.is_complete,
        run_id=run_id,
    )


def save_page(
    store: Store,
    table: str,
    columns: Sequence[str],
    page: Sequence[Mapping[str, str]],
    *,
    cursor: StoredCursor,
    run_id: str,
) -> int:
    """Land a page and move the cursor, in one transaction. Answers the rows new to us."""
    with store.transaction():
        landed = records.land(store, table, columns, page, run_id)
        save_cursor(store, table, cursor, run_id)
    return landed


def save_dictionary(
    store: Store, columns: Sequence[Mapping[str, Any]], choices: Sequence[Mapping[str, Any]]
) -> None:
    """Replace what is known of the instance's dictionary and choices."""
    with store.transaction():
        _replace(
            store,
            "dictionary",
            columns,
            ("table_name", "element", "type", "label", "reference", "is_choice", "is_hidden"),
        )
        _replace(store, "choice", choices, ("table_name", "element", "value", "label", "language"))


def _replace(
    store: Store, table: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> None:
    store.execute(f"DELETE FROM {table}")
    if not rows:
        return
    with store.given("fresh", rows, records.texts(columns)):
        store.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM fresh"
        )


def empty_columns(store: Store, table: str) -> list[str]:
    """The columns of a table at rest that are unknown on every record; [] without records."""
    present = records.list_columns(store, table)
    if not present:
        return []
    counts = ", ".join(f"count({records.name(c)}) AS {records.name(c)}" for c in present)
    row = store.read(f"SELECT count(*) AS _n, {counts} FROM current.{records.name(table)}")[0]
    return [column for column in present if row["_n"] and row[column] == 0]


def mark_hidden(store: Store, tables: Iterable[str]) -> dict[str, list[str]]:
    """Note in the dictionary the columns that were asked for and never answered, by table."""
    found = {table: empty for table in tables if (empty := empty_columns(store, table))}
    with store.transaction():
        for table, hidden in found.items():
            store.execute(
                "UPDATE dictionary SET is_hidden = true"
                " WHERE table_name = $table AND list_contains($hidden, element)",
                hidden=hidden,
                table=table,
            )
    return found


def read_schema_rows(store: Store) -> list[Row]:
    """The stored dictionary."""
    return store.read("SELECT * FROM dictionary")
