"""Limits: calls an hour, a full node, requests of one session, queries too long; and none.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real sockets.
"""

import threading

import pytest
import requests

from tests.contract.faults.kit import CANCELLED, INCIDENT, ONE, arm, batch, failure, limit, statuses
from tests.sandbox_instance import NOW, PASSWORD, USER, Api, make_instance, serving


def test_the_101st_call_of_the_hour_is_refused(api: Api) -> None:
    """36"""
    limit(api, rates=[{"requests": 100, "user": USER, "table": "incident"}])
    said = [api.get(ONE) for _ in range(101)]
    assert {answer.status_code for answer in said[:100]} == {200}
    last = said[100]
    assert last.status_code == 429
    assert last.json() == failure(
        "Rate limit exceeded", "Rate limit of 100 requests per hour for Table API exceeded"
    )
    assert last.headers["Retry-After"] == "3600"
    for answer in said:
        assert answer.headers["X-RateLimit-Limit"] == "100"
        assert answer.headers["X-RateLimit-Reset"] == str(int(NOW.timestamp()) + 3600)
        assert len(answer.headers["X-RateLimit-Rule"]) == 32
    free = api.get("/api/now/table/sys_user")
    assert free.status_code == 200
    assert "X-RateLimit-Limit" not in free.headers
    api.post("/_sandbox/clock", json={"until": "2026-11-20 13:00:00"}).raise_for_status()
    assert api.get(ONE).status_code == 200, "another hour"


def test_a_users_own_rule_beats_the_rule_for_all(api: Api) -> None:
    limit(api, rates=[{"requests": 1}, {"requests": 3, "user": USER}, {"requests": 9}])
    assert [api.get(ONE).status_code for _ in range(4)] == [200, 200, 200, 429]
    other = [api.get(ONE, auth=("admin", PASSWORD)).status_code for _ in range(2)]
    assert other == [200, 429]
    assert api.get("/_sandbox/limits").json()["result"]["used_this_hour"] == [2, 4, 0]


def test_items_of_a_batch_count_singly(api: Api) -> None:
    limit(api, rates=[{"requests": 2, "table": "incident"}])
    answer = batch(api, 1, 3, 4)
    assert statuses(answer) == {"1": 200, "3": 200, "4": 429}


def in_parallel(api: Api, count: int, **headers: str) -> list[requests.Response]:
    """`count` requests at once, each on a connection of its own."""
    said: list[requests.Response] = []

    def ask() -> None:
        answer = requests.get(api.base + ONE, auth=(USER, PASSWORD), headers=headers, timeout=30)
        said.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_a_full_node_refuses_and_says_how_long_others_waited(api: Api) -> None:
    """37"""
    limit(api, slots=1, queue=2, cost_ms={"request": 400}, slept=1)
    said = in_parallel(api, 6)
    assert sorted(answer.status_code for answer in said) == [200, 200, 200, 429, 429, 429]
    refused = next(answer for answer in said if answer.status_code == 429)
    assert refused.json() == failure("Too Many Requests", None)
    assert "Retry-After" not in refused.headers
    assert not [h for h in refused.headers if h.startswith("X-RateLimit")]
    waits = sorted(
        int(answer.headers["Server-Timing"].partition("sem_wait;dur=")[2].partition(",")[0])
        for answer in said
        if answer.status_code == 200
    )
    assert waits[0] == 0
    assert waits[1] > 0 < waits[2]
    assert api.get("/_sandbox/limits").json()["result"]["longest_queue"] == 2


def test_requests_of_one_session_are_served_one_at_a_time_and_the_eleventh_waiting_is_dropped(
    api: Api,
) -> None:
    """38"""
    limit(api, cost_ms={"request": 100}, slept=1)
    said = in_parallel(api, 12, Cookie="glide_session_store=abc")
    assert sorted(answer.status_code for answer in said) == [200] * 11 + [202]
    (dropped,) = (answer for answer in said if answer.status_code == 202)
    assert dropped.content == b""
    assert {answer.cookies["glide_session_store"] for answer in said} == {"abc"}
    assert any("sesh_wait;dur=0" not in a.headers["Server-Timing"] for a in said)


def test_requests_without_the_cookie_do_not_wait_for_each_other(api: Api) -> None:
    limit(api, cost_ms={"request": 50}, slept=1)
    said = in_parallel(api, 14)
    assert {answer.status_code for answer in said} == {200}


def test_a_query_that_brings_too_many_rows_or_takes_too_long_is_cancelled(api: Api) -> None:
    limit(api, rows=10)
    assert api.get(INCIDENT, params={"sysparm_limit": 10}).json()["result"]
    assert api.get(INCIDENT, params={"sysparm_limit": 11}).json() == CANCELLED
    limit(api, cost_ms={"row": 5000})
    assert len(api.get(INCIDENT, params={"sysparm_limit": 12}).json()["result"]) == 12
    assert api.get(INCIDENT, params={"sysparm_limit": 13}).json() == CANCELLED


def test_without_limits_nothing_is_limited(api: Api) -> None:
    limit(api, rows=1, rates=[{"requests": 1}], slots=1, queue=0)
    api.delete("/_sandbox/limits").raise_for_status()
    assert len(api.get(INCIDENT).json()["result"]) == 25
    assert "X-RateLimit-Limit" not in api.get(INCIDENT).headers


def test_a_restarted_sandbox_is_quiet(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("sandbox")
    instance = make_instance(folder)
    with serving(instance) as api:
        arm(api, {"kind": "busy", "probability": 1})
        limit(api, rates=[{"requests": 1}])
        assert api.get(ONE).status_code == 429
    again = type(instance)(type(instance.database)(folder / "instance.db"), PASSWORD)
    with serving(again) as api:
        assert [api.get(ONE).status_code for _ in range(3)] == [200] * 3
        assert api.get("/_sandbox/faults").json() == {"result": []}
