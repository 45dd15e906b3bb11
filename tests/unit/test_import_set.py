"""Quiet writes: rows of staging tables, never a new record, the values read again."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from connector.itsm.base import RecordUpdate, UpdateReply
from tests.unit.servicenow_wire import BATCH, INCIDENTS, client, query_of

A, B = f"{1:032x}", f"{2:032x}"
VALUES = {"u_journey_step": "usar", "u_journey_value": ""}


def update(sys_id: str) -> RecordUpdate:
    return RecordUpdate("incident", sys_id, VALUES)


class Instance:
    """Answers looks at incidents and batches of imports; keeps what was asked."""

    def __init__(self, mock: responses.RequestsMock, *there: str) -> None:
        self.held = {sys_id: {"sys_id": sys_id, "sys_mod_count": "4", **VALUES} for sys_id in there}
        self.results: dict[str, Mapping[str, Any]] = {}
        self.rows: list[tuple[str, dict[str, str]]] = []
        self.looks: list[dict[str, str]] = []
        mock.assert_all_requests_are_fired = False
        mock.add_callback(responses.GET, INCIDENTS, callback=self._look)
        mock.add_callback(responses.POST, BATCH, callback=self._import)

    def _look(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        query = query_of(request)
        self.looks.append(query)
        fields = query["sysparm_fields"].split(",")
        rows = [
            {k: v for k, v in row.items() if k in fields}
            for sys_id, row in self.held.items()
            if sys_id in query["sysparm_query"] and f"sys_id>{sys_id}" not in query["sysparm_query"]
        ]
        return 200, {"X-Total-Count": str(len(rows))}, json.dumps({"result": rows})

    def _import(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        serviced = []
        for item in json.loads(request.body or "")["rest_requests"]:
            row = json.loads(base64.b64decode(item["body"]))
            self.rows.append((f"{item['method']} {item['url']}", row))
            sys_id = row["u_journey_target"]
            result = self.results.get(sys_id, {"status": "updated", "sys_id": sys_id})
            body = {"import_set": "ISET1", "staging_table": "x", "result": [result]}
            serviced.append(
                {
                    "id": item["id"],
                    "status_code": 201,
                    "body": base64.b64encode(json.dumps(body).encode()).decode(),
                    "execution_time": 40,
                }
            )
        return 200, {}, json.dumps({"serviced_requests": serviced, "unserviced_requests": []})


def test_one_row_a_record_goes_to_the_staging_table_and_the_record_is_read_again() -> None:
    with responses.RequestsMock() as mock:
        instance = Instance(mock, A)
        instance.held[A]["u_journey_step"] = "explorar"  # the map did not take the step
        (reply,) = client().import_updates([update(A)])
    assert instance.rows == [
        ("POST /api/now/import/u_journey_in_incident", {"u_journey_target": A, **VALUES})
    ]
    assert reply.status == "written"
    assert reply.values["u_journey_step"] == "explorar"
    assert reply.values["sys_mod_count"] == "4"
    assert reply.milliseconds is not None
    assert reply.milliseconds >= 40
    assert "u_journey_value" in instance.looks[-1]["sysparm_fields"]


def test_a_record_that_is_gone_gets_no_row_for_it_would_be_made_anew() -> None:
    with responses.RequestsMock() as mock:
        instance = Instance(mock, B)
        replies = client().import_updates([update(A), update(B)])
    assert [row["u_journey_target"] for _url, row in instance.rows] == [B]
    assert [reply.status for reply in replies] == ["gone", "written"]


@pytest.mark.parametrize(
    ("result", "status", "detail"),
    [
        ({"status": "ignored", "sys_id": ""}, "written", ""),
        ({"status": "inserted", "sys_id": B, "display_value": "INC0009"}, "inserted", "INC0009"),
        ({"status": "updated", "sys_id": B, "display_value": "INC0002"}, "inserted", "INC0002"),
        ({"status": "error", "error_message": "no right"}, "rejected", "no right"),
        ({"status": "error", "status_message": "Row failed"}, "rejected", "Row failed"),
        ({"status": "new kind"}, "rejected", "new kind"),
    ],
)
def test_the_answer_of_a_row_is_judged_by_its_status(
    result: Mapping[str, Any], status: str, detail: str
) -> None:
    with responses.RequestsMock() as mock:
        instance = Instance(mock, A)
        instance.results[A] = result
        (reply,) = client().import_updates([update(A)])
    assert (reply.status, reply.detail) == (status, detail)


def test_what_cannot_be_read_again_is_unknown() -> None:
    with responses.RequestsMock() as mock:
        instance = Instance(mock, A)
        gone = client()
        original = instance._import

        def import_and_hide(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
            answer = original(request)
            instance.held.clear()
            return answer

        mock.replace(responses.CallbackResponse(responses.POST, BATCH, callback=import_and_hide))
        (reply,) = gone.import_updates([update(A)])
    assert reply == UpdateReply("incident", A, "unknown", {}, milliseconds=reply.milliseconds)


def test_without_updates_nothing_is_sent() -> None:
    with responses.RequestsMock():
        assert client().import_updates([]) == []
