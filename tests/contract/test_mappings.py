"""The files under mappings/ as they are shipped."""

import re

import pytest

from connector.journey.facts import facts_markdown
from connector.journey.model import Rule, Text, Touchpoint
from connector.resources import shipped
from tests.journey_kit import TABLES
from tests.journey_kit import shipped as mapping

DOCS = shipped("mappings").parent / "docs" / "mappings.md"


def test_every_table_that_is_read_has_rules_for_every_record_kind() -> None:
    for table in TABLES:
        assert mapping().rules_of(table), table


def test_the_journeys_have_their_steps_in_order() -> None:
    journeys = mapping().journeys
    assert [s.id for s in journeys["itil4"].steps] == [
        "explore", "engage", "offer", "agree", "onboard", "co_create", "realize",
    ]  # fmt: skip
    assert [s.id for s in journeys["travesia"].steps] == [
        "explorar", "entender", "visibilizar", "acordar", "construir", "preparar", "usar", "medir",
    ]  # fmt: skip


def test_the_relationship_journey_has_three_groups_and_is_born_at_its_second_step() -> None:
    steps = mapping().journeys["travesia"].steps
    groups = [step.group.en for step in steps if step.group]
    assert [groups.count(name) for name in dict.fromkeys(groups)] == [3, 3, 2]
    assert [step.id for step in steps if step.establishes_engagement] == ["entender"]


def test_every_step_of_every_journey_has_a_touchpoint() -> None:
    for journey in mapping().journeys.values():
        placed = {touchpoint.steps[journey.id] for touchpoint in mapping().touchpoints.values()}
        assert placed == {step.id for step in journey.steps}


@pytest.mark.parametrize("touchpoint", mapping().touchpoints.values(), ids=lambda t: t.id)
def test_a_touchpoint_says_who_meets_whom(touchpoint: Touchpoint) -> None:
    if touchpoint.kind == "backstage_activity":
        assert touchpoint.band != "visible"
        assert not touchpoint.is_potential_moment
        assert not touchpoint.roles
    else:
        assert touchpoint.channel != "machine_machine"
        assert touchpoint.band != "provider_backstage"
        assert touchpoint.roles


def test_machines_among_themselves_are_always_backstage() -> None:
    machine = [t for t in mapping().touchpoints.values() if t.channel == "machine_machine"]
    assert machine
    assert all(t.kind == "backstage_activity" for t in machine)


@pytest.mark.parametrize("rule", mapping().rules, ids=lambda r: r.id)
def test_a_rule_gives_its_reason_in_both_languages(rule: Rule) -> None:
    for text in (rule.because.en, rule.because.es):
        assert len(text) <= 255, "the column in the tool is no longer"
        assert not text.endswith(".")
    assert rule.because.en != rule.because.es


def all_texts() -> list[Text]:
    found = [touchpoint.name for touchpoint in mapping().touchpoints.values()]
    found += [rule.because for rule in mapping().rules]
    for journey in mapping().journeys.values():
        found += [journey.name, journey.description, journey.credit]
        found += [text for step in journey.steps for text in (step.name, step.description)]
    return found


def test_no_text_has_stray_spaces() -> None:
    for text in all_texts():
        for words in (text.en, text.es):
            assert words == words.strip()
            assert "  " not in words


def test_the_facts_in_the_docs_are_those_of_the_code() -> None:
    text = DOCS.read_text(encoding="utf-8")
    found = re.search(r"<!-- facts:start -->\n(.*)<!-- facts:end -->", text, re.DOTALL)
    assert found
    assert found[1].strip() == facts_markdown().strip()
