"""Rights, policies and rules of the sandbox: what a user may read and write, and what a save does.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real HTTP.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_instance import USER, Api, incident_id, make_instance, serving

INCIDENT = "/api/now/table/incident"
ONE = f"{INCIDENT}/{incident_id(1)}"


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


def mode(api: Api, **switches: object) -> None:
    answer = api.post("/_sandbox/mode", json=switches)
    assert answer.status_code == 200, answer.text


def failure(detail: str, message: str = "Operation Failed") -> dict[str, Any]:
    return {"error": {"message": message, "detail": detail}, "status": "failure"}


def make(api: Api, table: str, **values: str) -> Any:
    answer = api.post(f"/api/now/table/{table}", json=values)
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]


def as_admin(api: Api) -> Api:
    admin = Api(api.base)
    admin.auth = ("admin", "sandbox")
    return admin


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def test_rows_that_may_not_be_read_count_for_the_limit(api: Api) -> None:
    """25"""
    hidden = ",".join(incident_id(n) for n in (*range(2, 11), 15))
    mode(api, hidden_rows={"incident": f"sys_idIN{hidden}"})
    parameters = {"sysparm_limit": "15", "sysparm_query": "ORDERBYnumber"}
    answer = api.get(INCIDENT, params=parameters)
    assert [row["number"][-2:] for row in answer.json()["result"]] == ["01", "11", "12", "13", "14"]
    assert answer.headers["X-Total-Count"] == "25"
    assert "next" in answer.links

    page = {**parameters, "sysparm_limit": "5", "sysparm_offset": "2"}
    assert api.get(INCIDENT, params=page).json() == {"result": []}, "a whole page may be hidden"
    with as_admin(api) as admin:
        assert len(admin.get(INCIDENT, params=parameters).json()["result"]) == 15


def test_a_hidden_record_is_missing_to_every_verb_and_from_its_base_table(api: Api) -> None:
    mode(api, hidden_rows={"incident": "number=INC0000001"})
    assert api.get(ONE).status_code == 404
    assert api.patch(ONE, json={"description": "x"}).status_code == 404
    assert api.delete(ONE).status_code == 404
    asked = {"sysparm_query": "numberININC0000001,INC0000002", "sysparm_fields": "number"}
    rows = api.get("/api/now/table/task", params=asked).json()["result"]
    assert rows == [{"number": "INC0000002"}]


def test_a_field_that_may_not_be_read_is_an_absent_key(api: Api) -> None:
    """26"""
    mode(api, hidden_fields=["incident.close_notes", "sys_user.email"])
    assert "close_notes" not in api.get(INCIDENT).json()["result"][0]
    assert "close_notes" not in api.get(ONE).json()["result"]
    asked = {"sysparm_fields": "number,close_notes,caller_id.email,caller_id.name"}
    assert api.get(ONE, params=asked).json()["result"] == {
        "number": "INC0000001",
        "caller_id.name": "Caller One",
    }
    written = api.patch(ONE, json={"close_notes": "x"}).json()["result"]
    assert "close_notes" not in written
    with as_admin(api) as admin:
        assert admin.get(ONE).json()["result"]["close_notes"] == "x"


def test_a_field_closed_to_queries_is_refused_in_filters_and_in_orders(api: Api) -> None:
    mode(api, unqueryable_fields=["incident.sys_updated_on"])
    refused = failure(
        "Field(s) present in the query do not have permission to be read",
        "Insufficient rights to query records",
    )
    for query in ("sys_updated_on>2026-11-01 00:00:00", "active=true^ORDERBYsys_updated_on"):
        answer = api.get(INCIDENT, params={"sysparm_query": query})
        assert (answer.status_code, answer.json()) == (403, refused)
    asked = {"sysparm_query": "number=INC0000001", "sysparm_fields": "sys_updated_on"}
    assert api.get(INCIDENT, params=asked).json()["result"], "it may still be read"
    assert api.get("/api/now/table/task?sysparm_query=ORDERBYsys_updated_on").status_code == 200


def test_a_table_closed_to_web_services_is_refused(api: Api) -> None:
    found = api.get("/api/now/table/sys_db_object?sysparm_query=name=incident").json()["result"]
    url = f"/api/now/table/sys_db_object/{found[0]['sys_id']}"
    assert api.patch(url, json={"ws_access": "false"}).status_code == 200
    for answer in (api.get(INCIDENT), api.patch(ONE, json={"description": "x"})):
        assert answer.status_code == 403
    assert api.get("/api/now/table/task").status_code == 200


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def test_a_field_closed_to_writes_keeps_its_value_without_a_word(api: Api) -> None:
    """45"""
    mode(api, write_denied_fields=["task.description"])
    answer = api.patch(ONE, json={"description": "new", "close_notes": "taken"})
    record = answer.json()["result"]
    assert answer.status_code == 200
    assert (record["description"], record["close_notes"]) == ("described", "taken")
    assert record["sys_mod_count"] == "1"
    again = api.patch(ONE, json={"description": "new"}).json()["result"]
    assert (again["description"], again["sys_mod_count"]) == ("described", "1")


def test_a_row_closed_to_writes_is_refused_and_stays_untouched(api: Api) -> None:
    """46"""
    before = api.get(ONE).json()["result"]
    mode(api, write_denied_rows={"incident": "number=INC0000001"})
    answer = api.patch(ONE, json={"description": "new"})
    assert answer.status_code == 403
    assert answer.json() == failure("ACL Exception Update Failed due to security constraints")
    assert api.get(ONE).json()["result"] == before
    assert api.patch(f"{INCIDENT}/{incident_id(2)}", json={"description": "x"}).status_code == 200

    mode(api, write_denied_rows={"incident": ""})
    assert api.delete(ONE).json() == failure(
        "ACL Exception Delete Failed due to security constraints"
    )
    assert api.post(INCIDENT, json={}).json() == failure(
        "ACL Exception Insert Failed due to security constraints"
    )
    with as_admin(api) as admin:
        assert admin.patch(ONE, json={"description": "new"}).status_code == 200


def test_a_batch_tells_a_refused_item_from_a_good_one(api: Api) -> None:
    """54"""
    mode(api, write_denied_rows={"incident": ""})
    body = base64.b64encode(b'{"description": "new"}').decode()
    headers = [{"name": "Content-Type", "value": "application/json"}]
    items = [
        {"id": "1", "method": "GET", "url": f"{ONE}?sysparm_fields=number", "headers": headers},
        {"id": "2", "method": "PATCH", "url": ONE, "headers": headers, "body": body},
    ]
    answer = api.post("/api/now/v1/batch", json={"batch_request_id": "b", "rest_requests": items})
    assert answer.status_code == 200
    good, refused = answer.json()["serviced_requests"]
    assert (good["status_code"], refused["status_code"]) == (200, 403)
    assert json.loads(base64.b64decode(good["body"])) == {"result": {"number": "INC0000001"}}
    assert json.loads(base64.b64decode(refused["body"])) == failure(
        "ACL Exception Update Failed due to security constraints"
    )


def test_a_data_policy_refuses_the_save_and_names_the_field(api: Api) -> None:
    """47"""
    policy = {"table": "incident", "when": "state=2", "mandatory": ["close_notes"]}
    mode(api, data_policies=[policy])
    refused = failure("Data Policy Exception: The following fields are mandatory: Close notes")
    answer = api.patch(f"{INCIDENT}/{incident_id(3)}", json={"state": "2"})
    assert (answer.status_code, answer.json()) == (403, refused)
    stored = api.get(f"{INCIDENT}/{incident_id(3)}").json()["result"]
    assert (stored["state"], stored["sys_mod_count"]) == ("1", "0")

    by_base = api.patch(f"/api/now/table/task/{incident_id(3)}", json={"state": "2"})
    assert by_base.status_code == 403, "the class of the record counts, not the path"
    both = api.patch(f"{INCIDENT}/{incident_id(3)}", json={"state": "2", "close_notes": "done"})
    assert both.json()["result"]["state"] == "2"
    rows = api.get("/api/now/table/sys_audit").json()["result"]
    assert {row["newvalue"] for row in rows} == {"2", "done"}, "refused saves leave no audit"


def test_a_record_that_already_breaks_a_data_policy_refuses_every_field(api: Api) -> None:
    mode(api, data_policies=[{"table": "task", "mandatory": ["description"]}])
    assert api.patch(f"{INCIDENT}/{incident_id(7)}", json={"priority": "1"}).status_code == 403
    assert api.post(INCIDENT, json={"short_description": "x"}).status_code == 403
    assert api.get(INCIDENT).headers["X-Total-Count"] == "25"


def test_a_value_outside_its_choice_list_is_not_stored(api: Api) -> None:
    """48"""
    answer = api.patch(ONE, json={"state": "99", "close_notes": "taken"})
    record = answer.json()["result"]
    assert (answer.status_code, record["state"], record["close_notes"]) == (200, "2", "taken")
    make(api, "sys_properties", name="glide.rest.choice.allow_non_existing_value", value="true")
    assert api.patch(ONE, json={"state": "99"}).json()["result"]["state"] == "99"


def test_a_new_choice_counts_at_once(api: Api) -> None:
    make(api, "sys_choice", name="incident", element="state", value="99", label="Odd")
    assert api.patch(ONE, json={"state": "99"}).json()["result"]["state"] == "99"


def test_a_rule_that_aborts_is_named(api: Api) -> None:
    rule = {"name": "No text after close", "table": "incident", "when": "state=2", "abort": True}
    mode(api, business_rules=[rule])
    answer = api.patch(ONE, json={"description": "new"})
    assert answer.status_code == 403
    detail = answer.json()["error"]["detail"]
    assert detail.startswith("Operation against file 'incident' was aborted by Business Rule 'No ")
    assert api.get(ONE).json()["result"]["description"] == "described"
    assert api.patch(ONE, json={"description": "described"}).status_code == 200, "nothing to save"


def test_a_rule_may_change_another_field_in_the_same_save(api: Api) -> None:
    mode(api, business_rules=[{"name": "Stamp", "table": "incident", "set": {"priority": "1"}}])
    record = api.patch(ONE, json={"description": "new"}).json()["result"]
    assert (record["priority"], record["description"]) == ("1", "new")
    assert record["sys_mod_count"] == "1"


def test_a_rule_that_saves_again_moves_the_count_by_two(api: Api) -> None:
    rule = {"name": "Again", "table": "incident", "then_set": {"close_notes": "seen"}}
    mode(api, business_rules=[rule])
    record = api.patch(ONE, json={"description": "new"}).json()["result"]
    assert (record["sys_mod_count"], record["close_notes"]) == ("2", "seen")
    assert api.get(ONE).json()["result"]["sys_mod_count"] == "2"


@pytest.mark.parametrize(
    ("option", "is_written"),
    [
        ("display_read_only", True),
        ("client_script_modifiable", False),
        ("strict_read_only", False),
        ("instance_configured", False),
    ],
)
def test_the_read_only_option_of_a_column_decides_about_the_api(
    api: Api, option: str, is_written: bool
) -> None:
    column = {"name": "incident", "element": "u_x", "internal_type": "string"}
    make(api, "sys_dictionary", **column, read_only="true", read_only_option=option)
    answer = api.patch(ONE, json={"u_x": "new"})
    assert answer.status_code == 200
    assert answer.json()["result"]["u_x"] == ("new" if is_written else "")


def test_a_read_only_column_without_an_option_follows_the_instance(api: Api) -> None:
    column = {"name": "incident", "element": "u_x", "internal_type": "string"}
    make(api, "sys_dictionary", **column, read_only="true")
    assert api.patch(ONE, json={"u_x": "new"}).json()["result"]["u_x"] == ""
    name = "glide.read_only.legacy_read_only_behavior"
    make(api, "sys_properties", name=name, value="display_read_only")
    assert api.patch(ONE, json={"u_x": "new"}).json()["result"]["u_x"] == "new"


def test_only_admins_choose_a_sys_id_where_the_instance_says_so(api: Api) -> None:
    name = "glide.rest.table_api.admin_only_sys_fields"
    make(api, "sys_properties", name=name, value="true")
    chosen = "0123456789abcdef" * 2
    assert make(api, "incident", sys_id=chosen)["sys_id"] != chosen
    with as_admin(api) as admin:
        assert make(admin, "incident", sys_id=chosen)["sys_id"] == chosen


# ── the switches themselves ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "switches",
    [
        {"hidden_rows": {"nosuch": ""}},
        {"hidden_rows": {"incident": "bogus=1"}},
        {"write_denied_rows": {"incident": "not a query"}},
        {"data_policies": [{"table": "incident", "mandatory": [], "when": "bogus.name=1"}]},
        {"hidden_fields": ["incident.bogus"]},
        {"data_policies": [{"table": "incident", "mandatory": ["bogus"]}]},
        {"business_rules": [{"name": "x", "table": "incident", "abort": "often"}]},
        {"business_rules": [{"name": "x", "table": "incident", "set": {"bogus": "1"}}]},
        {"unknown": True},
    ],
)
def test_a_switch_that_names_nothing_is_refused(api: Api, switches: dict[str, Any]) -> None:
    assert api.post("/_sandbox/mode", json=switches).status_code == 400


def test_what_is_switched_on_shows_and_can_be_switched_off(api: Api) -> None:
    mode(api, hidden_fields=["incident.close_notes"], hidden_rows={"task": "active=false"})
    mode(api, hidden_fields=[])
    shown = api.get("/_sandbox/health").json()["result"]["policies"]
    assert shown == {"hidden_rows": {"task": "active=false"}}
    assert "close_notes" in api.get(ONE).json()["result"]
    assert api.get(f"{INCIDENT}/{incident_id(2)}").status_code == 404


def test_the_audit_says_who_wrote_under_a_policy(api: Api) -> None:
    mode(api, write_denied_fields=["incident.priority"])
    api.patch(ONE, json={"priority": "4", "close_notes": "n"})
    rows = api.get("/api/now/table/sys_audit").json()["result"]
    assert [(row["fieldname"], row["user"]) for row in rows] == [("close_notes", USER)]
