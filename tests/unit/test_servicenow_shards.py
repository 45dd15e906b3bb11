"""A large table in parts, on the wire: how it is cut, that every row comes once."""

import itertools
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connector.errors import IncompleteResponseError, InstanceError, InterruptedRunError
from connector.itsm.base import Cursor, Page, Record, Shard
from connector.itsm.servicenow import ServiceNow, connect
from connector.itsm.servicenow.sharding import cut
from tests.recorded import body
from tests.unit.servicenow_wire import (
    INCIDENTS,
    FakeTable,
    client,
    queries,
    query_of,
    record,
    settings,
)

UNTIL = datetime(2026, 11, 1, 9, tzinfo=UTC)


def spread(number: int, second: int = 0) -> Record:
    """An incident whose sys_id may begin with any digit."""
    key = f"{number * 2654435761 % 16**8:08x}"
    return {**record(number, second), "sys_id": key * 4}


def read(instance: ServiceNow, shard: Shard) -> list[Page]:
    return list(
        instance.list_shard_pages("incident", ["number"], shard, UNTIL, "", threading.Event())
    )


def ids(pages: list[Page]) -> list[str]:
    return [row["sys_id"] for page in pages for row in page.records]


def hidden(pages: list[Page]) -> int:
    return sum(page.hidden for page in pages)


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_a_table_is_cut_into_one_equal_part_for_each_worker(workers: int) -> None:
    shards = cut(workers)
    assert len(shards) == workers
    sizes = [len([n for n in range(256) if holds(shard, f"{n:02x}" * 16)]) for shard in shards]
    assert sum(sizes) == 256
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_parts_cover_every_key_once_whatever_it_looks_like(workers: int) -> None:
    """`global` and the like occur as sys_ids; they sort before, after or between the digits."""
    shards = cut(workers)
    for key in ["", "0", "0f", "7fff", "8000", "ffff", "global", "ZZ", "-", "é"]:
        assert len([shard for shard in shards if holds(shard, key)]) == 1, key


def holds(shard: Shard, key: str) -> bool:
    return key >= shard.low and (not shard.high or key < shard.high)


def test_cutting_a_table_asks_the_instance_nothing_and_one_worker_reads_at_a_stretch() -> None:
    with responses.RequestsMock() as mock:
        assert len(client(workers=4).list_shards("incident", UNTIL)) == 4
        assert client(workers=1).list_shards("incident", UNTIL) == []
        assert len(mock.calls) == 0


def test_a_small_table_costs_a_request_for_each_worker() -> None:
    table = FakeTable([spread(n) for n in range(9)])
    with responses.RequestsMock() as mock:
        table.on(mock)
        instance = client(page_size=10, workers=2)
        pages = [
            p for part in instance.list_shards("incident", UNTIL) for p in read(instance, part)
        ]
        assert len(mock.calls) == 2
    assert len(ids(pages)) == 9


def test_a_large_table_is_read_in_the_fewest_rounds_of_pages_for_its_workers() -> None:
    """25 rows a worker at 10 a page: three pages each, the count included."""
    rows = [
        {**record(n, 1), "sys_id": f"{n * 256 // 100:02x}" * 15 + f"{n:02x}"} for n in range(100)
    ]
    with responses.RequestsMock() as mock:
        FakeTable(rows).on(mock)
        instance = client(page_size=10, workers=4)
        for part in instance.list_shards("incident", UNTIL):
            before = len(mock.calls)
            assert len(ids(read(instance, part))) == 25
            assert len(mock.calls) - before == 3


def test_a_part_whose_count_the_instance_cancels_is_read_without_it() -> None:
    """Counting so many takes its minute each time: it is not asked again, and no page halves."""
    table = FakeTable([spread(n) for n in range(20)])

    def cancel_counts(request: Any) -> tuple[int, Any, str]:
        sent = query_of(request)
        if "sysparm_no_count" not in sent and table.answered == 0:
            return 200, {}, body("cancelled.json")
        return table(request)

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=cancel_counts)
        pages = read(client(page_size=8, workers=2), Shard("", ""))
        sent = [query_of(call.request) for call in mock.calls]
    assert len(ids(pages)) == 20
    assert [one["sysparm_limit"] for one in sent] == ["8", "8", "8", "8", "1"]
    assert ["sysparm_no_count" in one for one in sent] == [False, True, True, True, False]


