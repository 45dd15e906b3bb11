"""Where a read in parts stands: one row per part of a table, gone when the whole is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from connector.store import records, runs
from connector.store.database import Packed, Store
from connector.store.runs import StoredCursor


@dataclass(frozen=True)
class StoredShard:
    """One part: sys_ids from `low` to below `high` ("" = open), read up to `after`."""

    low: str
    high: str
    after: str = ""
    is_done: bool = False


@dataclass(frozen=True)
class Backfill:
    """A read in parts under way. `mark` is up to where all its parts read (the tool's format)."""

    query_hash: str
    mark: str
    shards: tuple[StoredShard, ...]
    is_first: bool = False
    """Whether nothing was at rest before, and nothing but this read's pages came since."""


def read_backfill(store: Store, table: str, query_hash: str) -> Backfill | None:
    """The read in parts that an earlier run left; None if there is none for this query."""
    rows = store.read(
        "SELECT low, high, mark, after, is_done, is_first FROM shard"
        " WHERE table_name = $table AND query_hash = $hash ORDER BY low",
        table=table,
        hash=query_hash,
    )
    if not rows:
        return None
    shards = (StoredShard(r["low"], r["high"], r["after"], r["is_done"]) for r in rows)
    return Backfill(query_hash, rows[0]["mark"], tuple(shards), rows[0]["is_first"])


def begin_backfill(store: Store, table: str, backfill: Backfill, run_id: str) -> Backfill:
    """Note the parts, and that the table is not read whole, in one transaction.

    Answers it with what is so at its begin: whether it is the first read of the table.
    """
    begun = replace(backfill, is_first=not records.has_rows(store, table))
    incomplete = StoredCursor(backfill.query_hash, "", "", is_complete=False)
    with store.transaction():
        forget(store, table)
        for shard in backfill.shards:
            store.execute(
                "INSERT INTO shard VALUES ($table, $low, $high, $hash, $mark, '', false, $first)",
                table=table,
                low=shard.low,
                high=shard.high,
                hash=backfill.query_hash,
                mark=backfill.mark,
                first=begun.is_first,
            )
        runs.save_cursor(store, table, incomplete, run_id)
    return begun


def save_shard_page(
    store: Store,
    table: str,
    columns: Sequence[str],
    page: Packed,
    *,
    shard: StoredShard,
    run_id: str,
    is_first: bool,
) -> int:
    """Land a page and move its part on, in one transaction. Answers the rows new to us.

    `is_first`: nobody else has records of it at rest, so that it can go there itself.
    """
    with store.transaction():
        if is_first:
            landed = records.put_first(store, table, columns, page)
        else:
            landed = records.land(store, table, columns, page, run_id)
        store.execute(
            "UPDATE shard SET after = $after, is_done = $done"
            " WHERE table_name = $table AND low = $low",
            table=table,
            low=shard.low,
            after=shard.after,
            done=shard.is_done,
        )
    return landed


def end_backfill(store: Store, table: str, backfill: Backfill, run_id: str) -> StoredCursor:
    """All parts are read: the table's cursor stands at the mark. Answers that cursor.

    It is complete only once what changed since the mark is read as well.
    """
    cursor = StoredCursor(backfill.query_hash, backfill.mark, "", is_complete=False)
    with store.transaction():
        forget(store, table)
        runs.save_cursor(store, table, cursor, run_id)
    return cursor


def forget(store: Store, table: str) -> None:
    """Drop the parts of a table, its own or those of a query that nobody asks any more."""
    store.execute("DELETE FROM shard WHERE table_name = $table", table=table)
