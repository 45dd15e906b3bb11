"""The sandbox against the conformance vectors: columns and tables posted to the dictionary.

The number in a docstring is the conformance vector's (servicenow-api.md §10). Over real HTTP.
"""

import pytest

from tests.contract.table_api.kit import INCIDENT, numbers
from tests.sandbox_instance import Api, incident_id


def test_a_posted_column_works_at_once_and_takes_labels_and_choices(fresh: Api) -> None:
    column = {
        "name": "incident",
        "element": "u_journey_step",
        "internal_type": "string",
        "column_label": "Journey step",
        "choice": "3",
        "max_length": "40",
    }
    assert fresh.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    choice = {"name": "incident", "element": "u_journey_step", "value": "agree", "label": "Agree"}
    fresh.post("/api/now/table/sys_choice", json={**choice, "language": "en"})
    url = f"{INCIDENT}/{incident_id(1)}"
    assert fresh.get(url).json()["result"]["u_journey_step"] == ""
    parameters = {"sysparm_display_value": "all", "sysparm_fields": "u_journey_step"}
    answer = fresh.patch(url, json={"u_journey_step": "agree"}, params=parameters)
    assert answer.json()["result"] == {
        "u_journey_step": {"display_value": "Agree", "value": "agree"}
    }
    assert numbers(fresh, "u_journey_step=agree") == [1]
    assert "u_journey_step" not in fresh.get("/api/now/table/task").json()["result"][0]


def test_a_posted_table_works_at_once(fresh: Api) -> None:
    made = fresh.post("/api/now/table/sys_db_object", json={"name": "u_notes", "label": "Notes"})
    assert made.status_code == 201
    column = {"name": "u_notes", "element": "u_text", "internal_type": "string"}
    assert fresh.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    record = fresh.post("/api/now/table/u_notes", json={"u_text": "hello"}).json()["result"]
    assert (record["u_text"], record["sys_mod_count"]) == ("hello", "0")
    query = "name=u_notes^elementISNOTEMPTY^ORDERBYelement"
    rows = fresh.get(f"/api/now/table/sys_dictionary?sysparm_query={query}").json()["result"]
    assert [row["element"] for row in rows] == [
        "sys_created_by",
        "sys_created_on",
        "sys_id",
        "sys_mod_count",
        "sys_updated_by",
        "sys_updated_on",
        "u_text",
    ]


def test_a_table_can_extend_another(fresh: Api) -> None:
    parent = fresh.get("/api/now/table/sys_db_object?sysparm_query=name=task").json()["result"][0]
    table = {"name": "u_case", "label": "Case", "super_class": parent["sys_id"]}
    assert fresh.post("/api/now/table/sys_db_object", json=table).status_code == 201
    record = fresh.post("/api/now/table/u_case", json={"short_description": "x"}).json()["result"]
    assert record["sys_class_name"] == "u_case"
    assert fresh.get(f"/api/now/table/task/{record['sys_id']}").status_code == 200
    assert fresh.get("/api/now/table/u_case").headers["X-Total-Count"] == "1"


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("sys_dictionary", {"name": "incident", "element": "state", "internal_type": "string"}),
        ("sys_dictionary", {"name": "nosuch", "element": "u_x", "internal_type": "string"}),
        ("sys_dictionary", {"name": "incident", "element": 'u_x" TEXT', "internal_type": "string"}),
        ("sys_db_object", {"name": "incident", "label": "again"}),
        ("sys_db_object", {"name": "drop table", "label": "no"}),
    ],
)
def test_impossible_columns_and_tables_are_refused(
    fresh: Api, table: str, row: dict[str, str]
) -> None:
    answer = fresh.post(f"/api/now/table/{table}", json=row)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "Operation Failed"
    assert fresh.get(INCIDENT).headers["X-Total-Count"] == "25"


def test_a_deleted_column_takes_its_values_with_it(fresh: Api) -> None:
    column = {"name": "incident", "element": "u_x", "internal_type": "string"}
    made = fresh.post("/api/now/table/sys_dictionary", json=column).json()["result"]
    fresh.patch(f"{INCIDENT}/{incident_id(1)}", json={"u_x": "value"})
    assert fresh.delete(f"/api/now/table/sys_dictionary/{made['sys_id']}").status_code == 204
    assert "u_x" not in fresh.get(f"{INCIDENT}/{incident_id(1)}").json()["result"]
    fresh.post("/api/now/table/sys_dictionary", json=column)
    assert fresh.get(f"{INCIDENT}/{incident_id(1)}").json()["result"]["u_x"] == ""
