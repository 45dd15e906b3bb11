"""The platform's own tables, through the Table API: what provisioning sends to."""

from collections.abc import Iterator

import pytest

from tests.sandbox_instance import Api, make_instance, serving

TABLES = (
    *("sys_db_object", "sys_dictionary", "sys_documentation", "sys_choice", "sys_properties"),
    *("sys_user_role", "sys_user_role_contains", "sys_user_has_role"),
    *("sys_security_acl", "sys_security_acl_role"),
    *("sys_ui_view", "sys_ui_form", "sys_ui_form_section", "sys_ui_section", "sys_ui_element"),
    *("sys_ui_list", "sys_ui_list_element", "sys_ui_related_list", "sys_ui_related_list_entry"),
    *("sys_ui_style", "sys_filter", "sys_report", "sys_report_users_groups"),
    *("sys_ui_formatter", "sys_process_flow", "sys_ui_action", "sys_ui_action_role"),
    *("sys_transform_map", "sys_transform_entry", "sysevent_email_action"),
    *("sys_update_set", "sys_remote_update_set", "sys_update_xml", "sys_update_preview_problem"),
)
GIVEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("instance"))) as api:
        yield api


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_platform_can_be_read_and_described(api: Api, table: str) -> None:
    assert api.get(f"/api/now/table/{table}?sysparm_limit=1").status_code == 200
    query = f"sysparm_query=name={table}^elementISNOTEMPTY&sysparm_fields=element"
    columns = api.get(f"/api/now/table/sys_dictionary?{query}").json()["result"]
    assert len(columns) > 6, "more than the system's own columns"


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("sys_ui_view", {"name": "journey", "title": "Journey"}),
        ("sys_ui_section", {"name": "incident", "caption": "Journey"}),
        ("sys_ui_element", {"element": "number", "position": "0"}),
        ("sys_ui_list", {"name": "incident"}),
        ("sys_ui_list_element", {"element": "number", "position": "0"}),
        ("sys_security_acl", {"name": "incident.number", "operation": "write", "type": "record"}),
        ("sys_user_role", {"name": "u_reader", "description": "Reads"}),
        ("sys_report", {"title": "By step", "table": "incident", "field": "state"}),
    ],
)
def test_a_record_is_made_under_the_id_that_the_caller_gives(
    api: Api, table: str, values: dict[str, str]
) -> None:
    made = api.post(f"/api/now/table/{table}", json={**values, "sys_id": GIVEN})
    assert made.status_code == 201
    assert made.headers["Location"].endswith(f"/{table}/{GIVEN}")
    found = api.get(f"/api/now/table/{table}/{GIVEN}").json()["result"]
    assert {name: found[name] for name in values} == values
    assert api.post(f"/api/now/table/{table}", json={"sys_id": GIVEN}).status_code == 403
    assert api.delete(f"/api/now/table/{table}/{GIVEN}").status_code == 204


def test_a_table_and_its_column_are_there_as_soon_as_their_records_are(api: Api) -> None:
    table = {"sys_id": "1" * 32, "name": "u_note", "label": "Note"}
    assert api.post("/api/now/table/sys_db_object", json=table).status_code == 201
    column = {
        "sys_id": "2" * 32,
        "name": "u_note",
        "element": "u_task",
        "internal_type": "reference",
        "reference": "task",
        "column_label": "Task",
    }
    assert api.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    note = {"sys_id": GIVEN, "u_task": "0" * 31 + "1"}
    assert api.post("/api/now/table/u_note", json=note).status_code == 201
    walked = api.get(f"/api/now/table/u_note/{GIVEN}?sysparm_fields=u_task.number").json()
    assert walked["result"] == {"u_task.number": "INC0000001"}
