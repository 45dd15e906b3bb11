"""Both deliveries against the sandbox: the update set committed, and the difference sent."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.itsm.servicenow import Connection, ServiceNow, connect
from connector.journey.mapping import load_mapping
from connector.provision import (
    Scope,
    apply_provision,
    artefacts_of,
    plan_provision,
    plan_removal,
    remove,
    update_set,
)
from tests.pages_kit import Visitor
from tests.sandbox_instance import PASSWORD, USER, Api, make_instance, serving
from tests.unit.test_provision import few

SCOPE = Scope(("incident",))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    instance = make_instance(tmp_path_factory.mktemp("instance"))
    admin = {"sys_id": "9" * 32, "user_name": "admin", "name": "Admin"}
    instance.database.load("sys_user", [admin])
    with serving(instance) as api:
        yield api


@pytest.fixture(scope="module")
def instance(api: Api) -> ServiceNow:
    return connect(Connection(api.base, user="admin", secret=PASSWORD))


def everything(api: Api) -> set[str]:
    """All records, configuration too, but what keeps account of sets and deletions."""
    account = ("sys_update_", "sys_remote_update_set", "sys_audit_delete")
    lines = api.get("/_sandbox/dump?bookkeeping=true").content.decode().splitlines()
    return {line for line in lines if not any(f'"table":"{name}' in line for name in account)}


def import_set(api: Api, data: bytes) -> dict[str, str]:
    """Upload, preview, commit as an administrator does; answers the set's record."""
    sys_id = data.decode().split("<sys_id>")[1][:32]
    form = f"/sys_remote_update_set.do?sys_id={sys_id}"
    with Visitor(api.base) as visitor:
        visitor.log_in("admin")
        visitor.upload(data)
        visitor.submit(form, _set="preview")
        visitor.submit(form, _set="commit")
    path = f"/api/now/table/sys_remote_update_set/{sys_id}"
    found: dict[str, str] = api.get(path).json()["result"]
    return found


def writes(api: Api) -> dict[str, int]:
    """The requests that could change something, since the last reset."""
    said = api.get("/_sandbox/requests").json()["result"]
    counted = {**said["requests"], **said["batched"]}
    return {kind: n for kind, n in counted.items() if not kind.startswith("GET ")}


def test_the_update_set_brings_exactly_what_apply_would(api: Api, instance: ServiceNow) -> None:
    before = everything(api)
    mapping = few(load_mapping())
    data = update_set.write(artefacts_of(mapping, SCOPE), "tried")
    head = import_set(api, data)
    assert (head["state"], head["collisions"]) == ("committed", "0")
    plan = plan_provision(instance, mapping, SCOPE)
    assert plan.is_complete, [(s.action, s.table, s.name, s.changed) for s in plan.steps[:5]]

    after = everything(api)
    head = import_set(api, data)
    assert everything(api) == after, "to import it again changes nothing"

    api.delete("/_sandbox/requests")
    assert apply_provision(instance, mapping, SCOPE).steps == ()
    assert writes(api) == {}

    remove(instance, mapping, SCOPE)
    assert everything(api) == before, "all of it can be taken out"
    assert plan_removal(instance, mapping, SCOPE).steps == ()


def test_other_settings_later_take_out_all_the_same(api: Api, instance: ServiceNow) -> None:
    before = everything(api)
    mapping = few(load_mapping())
    apply_provision(instance, few(load_mapping(), "email"), replace(SCOPE, via="import_set"))
    remove(instance, mapping, Scope(("problem",), mode="table", relationship=False))
    assert everything(api) == before


def test_what_is_closed_to_the_account_is_named_and_not_called_nothing(
    api: Api, instance: ServiceNow
) -> None:
    mapping = few(load_mapping())
    found = api.get("/api/now/table/sys_db_object", params={"sysparm_query": "name=sys_report"})
    place = f"/api/now/table/sys_db_object/{found.json()['result'][0]['sys_id']}"
    assert plan_removal(instance, mapping, SCOPE).skipped == ()
    api.patch(place, json={"ws_access": "false"})
    assert plan_removal(instance, mapping, SCOPE).skipped == ("sys_report",)
    api.patch(place, json={"ws_access": "true"})


def test_apply_then_the_update_set_changes_nothing(api: Api, instance: ServiceNow) -> None:
    mapping = few(load_mapping())
    api.delete("/_sandbox/requests")
    plan = plan_provision(instance, mapping, SCOPE)
    assert writes(api) == {}
    made = apply_provision(instance, mapping, SCOPE)
    left = {step.sys_id for step in plan.steps} - {step.artefact.sys_id for step in made.steps}
    stood = [step.artefact for step in plan.steps if step.sys_id in left]
    assert {one.table for one in stood} == {"sys_documentation"}, "what the platform made itself"
    assert {one.fields["language"] for one in stood} == {"en"}
    api.delete("/_sandbox/requests")
    assert apply_provision(instance, mapping, SCOPE).steps == ()
    assert writes(api) == {}
    after = everything(api)
    import_set(api, update_set.write(artefacts_of(mapping, SCOPE), "tried"))
    assert everything(api) == after


OVERLAY = """
[[touchpoint]]
id = "sauna"
code = "OWN1"
name = { en = "Sauna", es = "Sauna compartida" }
kind = "touchpoint"
channel = "human_human"
band = "visible"
roles = ["user"]
moment = false
steps = { travesia = "usar", itil4 = "co_create" }
"""


def test_a_touchpoint_of_an_overlay_is_exactly_its_new_choices(
    api: Api, instance: ServiceNow, tmp_path: Path
) -> None:
    apply_provision(instance, few(load_mapping()), SCOPE)
    (tmp_path / "touchpoints.toml").write_text(OVERLAY, encoding="utf-8")
    overlaid = few(load_mapping(tmp_path), "sauna")
    plan = plan_provision(instance, overlaid, SCOPE)
    columns = ("u_journey_touchpoint", "u_journey_last_visible", "u_journey_override")
    assert {step.name for step in plan.steps} == {
        f"{table}.{column} = sauna ({language})"
        for table in ("incident", "u_journey")
        for column in columns
        for language in ("en", "es")
    }
    api.delete("/_sandbox/requests")
    apply_provision(instance, overlaid, SCOPE)
    assert writes(api) == {"POST /api/now/batch": 1, "POST /api/now/table/sys_choice": 12}
    labels = {
        c.language: c.label for c in instance.list_choices(["incident"]) if c.value == "sauna"
    }
    assert labels == {"en": "Sauna", "es": "Sauna compartida"}
    assert plan_provision(instance, overlaid, SCOPE).is_complete


def test_the_account_of_the_role_writes_our_columns_and_a_reader_does_not(
    api: Api, instance: ServiceNow
) -> None:
    apply_provision(instance, few(load_mapping()), SCOPE)
    integration = connect(Connection(api.base, user=USER, secret=PASSWORD))
    incident = next(iter(instance.list_records("incident", ["sys_id"])))["sys_id"]

    def wrote(value: str) -> bool:
        row = integration.update_record("incident", incident, {"u_journey_step": value})
        return row["u_journey_step"] == value

    assert not wrote("usar")
    roles = {r["name"]: r["sys_id"] for r in instance.list_records("sys_user_role", ["name"])}
    me = next(iter(instance.list_records("sys_user", ["sys_id"], f"user_name={USER}")))["sys_id"]
    for role, may in (("u_journey_reader", False), ("u_journey_integration", True)):
        given = {"user": me, "role": roles[role]}
        instance.create_record("sys_user_has_role", given)
        assert wrote("usar") is may, role
