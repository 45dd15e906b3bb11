"""What counts as evidence of a moment of truth, and what only looks like it."""

from pathlib import Path

import pytest

from tests.journey_kit import Kit, all_tables
from tests.unit.test_moments import at, decide, knows_history, moments, polarity


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path, tables=tuple(all_tables()))


def test_a_cancelled_sla_breaks_nothing_even_if_it_had_run_out(kit: Kit) -> None:
    kit.put("contract_sla", {"sys_id": "d", "target": "resolution", "type": "SLA"})
    kit.put("incident", *({"sys_id": n, "state": "7", "opened_at": at(30)} for n in ("y", "z")))
    clock = {"sla": "d", "active": "false", "start_time": at(30), "end_time": at(29)}
    late = {**clock, "has_breached": "true", "planned_end_time": at(29.5)}
    kept = {**clock, "has_breached": "false", "planned_end_time": at(20)}
    kit.put(
        "task_sla",
        {**late, "sys_id": "s1", "task": "y", "stage": "cancelled"},
        {**kept, "sys_id": "s2", "task": "y", "stage": "completed"},
        {**late, "sys_id": "s3", "task": "z", "stage": "completed"},
    )
    decide(kit)
    assert polarity(kit, "y", "M12") == ("positive", "to_spare")
    assert ("y", "M05") not in moments(kit)
    assert polarity(kit, "z", "M12") == ("negative", "breached")


def test_an_idea_that_was_answered_nobody_knows_when_is_neither_good_nor_bad(kit: Kit) -> None:
    for table in ("sys_audit", "sys_journal_field"):
        kit.store.execute(f"DROP TABLE current.{table}")
    kit.put(
        "im_idea_core",
        {"sys_id": "answered", "state": "3", "opened_at": at(60), "closed_at": at(55)},
        {"sys_id": "waits", "state": "1", "opened_at": at(60)},
        {"sys_id": "new", "state": "1", "opened_at": at(6)},
    )
    decide(kit)
    assert polarity(kit, "answered", "M17") == ("neutral", "answered")
    assert polarity(kit, "waits", "M17") == ("negative", "unanswered")
    assert polarity(kit, "new", "M17") == ("open", "")


def test_an_idea_is_judged_by_when_its_audit_says_it_was_answered(kit: Kit) -> None:
    for name, days in (("soon", 55), ("late", 40), ("too_late", 5)):
        kit.put("im_idea_core", {"sys_id": name, "state": "3", "opened_at": at(60)})
        change = {"fieldname": "state", "oldvalue": "1", "newvalue": "3"}
        kit.put(
            "sys_audit",
            {**change, "sys_id": name, "documentkey": name, "sys_created_on": at(days)},
        )
    knows_history(kit, "im_idea_core", "soon", "late", "too_late")
    decide(kit)
    assert polarity(kit, "soon", "M17") == ("positive", "soon")
    assert polarity(kit, "late", "M17") == ("neutral", "late")
    assert polarity(kit, "too_late", "M17") == ("negative", "too_late")


def test_a_renewal_counts_only_before_the_end(kit: Kit) -> None:
    for name, made in (("in_time", 230), ("after", 6)):
        old = {"sys_id": name, "state": "expired", "starts": at(500)[:10], "ends": at(200)[:10]}
        new = {"sys_id": f"{name}2", "state": "active", "parent": name, "sys_created_on": at(made)}
        kit.put("ast_contract", old, new)
    decide(kit)
    assert polarity(kit, "in_time", "M27") == ("positive", "renewed")
    assert polarity(kit, "after", "M27") == ("negative", "lapsed")


def test_a_cancelled_complaint_is_owed_nothing_and_a_closed_one_was_resolved(kit: Kit) -> None:
    kit.put("sys_user", {"sys_id": "ana", "user_name": "ana"})
    category = kit.mapping.sets["complaint_categories"][0]
    whole = {"category": category, "opened_at": at(40), "closed_at": at(39)}
    gone = kit.mapping.sets["case_cancelled_states"][0]
    kit.put("incident", {**whole, "sys_id": "i", "state": "8", "caller_id": "ana"})
    kit.put(
        "sn_customerservice_case",
        {**whole, "sys_id": "gone", "state": gone, "contact": "ana"},
        {**whole, "sys_id": "closed", "state": "3", "contact": "ana"},
    )
    comment = {"element_id": "closed", "element": "comments", "sys_created_by": "agent"}
    kit.put("sys_journal_field", {**comment, "sys_id": "j", "sys_created_on": at(39.5)})
    knows_history(kit, "incident", "i")
    knows_history(kit, "sn_customerservice_case", "gone", "closed")
    decide(kit)
    assert polarity(kit, "i", "M25") == ("neutral", "cancelled")
    assert polarity(kit, "gone", "M25") == ("neutral", "case_cancelled")
    assert polarity(kit, "closed", "M25") == ("positive", "answered")
