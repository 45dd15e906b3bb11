"""What the tests of faults and limits arm, ask and expect."""

import base64
import json
import socket
from typing import Any

from tests.sandbox_instance import PASSWORD, USER, Api, incident_id

INCIDENT = "/api/now/table/incident"
ONE = f"{INCIDENT}/{incident_id(1)}"
QUOTA = "Transaction cancelled: maximum execution time exceeded"
QUOTA_DETAIL = (
    f"{QUOTA} Check logs for error trace or enable glide.rest.debug property to verify REST"
    " request processing"
)
CANCELLED = {"error": {"message": QUOTA, "detail": QUOTA_DETAIL}, "status": "failure"}
IN_ORDER = {"sysparm_query": "ORDERBYsys_id", "sysparm_fields": "number"}


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
