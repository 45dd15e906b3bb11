"""A journey that takes over the steps of another: how one short file is a whole journey.

`takes = ["travesia/explorar"]` on a step places here whatever stands in that step of the other
journey: touchpoints, and rules that place a record elsewhere than its touchpoint. What the file
says itself goes first; the first step that takes something keeps it.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import replace

from connector.journey.model import Journey, Rule, Touchpoint
from connector.journey.near import hint
from connector.journey.shapes import JourneyFile
from connector.messages import _


def taking_of(file: JourneyFile) -> dict[str, str]:
    """What one journey takes: `journey/step` → the first step of its own that takes it."""
    found: dict[str, str] = {}
    for step in file.step:
        for taken in step.takes:
            found.setdefault(taken, step.id)
    return found


def taken_step(takes: Dict[str, str], steps: Dict[str, str]) -> str:
    """Where something that stands in `steps` (journey → step) comes to; "" where nothing takes it.

    The order of `takes` decides between several.
    """
    standing = {f"{journey}/{step}" for journey, step in steps.items()}
    return next((own for taken, own in takes.items() if taken in standing), "")


def place_touchpoints(
    touchpoints: Dict[str, Touchpoint], takes: Dict[str, Dict[str, str]]
) -> Iterator[Touchpoint]:
    """The touchpoints that a journey takes over, with their step in it."""
    for touchpoint in touchpoints.values():
        more = {
            journey: step
            for journey, taken in takes.items()
            if journey not in touchpoint.steps and (step := taken_step(taken, touchpoint.steps))
        }
        if more:
            yield replace(touchpoint, steps={**touchpoint.steps, **more})


def place_rule(
    rule: Rule, touchpoints: Dict[str, Touchpoint], takes: Dict[str, Dict[str, str]]
) -> Rule:
    """A rule with its step in the journeys that take over the one it names."""
    if not rule.steps:
        return rule
    usual = touchpoints[rule.touchpoint].steps if rule.touchpoint in touchpoints else {}
    more = {}
    for journey, taken in takes.items():
        # Only where the rule departs from its touchpoint is there something to follow.
        step = taken_step(taken, rule.steps)
        if journey not in rule.steps and step and step != usual.get(journey):
            more[journey] = step
    return replace(rule, steps={**rule.steps, **more}) if more else rule


def check_taking(
    journeys: Dict[str, Journey], takes: Dict[str, Iterable[str]], sources: Dict[str, str]
) -> Iterator[str]:
    """What is taken must be there, and be another journey's."""
    known = {f"{j.id}/{step.id}" for j in journeys.values() for step in j.steps}
    for journey, taken in takes.items():
        for name in taken:
            if name.startswith(f"{journey}/"):
                yield _("{source}: a journey cannot take over its own step {name}").format(
                    source=sources[journey], name=name
                )
            elif name not in known:
                yield _("{source}: there is no step {name} to take over{hint}").format(
                    source=sources[journey], name=name, hint=hint(name, known)
                )
