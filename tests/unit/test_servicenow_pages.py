"""Reading by key: every row once, whatever moves, hides or breaks."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from requests import PreparedRequest

from connector.errors import IncompleteResponseError, InstanceError, UnavailableError
from connector.itsm.base import Cursor, Page, Record
from connector.itsm.servicenow import ServiceNow
from connector.itsm.servicenow.page_size import PageSize
from connector.itsm.servicenow.pages import Scan
from connector.itsm.servicenow.session import Session
from tests.recorded import body
from tests.unit.servicenow_wire import (
    INCIDENTS,
    URL,
    FakeTable,
    Waits,
    client,
    queries,
    query_of,
    record,
    settings,
)

UNTIL = datetime(2026, 11, 1, 9, tzinfo=UTC)
STATS = f"{URL}/api/now/stats/incident"
T0 = "2026-11-01 08:00:00"


def read(
    instance: ServiceNow,
    after: Cursor | None = None,
    where: str = "",
    until: datetime = UNTIL,
    columns: Sequence[str] = ("number",),
) -> list[Page]:
    return list(instance.list_pages("incident", columns, after or Cursor(), until, where))


def numbers(pages: list[Page]) -> list[str]:
    return [r["number"] for page in pages for r in page.records]


def key_of(row: Record) -> tuple[str, str]:
    return row["sys_updated_on"], row["sys_id"]


def hidden(pages: list[Page]) -> int:
    return sum(page.hidden for page in pages)


# ── what is sent ─────────────────────────────────────────────────────────────────────────────


def test_a_nightly_read_of_a_quiet_table_costs_one_request() -> None:
    """The first look carries the count along: as many rows came as there are, so it is the end."""
    with responses.RequestsMock() as mock:
        FakeTable([record(1, 0)]).on(mock)
        pages = read(client(), Cursor("2026-11-01 07:50:00"))
        assert numbers(pages) == ["INC0000001"]
        assert queries(mock) == [
            "sys_updated_on>=2026-11-01 07:50:00^sys_updated_on<=2026-11-01 09:00:00"
            "^ORDERBYsys_updated_on^ORDERBYsys_id"
        ]


def test_an_empty_night_costs_one_request() -> None:
    with responses.RequestsMock() as mock:
        FakeTable([]).on(mock)
        assert read(client(), Cursor("2026-11-01 07:50:00")) == []
        assert len(mock.calls) == 1


def test_a_first_read_asks_for_plain_values_of_named_columns_without_counting() -> None:
    with responses.RequestsMock() as mock:
        FakeTable([record(n, n) for n in range(3)]).on(mock)
        read(client(page_size=3))
        assert query_of(mock.calls[0].request) == {
            "sysparm_query": "sys_updated_on<=2026-11-01 09:00:00"
            "^ORDERBYsys_updated_on^ORDERBYsys_id",
            "sysparm_fields": "sys_updated_on,sys_id,number",
            "sysparm_limit": "3",
            "sysparm_display_value": "false",
            "sysparm_exclude_reference_link": "true",
            "sysparm_suppress_pagination_header": "true",
            "sysparm_no_count": "true",
        }


def test_a_cursor_within_a_second_drains_that_second_first() -> None:
    rows = [record(n, 0) for n in range(1, 4)] + [record(4, 1)]
    with responses.RequestsMock() as mock:
        FakeTable(rows).on(mock)
        pages = read(client(), Cursor(T0, rows[0]["sys_id"]))
        assert queries(mock)[0] == (f"sys_updated_on={T0}^sys_id>{rows[0]['sys_id']}^ORDERBYsys_id")
        assert queries(mock)[1].startswith(f"sys_updated_on>{T0}^sys_updated_on<=")
    assert numbers(pages) == ["INC0000002", "INC0000003", "INC0000004"]


def test_a_filter_with_branches_is_narrowed_in_every_branch() -> None:
    """What is appended after ^NQ holds for the last branch only (§1.3)."""
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body=body("empty_page.json"), headers={"X-Total-Count": "0"})
        read(client(), where="active=true^NQpriority=1^ORDERBYnumber")
        assert queries(mock)[0] == (
            "active=true^sys_updated_on<=2026-11-01 09:00:00"
            "^NQpriority=1^sys_updated_on<=2026-11-01 09:00:00"
            "^ORDERBYsys_updated_on^ORDERBYsys_id"
        )


def test_nothing_is_asked_beyond_the_high_mark() -> None:
    with responses.RequestsMock() as mock:
        assert read(client(), Cursor("2026-11-01 09:00:01")) == []
        assert len(mock.calls) == 0


# ── every row once ───────────────────────────────────────────────────────────────────────────


@hypothesis_settings(deadline=None, max_examples=150)
@given(
    seconds=st.lists(st.integers(0, 6), max_size=40),
    page_size=st.integers(1, 12),
    hide=st.sets(st.integers(0, 39)),
    start=st.none() | st.integers(0, 39),
)
def test_every_visible_row_comes_once_in_order_and_every_hidden_one_is_counted(
    seconds: list[int], page_size: int, hide: set[int], start: int | None
) -> None:
    rows = [record(n, second) for n, second in enumerate(seconds)]
    masked = frozenset(rows[n]["sys_id"] for n in hide if n < len(rows))
    after = Cursor()
    if start is not None and start < len(rows):
        after = Cursor(rows[start]["sys_updated_on"], rows[start]["sys_id"])
    left = [r for r in rows if key_of(r) > (after.updated_on, after.sys_id)]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        FakeTable(rows, masked).on(mock)
        pages = read(client(page_size=page_size), after)
    expected = [r["number"] for r in sorted(left, key=key_of) if r["sys_id"] not in masked]
    assert numbers(pages) == expected
    assert hidden(pages) == len(left) - len(expected)


@hypothesis_settings(deadline=None, max_examples=60)
@given(count=st.integers(0, 30), page_size=st.integers(1, 10), hide=st.sets(st.integers(0, 29)))
def test_a_list_by_id_brings_every_visible_row_once(
    count: int, page_size: int, hide: set[int]
) -> None:
    rows = [record(n, 0) for n in range(count)]
    masked = frozenset(f"{n:032x}" for n in hide)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        FakeTable(rows, masked).on(mock)
        found = list(client(page_size=page_size).list_records("incident", ["number"]))
    assert [r["sys_id"] for r in found] == [r["sys_id"] for r in rows if r["sys_id"] not in masked]


def test_a_record_updated_while_we_page_is_not_lost_and_drags_no_other_along() -> None:
    """With offsets, the rows behind it would shift by one and one would never be seen (§1.7)."""
    rows = [record(n, n) for n in range(10)]
    table = FakeTable(rows)

    def update(answered: int) -> None:
        if answered == 1:
            table.records[0] = {**rows[0], "sys_updated_on": "2026-11-01 08:30:00"}

    table.before_each = update
    with responses.RequestsMock() as mock:
        table.on(mock)
        pages = read(client(page_size=4))
    assert sorted(set(numbers(pages))) == [r["number"] for r in rows]


def test_a_short_page_is_not_the_last_page() -> None:
    """The limit is applied before ACLs: rows may follow a page that is not full (§1.2)."""
    rows = [record(n, n) for n in range(25)]
    masked = frozenset(r["sys_id"] for r in rows[5:15])
    with responses.RequestsMock() as mock:
        FakeTable(rows, masked).on(mock)
        pages = read(client(page_size=15))
    assert len(numbers(pages)) == 15
    assert hidden(pages) == 10
    assert pages[-1] == Page((), pages[-2].cursor, 10)


def test_a_page_that_is_hidden_whole_is_stepped_over_by_offset() -> None:
    rows = [record(n, n) for n in range(12)]
    masked = frozenset(r["sys_id"] for r in rows[:9])
    with responses.RequestsMock() as mock:
        FakeTable(rows, masked).on(mock)
        pages = read(client(page_size=3))
        offsets = [query_of(call.request).get("sysparm_offset") for call in mock.calls]
    assert numbers(pages) == ["INC0000009", "INC0000010", "INC0000011"]
    assert hidden(pages) == 9
    assert offsets[:6] == [None, None, None, "3", "6", "9"], "page, count, once more, then steps"


def test_a_page_that_was_cancelled_empty_is_asked_for_again_and_not_taken_for_hidden() -> None:
    rows = [record(n, n) for n in range(12)]
    whole, asked = FakeTable(rows), 0

    def cut(request: Any) -> Any:
        nonlocal asked
        asked += 1
        status, headers, text = whole(request)
        return status, headers, json.dumps({"result": []}) if asked == 1 else text

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=cut)
        pages = read(client(page_size=5))
    assert numbers(pages) == [r["number"] for r in rows]
    assert hidden(pages) == 0


def test_a_page_cut_silently_goes_on_from_its_last_row() -> None:
    """Seen: 1425 of 4416 rows, valid JSON, no error (§1.6 c)."""
    rows = [record(n, n) for n in range(25)]
    whole, table = FakeTable(rows), FakeTable(rows)

    def cut(request: Any) -> Any:
        status, headers, text = whole(request)
        found = json.loads(text)["result"]
        return status, headers, json.dumps({"result": found[: len(found) // 2 or None]})

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=cut)
        pages = read(client())
    assert numbers(pages) == [r["number"] for r in table.records]
    assert hidden(pages) == 0


def test_many_rows_of_one_second_are_drained_by_sys_id() -> None:
    rows = [record(n, 0) for n in range(20)] + [record(20, 1)]
    with responses.RequestsMock() as mock:
        FakeTable(rows).on(mock)
        pages = read(client(page_size=6))
        assert f"sys_updated_on={T0}^sys_id>{5:032x}^ORDERBYsys_id" in queries(mock)
    assert numbers(pages) == [r["number"] for r in rows]


def test_the_last_second_of_a_full_page_comes_with_the_next_instead_of_a_drain() -> None:
    """One request a page, not two."""
    rows = [record(n, n) for n in range(64)]
    with responses.RequestsMock() as mock:
        FakeTable(rows).on(mock)
        pages = read(client(page_size=16))
        assert all("sys_updated_on=" not in query for query in queries(mock))
        assert len(mock.calls) == 6  # five pages, of which the last is short, and one count
    assert numbers(pages) == [r["number"] for r in rows]


@dataclass
class Bare:
    """A proxy takes X-Total-Count away; the first answer has no row at all."""

    table: FakeTable
    empty: int = 1

    def __call__(self, request: Any) -> Any:
        status, _headers, text = self.table(request)
        self.empty -= 1
        return status, {}, text if self.empty < 0 else '{"result":[]}'


def test_without_a_count_header_the_aggregate_api_says_whether_an_empty_page_is_the_end() -> None:
    table = FakeTable([record(n, n) for n in range(3)])
    counted = itertools.chain([3], itertools.repeat(0))
    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=Bare(table))
        mock.add_callback(
            responses.GET,
            STATS,
            callback=lambda _r: (
                200,
                {},
                f'{{"result":{{"stats":{{"count":"{next(counted)}"}}}}}}',
            ),
        )
        pages = read(client())
    assert len(numbers(pages)) == 3


def test_without_any_count_a_read_ends_with_what_to_do() -> None:
    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=Bare(FakeTable([])))
        mock.get(STATS, status=403, json={"error": {"message": "no"}, "status": "failure"})
        with pytest.raises(InstanceError, match="without X-Total-Count and refuses to count"):
            read(client())


# ── trouble ──────────────────────────────────────────────────────────────────────────────────


def test_a_cancelled_page_is_asked_for_again_at_half_the_size_from_the_same_cursor() -> None:
    table = FakeTable([record(n, n) for n in range(300)])

    def answer(request: Any) -> Any:
        if int(query_of(request)["sysparm_limit"]) > 100:
            return 200, {}, body("cancelled.json")
        return table(request)

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=answer)
        pages = read(client(page_size=400, max_attempts=1))
        limits = [int(query_of(call.request)["sysparm_limit"]) for call in mock.calls]
        assert len({q for q, limit in zip(queries(mock), limits, strict=True) if limit >= 100}) > 1
        assert queries(mock)[0] == queries(mock)[1] == queries(mock)[2]
    assert limits[:3] == [400, 200, 100]
    assert 112 in limits, "the page grows back slowly"
    assert len(set(numbers(pages))) == 300


def test_a_table_that_is_always_cancelled_ends_with_its_error() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body=body("cancelled.json"))
        with pytest.raises(IncompleteResponseError, match="a smaller page may pass"):
            read(client(page_size=400, max_attempts=2))
        limits = [query_of(call.request)["sysparm_limit"] for call in mock.calls]
    assert limits == ["400", "200", "100", "50", "50"]


def test_an_unavailable_instance_does_not_shrink_the_page() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, status=503)
        with pytest.raises(UnavailableError):
            read(client(Waits(), page_size=400, max_attempts=3))
        assert {query_of(call.request)["sysparm_limit"] for call in mock.calls} == {"400"}


def test_a_cursor_that_stands_still_stops_the_run() -> None:
    """An instance that drops the sys_id condition would send the same page for ever."""
    rows = [record(n, 0) for n in range(4)]
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": rows}, headers={"X-Total-Count": "9"})
        with pytest.raises(InstanceError, match="keeps answering with the same record"):
            read(client(page_size=4))


@pytest.mark.parametrize(
    "rows",
    [
        [record(2, 2), record(1, 1)],
        [record(1, 0)],
        [{**record(1, 1), "sys_updated_on": "2026-11-01 10:00:00"}],
    ],
    ids=["out of order", "before the cursor", "after the high mark"],
)
def test_rows_outside_what_was_asked_stop_the_run(rows: list[Record]) -> None:
    """A dropped condition, a dropped order, or times read in another zone (§1.3, §1.8)."""
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": rows}, headers={"X-Total-Count": str(len(rows))})
        with pytest.raises(InstanceError, match="time zone to GMT"):
            read(client(), Cursor("2026-11-01 08:00:01"))


@pytest.mark.parametrize(
    ("broken", "column"),
    [
        ({"sys_id": ""}, "sys_id"),
        ({"sys_id": "a b"}, "sys_id"),
        ({"sys_id": "x" * 65}, "sys_id"),
        ({"sys_updated_on": ""}, "sys_updated_on"),
        ({"sys_updated_on": "01.11.2026 08:00"}, "sys_updated_on"),
    ],
)
def test_a_record_without_a_usable_key_is_refused(broken: dict[str, str], column: str) -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, json={"result": [record(1, 1), {**record(2, 2), **broken}]})
        with pytest.raises(InstanceError, match=f"whose {column} is hidden or unusable"):
            read(client())


def test_a_stored_cursor_that_is_no_time_says_what_to_do() -> None:
    with pytest.raises(InstanceError, match="--full"):
        read(client(), Cursor("yesterday"))


@pytest.mark.parametrize("table", ["", "Incident", "../sys_user", "incident/1", "a" * 81])
def test_an_impossible_table_name_sends_nothing(table: str) -> None:
    with responses.RequestsMock() as mock:
        with pytest.raises(InstanceError, match="not a table name"):
            list(client().list_records(table, ["number"]))
        assert len(mock.calls) == 0


def test_a_limit_stops_within_a_page() -> None:
    with responses.RequestsMock() as mock:
        FakeTable([record(n, n) for n in range(10)]).on(mock)
        found = list(client().list_records("incident", ["number"], "active=true", limit=2))
        assert query_of(mock.calls[0].request)["sysparm_limit"] == "2"
        assert len(mock.calls) == 1
    assert len(found) == 2


def test_values_arrive_as_plain_strings_whatever_their_shape() -> None:
    with responses.RequestsMock() as mock:
        text = body("page_with_links.json")
        mock.get(INCIDENTS, body=text, headers={"X-Total-Count": "1"})
        columns = ("caller_id", "active", "reassignment_count", "resolved_at")
        (found,) = read(client(), columns=columns)[0].records
    assert found["caller_id"] == "6816f79cc0a8016401c5a33be04be441"
    assert (found["active"], found["reassignment_count"], found["resolved_at"]) == ("true", "2", "")


def test_a_recorded_page_is_read_as_it_stands() -> None:
    with responses.RequestsMock() as mock:
        mock.get(INCIDENTS, body=body("page.json"), headers={"X-Total-Count": "3"})
        (page,) = read(client(), Cursor("2026-11-01 07:00:00"), columns=("caller_id",))
    assert page.cursor == Cursor("2026-11-01 08:05:11", "0a1b2c3d4e5f60718293a4b5c6d7e803")
    assert page.records[1]["caller_id"] == "glide.maint"


# ── how large pages are ──────────────────────────────────────────────────────────────────────


def asked_for(seconds_per_row: float, largest: int, rows: int = 12_000) -> list[int]:
    """The page sizes asked for, of an instance that takes so long for each row."""
    now = [0.0]
    table = FakeTable([record(n, n % 3600) for n in range(rows)])
    asked: list[int] = []

    def answer(request: PreparedRequest) -> tuple[int, Mapping[str, str], str]:
        if (limit := int(query_of(request)["sysparm_limit"])) > 1:  # not a look that only counts
            asked.append(limit)
        reply = table(request)
        now[0] += seconds_per_row * len(json.loads(reply[2])["result"])
        return reply

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.GET, INCIDENTS, callback=answer)
        timed = Session(settings(), sleep=Waits(), clock=lambda: now[0])
        found = list(Scan(timed, "incident", ["number"], "", PageSize(largest)).by_id())
    assert len({one["sys_id"] for one in found}) == rows
    return asked


def test_slow_pages_get_smaller_until_they_take_two_to_five_seconds() -> None:
    asked = asked_for(0.005, 5000)  # 5,000 records in 25 s
    assert asked[0] == 5000
    assert all(2.0 <= size * 0.005 <= 5.0 for size in asked[3:])


def test_quick_pages_stay_as_large_as_the_settings_allow() -> None:
    assert set(asked_for(0.0001, 3000)) == {3000}


def test_slowness_alone_never_asks_for_less_than_500() -> None:
    assert min(asked_for(0.1, 5000)) == 500


def test_a_page_grows_back_once_the_instance_is_quick_again() -> None:
    size = PageSize(4000)
    size.learn(4000, 20.0)
    assert size.current == 2000
    size.learn(2000, 3.0)
    assert size.current == 2000
    for _page in range(6):
        size.learn(size.current, 0.5)
    assert size.current == 4000
