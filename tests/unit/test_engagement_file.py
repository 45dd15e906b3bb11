"""engagement.toml: what is refused, how it is said, and what an overlay may replace."""

import tomllib
from pathlib import Path

import pytest

from connector.journey.checks import Draft
from connector.journey.engagement_file import engagement_of
from connector.journey.engagement_model import Engagement
from connector.journey.files import Source
from connector.journey.mapping import load_mapping
from connector.journey.requirements import requirements
from connector.resources import shipped
from tests.journey_kit import schema
from tests.journey_kit import shipped as mapping

TEXT = (shipped("mappings") / "engagement.toml").read_text(encoding="utf-8")


def made(*texts: str) -> tuple[Engagement | None, list[str]]:
    """The engagement of these files, the later over the earlier, beside the shipped mapping."""
    known, problems = mapping(), list[str]()
    draft = Draft(
        touchpoints=dict(known.touchpoints),
        sets=dict(known.sets),
        tables=dict(known.tables),
        moments={one.id: one for one in known.moments},
    )
    files = [(tomllib.loads(text), Source("engagement.toml", text)) for text in texts]
    return engagement_of(files, draft, problems), problems


def spoil(old: str, new: str) -> list[str]:
    """The problems after one change."""
    assert old in TEXT
    return made(TEXT.replace(old, new, 1))[1]


def opinions(overlay: str = "") -> Engagement:
    found, problems = made(TEXT, overlay)
    assert found is not None, problems
    return found


def test_the_shipped_opinions_are_those_of_the_proposal() -> None:
    found = opinions()
    terms = found.formula
    assert (terms.half_life_days, terms.window_days, terms.k) == (45, 180, 5)
    assert (terms.moment_weight, terms.sponsor_weight, terms.cap) == (2, 1.5, 60)
    assert sum(one.weight for one in found.dimensions) == pytest.approx(1)
    assert [one.at_least for one in found.scored] == [75, 60, 45, 30, 0]
    values = {line.id: line.value for line in found.lines}
    assert values["sla-breached"] == -2 * values["sla-met"]


def test_an_overlay_replaces_single_values(tmp_path: Path) -> None:
    overlay = (
        "[formula]\nhalf_life_days = 30\n"
        '[[line]]\nid = "sla-met"\nvalue = 0.4\n'
        '[[state]]\nid = "at_risk"\nname = { en = "Worrying", es = "Preocupante" }\n'
    )
    (tmp_path / "engagement.toml").write_text(overlay, encoding="utf-8")
    changed = load_mapping(tmp_path)
    own, theirs = changed.engagement, opinions()
    assert own is not None
    assert own == opinions(overlay)
    assert (own.formula.half_life_days, own.formula.window_days) == (30, 180)
    lines = {line.id: line for line in own.lines}
    assert lines["sla-met"].value == 0.4
    assert lines["sla-met"].when == {line.id: line for line in theirs.lines}["sla-met"].when
    assert own.state("at_risk").name.en == "Worrying"
    assert own.state("at_risk").at_least == 30
    assert changed.hash != mapping().hash


def test_an_overlay_may_define_relationships_otherwise() -> None:
    found = opinions(
        '[[relationship]]\ntable = "incident"\ncustomer = ["location"]\nservice = ["category"]\n'
        'service_table = ""\n'
    ).relationship("incident")
    assert found is not None
    assert (found.customer, found.service) == (("location",), ("category",))
    assert (found.service_table, found.person) == ("", ("caller_id",))


def test_an_overlays_fault_names_the_overlays_line() -> None:
    overlay = '[[line]]\nid = "sla-met"\n\n[[line]]\nid = "sla-breached"\nvalu = 1.0\n'
    (problem,) = made(TEXT, overlay)[1]
    assert problem.startswith("engagement.toml:4: unknown key valu")
    assert "value" in problem


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('dimension = "quality"', 'dimension = "qualty"', "quality"),
        ("value = 0.5", "value = 1.5", "less than or equal to 1"),
        ('tables = ["task_sla"]', 'tables = ["task_slas"]', "task_sla"),
        ('moment = "M03"', 'moment = "M33"', "no moment M33"),
        ("at_least = 0\n", "at_least = 5\n", "must hold from 0 points"),
        ('id = "not_enough"', 'id = "unknown"', "at_least"),
        ('touchpoint = "portal_ticket"', 'touchpoint = "portal_tiket"', "portal_ticket"),
        ("reopen_count>0", "sys_mod_count>0", "our own writes move it"),
        ("caller.repeat_within_7_days=true", "caller.repeat_within_9_days=true", "has no fact"),
        ('met = "sla-met"', 'met = "sla-mt"', "sla-met"),
        ("half_life_days = 45", 'half_life_days = "45"', "whole number"),
        ('id = "idea-offered"', 'id = "ageing"', "may not be called ageing"),
        ('at = ["resolved_at", "closed_at"]', 'at = ["sys_updated_on"]', "our own writes move it"),
        (
            'via = ["task"]',
            'via = ["task"]\nperson = ["task.opened_by"]',
            "the people are those of the record",
        ),
    ],
)
def test_a_fault_is_one_sentence_with_file_and_line(old: str, new: str, said: str) -> None:
    found = spoil(old, new)
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("engagement.toml:") for problem in found)


def test_every_fault_is_told_at_once() -> None:
    text = TEXT.replace('dimension = "voice"', 'dimension = "choice"')
    assert len(made(text)[1]) == text.count('dimension = "choice"') > 5


def test_without_the_file_nothing_is_calculated() -> None:
    assert made() == (None, [])


def test_everything_that_a_line_reads_is_pulled() -> None:
    wanted = requirements(mapping(), ("incident", "task_sla"), schema())
    assert {"reopened_time", "service_offering", "cmdb_ci", "caller_id"} <= set(wanted["incident"])
    assert {"start_time", "planned_end_time", "has_breached"} <= set(wanted["task_sla"])
    assert {"department", "vip"} <= set(wanted["sys_user"])
    assert {"parent", "company", "name"} <= set(wanted["cmn_department"])
    assert "name" in wanted["cmdb_ci_service"]
    assert "cmdb_ci" not in wanted, "configuration items are many, and none is a name here"
