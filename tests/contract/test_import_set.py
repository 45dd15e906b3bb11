"""The sandbox's Import Set API (servicenow-api.md §3): staging, maps, quiet writes. Real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox_instance import (
    ROLE_ID,
    USER,
    USER_ID,
    Api,
    incident_id,
    make_instance,
    serving,
)

IMPORT = "/api/now/import/u_stage"
ONE = f"/api/now/table/incident/{incident_id(1)}"


def make(api: Api, table: str, **values: str) -> Any:
    answer = api.post(f"/api/now/table/{table}", json=values)
    assert answer.status_code == 201, answer.text
    return answer.json()["result"]


def rows(api: Api, table: str, query: str = "") -> list[Any]:
    asked = {"sysparm_query": query, "sysparm_exclude_reference_link": "true"}
    found: list[Any] = api.get(f"/api/now/table/{table}", params=asked).json()["result"]
    return found


def field_map(api: Api, chart: str, source: str, target: str, *, coalesce: bool = False) -> None:
    made = {"map": chart, "source_field": source, "target_field": target}
    make(api, "sys_transform_entry", **made, coalesce=str(coalesce).lower())


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A staging table made over the Table API, with a quiet map that finds incidents by number."""
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        base = rows(client, "sys_db_object", "name=sys_import_set_row")[0]["sys_id"]
        make(client, "sys_db_object", name="u_stage", label="Stage", super_class=base)
        for element, label in (("u_number", "Ticket"), ("u_notes", "Notes"), ("u_text", "Text")):
            column = {"name": "u_stage", "element": element, "internal_type": "string"}
            make(client, "sys_dictionary", **column, column_label=label)
        yield client


@pytest.fixture
def chart(api: Api) -> str:
    made = make(
        api,
        "sys_transform_map",
        name="Steps",
        source_table="u_stage",
        target_table="incident",
        run_business_rules="false",
    )
    sys_id: str = made["sys_id"]
    field_map(api, sys_id, "u_number", "number", coalesce=True)
    field_map(api, sys_id, "u_notes", "close_notes")
    return sys_id


