"""Asking the records at rest: conditions, fields and facts, in one query each."""

from pathlib import Path

import pytest

from connector.encoded_query import Context
from connector.evaluate import ask, forget
from connector.journey.scope import catalogue_of
from connector.store.classifications import held_columns
from connector.store.database import Row
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
