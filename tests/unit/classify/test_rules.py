"""Classification, pass 1: what the rules say of a record."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.journey_kit import Kit, Record, all_tables


def test_a_rule_gives_touchpoint_band_and_the_step_in_each_journey(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "3", "hold_reason": "1", "active": "true"})
    kit.classify()
    row = kit.placed("i")
    assert row["rule_id"] == "incident-waiting-for-user"
    assert row["steps"] == {"travesia": "usar", "itil4": "co_create"}
    assert (row["touchpoint"], row["band"], row["is_potential_moment"]) == (
        "wait_for_user",
        "visible",
        True,
    )
    assert row["mapping_hash"] == kit.mapping.hash


def test_a_rule_may_place_a_touchpoint_elsewhere(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "3", "hold_reason": "4", "active": "true"})
    kit.classify()
    assert kit.placed("i")["steps"] == {"travesia": "usar", "itil4": "co_create"}
    assert kit.placed("i")["touchpoint"] == "supplier_work"


def test_what_no_rule_matches_is_unclassified_never_guessed(kit: Kit) -> None:
    kit.put("sysapproval_approver", {"sys_id": "a", "state": "u_strange"})
    result = kit.classify()
    assert kit.placed("a") == {
        "table_name": "sysapproval_approver",
        "sys_id": "a",
        "rule_id": "unclassified",
        "touchpoint": "",
        "steps": {},
        "band": "",
        "is_potential_moment": False,
        "outcome": "",
        "phase": "",
        "value": "",
        "confidence": "",
        "inherited_from": "",
        "mapping_hash": kit.mapping.hash,
        "last_visible": "",
    }
    assert (result.records, result.unclassified) == (1, 1)
    assert result.hits == {("sysapproval_approver", "unclassified"): 1}


def test_an_unknown_column_switches_only_its_own_rules_off(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "2", "active": "true", "reopen_count": None})
    kit.put("incident", {"sys_id": "j", "state": None, "active": "true", "contact_type": "phone"})
    kit.classify()
    assert kit.rule("i") == "incident-open"
    assert kit.rule("j") == "incident-open"
    assert kit.placed("j")["confidence"] == "low"


@pytest.mark.parametrize(
    ("table", "record", "rule"),
    [
        ("incident", {"state": "9", "active": "false", "contact_type": "phone"}, "incident-ended"),
        ("incident", {"state": "2", "active": "true", "close_code": "Duplicate"}, "incident-open"),
        ("incident", {"state": "7", "close_code": "Duplicate"}, "incident-cancelled"),
        ("sn_customerservice_case", {"state": "9", "active": "false"}, "case-ended"),
        (
            "sn_customerservice_case",
            {"state": "10", "active": "true", "short_description": "Thank you page: error 500"},
            "case-open",
        ),
        (
            "sn_customerservice_case",
            {"state": "10", "active": "true", "short_description": "Welcome e-mail is never sent"},
            "case-open",
        ),
        (
            "change_request",
            {"state": "-1", "active": "true", "short_description": "Retire old VPN certificate"},
            "change-build",
        ),
        ("sc_req_item", {"state": "3", "active": "false"}, "item-done-undated"),
    ],
)
def test_a_leftover_or_a_word_alone_does_not_decide(
    tmp_path: Path, table: str, record: Record, rule: str
) -> None:
    kit = Kit(tmp_path, tables=all_tables())
    kit.put(table, {"sys_id": "x", **record})
    kit.classify()
    assert kit.rule("x") == rule


def test_an_item_given_up_while_its_request_waited_for_approval_is_abandoned(kit: Kit) -> None:
    kit.put("sc_request", {"sys_id": "r", "approval": "requested", "active": "true"})
    kit.put("sc_req_item", {"sys_id": "i", "request": "r", "state": "7", "active": "false"})
    kit.classify()
    assert kit.placed("i")["outcome"] == "abandoned"
    assert kit.placed("i")["steps"]["travesia"] == "acordar"


def test_a_form_about_a_bank_account_gives_nobody_access(kit: Kit) -> None:
    kit.put("sc_cat_item", {"sys_id": "c", "name": "Bank account data change form"})
    kit.put("sc_req_item", {"sys_id": "i", "state": "2", "active": "true", "cat_item": "c"})
    kit.classify()
    assert kit.rule("i") != "item-access"


@pytest.mark.parametrize(
    ("low", "high", "value", "rule"),
    [
        ("0", "1", "1", "answered"),
        ("0", "100", "10", "unhappy"),
        ("1", "3", "2", "answered"),
        ("1", "5", "2", "unhappy"),
        ("", "", "2", "unhappy"),
        ("", "", "4", "answered"),
    ],
)
def test_a_survey_is_judged_on_its_own_scale_where_that_is_known(
    kit: Kit, low: str, high: str, value: str, rule: str
) -> None:
    kit.put("asmt_metric", {"sys_id": "m", "min": low, "max": high})
    kit.put("incident", {"sys_id": "x", "state": "7", "active": "false"})
    kit.put("asmt_assessment_instance", {"sys_id": "s", "state": "complete", "task_id": "x"})
    kit.put(
        "asmt_metric_result", {"sys_id": "r", "instance": "s", "metric": "m", "actual_value": value}
    )
    kit.classify()
    assert kit.rule("x") == f"incident-survey-{rule}"
    assert kit.rule("s") == f"survey-{rule}"


def test_a_column_that_was_not_read_yet_is_unknown(kit: Kit) -> None:
    kit.put("incident", {"sys_id": "i", "state": "3", "hold_reason": "1", "active": "true"})
    kit.store.execute("ALTER TABLE current.incident DROP COLUMN hold_reason")
    kit.classify()
    assert kit.rule("i") == "incident-on-hold"


@pytest.mark.parametrize(
    ("now", "rule"),
    [
        (datetime(2026, 11, 20, 9, tzinfo=UTC), "item-access-granted"),
        (datetime(2026, 11, 22, 8, tzinfo=UTC), "item-access-granted"),
        (datetime(2026, 11, 24, 8, tzinfo=UTC), "item-done"),
    ],
)
def test_time_alone_moves_a_record(kit: Kit, now: datetime, rule: str) -> None:
    kit.put(
        "sc_req_item",
        {"sys_id": "r", "state": "3", "active": "false", "closed_at": "2026-11-20 08:00:00"},
    )
    kit.classify(now)
    assert kit.rule("r") == rule


def test_an_approval_becomes_silence_after_ten_working_days(kit: Kit) -> None:
    asked = {"sys_id": "a", "state": "requested", "sys_created_on": "2026-11-02 09:00:00"}
    kit.put("sysapproval_approver", asked)
    kit.classify(datetime(2026, 11, 16, 10, tzinfo=UTC))
    assert kit.rule("a") == "approval-pending"
    kit.classify(datetime(2026, 11, 17, 10, tzinfo=UTC))
    assert kit.rule("a") == "approval-silent"
    assert kit.placed("a")["band"] == "consumer_backstage"