def test_a_page_with_a_key_of_another_shape_does_not_say_that_its_records_come_once() -> None:
    rows = [spread(n) for n in range(12)]
    rows[0]["sys_id"] = "global"
    with responses.RequestsMock() as mock:
        FakeTable(rows).on(mock)
        pages = read(client(page_size=8, workers=2), Shard("", ""))
    assert len(ids(pages)) == 12
    assert {"global" in ids([page]): page.comes_once for page in pages if page.records} == {
        False: True,
        True: False,
    }


def test_a_part_is_read_by_key_within_its_bounds_and_its_end_costs_no_request() -> None:
    table = FakeTable([spread(n) for n in range(40)])
    mine = sorted(r["sys_id"] for r in table.records if "4" <= r["sys_id"] < "c")
    with responses.RequestsMock() as mock:
        table.on(mock)
        pages = read(client(page_size=8, workers=2), Shard("4", "c"))
        sent = queries(mock)
    assert ids(pages) == mine
    assert all(page.comes_once for page in pages), "keys that rose, each once"
    assert [page.cursor.sys_id for page in pages] == [ids([page])[-1] for page in pages]
    end = "sys_id<c^sys_updated_on<=2026-11-01 09:00:00^ORDERBYsys_id"
    assert sent == [
        f"sys_id>=4^{end}",
        *(f"sys_id>{page.cursor.sys_id}^{end}" for page in pages[:-1]),
    ]


def test_a_part_goes_on_after_its_last_key() -> None:
    table = FakeTable([spread(n) for n in range(40)])
    with responses.RequestsMock() as mock:
        table.on(mock)
        instance = client(page_size=5, workers=2)
        whole = ids(read(instance, Shard("8", "")))
        rest = ids(read(instance, Shard("8", "", after=whole[6])))
    assert rest == whole[7:]


def test_records_changed_after_the_mark_are_left_to_the_ordinary_read() -> None:
    late = {**spread(1), "sys_updated_on": "2026-11-01 09:00:01"}
    with responses.RequestsMock() as mock:
        FakeTable([late, spread(2)]).on(mock)
        assert ids(read(client(workers=2), Shard("", ""))) == [spread(2)["sys_id"]]


