"""Many writes in one request: what is sent, what each item became, what goes again."""

import base64
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import requests
import responses
from requests import PreparedRequest

from connector.errors import AuthenticationError, InterruptedRunError
from connector.itsm.base import RecordUpdate
from connector.itsm.servicenow import connect
from tests.recorded import body
from tests.unit.servicenow_wire import BATCH, Waits, client, settings

Reply = tuple[int, str]


def update(n: int, **values: str) -> RecordUpdate:
    return RecordUpdate("incident", f"{n:032x}", values or {"u_journey_step": "usar"})


def accepted(n: int, **values: str) -> Reply:
    record = {"sys_id": f"{n:032x}", "sys_mod_count": "4", "u_journey_step": "usar", **values}
    return 200, json.dumps({"result": record})


def answer(replies: Mapping[str, Reply], unserviced: Sequence[str] = ()) -> str:
    serviced = [
        {
            "id": item,
            "status_code": status,
            "status_text": "",
            "body": base64.b64encode(text.encode()).decode(),
            "execution_time": 8,
        }
        for item, (status, text) in replies.items()
    ]
    return json.dumps(
        {
            "batch_request_id": "travesia",
            "serviced_requests": serviced,
            "unserviced_requests": list(unserviced),
        }
    )


def sent(request: PreparedRequest) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(request.body or "")["rest_requests"]
    return items


def ids(mock: responses.RequestsMock) -> list[list[str]]:
    return [[item["id"] for item in sent(call.request)] for call in mock.calls]


def test_a_batch_sends_slim_patches_of_the_wanted_fields_only() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(1)}))
        client().send_updates([update(1, u_journey_step="usar", u_journey_value="")])
        (item,) = sent(mock.calls[0].request)
    assert item["method"] == "PATCH"
    assert item["url"] == (
        f"/api/now/table/incident/{1:032x}?sysparm_fields=sys_id,sys_mod_count,sys_updated_on,"
        "u_journey_step,u_journey_value&sysparm_display_value=false"
        "&sysparm_exclude_reference_link=true"
    )
    assert json.loads(base64.b64decode(item["body"])) == {
        "u_journey_step": "usar",
        "u_journey_value": "",
    }
    assert item["exclude_response_headers"] is True
    assert {"name": "Content-Type", "value": "application/json"} in item["headers"]


def test_what_a_write_cost_is_its_own_time_or_its_part_of_the_wait() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(1), "1": accepted(2)}))
        replies = client().send_updates([update(1), update(2)])
    assert [reply.milliseconds is not None and reply.milliseconds >= 8 for reply in replies] == [
        True,
        True,
    ]
    assert [reply.was_skipped for reply in replies] == [False, False]


def test_what_was_once_left_undone_says_so_though_it_was_done_at_last() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(1)}, ["1"]))
        mock.post(BATCH, body=answer({"1": accepted(2)}))
        replies = client().send_updates([update(1), update(2)])
    assert [(reply.status, reply.was_skipped) for reply in replies] == [
        ("written", False),
        ("written", True),
    ]


def test_a_refusal_without_a_body_is_told_by_the_items_own_message() -> None:
    text = json.loads(answer({"0": (400, "")}))
    text["serviced_requests"][0]["error_message"] = "The batch item was too large"
    with responses.RequestsMock() as mock:
        mock.post(BATCH, json=text)
        (reply,) = client().send_updates([update(1)])
    assert (reply.status, reply.detail) == ("rejected", "The batch item was too large")


def test_each_item_has_its_own_fate_in_the_order_asked() -> None:
    replies = {
        "3": (422, "{}"),
        "0": accepted(0),
        "1": (403, body("write_forbidden.json")),
        "2": (404, body("no_record.json")),
    }
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer(replies))
        found = client().send_updates([update(n) for n in range(4)])
        assert len(mock.calls) == 1
    assert [r.status for r in found] == ["written", "forbidden", "gone", "rejected"]
    assert [r.sys_id for r in found] == [f"{n:032x}" for n in range(4)]
    assert "security constraints" in found[1].detail


def test_what_the_instance_kept_is_handed_back_for_the_caller_to_compare() -> None:
    """A field-level refusal is a 200 with the old value (§7.4)."""
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": (200, body("patch_unchanged.json"))}))
        (reply,) = client().send_updates([update(0x0A1B2C3D4E5F60718293A4B5C6D7E801)])
    assert (reply.status, reply.values["u_journey_step"]) == ("written", "")


def test_only_unserviced_items_go_again_and_at_once() -> None:
    waits = Waits()
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(0)}, ["1", "2"]))
        mock.post(BATCH, body=answer({"1": accepted(1), "2": accepted(2)}))
        found = client(waits, max_attempts=1).send_updates([update(n) for n in range(3)])
        assert ids(mock) == [["0", "1", "2"], ["1", "2"]]
    assert [r.status for r in found] == ["written"] * 3
    assert waits.seconds == [0.0]


