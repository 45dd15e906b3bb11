"""The conformance vectors (servicenow-api.md §10): all are covered, and those not told elsewhere.

A test covers a vector by naming its number in its docstring's first line.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox_instance import (
    CALLER_ID,
    NOW,
    USER_ID,
    Api,
    incident_id,
    make_instance,
    serving,
)

INCIDENT = "/api/now/table/incident"
ONE = f"{INCIDENT}/{incident_id(1)}"

_NUMBERS = re.compile(r"^\d+(, \d+)*$")


def covered() -> set[int]:
    """Every number in a docstring of the contract tests."""
    return {
        int(number)
        for file in Path(__file__).parent.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for number in _told(ast.get_docstring(node) or "")
    }


def _told(text: str) -> list[str]:
    first = text.split("\n", 1)[0]
    return first.split(", ") if _NUMBERS.match(first) else []


def test_every_vector_has_a_test() -> None:
    assert sorted(set(range(1, 63)) - covered()) == []


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


def numbers(api: Api, **parameters: str) -> list[int]:
    answer = api.get(INCIDENT, params={**parameters, "sysparm_fields": "number"})
    assert answer.status_code == 200, answer.text
    return [int(row["number"].removeprefix("INC")) for row in answer.json()["result"]]


def in_zone(api: Api, zone: str) -> None:
    user = f"/api/now/table/sys_user/{USER_ID}"
    assert api.patch(user, json={"time_zone": zone}).status_code == 200


# ── time zones ───────────────────────────────────────────────────────────────────────────────


def test_display_dates_follow_the_users_zone_through_summer_and_winter(api: Api) -> None:
    """11"""
    in_zone(api, "America/Mexico_City")
    api.patch(ONE, json={"opened_at": "2026-11-01 03:00:00"})
    asked = {"sysparm_display_value": "all", "sysparm_fields": "opened_at,sys_updated_on"}
    record = api.get(ONE, params=asked).json()["result"]
    assert record["opened_at"] == {
        "display_value": "2026-10-31 21:00:00",
        "value": "2026-11-01 03:00:00",
    }
    assert record["sys_updated_on"]["display_value"] == "2026-11-20 06:00:00"
    in_zone(api, "Europe/Madrid")
    api.patch(ONE, json={"opened_at": "2026-07-01 03:00:00"})
    summer = api.get(ONE, params=asked).json()["result"]["opened_at"]
    assert summer["display_value"] == "2026-07-01 05:00:00"


def test_today_is_the_users_day(api: Api) -> None:
    """21"""
    assert NOW.hour == 12
    today = "sys_created_onONToday@javascript:gs.daysAgoStart(0)@javascript:gs.daysAgoEnd(0)"
    assert numbers(api, sysparm_query=today) == [20]
    in_zone(api, "Pacific/Auckland")
    assert numbers(api, sysparm_query=today) == [21], "there it is past midnight"
    created = "sys_created_on>=javascript:gs.daysAgoStart(0)^ORDERBYnumber"
    assert numbers(api, sysparm_query=created) == [21, 22, 23, 24, 25]


def test_plain_literals_are_utc_whatever_the_users_zone(api: Api) -> None:
    in_zone(api, "Pacific/Auckland")
    assert numbers(api, sysparm_query="sys_created_on=2026-11-03 07:00:00") == [3]


# ── verbs and bodies ─────────────────────────────────────────────────────────────────────────


def test_head_has_the_headers_of_get_for_one_record_and_for_many(api: Api) -> None:
    """29"""
    for url, params in ((INCIDENT, {"sysparm_limit": "2"}), (ONE, {})):
        asked, told = api.head(url, params=params), api.get(url, params=params)
        assert (asked.status_code, asked.content) == (200, b"")
        for name in ("Content-Type", "X-Total-Count", "Link"):
            assert asked.headers.get(name) == told.headers.get(name)
    assert api.head(f"{INCIDENT}/{'0' * 32}").status_code == 404


def test_bare_parameters_take_display_values(api: Api) -> None:
    """31"""
    by_name = numbers(api, caller_id="Caller One", state="new")
    assert by_name == numbers(api, sysparm_query=f"caller_id={CALLER_ID}^state=1")
    assert by_name


def test_put_keeps_what_it_does_not_name_and_a_header_may_stand_for_the_verb(api: Api) -> None:
    """50"""
    put = api.put(ONE, json={"close_notes": "put"}).json()["result"]
    assert (put["close_notes"], put["description"], put["number"]) == (
        "put",
        "described",
        "INC0000001",
    )
    patched = api.post(
        ONE, json={"close_notes": "patched"}, headers={"X-HTTP-Method-Override": "PATCH"}
    )
    assert patched.json()["result"]["close_notes"] == "patched"
    gone = api.post(ONE, headers={"X-HTTP-Method-Override": "DELETE"})
    assert gone.status_code == 204
    assert api.get(ONE).status_code == 404


def test_a_caller_may_do_without_the_body(api: Api) -> None:
    quiet = {"X-no-response-body": "true"}
    made = api.post(INCIDENT, json={"description": "x"}, headers=quiet)
    assert (made.status_code, made.content) == (201, b"")
    url = made.headers["Location"].removeprefix(api.base)
    assert api.get(url).json()["result"]["description"] == "x"
    changed = api.patch(url, json={"description": "y"}, headers=quiet)
    assert (changed.status_code, changed.content) == (200, b"")
    assert api.get(url).json()["result"]["description"] == "y"


def test_input_may_be_given_as_it_is_displayed(api: Api) -> None:
    in_zone(api, "Europe/Madrid")
    sent = {"caller_id": "Caller One", "state": "On Hold", "opened_at": "2026-11-03 09:00:00"}
    asked = {"sysparm_input_display_value": "true", "sysparm_exclude_reference_link": "true"}
    record = api.patch(f"{INCIDENT}/{incident_id(2)}", json=sent, params=asked).json()["result"]
    assert record["caller_id"] == CALLER_ID
    assert (record["state"], record["opened_at"]) == ("3", "2026-11-03 08:00:00")


def test_an_array_of_records_makes_one(api: Api) -> None:
    """51"""
    sent = [{"description": "one"}, {"description": "two"}]
    assert api.post(INCIDENT, json=sent).json()["result"]["description"] == "one"
    assert numbers(api, description="two") == []
    changed = api.patch(ONE, json=[{"description": "first"}, {"description": "second"}])
    assert changed.json()["result"]["description"] == "first"


# ── what a write leaves ──────────────────────────────────────────────────────────────────────


def test_a_deleted_record_is_told_by_its_class_and_by_who_deleted_it(api: Api) -> None:
    """52"""
    through_base = f"/api/now/table/task/{incident_id(9)}"
    assert api.delete(through_base).status_code == 204
    assert api.delete(through_base).status_code == 404
    rows = api.get("/api/now/table/sys_audit_delete").json()["result"]
    assert [(row["tablename"], row["documentkey"], row["sys_created_by"]) for row in rows] == [
        ("incident", incident_id(9), "travesia.integration")
    ]


def test_every_note_is_an_entry_and_moves_the_record(api: Api) -> None:
    """53"""
    column = {"name": "task", "element": "work_notes", "internal_type": "journal_input"}
    assert api.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    for text in ("first", "second"):
        record = api.patch(ONE, json={"work_notes": text}).json()["result"]
        assert record["work_notes"] == ""
    assert record["sys_mod_count"] == "2"
    shown = api.get(ONE, params={"sysparm_display_value": "all"}).json()["result"]["work_notes"]
    assert shown == {"display_value": "", "value": ""}
    entries = api.get(
        f"/api/now/table/sys_journal_field?sysparm_query=element_id={incident_id(1)}"
    ).json()["result"]
    assert {(one["name"], one["element"], one["value"]) for one in entries} == {
        ("incident", "work_notes", "first"),
        ("incident", "work_notes", "second"),
    }
