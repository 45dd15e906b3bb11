"""What the mapping asks of the tool, and what it says of rules that cannot work."""

from dataclasses import replace

import pytest

from connector.journey.model import Rule, Text
from connector.journey.requirements import ALWAYS, dead_rules, requirements
from tests.journey_kit import TABLES, schema, shipped


def with_rule(when: str, table: str = "incident", **sets: tuple[str, ...]):  # type: ignore[no-untyped-def]
    """The shipped mapping, with one more rule in front."""
    rule = Rule("extra", (table,), when, "complaint", Text("x", "x"), {})
    mapping = shipped()
    return replace(mapping, rules=(rule, *mapping.rules), sets={**mapping.sets, **sets})


def without(*columns: tuple[str, str]):  # type: ignore[no-untyped-def]
    return {key: info for key, info in schema().items() if key not in columns}


def test_every_table_is_read_with_its_key_and_version() -> None:
    wanted = requirements(shipped(), TABLES, schema())
    assert set(TABLES) <= set(wanted)
    assert all(columns[:3] == ALWAYS for columns in wanted.values())


def test_the_columns_of_conditions_facts_and_edges_are_asked_for() -> None:
    wanted = requirements(shipped(), TABLES, schema())
    assert {"number", "state", "hold_reason", "contact_type"} <= set(wanted["incident"])
    assert {"request_item", "assignment_group"} <= set(wanted["sc_task"])
    assert {"pause_duration", "planned_end_time"} <= set(wanted["task_sla"])


def test_dot_walks_and_facts_bring_their_tables_along() -> None:
    wanted = requirements(shipped(), ["sc_req_item"], schema())
    assert "name" in wanted["sc_cat_item"]
    assert "title" in wanted["sc_category"]
    assert "state" in wanted["sysapproval_approver"]
    assert "user_name" in wanted["sys_user"]


def test_surveys_and_hr_cases_are_read_only_where_somebody_asks_for_them() -> None:
    """Rules on incidents would like to know the answers; that is no leave to read them."""
    wanted = requirements(shipped(), ["incident", "sc_req_item"], schema())
    assert not [table for table in wanted if table.startswith(("asmt_", "sn_hr_"))]
    wanted = requirements(shipped(), ["incident", "asmt_assessment_instance"], schema())
    assert "actual_value" in wanted["asmt_metric_result"]


def test_a_table_that_is_not_described_yet_is_named_so_that_it_can_be() -> None:
    only = {key: info for key, info in schema().items() if key[0] == "incident"}
    wanted = requirements(shipped(), ["incident"], only)
    assert wanted["sys_user"] == ALWAYS


def test_what_the_instance_lacks_is_left_out() -> None:
    wanted = requirements(shipped(), TABLES, without(("incident", "hold_reason")))
    assert "hold_reason" not in wanted["incident"]


def test_our_own_columns_are_never_asked_for_by_rules() -> None:
    wanted = requirements(shipped(), TABLES, schema())
    assert not [c for columns in wanted.values() for c in columns if c.startswith("u_journey_")]


def test_a_reference_to_task_reads_the_column_of_every_task_table() -> None:
    mapping = with_rule("sysapproval.u_kind=1", "sysapproval_approver")
    described = {**schema(), ("incident", "u_kind"): schema()["incident", "number"]}
    wanted = requirements(mapping, TABLES, described)
    assert "u_kind" in wanted["incident"]


# --- dead rules -----------------------------------------------------------------------------------


def reasons(mapping, known, choices=None) -> dict[str, str]:  # type: ignore[no-untyped-def]
    found = dead_rules(mapping, TABLES, known, choices or {})
    return {dead.rule_id: dead.reason for dead in found}


def test_no_shipped_rule_is_dead_on_the_sandbox() -> None:
    assert reasons(shipped(), schema()) == {}


def test_a_missing_column_switches_its_rules_off() -> None:
    found = reasons(shipped(), without(("incident", "caused_by")))
    assert found == {"incident-after-change": "incident has no readable column caused_by"}


def test_an_absent_table_switches_the_rules_that_use_its_facts_off() -> None:
    known = {k: v for k, v in schema().items() if not k[0].startswith("asmt_")}
    found = reasons(shipped(), known)
    assert {"incident-survey-answered", "item-survey-unhappy", "survey-sent"} <= set(found)
    assert "asmt_assessment_instance is not read" in found["incident-survey-answered"]


def test_a_value_that_no_choice_list_has_is_named_with_a_near_miss() -> None:
    choices = {("incident", "category"): {"hardware", "software"}}
    found = reasons(with_rule("category=hardwares"), schema(), choices)
    assert found["extra"] == (
        "the choice list of incident.category has no value 'hardwares'; did you mean hardware?"
    )


@pytest.mark.parametrize(
    "when",
    ["categoryINhardwares,software", "category=hardwares^ORactive=true", "category=HARDWARE"],
)
def test_one_possible_value_is_enough_to_live(when: str) -> None:
    choices = {("incident", "category"): {"hardware", "software"}}
    assert "extra" not in reasons(with_rule(when), schema(), choices)


def test_a_rule_that_can_match_only_through_an_empty_set_is_off() -> None:
    mapping = with_rule("categoryIN@nothing", nothing=())
    assert reasons(mapping, schema())["extra"] == "the set nothing is empty"
    assert "extra" not in reasons(with_rule("categoryIN@n^ORstate=1", n=()), schema())


def test_a_value_that_the_columns_type_cannot_hold_is_told() -> None:
    found = reasons(with_rule("reassignment_count>many"), schema())
    assert "'many' is not a number" in found["extra"]
