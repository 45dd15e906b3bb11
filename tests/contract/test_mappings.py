"""The files under mappings/ as they are shipped."""

import pytest

from connector.journey.model import Rule, Text, Touchpoint
from tests.journey_kit import TABLES
from tests.journey_kit import shipped as mapping
from tools.docs import DOCS, PAGES, renewed


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


@pytest.mark.parametrize("page", PAGES)
def test_what_the_docs_say_is_what_code_and_mapping_say(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert renewed(page, text) == text, "run make docs"


def test_the_catalogue_has_its_sixty_places_in_order() -> None:
    codes = [touchpoint.code for touchpoint in mapping().touchpoints.values()]
    assert codes == [f"TP{number:02}" for number in range(1, 61)]


def test_every_touchpoint_and_every_step_is_reached_by_a_rule() -> None:
    """The first steps too: ideas, demands, knowledge and meetings lead there."""
    reached = {rule.touchpoint for rule in mapping().rules}
    assert set(mapping().touchpoints) <= reached
    for journey in mapping().journeys.values():
        placed = {step_of(rule, journey.id) for rule in mapping().rules}
        assert {step.id for step in journey.steps} <= placed


def step_of(rule: Rule, journey: str) -> str:
    touchpoint = mapping().touchpoints.get(rule.touchpoint)
    return {**(touchpoint.steps if touchpoint else {}), **rule.steps}.get(journey, "")


@pytest.mark.parametrize("rule", [r for r in mapping().rules if r.value], ids=lambda r: r.id)
def test_value_is_said_in_the_last_step_only(rule: Rule) -> None:
    for journey in mapping().journeys.values():
        assert step_of(rule, journey.id) == journey.steps[-1].id


def test_what_is_left_out_gives_nothing_else() -> None:
    for rule in (rule for rule in mapping().rules if rule.ignore):
        assert (rule.touchpoint, rule.outcome, rule.value, rule.phase) == ("", "", "", "")
