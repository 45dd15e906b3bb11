"""A first or full read of a table: in parts by sys_id, by workers, landed by one thread.

1. The parts: the tool says where to cut; an interrupted read goes on with its own.
2. Workers take part after part and put pages into a queue of one, packed as the store takes them:
   memory is a page as rows for each worker, and two more as text.
3. This thread alone writes: each page with its part's position in one transaction. What is read for
   the first time goes to rest at once; of what may be there already, a merge decides at the end.
4. The table's cursor then stands at the mark at which the read *began*: whatever changed meanwhile
   is newer. A read that an earlier run began is followed by an ordinary one from there; what this
   run began ends at this run's own mark.
"""

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from connector import log
from connector.context import Run
from connector.itsm.base import Shard, ShardedInstance
from connector.store import shards
from connector.store.database import Packed, pack
from connector.store.runs import StoredCursor
from connector.store.shards import Backfill, StoredShard
from connector.timestamps import format_instance, parse_instance

_LOOK_SECONDS = 0.2
"""How often a worker with a page in hand looks whether anybody still wants it."""

_log = log.get("extract")


@dataclass(frozen=True)
class Query:
    """What is read of a table, and the hash by which an interrupted read is known again."""

    table: str
    columns: Sequence[str]
    where: str
    hash: str


@dataclass(frozen=True)
class Backfilled:
    """What a read in parts did: rows read, landed and hidden, and where the table stands now."""

    read: int
    landed: int
    new: int
    """Rows that are at rest already: no merge will count them."""
    hidden: int
    cursor: StoredCursor


@dataclass(frozen=True)
class _Piece:
    """What a worker hands over: a page of a part, packed; a page of nothing ends the part."""

    shard: StoredShard
    rows: Packed
    hidden: int = 0
    comes_once: bool = False


def backfill(run: Run, query: Query, mark: datetime) -> Backfilled | None:
    """Read a table in parts, or go on with it; None where it is read at a stretch.

    Raises InstanceError kinds, InterruptedRunError between two pages if asked to stop.
    """
    if not isinstance(run.instance, ShardedInstance):
        return None
    known = shards.read_backfill(run.store, query.table, query.hash)
    if known is None and (planned := _planned(run.instance, query, mark)):
        known = shards.begin_backfill(run.store, query.table, planned, run.run_id)
    return _read(run, run.instance, query, known) if known else None


def _planned(instance: ShardedInstance, query: Query, mark: datetime) -> Backfill | None:
    parts = instance.list_shards(query.table, mark, query.where)
    if not parts:
        return None
    stored = tuple(StoredShard(part.low, part.high) for part in parts)
    return Backfill(query.hash, format_instance(mark), stored)


def _read(run: Run, instance: ShardedInstance, query: Query, known: Backfill) -> Backfilled:
    read = landed = new = hidden = 0
    with _pieces(instance, query, known) as pieces:
        for piece in pieces:
            is_first = known.is_first and piece.comes_once
            count = shards.save_shard_page(
                run.store,
                query.table,
                query.columns,
                piece.rows,
                shard=piece.shard,
                run_id=run.run_id,
                is_first=is_first,
            )
            landed += count
            new += count if is_first else 0
            read += len(piece.rows)
            hidden += piece.hidden
            del piece  # not one more page in memory than the workers hold
            run.progress("extract", query.table, read, None)
            run.pause_point()
    cursor = shards.end_backfill(run.store, query.table, known, run.run_id)
    _log.info("read in parts", run_id=run.run_id, table=query.table, parts=len(known.shards))
    return Backfilled(read, landed, new, hidden, cursor)


@contextmanager
def _pieces(instance: ShardedInstance, query: Query, known: Backfill) -> Iterator[Iterator[_Piece]]:
    """What the workers read, as it comes; leaving ends them, whatever the reason."""
    work = _Work(instance, query, known)
    threads = [
        threading.Thread(target=work.work, name=f"read-{query.table}-{n}")
        for n in range(min(instance.workers, len(work.open)))
    ]
    for thread in threads:
        thread.start()
    try:
        yield work.pieces(len(threads))
    finally:
        work.cancelled.set()
        for thread in threads:
            thread.join()


class _Work:
    """The parts that are open, and the queue between the workers and the one that writes."""

    def __init__(self, instance: ShardedInstance, query: Query, known: Backfill) -> None:
        self.open = deque(shard for shard in known.shards if not shard.is_done)
        self.cancelled = threading.Event()
        self._instance = instance
        self._query = query
        self._until = parse_instance(known.mark)
        self._queue: queue.Queue[_Piece | BaseException | None] = queue.Queue(1)

    def pieces(self, workers: int) -> Iterator[_Piece]:
        """Until every worker is through. Raises what a worker met."""
        while workers:
            piece = self._queue.get()
            if isinstance(piece, BaseException):
                raise piece
            if piece is None:
                workers -= 1
            else:
                yield piece
            del piece

    def work(self) -> None:
        """One worker: part after part. What goes wrong is handed over, never lost in a thread."""
        try:
            while not self.cancelled.is_set():
                self._read_part(self.open.popleft())
        except IndexError:
            self._put(None)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that writes
            self._put(error)

    def _read_part(self, shard: StoredShard) -> None:
        query = self._query
        part = Shard(shard.low, shard.high, shard.after)
        for page in self._instance.list_shard_pages(
            query.table, query.columns, part, self._until, query.where, self.cancelled
        ):
            shard = replace(shard, after=page.cursor.sys_id)
            rows, hidden, once = pack(page.records), page.hidden, page.comes_once
            del page  # a page as text is a third of what it is as rows
            self._put(_Piece(shard, rows, hidden, once))
            del rows
            if self.cancelled.is_set():
                return
        self._put(_Piece(replace(shard, is_done=True), pack(())))

    def _put(self, piece: _Piece | BaseException | None) -> None:
        while not self.cancelled.is_set():
            try:
                self._queue.put(piece, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return
