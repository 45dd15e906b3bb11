"""Classification, pass 2: what a record takes from those that it hangs on, and gives to its own."""

import pytest

from tests.journey_kit import Kit, Record
from tests.unit.classify.kit import a_request


def test_a_task_stands_in_the_step_of_its_item(kit: Kit) -> None:
    a_request(kit)
    kit.classify()
    assert kit.rule("item") == "item-in-work"
    task = kit.placed("task")
    assert (task["rule_id"], task["touchpoint"]) == ("task-of-item", "fulfilment_task")
    assert task["inherited_from"] == "sc_req_item/item"
    assert task["steps"] == kit.placed("item")["steps"]


def test_a_running_sla_stands_where_its_record_stands_also_along_two_edges(kit: Kit) -> None:
    a_request(kit)
    kit.classify()
    assert kit.placed("sla")["inherited_from"] == "sc_req_item/item"
    assert kit.placed("ola")["inherited_from"] == "sc_task/task"
    assert kit.placed("ola")["steps"] == kit.placed("item")["steps"]
    assert kit.placed("ola")["touchpoint"] == "sla_result"


def test_without_a_parent_the_touchpoint_says_the_step(kit: Kit) -> None:
    kit.put("sc_task", {"sys_id": "t", "request_item": "gone", "active": "true"})
    kit.classify()
    assert kit.placed("t")["steps"] == {"travesia": "construir", "itil4": "onboard"}
    assert kit.placed("t")["inherited_from"] == ""


def test_the_second_edge_counts_where_the_first_leads_nowhere(kit: Kit) -> None:
    kit.put("sc_request", {"sys_id": "req", "active": "true", "approval": "requested"})
    kit.put("sc_task", {"sys_id": "t", "request_item": "", "request": "req", "active": "true"})
    kit.classify()
    assert kit.placed("t")["inherited_from"] == "sc_request/req"
    assert kit.placed("t")["steps"]["travesia"] == "acordar"


ITEMS: dict[str, Record] = {
    "approval": {"active": "true", "approval": "requested"},  # acordar
    "work": {"active": "true", "stage": "purchase"},  # construir
    "delivery": {"active": "true", "stage": "delivery"},  # preparar
    "done": {"active": "false", "state": "3", "closed_at": "2026-01-01 00:00:00"},  # medir
    "lost": {"active": "false", "state": "4", "approval": "rejected"},  # acordar
}


@pytest.mark.parametrize(
    ("items", "followed"),
    [
        (["work", "approval", "delivery"], "approval"),  # the least advanced open one
        (["done", "work"], "work"),  # an open one before any closed one
        (["lost", "done"], "done"),  # the most advanced closed one
        (["lost"], "lost"),
    ],
)
def test_a_request_follows_its_items(kit: Kit, items: list[str], followed: str) -> None:
    kit.put("sc_request", {"sys_id": "req", "active": "true"})
    kit.put("sc_req_item", *({"sys_id": name, "request": "req", **ITEMS[name]} for name in items))
    kit.classify()
    request, item = kit.placed("req"), kit.placed(followed)
    assert request["inherited_from"] == f"sc_req_item/{followed}"
    assert request["rule_id"] == "request-follows-items"
    for taken in ("touchpoint", "steps", "band", "is_potential_moment", "outcome", "confidence"):
        assert request[taken] == item[taken]


def test_noise_is_left_out_with_all_that_hangs_on_it(kit: Kit) -> None:
    a_request(kit)
    kit.store.execute("UPDATE current.sc_req_item SET short_description = '[TEST] laptop'")
    result = kit.classify()
    for sys_id in ("item", "task", "req", "sla"):
        row = kit.placed(sys_id)
        assert row["rule_id"] != "unclassified"
        assert (row["touchpoint"], row["steps"], row["band"]) == ("", {}, "")
    assert sum(table.ignored for table in result.tables) == 5
    assert result.unclassified == 0


def test_a_request_whose_items_nobody_could_place_is_unclassified(kit: Kit) -> None:
    kit.put("sc_request", {"sys_id": "req", "active": "true"})
    kit.put("sc_req_item", {"sys_id": "r", "request": "req", "state": "99", "active": "false"})
    kit.classify()
    assert kit.rule("r") == kit.rule("req") == "unclassified"
