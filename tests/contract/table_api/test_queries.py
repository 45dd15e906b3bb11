"""The sandbox against the conformance vectors: encoded queries, and paging by key with them.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real HTTP.
"""

import pytest

from tests.contract.table_api.kit import INCIDENT, failure, listed, numbers
from tests.sandbox_instance import NOW, SAME_SECOND, Api, incident_id


def test_or_binds_tighter_than_and(api: Api) -> None:
    """15"""
    found = numbers(api, "active=true^state=1^ORstate=2")
    assert found
    assert set(found) == {n for n in range(1, 26) if n % 2 and n % 3 + 1 in (1, 2)}


def test_nq_is_a_union(api: Api) -> None:
    """16"""
    found = set(numbers(api, "state=1^NQpriority=1"))
    assert found == {n for n in range(1, 26) if n % 3 == 0 or n % 4 == 0}


def test_orders_are_kept_as_given(api: Api) -> None:
    """17"""
    found = numbers(api, "stateIN1,2^ORDERBYDESCstate^ORDERBYnumber")
    twos = [n for n in range(1, 26) if n % 3 == 1]
    assert found == [*twos, *(n for n in range(1, 26) if n % 3 == 0)]


def test_between_is_inclusive_and_numeric(api: Api) -> None:
    """18"""
    assert numbers(api, "reassignment_countBETWEEN9@11^ORDERBYnumber") == [9, 10, 11]


def test_either_empty(api: Api) -> None:
    """19"""
    found = numbers(api, "short_descriptionISEMPTY^ORdescriptionISEMPTY^ORDERBYnumber")
    assert found == [5, 7, 10, 15, 20, 25]


def test_a_query_may_dot_walk(api: Api) -> None:
    """20"""
    assert set(numbers(api, "caller_id.vip=true")) == set(range(1, 26, 2))


def test_relative_dates_follow_the_instances_clock(api: Api) -> None:
    """21"""
    today = "ONToday@javascript:gs.daysAgoStart(0)@javascript:gs.daysAgoEnd(0)"
    assert numbers(api, f"sys_created_on{today}") == [NOW.day]
    assert numbers(api, "opened_at>javascript:gs.daysAgoEnd(0)^ORDERBYnumber") == [*range(21, 26)]


@pytest.mark.parametrize("mode", ["ignore", "no_rows", "query_acl"])
@pytest.mark.parametrize("query", ["bogus=1", "caller_id.bogus=1", "not a query"])
def test_an_invalid_query_does_what_the_mode_says(fresh: Api, mode: str, query: str) -> None:
    """22, 23, 24"""
    assert fresh.post("/_sandbox/mode", json={"invalid_query": mode}).status_code == 200
    answer = fresh.get(INCIDENT, params={"sysparm_query": query})
    if mode == "query_acl":
        assert answer.status_code == 403
        assert answer.json() == failure(
            "Insufficient rights to query records",
            "Field(s) present in the query do not have permission to be read",
        )
    else:
        assert len(answer.json()["result"]) == (25 if mode == "ignore" else 0)


def test_only_the_invalid_part_is_dropped(api: Api) -> None:
    """22"""
    assert numbers(api, "number=INC0000004^bogus=1") == [4]
    assert numbers(api, "???^number=INC0000004") == [4]
    assert numbers(api, "number=INC0000004^ORDERBYbogus") == [4]


def test_keyset_paging_walks_the_same_second_once(api: Api) -> None:
    """27"""
    last, seen = "", []
    while True:
        query = f"sys_updated_on={SAME_SECOND}^sys_id>{last}^ORDERBYsys_id"
        rows = listed(api, query, sysparm_limit="3", sysparm_fields="sys_id")
        if not rows:
            break
        seen += [row["sys_id"] for row in rows]
        last = seen[-1]
    assert seen == [incident_id(n) for n in range(8, 15)]


def test_a_record_updated_between_pages_is_lost_by_offset_and_found_by_key(fresh: Api) -> None:
    """28"""
    order = "ORDERBYsys_updated_on^ORDERBYsys_id"
    fields = "sys_id,sys_updated_on"
    first = listed(fresh, order, sysparm_limit="5", sysparm_fields=fields)
    fresh.patch(f"{INCIDENT}/{first[2]['sys_id']}", json={"description": "changed"})

    by_offset = listed(fresh, order, sysparm_offset="5", sysparm_fields=fields)
    seen_by_offset = {row["sys_id"] for row in (*first, *by_offset)}
    assert len(seen_by_offset) == 24, "the record that slid over the boundary was never seen"

    cursor = first[-1]["sys_updated_on"]
    by_key = listed(fresh, f"sys_updated_on>={cursor}^{order}", sysparm_fields=fields)
    assert {row["sys_id"] for row in (*first, *by_key)} == {incident_id(n) for n in range(1, 26)}
