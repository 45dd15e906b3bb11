"""Asking the records at rest: conditions, fields and facts, in one query each."""

from pathlib import Path

import pytest

from connector.encoded_query import Context
from connector.evaluate import ask, forget
from connector.journey.scope import catalogue_of
from connector.store import classifications
from connector.store.classifications import held_columns
from connector.store.database import Row
from tests.facts_kit import FactsKit
from tests.journey_kit import NOW, Kit, schema


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


def answers(kit: Kit, conditions: dict[str, str], *fields: str) -> dict[str, Row]:
    catalogue = catalogue_of(kit.mapping, schema(), held_columns(kit.store))
    query = ask(kit.store, catalogue, Context(NOW), "incident", conditions, fields)
    return {row["sys_id"]: row for row in kit.store.read(query)}


def test_conditions_are_true_or_false_and_fields_are_texts(kit: Kit) -> None:
    kit.put(
        "incident", {"sys_id": "a", "state": "6"}, {"sys_id": "b", "state": None, "number": "INC1"}
    )
    kit.put("task_sla", {"sys_id": "s", "task": "a", "has_breached": "true"})
    found = answers(
        kit, {"resolved": "state=6", "late": "sla.has_breached=true"}, "number", "sla.total"
    )
    assert found["a"] == {
        "sys_id": "a",
        "resolved": True,
        "late": True,
        "number": "",
        "sla.total": "1",
    }
    assert found["b"] == {
        "sys_id": "b",
        "resolved": False,
        "late": False,
        "number": "INC1",
        "sla.total": "0",
    }


def test_what_the_instance_cannot_give_is_false_or_unknown(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "a"})
    found = answers(kit, {"odd": "no_such_column=1"}, "no_such_column")
    assert found["a"] == {"sys_id": "a", "odd": False, "no_such_column": None}


def test_a_fact_is_computed_once_until_it_is_forgotten(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "a"})
    assert answers(kit, {}, "sla.total")["a"]["sla.total"] == "0"
    kit.put("task_sla", {"sys_id": "s", "task": "a"})
    assert answers(kit, {}, "sla.total")["a"]["sla.total"] == "0"
    forget(kit.store)
    assert answers(kit, {}, "sla.total")["a"]["sla.total"] == "1"


def test_little_memory_changes_how_facts_are_joined_and_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = FactsKit(tmp_path)
    kit.put("sys_user", {"sys_id": "u", "user_name": "ana", "vip": "true"})
    kit.put(
        "incident",
        {"sys_id": "a", "caller_id": "u", "opened_at": "2026-11-01 08:00:00"},
        {"sys_id": "b", "caller_id": "u", "opened_at": "2026-11-02 08:00:00"},
        {"sys_id": "c"},
    )
    kit.put("task_sla", {"sys_id": "s", "task": "a", "has_breached": "true"})
    kit.put(
        "sys_journal_field",
        {"sys_id": "j", "element_id": "b", "element": "comments", "sys_created_by": "agent"},
        {"sys_id": "k", "element_id": "elsewhere", "element": "comments"},
    )
    conditions = {"late": "sla.has_breached=true", "vip": "caller_id.vip=true"}
    fields = ("caller.is_first_contact", "comments.by_provider", "caller_id.user_name", "sla.total")

    def asked() -> list[Row]:
        forget(kit.store)
        query = ask(kit.store, kit.catalogue(), Context(NOW), "incident", conditions, fields)
        return kit.store.read(f"{query} ORDER BY sys_id")

    roomy = asked()
    monkeypatch.setattr(classifications, "room", lambda _store: 0)
    assert asked() == roomy
    assert [row["late"] for row in roomy] == [True, False, False]
    assert [row["vip"] for row in roomy] == [True, True, False]
    assert [row["comments.by_provider"] for row in roomy] == ["0", "1", "0"]
    assert [row["caller.is_first_contact"] for row in roomy] == ["true", "false", "false"]