def test_items_that_failed_for_a_passing_reason_go_again_alone() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": (429, "{}"), "1": accepted(1), "2": (503, "{}")}))
        mock.post(BATCH, body=answer({"0": accepted(0), "2": accepted(2)}))
        found = client().send_updates([update(n) for n in range(3)])
        assert ids(mock) == [["0", "1", "2"], ["0", "2"]]
    assert [r.status for r in found] == ["written"] * 3


def test_items_that_go_on_failing_are_given_up_after_the_attempts_of_the_settings() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(0), "1": (500, "{}")}, ["2"]))
        mock.post(BATCH, body=answer({"1": (500, "{}")}, ["2"]))
        found = client(max_attempts=3).send_updates([update(n) for n in range(3)])
        assert len(mock.calls) == 4, "the first round settled an item and costs no attempt"
    assert [r.status for r in found] == ["written", "unknown", "unserviced"]
    assert found[1].detail == "HTTP 500"


def test_a_batch_whose_answer_is_lost_is_unknown() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=requests.exceptions.ReadTimeout())
        found = client(max_attempts=2).send_updates([update(0), update(1)])
        assert ids(mock) == [["0", "1"]] * 2
    assert [r.status for r in found] == ["unknown"] * 2
    assert "did not answer" in found[0].detail


def test_an_unserviced_item_whose_next_answer_is_lost_is_unknown_too() -> None:
    """It may have been written in the round that nobody heard of."""
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({}, ["0"]))
        mock.post(BATCH, body=requests.exceptions.ReadTimeout())
        (reply,) = client(max_attempts=2).send_updates([update(0)])
    assert reply.status == "unknown"


def test_an_item_the_answer_forgot_is_unknown() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(0), "77": accepted(9), "x": accepted(9)}))
        mock.post(BATCH, body=answer({}))
        found = client(max_attempts=1).send_updates([update(0), update(1)])
    assert [r.status for r in found] == ["written", "unknown"]


@pytest.mark.parametrize("text", ["", "not base64!", '{"result":{"sys_id"', "{}"])
def test_a_success_that_cannot_be_read_is_no_proof(text: str) -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": (200, text)}))
        (reply,) = client(max_attempts=2).send_updates([update(0)])
        assert len(mock.calls) == 2
    assert reply.status == "unknown"


def test_a_refused_login_is_raised_not_blamed_on_the_records() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, status=401, body=body("not_authenticated.json"))
        with pytest.raises(AuthenticationError):
            client().send_updates([update(0)])


def test_a_stop_between_two_rounds_ends_the_batch() -> None:
    stop = threading.Event()

    def once(_request: Any) -> tuple[int, dict[str, str], str]:
        stop.set()
        return 200, {}, answer({}, ["0"])

    with responses.RequestsMock() as mock:
        mock.add_callback(responses.POST, BATCH, callback=once)
        with pytest.raises(InterruptedRunError):
            connect(settings(), stop).send_updates([update(0)])


def test_an_impossible_sys_id_is_rejected_and_harms_no_other() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": accepted(1)}))
        found = client().send_updates([RecordUpdate("incident", "../x", {}), update(1)])
        assert len(sent(mock.calls[0].request)) == 1
    assert [r.status for r in found] == ["rejected", "written"]


def test_nothing_to_send_sends_nothing() -> None:
    with responses.RequestsMock() as mock:
        assert client().send_updates([]) == []
        assert len(mock.calls) == 0


def test_records_are_created_under_the_sys_ids_they_carry() -> None:
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=answer({"0": (201, '{"result":{"sys_id":"a1"}}')}))
        (reply,) = client().create_records("sys_choice", [{"sys_id": "a1", "value": "usar"}])
        (item,) = sent(mock.calls[0].request)
    assert reply.status == "written"
    assert (item["method"], item["url"].partition("?")[0]) == ("POST", "/api/now/table/sys_choice")
    assert json.loads(base64.b64decode(item["body"])) == {"sys_id": "a1", "value": "usar"}


def test_a_broken_or_bottomless_batch_answer_is_no_fault_of_ours() -> None:
    whole = answer({"0": accepted(1)})
    broken = whole.replace('"status_text": ""', '"status_text": "\\ud83d"').encode()
    deep = whole[:-1].encode() + b', "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with responses.RequestsMock() as mock:
        mock.post(BATCH, body=deep)
        mock.post(BATCH, body=broken)
        (reply,) = client(Waits()).send_updates([update(1)])
    assert reply.status == "written"
