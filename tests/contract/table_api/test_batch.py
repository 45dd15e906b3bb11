"""The sandbox against the conformance vectors: the Batch API.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real HTTP.
"""

import base64
import json
from typing import Any

import pytest

from tests.contract.table_api.kit import INCIDENT
from tests.sandbox_instance import Api, incident_id


def item(number: int, method: str, url: str, body: object = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": str(number),
        "method": method,
        "url": url,
        "headers": [
            {"name": "Accept", "value": "application/json"},
            {"name": "Content-Type", "value": "application/json"},
        ],
    }
    if body is not None:
        made["body"] = base64.b64encode(json.dumps(body).encode()).decode()
    return made


def send(api: Api, items: list[dict[str, Any]], path: str = "/api/now/v1/batch") -> Any:
    answer = api.post(path, json={"batch_request_id": 17, "rest_requests": items})
    assert answer.status_code == 200
    return answer.json()


def opened(serviced: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(serviced["body"]))


@pytest.mark.parametrize("path", ["/api/now/v1/batch", "/api/now/batch"])
def test_a_batch_answers_every_item_by_itself(fresh: Api, path: str) -> None:
    """54"""
    chosen = "f" * 32
    body = send(
        fresh,
        [
            item(1, "GET", f"{INCIDENT}?sysparm_limit=1"),
            item(2, "POST", INCIDENT, {"sys_id": chosen}),
            item(3, "POST", INCIDENT, {"sys_id": chosen}),
            item(4, "PATCH", f"{INCIDENT}/{incident_id(1)}", {"close_notes": "n"}),
            item(5, "GET", "/api/now/table/nosuch"),
            item(6, "DELETE", f"{INCIDENT}/{incident_id(2)}"),
        ],
        path,
    )
    assert body["batch_request_id"] == "17"
    assert body["unserviced_requests"] == []
    codes = {one["id"]: one["status_code"] for one in body["serviced_requests"]}
    assert codes == {"1": 200, "2": 201, "3": 403, "4": 200, "5": 400, "6": 204}
    serviced = body["serviced_requests"]
    assert serviced[2]["status_text"] == "Forbidden"
    assert opened(serviced[2])["error"]["message"] == "Operation Failed"
    assert opened(serviced[3])["result"]["close_notes"] == "n"
    assert {"name": "X-Total-Count", "value": "25"} in serviced[0]["headers"]
    stored = fresh.get(f"{INCIDENT}/{incident_id(1)}").json()["result"]
    assert stored["close_notes"] == "n"


def test_a_batch_can_leave_headers_out(api: Api) -> None:
    quiet = {**item(1, "GET", f"{INCIDENT}?sysparm_limit=1"), "exclude_response_headers": True}
    assert send(api, [quiet])["serviced_requests"][0]["headers"] == []


def test_a_batch_inside_a_batch_and_a_bad_body_are_refused_item_by_item(api: Api) -> None:
    bad = {**item(2, "PATCH", f"{INCIDENT}/{incident_id(1)}"), "body": "not base64!"}
    body = send(api, [item(1, "POST", "/api/now/v1/batch", {}), bad])
    assert [one["status_code"] for one in body["serviced_requests"]] == [400, 400]


def test_a_body_that_is_no_batch_is_400(api: Api) -> None:
    assert api.post("/api/now/v1/batch", json={"rest_requests": [{}]}).status_code == 400
