"""The sandbox against the conformance vectors: records made, changed and deleted.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real HTTP.
"""

import pytest

from tests.contract.table_api.kit import INCIDENT
from tests.sandbox_instance import USER, Api, incident_id


def test_create_drops_unknown_fields_and_says_where_the_record_is(fresh: Api) -> None:
    """41"""
    answer = fresh.post(INCIDENT, json={"short_description": "x", "bunk": "y"})
    record = answer.json()["result"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{fresh.base}{INCIDENT}/{record['sys_id']}"
    assert record["sys_mod_count"] == "0"
    assert "bunk" not in record
    assert (record["number"], record["state"], record["active"]) == ("INC0000026", "1", "true")
    assert record["sys_created_by"] == USER
    assert record["sys_created_on"] == record["opened_at"] == "2026-11-20 12:00:00"


def test_a_chosen_sys_id_is_honoured_once(fresh: Api) -> None:
    """42"""
    chosen = "0123456789abcdef" * 2
    first = fresh.post(INCIDENT, json={"sys_id": chosen, "short_description": "x"})
    assert (first.status_code, first.json()["result"]["sys_id"]) == (201, chosen)
    second = fresh.post(INCIDENT, json={"sys_id": chosen, "short_description": "y"})
    assert second.status_code == 403
    error = second.json()["error"]
    assert second.json()["status"] == "failure"
    assert error["message"] == "Operation Failed"
    assert "Unique Key violation" in error["detail"]
    kept = fresh.get(f"{INCIDENT}/{chosen}").json()["result"]
    assert kept["short_description"] == "x"


def test_an_update_bumps_the_bookkeeping_and_returns_everything(fresh: Api) -> None:
    """43"""
    answer = fresh.patch(f"{INCIDENT}/{incident_id(1)}", json={"close_notes": "done"})
    record = answer.json()["result"]
    assert answer.status_code == 200
    assert record["close_notes"] == "done"
    assert record["number"] == "INC0000001"
    assert (record["sys_mod_count"], record["sys_updated_by"]) == ("1", USER)
    assert record["sys_updated_on"] == "2026-11-20 12:00:00"
    assert record["sys_created_on"] == "2026-11-01 07:00:00"


def test_an_update_that_changes_nothing_writes_nothing(fresh: Api) -> None:
    """44"""
    url = f"{INCIDENT}/{incident_id(1)}"
    fresh.patch(url, json={"close_notes": "done"})
    again = fresh.patch(url, json={"close_notes": "done", "bunk": "z", "active": True})
    assert again.status_code == 200
    assert again.json()["result"]["sys_mod_count"] == "1"
    audit = fresh.get("/api/now/table/sys_audit").json()["result"]
    assert [(row["fieldname"], row["newvalue"]) for row in audit] == [("close_notes", "done")]


def test_what_the_instance_fills_cannot_be_written(fresh: Api) -> None:
    sent = {"sys_mod_count": "99", "sys_updated_by": "me", "sys_id": "x", "close_notes": "n"}
    record = fresh.patch(f"{INCIDENT}/{incident_id(1)}", json=sent).json()["result"]
    assert (record["sys_mod_count"], record["sys_updated_by"]) == ("1", USER)
    assert record["sys_id"] == incident_id(1)


def test_an_empty_string_clears_a_field(fresh: Api) -> None:
    """49"""
    url = f"{INCIDENT}/{incident_id(1)}"
    assert fresh.patch(url, json={"short_description": ""}).status_code == 200
    assert fresh.get(url).json()["result"]["short_description"] == ""


def test_put_keeps_the_other_fields(fresh: Api) -> None:
    """50"""
    record = fresh.put(f"{INCIDENT}/{incident_id(1)}", json={"priority": "4"}).json()["result"]
    assert (record["priority"], record["description"]) == ("4", "described")


def test_of_several_records_the_first_is_created(fresh: Api) -> None:
    """51"""
    answer = fresh.post(INCIDENT, json=[{"description": "one"}, {"description": "two"}])
    assert answer.json()["result"]["description"] == "one"
    assert fresh.get(INCIDENT).headers["X-Total-Count"] == "26"


def test_delete_leaves_an_audit_row(fresh: Api) -> None:
    """52"""
    url = f"{INCIDENT}/{incident_id(9)}"
    gone = fresh.delete(url)
    assert (gone.status_code, gone.content) == (204, b"")
    assert fresh.delete(url).status_code == 404
    query = "tablename=incident^sys_created_on>=2026-11-20 12:00:00"
    rows = fresh.get(f"/api/now/table/sys_audit_delete?sysparm_query={query}").json()["result"]
    assert [(row["documentkey"], row["display_value"]) for row in rows] == [
        (incident_id(9), "INC0000009")
    ]


def test_journal_text_goes_to_entries_and_the_field_stays_empty(fresh: Api) -> None:
    """53"""
    url = f"{INCIDENT}/{incident_id(1)}"
    for text in ("first", "second"):
        assert fresh.patch(url, json={"comments": text}).json()["result"]["comments"] == ""
    query = f"element_id={incident_id(1)}^element=comments"
    rows = fresh.get(f"/api/now/table/sys_journal_field?sysparm_query={query}").json()["result"]
    assert sorted(row["value"] for row in rows) == ["first", "second"]


@pytest.mark.parametrize("body", [b"{", b"3", b'"text"', b""])
def test_a_body_that_is_no_record_is_400(fresh: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = fresh.patch(f"{INCIDENT}/{incident_id(1)}", data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["status"] == "failure"
