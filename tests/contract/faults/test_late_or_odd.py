"""Faults of time: slow answers, clocks that go wrong, rows that are committed late.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real sockets.
"""

from typing import Any

import pytest

from tests.contract.faults.kit import INCIDENT, ONE, arm, raw_pieces
from tests.sandbox_instance import USER_ID, Api, incident_id


def test_a_dripping_answer_is_whole_in_the_end(api: Api) -> None:
    whole = api.get(INCIDENT).content
    arm(api, {"kind": "drip", "bytes": 1000, "pause_ms": 1})
    pieces, end = raw_pieces(api, INCIDENT)
    assert end == "eof"
    assert b"".join(pieces).partition(b"\r\n\r\n")[2] == whole
    assert len(pieces) > len(whole) // 5000, "it came in many pieces"


def test_latency_and_a_skewed_clock_go_with_other_faults(api: Api) -> None:
    arm(
        api,
        {"kind": "latency", "ms": 60},
        {"kind": "clock_skew", "seconds": -7200},
        {"kind": "busy"},
    )
    answer = api.get(ONE)
    assert answer.status_code == 429
    assert answer.headers["Date"] == "Fri, 20 Nov 2026 10:00:00 GMT"
    assert answer.elapsed.total_seconds() >= 0.06
    assert api.get(ONE).headers["Date"] == "Fri, 20 Nov 2026 12:00:00 GMT"


def test_a_row_committed_late_shows_up_under_an_old_time(api: Api) -> None:
    late = {"table": "incident", "sys_id": incident_id(3), "values": {"state": "2"}, "minutes": 90}
    answer = api.post("/_sandbox/late", json=late)
    assert answer.status_code == 200, answer.text
    record = api.get(f"{INCIDENT}/{incident_id(3)}").json()["result"]
    assert (record["state"], record["sys_mod_count"]) == ("2", "1")
    assert record["sys_updated_on"] == "2026-11-20 10:30:00"
    new = {"table": "incident", "sys_id": "9" * 32, "values": {"state": "1"}}
    api.post("/_sandbox/late", json={**new, "at": "2026-11-19 08:00:00"}).raise_for_status()
    record = api.get(f"{INCIDENT}/{'9' * 32}").json()["result"]
    assert record["sys_created_on"] == record["sys_updated_on"] == "2026-11-19 08:00:00"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"minutes": None}, "late: say either minutes (before now) or at (an instant)"),
        ({"minutes": -1}, "late: Expected `float` >= 0.0"),
        ({"minute": 3}, "late: unknown key minute; did you mean minutes?"),
    ],
)
def test_a_late_commit_that_cannot_be_is_refused(
    api: Api, change: dict[str, Any], sentence: str
) -> None:
    late = {"table": "incident", "sys_id": incident_id(3), "values": {}, "minutes": 90, **change}
    answer = api.post("/_sandbox/late", json=late)
    assert answer.status_code == 400
    assert answer.json()["error"]["detail"].startswith(sentence)


def numbers(api: Api, query: str) -> list[int]:
    params = {"sysparm_query": query, "sysparm_fields": "number"}
    return [int(r["number"][3:]) for r in api.get(INCIDENT, params=params).json()["result"]]


def test_literals_are_utc_or_in_the_callers_zone_as_the_mode_says(api: Api) -> None:
    madrid = {"time_zone": "Europe/Madrid"}
    api.patch(f"/api/now/table/sys_user/{USER_ID}", json=madrid).raise_for_status()
    five, relative = "sys_updated_on=2026-11-05 08:00:00", "javascript:gs.daysAgoEnd(0)"
    assert numbers(api, five) == [5]
    mode = api.post("/_sandbox/mode", json={"date_literals": "user_zone"})
    assert mode.json()["result"]["date_literals"] == "user_zone"
    assert numbers(api, five) == []
    assert numbers(api, "sys_updated_on=2026-11-05 09:00:00") == [5]
    assert numbers(api, f"number=INC0000025^opened_at>{relative}") == [25]
    assert numbers(api, "sys_updated_on=2026-99-05 09:00:00") == [], "no such day"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"date_literals": "local"}, "date_literals: one of utc, user_zone"),
        ({}, "one or more of invalid_query, date_literals"),
        ({"mode": "utc"}, "unknown field mode"),
        (
            {"date_literals": "user_zone", "invalid_query": "maybe"},
            "invalid_query: one of ignore, no_rows, query_acl",
        ),
    ],
)
def test_a_mode_that_cannot_be_is_refused_and_nothing_is_set(
    api: Api, body: dict[str, str], detail: str
) -> None:
    answer = api.post("/_sandbox/mode", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["detail"] == detail
    assert api.get("/_sandbox/health").json()["result"]["date_literals"] == "utc"
