"""Faults after the work: what was read comes cut, short or twice, what was written is not told.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real sockets.
"""

import json

import pytest
import requests

from tests.contract.faults.kit import (
    CANCELLED,
    IN_ORDER,
    INCIDENT,
    ONE,
    arm,
    fired,
    raw_answer,
    state,
)
from tests.sandbox_instance import Api


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
