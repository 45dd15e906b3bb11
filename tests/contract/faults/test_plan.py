"""A plan of faults: whom they strike, how often, in what order, and plans that cannot be.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real sockets.
"""

import json
from typing import Any

import pytest

from tests.contract.faults.kit import INCIDENT, ONE, arm, fired
from tests.sandbox_instance import PASSWORD, USER, Api


def test_a_fault_strikes_the_next_n_matching_requests_after_the_first_m(api: Api) -> None:
    arm(api, {"kind": "busy", "table": "incident", "method": "get", "after": 1, "count": 2})
    api.get("/api/now/table/sys_user?sysparm_limit=1")
    said = [api.get(INCIDENT, params={"sysparm_limit": 1}).status_code for _ in range(5)]
    assert said == [200, 429, 429, 200, 200]
    shown = api.get("/_sandbox/faults").json()["result"]
    assert shown == [
        {
            "kind": "busy",
            "table": "incident",
            "method": "GET",
            "where": "request",
            "count": 2,
            "after": 1,
            "seed": 0,
            "matched": 5,
            "fired": 2,
        }
    ]


def test_a_chance_is_drawn_from_its_own_seed(api: Api) -> None:
    drawn = []
    for seed in (7, 7, 8):
        arm(api, {"kind": "busy", "probability": 0.5, "seed": seed})
        drawn.append([api.get(ONE).status_code for _ in range(20)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == {200, 429}


def test_a_path_prefix_holds_with_and_without_a_version(api: Api) -> None:
    arm(api, {"kind": "busy", "path": "/api/now/batch", "count": 9})
    assert api.get(ONE).status_code == 200
    for path in ("/api/now/v1/batch", "/api/now/batch"):
        assert api.post(path, json={"rest_requests": []}).status_code == 429


def test_a_fault_may_befall_one_user_alone(api: Api) -> None:
    arm(api, {"kind": "busy", "user": USER, "probability": 1})
    assert api.get(ONE).status_code == 429
    assert api.get(ONE, auth=("admin", PASSWORD)).status_code == 200


def test_a_deleted_plan_and_a_replaced_one_strike_no_more(api: Api) -> None:
    arm(api, {"kind": "busy", "probability": 1})
    assert api.get(ONE).status_code == 429
    arm(api, {"kind": "dropped", "probability": 1})
    assert api.get(ONE).status_code == 202
    assert api.delete("/_sandbox/faults").json() == {"result": []}
    assert api.get(ONE).status_code == 200


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{", "the body is no JSON"),
        ({}, "the body must be a list of faults, each an object with a kind"),
        (["cut"], "fault 1: it must be an object with a kind"),
        ([{"kind": "buzy"}], "fault 1: unknown kind buzy; did you mean busy?"),
        ([{}], "fault 1: unknown kind None; known: busy, cancelled"),
        (
            [{"kind": "busy"}, {"kind": "latency", "mss": 3}],
            "fault 2 (latency): unknown key mss; did you mean ms?",
        ),
        ([{"kind": "busy", "ms": 3}], "fault 1 (busy): unknown key ms"),
        ([{"kind": "cut", "share": 2}], "fault 1 (cut): Expected `float` <= 1.0 - at `$.share`"),
        ([{"kind": "busy", "count": 0}], "fault 1 (busy): Expected `int` >= 1 - at `$.count`"),
        (
            [{"kind": "cut", "where": "item"}],
            "fault 1 (cut): cannot befall an item of a batch; these can: busy, cancelled,",
        ),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_one_sentence(
    api: Api, body: Any, sentence: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = api.post("/_sandbox/faults", data=text)
    assert answer.status_code == 400
    assert answer.json()["error"]["detail"].startswith(sentence)
    assert fired(api) == [], "the plan from before stays"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"slot": 4}, "limits: unknown key slot; did you mean slots?"),
        ({"rates": [{"request": 1}]}, "limits: unknown key request; did you mean requests?"),
        ({"slept": 2}, "limits: Expected `float` <= 1.0 - at `$.slept`"),
    ],
)
def test_limits_that_cannot_be_are_refused_in_one_sentence(
    api: Api, body: Any, sentence: str
) -> None:
    answer = api.post("/_sandbox/limits", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["detail"].startswith(sentence)


def test_faults_and_limits_answer_on_loopback_only(api: Api) -> None:
    for name in ("faults", "limits", "late"):
        answer = api.post(f"/_sandbox/{name}", json=[], headers={"Host": "evil.example"})
        assert answer.status_code == 403
