"""The sandbox's faults and limits as a client meets them, over real sockets.

The number in a docstring is the conformance vector's (servicenow-api.md §10). How the connector's
own client fares is in `test_client_under_faults.py`.
"""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox_instance import (
    NOW,
    PASSWORD,
    USER,
    USER_ID,
    Api,
    incident_id,
    make_instance,
    serving,
)

INCIDENT = "/api/now/table/incident"
ONE = f"{INCIDENT}/{incident_id(1)}"
QUOTA = "Transaction cancelled: maximum execution time exceeded"
QUOTA_DETAIL = (
    f"{QUOTA} Check logs for error trace or enable glide.rest.debug property to verify REST"
    " request processing"
)
CANCELLED = {"error": {"message": QUOTA, "detail": QUOTA_DETAIL}, "status": "failure"}
IN_ORDER = {"sysparm_query": "ORDERBYsys_id", "sysparm_fields": "number"}


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


def arm(api: Api, *faults: dict[str, Any]) -> None:
    answer = api.post("/_sandbox/faults", json=list(faults))
    assert answer.status_code == 200, answer.text


def limit(api: Api, **settings: Any) -> None:
    answer = api.post("/_sandbox/limits", json=settings)
    assert answer.status_code == 200, answer.text


def fired(api: Api) -> list[int]:
    return [line["fired"] for line in api.get("/_sandbox/faults").json()["result"]]


def failure(message: str, detail: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


def state(api: Api, index: int = 1) -> str:
    return str(api.get(f"{INCIDENT}/{incident_id(index)}").json()["result"]["state"])


# ── the plan ─────────────────────────────────────────────────────────────────────────────────


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


# ── instead of the work ──────────────────────────────────────────────────────────────────────

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


# ── after the work ───────────────────────────────────────────────────────────────────────────


def test_rows_that_were_streamed_already_come_with_the_error_in_one_document(api: Api) -> None:
    """33

    Quota body (b).
    """
    arm(api, {"kind": "cancelled_after_rows", "rows": 3})
    answer = api.get(INCIDENT, params=IN_ORDER)
    assert (answer.status_code, answer.headers["X-Total-Count"]) == (200, "25")
    rows = [{"number": f"INC{n:07d}"} for n in (1, 2, 3)]
    assert answer.json() == {"result": rows, **CANCELLED}


def test_a_cancelled_document_may_be_no_json(api: Api) -> None:
    """33, the invalid variant"""
    arm(api, {"kind": "cancelled_cut", "rows": 2})
    answer = api.get(INCIDENT, params=IN_ORDER)
    assert answer.status_code == 200
    assert answer.text == '{"result":[{"number":"INC0000001"},{"number":"INC0000002"},]'
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_a_page_may_be_short_without_a_word(api: Api) -> None:
    """34

    Quota body (c).
    """
    arm(api, {"kind": "short_page", "rows": 12})
    answer = api.get(INCIDENT, params=IN_ORDER)
    assert (answer.status_code, answer.headers["X-Total-Count"]) == (200, "25")
    assert answer.json() == {"result": [{"number": f"INC{n:07d}"} for n in range(1, 13)]}


def test_rows_of_the_page_before_may_come_again(api: Api) -> None:
    arm(api, {"kind": "repeated_rows", "rows": 2, "after": 1})
    pages = [
        api.get(INCIDENT, params={**IN_ORDER, "sysparm_limit": 5, "sysparm_offset": offset})
        for offset in (0, 5)
    ]
    found = [[int(row["number"][3:]) for row in page.json()["result"]] for page in pages]
    assert found == [[1, 2, 3, 4, 5], [4, 5, 6, 7, 8, 9, 10]]


def test_kinds_that_need_rows_wait_for_an_answer_that_has_some(api: Api) -> None:
    arm(api, {"kind": "short_page", "rows": 0})
    assert api.get(ONE).status_code == 200
    assert api.get(INCIDENT, params={"sysparm_query": "number=NONE"}).json() == {"result": []}
    assert fired(api) == [0]
    assert api.get(INCIDENT).json() == {"result": []}
    assert fired(api) == [1]


def test_a_connection_may_end_in_mid_body(api: Api) -> None:
    """35

    Quota body (d).
    """
    arm(api, {"kind": "cut", "share": 0.5})
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="ended prematurely"):
        api.get(INCIDENT)
    assert len(api.get(INCIDENT).json()["result"]) == 25


def raw_answer(api: Api, path: str) -> tuple[bytes, str]:
    """What comes over a plain socket until it ends, and how it ended: 'eof' or 'reset'."""
    pieces, end = raw_pieces(api, path)
    return b"".join(pieces), end


def raw_pieces(api: Api, path: str) -> tuple[list[bytes], str]:
    """The same, piece by piece as it arrives."""
    host, port = api.base.removeprefix("http://").split(":")
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Basic {login}\r\n"
    received: list[bytes] = []
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        try:
            while part := connection.recv(65536):
                received.append(part)
        except ConnectionResetError:
            return received, "reset"
    return received, "eof"


