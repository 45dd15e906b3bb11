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


def test_a_clock_that_runs_again_after_a_refused_resolution_counts_as_well(kit: Kit) -> None:
    """Kept the first time and missed the second is missed; while it runs nothing is won."""
    kit.put("contract_sla", {"sys_id": "d", "target": "resolution", "type": "SLA"})
    kit.put("incident", *({"sys_id": n, "state": "2", "opened_at": at(20)} for n in ("y", "z")))
    first = {"sla": "d", "active": "false", "stage": "completed", "has_breached": "false"}
    first |= {"start_time": at(20), "end_time": at(19.9), "planned_end_time": at(15)}
    again = {"sla": "d", "active": "true", "stage": "in_progress", "start_time": at(18)}
    kit.put(
        "task_sla",
        {**first, "sys_id": "s1", "task": "y"},
        {**again, "sys_id": "s2", "task": "y", "has_breached": "true", "planned_end_time": at(9)},
        {**first, "sys_id": "s3", "task": "z"},
        {**again, "sys_id": "s4", "task": "z", "has_breached": "false", "planned_end_time": at(-5)},
    )
    decide(kit)
    assert polarity(kit, "y", "M12") == ("negative", "breached")
    assert polarity(kit, "z", "M12") == ("open", "")


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


def _approvals(kit: Kit, item: str, *asked_and_answered: tuple[float, float]) -> None:
    """Approvals of an item, each so many days ago; answered 0 days ago is not yet."""
    for n, (asked, answered) in enumerate(asked_and_answered):
        row = {"sys_id": f"{item}{n}", "sysapproval": item, "sys_created_on": at(asked)}
        state = "approved" if answered else "requested"
        kit.put(
            "sysapproval_approver",
            {**row, "state": state, "sys_updated_on": at(answered or asked)},
        )


def test_approvals_one_after_the_other_have_their_own_days_each(kit: Kit) -> None:
    for name in ("quick", "late", "waits", "stuck"):
        kit.put("sc_req_item", {"sys_id": name, "state": "2", "opened_at": at(60)})
    _approvals(kit, "quick", (39, 38.9), (25, 24.9))
    _approvals(kit, "late", (60, 30), (29, 28.9))
    _approvals(kit, "waits", (39, 38.9), (1, 0))
    _approvals(kit, "stuck", (39, 38.9), (30, 0))
    decide(kit)
    assert polarity(kit, "quick", "M14") == ("positive", "quick")
    assert polarity(kit, "quick", "M15") == ("neutral", "answered")
    assert polarity(kit, "late", "M14") == polarity(kit, "late", "M15") == ("negative", "too_late")
    assert polarity(kit, "waits", "M14") == polarity(kit, "waits", "M15") == ("open", "")
    assert polarity(kit, "stuck", "M14") == ("negative", "slow")
    assert polarity(kit, "stuck", "M15") == ("negative", "unanswered")


@pytest.mark.parametrize(
    ("author", "days", "told"),
    [("ana", 37.9, "unexplained"), ("boss", 37.9, "explained"), ("boss", 10, "unexplained")],
)
def test_a_refusal_is_explained_by_the_provider_and_soon(
    kit: Kit, author: str, days: float, told: str
) -> None:
    kit.put("sys_user", {"sys_id": "ana", "user_name": "ana"})
    kit.put("sc_req_item", {"sys_id": "i", "state": "4", "requested_for": "ana"})
    refusal = {"sys_id": "a", "sysapproval": "i", "state": "rejected"}
    kit.put("sysapproval_approver", {**refusal, "sys_created_on": at(39), "sys_updated_on": at(38)})
    comment = {"sys_id": "j", "element_id": "i", "element": "comments"}
    kit.put("sys_journal_field", {**comment, "sys_created_by": author, "sys_created_on": at(days)})
    knows_history(kit, "sc_req_item", "i")
    decide(kit)
    assert polarity(kit, "i", "M16")[1] == told


@pytest.mark.parametrize(("author", "told"), [("ana", "ignored"), ("agent", "answered")])
def test_the_customer_does_not_answer_the_own_bad_score(kit: Kit, author: str, told: str) -> None:
    kit.put("sys_user", {"sys_id": "ana", "user_name": "ana"})
    kit.put("incident", {"sys_id": "x", "state": "7", "caller_id": "ana", "opened_at": at(30)})
    survey = {"sys_id": "s", "state": "complete", "task_id": "x", "taken_on": at(24)}
    kit.put("asmt_assessment_instance", survey)
    kit.put("asmt_metric", {"sys_id": "m", "min": "1", "max": "5"})
    answer = {"sys_id": "r", "instance": "s", "metric": "m", "actual_value": "1"}
    kit.put("asmt_metric_result", answer)
    comment = {"element_id": "x", "element": "comments", "sys_created_by": author}
    for name, days in (("before", 29), ("soon", 23), ("later", 2)):
        kit.put("sys_journal_field", {**comment, "sys_id": name, "sys_created_on": at(days)})
    knows_history(kit, "incident", "x")
    decide(kit)
    assert polarity(kit, "x", "M24")[1] == told
