"""A first read in parts: resumed after a kill, one writer, bounded pages, nothing lost."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.context import Run
from connector.errors import InterruptedRunError, StoreError, UnavailableError
from connector.extract import Extracted, Reading, extract_table
from connector.itsm.base import Cursor, Page, Record, Shard
from connector.store import records, runs, shards
from connector.store.database import Store, open_store
from connector.timestamps import format_instance
from tests.fakes import FakeInstance

MARK = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS = ("sys_id", "sys_updated_on", "sys_mod_count", "number", "state")
PARTS = [Shard("", "4"), Shard("4", "8"), Shard("8", "c"), Shard("c", "")]


def row(number: int, moment: str = "2026-11-20 10:00:00") -> Record:
    key = f"{number * 2654435761 % 16**8:08x}" * 4
    return {
        "sys_id": key,
        "sys_updated_on": moment,
        "sys_mod_count": "0",
        "number": f"INC{number:07}",
        "state": "1",
    }


class InParts(FakeInstance):
    """A fake that is read in four parts by two workers; `before` may interfere with a page."""

    workers = 2
    comes_once = True

    def __init__(self, rows: Sequence[Record], page_size: int = 3) -> None:
        super().__init__(MARK, {"incident": list(rows)}, page_size)
        self.asked: list[Shard] = []
        self.planned = 0
        self.in_hand = 0
        self.most_in_hand = 0
        self.lock = threading.Lock()

    def before(self, shard: Shard, page: int) -> None:
        """Overridden to break, wait or change something."""

    def list_shards(self, table: str, until: datetime, where: str = "") -> list[Shard]:  # noqa: ARG002
        self.planned += 1
        return PARTS

    def list_shard_pages(
        self,
        table: str,
        fields: Sequence[str],
        shard: Shard,
        until: datetime,
        where: str,  # noqa: ARG002
        cancelled: threading.Event,
    ) -> Iterator[Page]:
        self.cancelled = cancelled
        self.asked.append(shard)
        rows = sorted(self.tables[table], key=lambda r: r["sys_id"])
        rows = [
            r
            for r in rows
            if max(shard.low, shard.after) <= r["sys_id"] != shard.after
            and (not shard.high or r["sys_id"] < shard.high)
            and r["sys_updated_on"] <= format_instance(until)
        ]
        for n, start in enumerate(range(0, len(rows), self.page_size)):
            self.before(shard, n)
            with self.lock:
                self.in_hand += 1
                self.most_in_hand = max(self.most_in_hand, self.in_hand)
            page = rows[start : start + self.page_size]
            found = [{k: r[k] for k in fields} for r in page]
            last = Cursor("", page[-1]["sys_id"])
            yield Page(found, last, comes_once=self.comes_once)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "x.duckdb", 112) as opened:
        yield opened


def read(
    store: Store, instance: FakeInstance, mark: datetime = MARK, *, full: bool = False
) -> Extracted:
    run = Run(store, instance, "run", threading.Event())
    reading = Reading(timedelta(minutes=10), None, full)
    return extract_table(run, "incident", COLUMNS, mark, reading)


def at_rest(store: Store) -> list[dict[str, str]]:
    return store.read("SELECT * FROM current.incident ORDER BY sys_id")


def held(store: Store) -> list[str]:
    rows = store.read("SELECT sys_id FROM current.incident ORDER BY sys_id")
    return [r["sys_id"] for r in rows]


def keys(rows: Sequence[Record]) -> list[str]:
    return sorted(r["sys_id"] for r in rows)


def test_every_part_is_read_and_the_cursor_stands_at_the_mark_of_the_beginning(
    store: Store,
) -> None:
    rows = [row(n) for n in range(60)]
    instance = InParts(rows)
    found = read(store, instance)
    assert (found.read, found.new) == (60, 60)
    assert held(store) == keys(rows)
    cursor = runs.read_cursor(store, "incident")
    assert cursor is not None
    assert (cursor.updated_on, cursor.is_complete) == ("2026-11-20 12:00:00", True)
    assert instance.read == []  # what came late below the mark is in the lag of the next run
    assert store.value("SELECT count(*) FROM shard") == 0
    read(store, instance, MARK + timedelta(hours=1))
    assert instance.read == [("incident", Cursor("2026-11-20 11:50:00"))]


def test_the_next_night_reads_at_a_stretch_from_there(store: Store) -> None:
    instance = InParts([row(n) for n in range(20)])
    read(store, instance)
    instance.tables["incident"].append(row(99, "2026-11-20 13:00:00"))
    found = read(store, instance, MARK + timedelta(days=1))
    assert (found.read, found.new) == (1, 1)
    assert instance.planned == 1


def test_who_is_saved_while_the_parts_are_read_comes_with_the_ordinary_read(store: Store) -> None:
    """A record that moves past the mark leaves its part before the worker came to it."""
    rows = [row(n) for n in range(40)]

    class Moving(InParts):
        def before(self, shard: Shard, page: int) -> None:  # noqa: ARG002
            if page == 0:
                for moved in self.tables["incident"][::4]:
                    moved |= {"sys_updated_on": "2026-11-20 12:30:00", "state": "6"}

    instance = Moving(rows)
    read(store, instance)
    assert len(held(store)) < 40
    read(store, instance, MARK + timedelta(hours=1))
    assert held(store) == keys(rows)
    assert store.value("SELECT count(*) FROM current.incident WHERE state = '6'") == 10


class Breaks(InParts):
    """Answers some pages, then the instance is gone."""

    left = 7

    def before(self, shard: Shard, page: int) -> None:  # noqa: ARG002
        with self.lock:
            self.left -= 1
        if self.left < 0:
            raise UnavailableError("gone", method="GET", path="/api/now/table/incident")


def test_what_landed_before_a_failure_stays_and_each_part_goes_on_where_it_stood(
    store: Store,
) -> None:
    rows = [row(n) for n in range(60)]
    with pytest.raises(UnavailableError):
        read(store, Breaks(rows))
    cursor = runs.read_cursor(store, "incident")
    assert cursor is not None
    assert not cursor.is_complete
    known = shards.read_backfill(store, "incident", cursor.query_hash)
    assert known is not None
    landed = set(held(store))
    for part in known.shards:
        mine = [k for k in keys(rows) if k >= part.low and (not part.high or k < part.high)]
        assert {k for k in mine if k in landed} == {k for k in mine if k <= part.after}

    rows.append(row(777, "2026-11-20 12:10:00"))
    healthy = InParts(rows)
    found = read(store, healthy, MARK + timedelta(hours=1))
    assert healthy.planned == 0
    assert found.read == 61 - len(landed)
    assert [s.after for s in healthy.asked] == [s.after for s in known.shards if not s.is_done]
    assert healthy.read == [("incident", Cursor("2026-11-20 11:50:00"))], "from the first mark"
    assert held(store) == keys(rows)


class Unsure(InParts):
    """Its keys are none that rise by a known order: a record may come twice."""

    comes_once = False


def test_what_goes_to_rest_at_once_is_what_a_merge_makes_of_it(
    store: Store, tmp_path: Path
) -> None:
    rows = [row(n) for n in range(40)]
    found = read(store, InParts(rows))
    with open_store(tmp_path / "other.duckdb") as other:
        assert read(other, Unsure(rows)) == found
        assert at_rest(other) == at_rest(store)
    assert store.value("SELECT count(*) FROM landing.incident") == 0


def test_a_record_that_comes_twice_is_at_rest_once(store: Store) -> None:
    rows = [row(n) for n in range(20)]

    class Twice(Unsure):
        def list_shard_pages(self, *args: Any) -> Iterator[Page]:
            yield from super().list_shard_pages(*args)
            yield Page([{k: rows[3][k] for k in COLUMNS}], Cursor("", rows[3]["sys_id"]))

    read(store, Twice(rows))
    assert held(store) == keys(rows)


def test_a_record_read_by_its_key_meanwhile_comes_with_its_part_without_doubling(
    store: Store,
) -> None:
    """`travesia sync --record` between a first read that broke off and its end."""
    rows = [row(n) for n in range(60)]
    with pytest.raises(UnavailableError):
        read(store, Breaks(rows))
    missing = next(r for r in rows if r["sys_id"] not in held(store))
    records.land(store, "incident", COLUMNS, [missing], "by-key")
    records.merge(store, "incident", MARK, is_by_key=True)
    read(store, InParts(rows), MARK + timedelta(hours=1))
    assert held(store) == keys(rows)


def test_a_part_that_was_done_is_not_read_again(store: Store) -> None:
    rows = [row(n) for n in range(60)]
    broken = Breaks(rows, page_size=30)
    broken.left = 3
    with pytest.raises(UnavailableError):
        read(store, broken)
    done = {r["low"] for r in store.read("SELECT low FROM shard WHERE is_done")}
    healthy = InParts(rows)
    read(store, healthy)
    assert done
    assert not done & {shard.low for shard in healthy.asked}
    assert held(store) == keys(rows)


def test_other_columns_begin_the_parts_anew(store: Store) -> None:
    rows = [row(n) for n in range(30)]
    with pytest.raises(UnavailableError):
        read(store, Breaks(rows))
    healthy = InParts(rows)
    run = Run(store, healthy, "run", threading.Event())
    extract_table(run, "incident", COLUMNS[:-1], MARK, Reading(timedelta(0)))
    assert held(store) == keys(rows), "those of the first attempt once"
    assert healthy.planned == 1
    assert all(shard.after == "" for shard in healthy.asked)
    assert store.value("SELECT count(*) FROM shard") == 0


def test_full_reads_all_parts_again(store: Store) -> None:
    instance = InParts([row(n) for n in range(30)])
    read(store, instance)
    found = read(store, instance, full=True)
    assert (found.read, found.new, found.changed) == (30, 0, 0)
    assert instance.planned == 2


def test_pages_in_memory_are_bounded_by_the_workers_however_slow_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = InParts([row(n) for n in range(200)], page_size=2)
    real = shards.save_shard_page

    def slow(*args: object, **more: object) -> int:
        threading.Event().wait(0.002)
        landed = real(*args, **more)  # type: ignore[arg-type]  # passed through
        with instance.lock:
            instance.in_hand -= bool(args[3])
        return landed

    monkeypatch.setattr(shards, "save_shard_page", slow)
    read(store, instance)
    # One at each worker, one in the queue, one being written.
    assert instance.most_in_hand <= instance.workers + 2


def test_a_stop_ends_the_workers_and_keeps_what_landed(store: Store) -> None:
    instance = InParts([row(n) for n in range(60)])
    run = Run(store, instance, "run", threading.Event())
    run.stop.set()
    with pytest.raises(InterruptedRunError):
        extract_table(run, "incident", COLUMNS, MARK, Reading(timedelta(0)))
    assert 0 < store.value("SELECT count(*) FROM current.incident") < 60
    assert not [t for t in threading.enumerate() if t.name.startswith("read-")]


def test_a_store_that_refuses_ends_the_workers_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_more: object) -> int:
        raise StoreError("full")

    monkeypatch.setattr(shards, "save_shard_page", refuse)
    with pytest.raises(StoreError):
        read(store, InParts([row(n) for n in range(60)]))
    assert not [t for t in threading.enumerate() if t.name.startswith("read-")]


def test_a_column_that_comes_for_the_first_time_is_read_in_parts_once(store: Store) -> None:
    """The records at rest lack it until the parts are merged: that must not start them again."""
    rows = [row(n, "2026-11-20 11:55:00") for n in range(30)]
    read(store, InParts(rows))
    for one in rows:
        one["category"] = "network"
    instance = InParts(rows)
    run = Run(store, instance, "run", threading.Event())
    extract_table(run, "incident", (*COLUMNS, "category"), MARK, Reading(timedelta(minutes=10)))
    assert instance.planned == 1
    assert store.value("SELECT count(*) FROM current.incident WHERE category = 'network'") == 30
