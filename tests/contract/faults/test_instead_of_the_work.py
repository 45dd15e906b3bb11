"""Faults in place of the work: nothing was read or written, the answer is another.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real sockets.
"""

import pytest

from tests.contract.faults.kit import CANCELLED, INCIDENT, ONE, arm, failure, state
from tests.sandbox_instance import NOW, Api

HTML = "text/html;charset=UTF-8"
JSON = "application/json;charset=UTF-8"


def test_a_cancelled_query_is_an_error_with_status_200(api: Api) -> None:
    """32

    Quota body (a).
    """
    arm(api, {"kind": "cancelled"})
    answer = api.get(INCIDENT)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
    assert answer.json() == CANCELLED
    assert api.get(INCIDENT).json()["result"]


def test_a_rate_limit_says_when_to_come_back_and_which_rule(api: Api) -> None:
    arm(api, {"kind": "rate_limited", "retry_after": 7, "limit": 500})
    answer = api.patch(ONE, json={"state": "2"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["X-RateLimit-Limit"] == "500"
    assert answer.headers["X-RateLimit-Reset"] == str(int(NOW.timestamp()) + 7)
    assert len(answer.headers["X-RateLimit-Rule"]) == 32
    assert answer.json() == failure(
        "Rate limit exceeded", "Rate limit of 500 requests per hour for Table API exceeded"
    )
    assert api.get(ONE).json()["result"]["sys_mod_count"] == "0", "nothing was done"


def test_full_semaphores_say_429_without_rate_headers(api: Api) -> None:
    """37, as a fault"""
    arm(api, {"kind": "busy"})
    answer = api.get(INCIDENT)
    assert answer.status_code == 429
    assert answer.json() == failure("Too Many Requests", None)
    assert not {h for h in answer.headers if h.startswith(("X-RateLimit", "Retry-After"))}


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (502, "502 Bad Gateway"),
        (503, "503 Service Unavailable"),
        (504, "504 Gateway Time-out"),
    ],
)
def test_a_balancer_without_nodes_answers_in_html(api: Api, status: int, title: str) -> None:
    arm(api, {"kind": "unavailable", "status": status})
    answer = api.get(INCIDENT)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, HTML)
    assert f"<h1>{title}</h1>" in answer.text


@pytest.mark.parametrize("status", [200, 503])
def test_a_sleeping_instance_shows_a_page_also_with_200(api: Api, status: int) -> None:
    """39"""
    arm(api, {"kind": "hibernating", "status": status})
    answer = api.get(INCIDENT)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, HTML)
    assert "Your instance is hibernating." in answer.text


def test_a_login_page_comes_with_200(api: Api) -> None:
    arm(api, {"kind": "login_page"})
    answer = api.get(INCIDENT)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, HTML)
    assert 'action="login.do"' in answer.text


def test_a_dropped_request_is_202_and_empty(api: Api) -> None:
    arm(api, {"kind": "dropped"})
    answer = api.patch(ONE, json={"state": "3"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert state(api) == "2"


def test_a_server_error_carries_its_stack(api: Api) -> None:
    arm(api, {"kind": "server_error"})
    answer = api.get(INCIDENT)
    assert answer.status_code == 500
    assert answer.json()["error"]["message"] == "Internal Server Error"
    assert "\n\tat com.glide.rest" in answer.json()["error"]["detail"]


def test_a_token_expires_once_in_mid_run(api: Api) -> None:
    """40"""
    arm(api, {"kind": "unauthorised", "after": 1})
    said = [api.get(ONE) for _ in range(3)]
    assert [answer.status_code for answer in said] == [200, 401, 200]
    assert said[1].json() == failure(
        "User Not Authenticated", "Required to provide Auth information"
    )
