"""What the tests of the Table API ask, and the answers that it documents."""

from typing import Any

import requests

from tests.sandbox_instance import Api

INCIDENT = "/api/now/table/incident"


def failure(message: str, detail: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


NO_RECORD = failure("No Record found", "Record doesn't exist or ACL restricts the record retrieval")


def listed(api: Api, query: str = "", **parameters: str) -> list[Any]:
    asked = {"sysparm_query": query, "sysparm_exclude_reference_link": "true", **parameters}
    answer = api.get(INCIDENT, params=asked)
    assert answer.status_code == 200, answer.text
    rows: list[Any] = answer.json()["result"]
    return rows


def numbers(api: Api, query: str) -> list[int]:
    rows = listed(api, query, sysparm_fields="number")
    return [int(row["number"].removeprefix("INC")) for row in rows]


def links(answer: requests.Response) -> dict[str, str]:
    return {name: link["url"] for name, link in answer.links.items() if name}