def test_a_row_is_transformed_at_once(api: Api, chart: str) -> None:
    """59"""
    answer = api.post(IMPORT, json={"u_number": "INC0000001", "u_notes": "placed"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["import_set"], body["staging_table"]) == ("ISET0010001", "u_stage")
    assert body["result"] == [
        {
            "transform_map": "Steps",
            "table": "incident",
            "display_name": "number",
            "display_value": "INC0000001",
            "record_link": f"{api.base}{ONE}",
            "status": "updated",
            "sys_id": incident_id(1),
        }
    ]
    assert api.get(ONE).json()["result"]["close_notes"] == "placed"
    row = rows(api, "u_stage")[0]
    assert (row["sys_import_state"], row["sys_target_sys_id"]) == ("updated", incident_id(1))
    assert row["sys_transform_map"] == chart


def test_the_result_can_be_read_again(api: Api, chart: str) -> None:
    assert chart
    sent = api.post(IMPORT, json={"u_number": "INC0000001", "u_notes": "placed"}).json()
    staged = rows(api, "u_stage")[0]["sys_id"]
    assert api.get(f"{IMPORT}/{staged}").json() == sent
    assert api.get(f"{IMPORT}/{'0' * 32}").status_code == 404


def test_a_quiet_map_writes_without_rules_or_audit_and_still_moves_the_stamps(
    api: Api, chart: str
) -> None:
    rule = {"name": "No", "table": "incident", "abort": True}
    policy = {"table": "incident", "mandatory": ["caller_id"], "when": "close_notesISNOTEMPTY"}
    switches = {"business_rules": [rule], "data_policies": [policy]}
    assert api.post("/_sandbox/mode", json=switches).status_code == 200
    assert api.patch(ONE, json={"close_notes": "loud"}).status_code == 403
    api.post(IMPORT, json={"u_number": "INC0000001", "u_notes": "quiet"})
    record = api.get(ONE).json()["result"]
    assert (record["close_notes"], record["sys_mod_count"]) == ("quiet", "1")
    assert (record["sys_updated_by"], record["sys_updated_on"]) == (USER, "2026-11-20 12:00:00")
    assert rows(api, "sys_audit") == []

    api.patch(f"/api/now/table/sys_transform_map/{chart}", json={"run_business_rules": "true"})
    loud = api.post(IMPORT, json={"u_number": "INC0000001", "u_notes": "other"}).json()["result"][0]
    assert loud["status"] == "error"
    assert "aborted by Business Rule 'No^" in loud["error_message"]
    assert api.get(ONE).json()["result"]["close_notes"] == "quiet"


def test_nothing_to_change_is_ignored_and_moves_nothing(api: Api, chart: str) -> None:
    assert chart
    sent = {"u_number": "inc0000001", "u_notes": "placed"}
    assert api.post(IMPORT, json=sent).json()["result"][0]["status"] == "updated"
    assert api.post(IMPORT, json=sent).json()["result"][0]["status"] == "ignored"
    assert api.get(ONE).json()["result"]["sys_mod_count"] == "1"


def test_an_empty_value_leaves_the_target_alone_unless_the_map_copies_it(
    api: Api, chart: str
) -> None:
    api.patch(ONE, json={"close_notes": "kept"})
    sent = {"u_number": "INC0000001", "u_notes": ""}
    assert api.post(IMPORT, json=sent).json()["result"][0]["status"] == "ignored"
    api.patch(f"/api/now/table/sys_transform_map/{chart}", json={"copy_empty_fields": "true"})
    assert api.post(IMPORT, json=sent).json()["result"][0]["status"] == "updated"
    assert api.get(ONE).json()["result"]["close_notes"] == ""


def test_an_unknown_key_inserts_and_an_empty_one_is_skipped(api: Api, chart: str) -> None:
    assert chart
    made = api.post(IMPORT, json={"u_number": "INC0009999", "u_notes": "new"}).json()["result"][0]
    assert (made["status"], made["display_value"]) == ("inserted", "INC0009999")
    skipped = api.post(IMPORT, json={"u_notes": "nobody's"}).json()["result"][0]
    assert skipped["status"] == "skipped"
    assert api.get("/api/now/table/incident").headers["X-Total-Count"] == "26"


def test_the_script_that_ignores_inserts_keeps_a_map_from_making_records(
    api: Api, chart: str
) -> None:
    words = 'if (action == "insert") { ignore = true; }'
    script = make(api, "sys_transform_script", map=chart, when="onBefore", script=words)
    unknown = {"u_number": "INC0009999", "u_notes": "new"}
    told = api.post(IMPORT, json=unknown).json()["result"][0]
    assert (told["status"], "sys_id" in told) == ("ignored", False)
    known = {"u_number": "INC0000001", "u_notes": "placed"}
    assert api.post(IMPORT, json=known).json()["result"][0]["status"] == "updated"
    path = f"/api/now/table/sys_transform_script/{script['sys_id']}"
    api.patch(path, json={"script": "target.state = 7;"})
    told = api.post(IMPORT, json=known).json()["result"][0]
    assert told["status"] == "error"
    assert "a script that is not understood here" in told["error_message"]
    api.patch(path, json={"active": "false"})
    assert api.post(IMPORT, json=unknown).json()["result"][0]["status"] == "inserted"


@pytest.mark.parametrize(
    ("target", "known", "unknown"),
    [("caller_id", USER_ID, "f" * 32), ("state", "2", "77")],
)
def test_a_choice_action_leaves_out_or_rejects_what_the_target_does_not_have(
    api: Api, chart: str, target: str, known: str, unknown: str
) -> None:
    about = {"map": chart, "source_field": "u_text", "target_field": target}
    entry = make(api, "sys_transform_entry", **about, choice_action="ignore")
    sent = {"u_number": "INC0000002", "u_notes": "placed"}
    two = f"/api/now/table/incident/{incident_id(2)}?sysparm_exclude_reference_link=true"
    api.post(IMPORT, json={**sent, "u_text": known})
    assert api.get(two).json()["result"][target] == known
    told = api.post(IMPORT, json={**sent, "u_notes": "again", "u_text": unknown}).json()["result"]
    record = api.get(two).json()["result"]
    assert (told[0]["status"], record["close_notes"], record[target]) == (
        "updated",
        "again",
        known,
    )
    path = f"/api/now/table/sys_transform_entry/{entry['sys_id']}"
    api.patch(path, json={"choice_action": "reject"})
    told = api.post(IMPORT, json={**sent, "u_notes": "no", "u_text": unknown}).json()["result"]
    assert told[0]["status"] == "error"
    assert api.get(two).json()["result"]["close_notes"] == "again"


def test_without_a_key_every_row_inserts_and_every_map_answers(api: Api, chart: str) -> None:
    assert chart
    more = make(
        api, "sys_transform_map", name="Log", source_table="u_stage", target_table="sc_task"
    )
    field_map(api, more["sys_id"], "u_notes", "short_description")
    sent = {"u_number": "INC0000001", "u_notes": "twice"}
    for _time in range(2):
        results = api.post(IMPORT, json=sent).json()["result"]
    told = [(r["transform_map"], r["table"], r["status"]) for r in results]
    assert sorted(told) == [("Log", "sc_task", "inserted"), ("Steps", "incident", "ignored")]
    assert len(rows(api, "sc_task", "short_description=twice")) == 2


def test_a_map_that_cannot_work_is_an_error_in_the_row_not_in_the_call(
    api: Api, chart: str
) -> None:
    field_map(api, chart, "u_text", "bogus")
    answer = api.post(IMPORT, json={"u_number": "INC0000001"})
    assert answer.status_code == 201
    assert answer.json()["result"][0]["status"] == "error"
    api.patch(f"/api/now/table/sys_transform_map/{chart}", json={"active": "false"})
    none = api.post(IMPORT, json={"u_number": "INC0000001"}).json()["result"][0]
    assert none["error_message"] == "No active transform map for u_stage"


def test_what_is_no_string_is_mangled(api: Api, chart: str) -> None:
    assert chart
    api.post(IMPORT, json={"u_number": "INC0000001", "u_notes": {"step": "agree", "at": [1, 2]}})
    assert api.get(ONE).json()["result"]["close_notes"] == "{step=agree, at=[1, 2]}"


# ── many rows ────────────────────────────────────────────────────────────────────────────────

RECORDS = [
    {"Ticket": f"INC{number:07d}", "Notes": "many", "bogus": "dropped"} for number in (1, 2, 3)
]


def many(api: Api, records: object, **parameters: str) -> Any:
    answer = api.post(f"{IMPORT}/insertMultiple", json={"records": records}, params=parameters)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_many_rows_wait_until_the_clock_moves(api: Api, chart: str) -> None:
    """60"""
    assert chart
    made = many(api, RECORDS)
    assert set(made) == {"import_set_id", "multi_import_set_id"}
    assert rows(api, "incident", "close_notes=many") == []
    waiting = rows(api, "u_stage", f"sys_import_set={made['import_set_id']}^ORDERBYsys_import_row")
    assert [(r["u_number"], r["sys_import_state"]) for r in waiting] == [
        ("INC0000001", "pending"),
        ("INC0000002", "pending"),
        ("INC0000003", "pending"),
    ]
    assert api.get(f"{IMPORT}/{waiting[0]['sys_id']}").json()["result"] == []

    api.post("/_sandbox/clock", json={"until": "2026-11-20 12:00:01"})
    done = rows(api, "u_stage", f"sys_import_set={made['import_set_id']}")
    assert {r["sys_import_state"] for r in done} == {"updated"}
    assert len(rows(api, "incident", "close_notes=many")) == 3
    sets = rows(api, "sys_import_set", f"sys_id={made['import_set_id']}")
    assert (sets[0]["state"], sets[0]["mode"]) == ("processed", "asynchronous")


def test_many_rows_can_be_synchronous_and_keyed_by_column_name(api: Api, chart: str) -> None:
    assert chart
    setting = {"source_table": "u_stage", "transformation": "synchronous"}
    make(api, "sys_rest_insert_multiple", **setting, column_mapping="column_name")
    many(api, [{"u_number": "INC0000001", "u_notes": "now"}, {"Ticket": "INC0000002"}])
    assert api.get(ONE).json()["result"]["close_notes"] == "now"
    states = [r["sys_import_state"] for r in rows(api, "u_stage", "ORDERBYsys_import_row")]
    assert states == ["updated", "skipped"], "a label is no name"


def test_sets_can_be_grouped_and_run_one_after_another(api: Api, chart: str) -> None:
    assert chart
    first = many(api, [{"Ticket": "INC0000001", "Notes": "first"}])
    second = many(
        api,
        [{"Ticket": "INC0000001", "Notes": "second"}],
        multi_import_set_id=first["multi_import_set_id"],
        run_after=first["import_set_id"],
    )
    assert second["multi_import_set_id"] == first["multi_import_set_id"]
    api.post("/_sandbox/clock", json={"until": "2026-11-20 12:00:05"})
    assert api.get(ONE).json()["result"]["close_notes"] == "second"
    assert {s["state"] for s in rows(api, "sys_import_set")} == {"processed"}


@pytest.mark.parametrize("body", [{}, {"records": {}}, {"records": ["x"]}, []])
def test_a_body_without_records_is_refused(api: Api, body: object) -> None:
    assert api.post(f"{IMPORT}/insertMultiple", json=body).status_code == 400


# ── who and what ─────────────────────────────────────────────────────────────────────────────


def test_the_role_is_needed(api: Api, chart: str) -> None:
    assert chart
    given = rows(api, "sys_user_has_role", f"role={ROLE_ID}")[0]["sys_id"]
    api.delete(f"/api/now/table/sys_user_has_role/{given}")
    answer = api.post(IMPORT, json={"u_number": "INC0000001", "u_notes": "no"})
    assert answer.status_code == 403
    with Api(api.base) as admin:
        admin.auth = ("admin", "sandbox")
        assert admin.post(IMPORT, json={"u_number": "INC0000001"}).status_code == 201


def test_only_staging_tables_take_imports(api: Api) -> None:
    assert api.post("/api/now/import/incident", json={}).status_code == 400
    assert api.post("/api/now/import/nosuch", json={}).status_code == 400
    assert api.put(IMPORT, json={}).status_code == 405
    assert (
        api.post(IMPORT, data=b"[", headers={"Content-Type": "application/json"}).status_code == 400
    )
