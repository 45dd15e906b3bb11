"""The sandbox against the conformance vectors: the Attachment API.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real HTTP.
"""

import json

import requests

from tests.contract.table_api.kit import INCIDENT
from tests.sandbox_instance import Api, incident_id

FILES = "/api/now/attachment"


def upload(api: Api, **changes: str) -> requests.Response:
    target = {
        "table_name": "incident",
        "table_sys_id": incident_id(1),
        "file_name": "informe-año.html",
        **changes,
    }
    given = {name: value for name, value in target.items() if value}
    headers = {"Content-Type": "text/html"}
    return api.post(f"{FILES}/file", params=given, data="<p>ñ</p>".encode(), headers=headers)


def test_an_attachment_goes_up_comes_down_and_goes_away(fresh: Api) -> None:
    answer = upload(fresh)
    record = answer.json()["result"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{fresh.base}{FILES}/{record['sys_id']}"
    assert (record["size_bytes"], record["content_type"]) == ("9", "text/html")

    query = f"table_name=incident^table_sys_id={incident_id(1)}"
    found = fresh.get(FILES, params={"sysparm_query": query}).json()["result"]
    assert [one["file_name"] for one in found] == ["informe-año.html"]

    path = found[0]["download_link"].removeprefix(fresh.base)
    download = fresh.get(path)
    assert download.content == "<p>ñ</p>".encode()
    assert download.headers["Content-Type"] == "text/html"
    assert json.loads(download.headers["X-Attachment-Metadata"])["sys_id"] == record["sys_id"]

    url = f"{FILES}/{record['sys_id']}"
    assert fresh.patch(url, json={"file_name": "otro.html"}).status_code == 204
    assert fresh.get(url).json()["result"]["file_name"] == "otro.html"
    assert fresh.delete(url).status_code == 204
    assert fresh.get(url).status_code == 404
    assert fresh.get(f"{url}/file").status_code == 404


def test_a_deleted_record_takes_its_attachments_with_it(fresh: Api) -> None:
    record = upload(fresh).json()["result"]
    other = upload(fresh, table_sys_id=incident_id(2)).json()["result"]
    fresh.delete(f"{INCIDENT}/{incident_id(1)}")
    assert fresh.get(f"{FILES}/{record['sys_id']}/file").status_code == 404
    assert fresh.get(f"{FILES}/{other['sys_id']}/file").content == "<p>ñ</p>".encode()


def test_an_upload_needs_its_parameters_and_its_target(fresh: Api) -> None:
    """62"""
    assert upload(fresh, table_sys_id="").status_code == 400
    assert upload(fresh, table_sys_id="0" * 32).status_code == 404
    assert upload(fresh, table_name="nosuch").status_code == 404
