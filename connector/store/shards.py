"""Where a read in parts stands: one row per part of a table, gone when the whole is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.store import records, runs
from connector.store.database import Store
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


def read_backfill(store: Store, table: str, query_hash: str) -> Backfill | None:
    """The read in parts that an earlier run left; None if there is none for this query."""
    rows = store.read(
        "SELECT low, high, mark, after, is_done FROM shard"
        " WHERE table_name = $table AND query_hash = $hash ORDER BY low",
        table=table,
        hash=query_hash,
    )
    if not rows:
        return None
    shards = (StoredShard(r["low"], r["high"], r["after"], r["is_done"]) for r in rows)
    return Backfill(query_hash, rows[0]["mark"], tuple(shards))


def begin_backfill(store: Store, table: str, backfill: Backfill, run_id: str) -> None:
    """Note the parts, and that the table is not read whole, in one transaction."""
    incomplete = StoredCursor(backfill.query_hash, "", "", is_complete=False)
    with store.transaction():
        forget(store, table)
        for shard in backfill.shards:
            store.execute(
                "INSERT INTO shard VALUES ($table, $low, $high, $hash, $mark, '', false)",
                table=table,
                low=shard.low,
                high=shard.high,
                hash=backfill.query_hash,
                mark=backfill.mark,
            )
        runs.save_cursor(store, table, incomplete, run_id)


def save_shard_page(
    store: Store,
    table: str,
    columns: Sequence[str],
    page: Sequence[Mapping[str, str]],
    *,
    shard: StoredShard,
    run_id: str,
) -> int:
    """Land a page and move its part on, in one transaction. Answers the rows new to us."""
    with store.transaction():
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