def test_a_reset_before_anything_is_a_real_one(api: Api) -> None:
    arm(api, {"kind": "reset"})
    assert raw_answer(api, ONE) == (b"", "reset")


def test_a_reset_in_mid_reply_leaves_a_part_of_it(api: Api) -> None:
    arm(api, {"kind": "reset_mid", "share": 0.4})
    received, end = raw_answer(api, INCIDENT)
    head, _gap, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    assert end == "reset"
    assert b"200 OK" in head
    assert len(body) == int(length * 0.4)


def test_a_cut_ends_in_mid_chunk(api: Api) -> None:
    arm(api, {"kind": "cut"})
    received, end = raw_answer(api, INCIDENT)
    assert end == "eof"
    assert b"transfer-encoding: chunked" in received.lower()
    assert not received.endswith(b"0\r\n\r\n")


def test_a_lost_answer_was_written_all_the_same(api: Api) -> None:
    arm(api, {"kind": "lost_answer", "method": "PATCH"})
    with pytest.raises(requests.exceptions.ConnectionError):
        api.patch(ONE, json={"state": "3"})
    assert state(api) == "3"


def test_a_reset_before_the_work_wrote_nothing(api: Api) -> None:
    arm(api, {"kind": "reset", "method": "PATCH"})
    with pytest.raises(requests.exceptions.ConnectionError):
        api.patch(ONE, json={"state": "3"})
    assert state(api) == "2"


def test_an_error_after_the_work_wrote_all_the_same(api: Api) -> None:
    arm(api, {"kind": "failed_after", "method": "PATCH"})
    assert api.patch(ONE, json={"state": "3"}).status_code == 500
    assert state(api) == "3"


def test_a_restarting_node_forgets_its_tokens_and_comes_up_after_a_while(api: Api) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    token = api.post("/oauth_token.do", data=form).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    with requests.Session() as plain:
        plain.trust_env = False
        assert plain.get(api.base + ONE, headers=bearer).status_code == 200
        arm(api, {"kind": "node_restart", "requests": 2})
        with pytest.raises(requests.exceptions.ConnectionError):
            plain.get(api.base + ONE, headers=bearer)
        said = [plain.get(api.base + ONE, headers=bearer).status_code for _ in range(3)]
    assert said == [503, 503, 401]
    assert api.get(ONE).status_code == 200


# ── late or odd ──────────────────────────────────────────────────────────────────────────────


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


# ── batches ──────────────────────────────────────────────────────────────────────────────────


def batch(api: Api, *indexes: int, to: str = "3") -> dict[str, Any]:
    """PATCH state on these incidents in one batch; the item's id is the incident's index."""
    payload = base64.b64encode(json.dumps({"state": to}).encode()).decode()
    items = [
        {"id": str(i), "method": "PATCH", "url": f"{INCIDENT}/{incident_id(i)}", "body": payload}
        for i in indexes
    ]
    answer = api.post("/api/now/v1/batch", json={"batch_request_id": "1", "rest_requests": items})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def statuses(answer: dict[str, Any]) -> dict[str, int]:
    return {item["id"]: item["status_code"] for item in answer["serviced_requests"]}


def test_an_item_beyond_the_batchs_time_stays_unserviced(api: Api) -> None:
    """55"""
    limit(api, cost_ms={"write": 15_000})
    answer = batch(api, 1, 3, 4)
    assert answer["unserviced_requests"] == ["4"]
    assert statuses(answer) == {"1": 200, "3": 200}
    assert [state(api, n) for n in (1, 3, 4)] == ["3", "3", "2"]


def test_a_fault_leaves_the_last_items_unserviced(api: Api) -> None:
    arm(api, {"kind": "unserviced", "items": 2})
    assert batch(api, 1, 3, 4)["unserviced_requests"] == ["3", "4"]
    assert [state(api, n) for n in (1, 3, 4)] == ["3", "1", "2"]
    assert batch(api, 1, 3, 4)["unserviced_requests"] == []


def test_items_fail_alone_inside_a_good_batch(api: Api) -> None:
    item = {"where": "item", "table": "incident"}
    arm(
        api,
        {"kind": "rate_limited", "after": 1, **item},
        {"kind": "server_error", "after": 1, **item},
        {"kind": "failed_after", "after": 1, **item},
    )
    answer = batch(api, 1, 3, 4, 6)
    assert statuses(answer) == {"1": 200, "3": 429, "4": 500, "6": 500}
    assert [state(api, n) for n in (1, 3, 4, 6)] == ["3", "1", "2", "3"]
    headers = {h["name"]: h["value"] for h in answer["serviced_requests"][1]["headers"]}
    assert headers["Retry-After"] == "1"


# ── limits ───────────────────────────────────────────────────────────────────────────────────


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