@given(
    rows=st.integers(0, 60),
    seed=st.randoms(use_true_random=False),
    page_size=st.integers(1, 9),
    parts=st.sampled_from([1, 2, 4, 8, 16]),
)
@hypothesis_settings(max_examples=60)
def test_every_visible_row_comes_once_and_every_hidden_one_is_counted(
    rows: int, seed: Any, page_size: int, parts: int
) -> None:
    records = [spread(n) for n in range(rows)]
    secret = frozenset(r["sys_id"] for r in records if seed.random() < 0.4)
    bounds = ["", *"0123456789abcdef"[:: 16 // parts][1:], ""]
    with responses.RequestsMock() as mock:
        FakeTable(records, secret).on(mock)
        instance = client(page_size=page_size, workers=2)
        shards = [Shard(low, high) for low, high in itertools.pairwise(bounds)]
        pages = [page for shard in shards for page in read(instance, shard)]
    assert ids(pages) == sorted(r["sys_id"] for r in records if r["sys_id"] not in secret)
    assert hidden(pages) == len(secret)


def test_a_page_cut_silently_goes_on_from_its_last_row() -> None:
    """200, valid JSON, fewer rows than asked and no error (§1.6 c): the count tells."""
    table = FakeTable([spread(n) for n in range(30)])

    def cut_once(request: Any) -> tuple[int, Any, str]:
        status, headers, text = table(request)
        rows = json.loads(text)["result"]
        short = rows[:4] if table.answered == 1 else rows
        return status, headers, json.dumps({"result": short})

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=cut_once)
        pages = read(client(page_size=50, workers=2), Shard("", ""))
    assert len(ids(pages)) == len(set(ids(pages))) == 30
    assert hidden(pages) == 0


@pytest.mark.parametrize(
    "keys",
    [
        ["4" * 32, "5" * 32, "5" * 32],
        ["5" * 32, "4" * 32],
        ["3" * 32, "5" * 32],
        ["5" * 32, "c" * 32],
    ],
    ids=["twice", "out of order", "below", "beyond"],
)
def test_keys_that_were_not_asked_for_stop_the_run(keys: list[str]) -> None:
    rows = [{**record(n, 1), "sys_id": key} for n, key in enumerate(keys)]
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": rows})
        with pytest.raises(IncompleteResponseError, match="incident came back with rows from bef"):
            read(client(page_size=len(rows), workers=2, max_attempts=3), Shard("4", "c"))
        assert [query_of(c.request)["sysparm_limit"] for c in mock.calls] == [str(len(rows))] * 3


@pytest.mark.parametrize("key", ["5" * 32, "global"])
def test_a_part_that_keeps_answering_the_same_stops_the_run(key: str) -> None:
    """An instance that ignores our condition would be read for ever."""
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": [{**record(1, 1), "sys_id": key}]})
        with pytest.raises(InstanceError, match=r"twice|same record"):
            read(client(page_size=1, workers=2, max_attempts=3), Shard("", ""))
        assert len(mock.calls) <= 4


def test_a_row_of_the_page_before_that_comes_again_is_asked_for_anew() -> None:
    table = FakeTable([spread(n) for n in range(20)])
    seen: list[Record] = []

    def repeat(request: Any) -> tuple[int, Any, str]:
        status, headers, text = table(request)
        rows = json.loads(text)["result"]
        if table.answered == 1:
            seen.append(rows[-1])
        return (
            status,
            headers,
            json.dumps({"result": [*seen, *rows[:-1]] if table.answered == 2 else rows}),
        )

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=repeat)
        pages = read(client(page_size=8, workers=2), Shard("", ""))
        sent = queries(mock)
    assert ids(pages) == sorted(row["sys_id"] for row in table.records)
    assert sent[1] == sent[2]


def test_a_list_that_repeats_rows_stops_the_run() -> None:
    rows = [record(n, 1) for n in (1, 2, 2)]
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": rows})
        with pytest.raises(IncompleteResponseError, match="twice or out of order"):
            list(client(page_size=3).list_records("incident", ["number"]))


def test_rows_that_leave_a_window_while_hidden_ones_are_stepped_over_take_none_along() -> None:
    """The limit is applied before ACLs, so a hidden page is passed by offset; what lies behind
    moves up when a row before it is saved meanwhile."""
    table = FakeTable(
        [record(n, n) for n in range(20)], frozenset(record(n, n)["sys_id"] for n in range(12))
    )

    def save_some(answered: int) -> None:
        if answered == 3:
            for row in table.records[:3]:
                row["sys_updated_on"] = "2026-11-01 09:30:00"

    table.before_each = save_some
    with responses.RequestsMock() as mock:
        table.on(mock)
        pages = list(client(page_size=6).list_pages("incident", ["number"], Cursor(), UNTIL))
    assert ids(pages) == [record(n, n)["sys_id"] for n in range(12, 20)]


def test_a_worker_that_is_told_to_give_up_ends_its_wait_and_the_run_goes_on() -> None:
    """Else a store that is full would show itself only when the last 429 has passed."""
    cancelled, done = threading.Event(), threading.Event()
    instance = connect(settings(workers=2))
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=429, headers={"Retry-After": "600"})

        def work() -> None:
            with pytest.raises(InterruptedRunError):
                list(
                    instance.list_shard_pages(
                        "incident", ["number"], Shard("", "8"), UNTIL, "", cancelled
                    )
                )
            done.set()

        worker = threading.Thread(target=work)
        worker.start()
        worker.join(0.3)
        assert worker.is_alive()
        cancelled.set()
        assert done.wait(20)
        worker.join()
        assert not instance._session._stop.is_set()
        instance._session.refuse_if_stopped()
