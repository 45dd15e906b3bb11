"""`names.toml`: other names for steps and touchpoints, a line each.

    "travesia/usar" = { en = "Use it", es = "Usarlo" }
    "touchpoints/phone" = { en = "Hotline", es = "Línea directa" }

Ids stay: they are what stands in the tool.
"""

from collections.abc import Mapping as Dict
from dataclasses import replace

from connector.journey.model import Journey, Text, Touchpoint
from connector.journey.near import hint
from connector.messages import _

TOUCHPOINTS = "touchpoints"


def renamed_journey(journey: Journey, names: Dict[str, Text]) -> Journey:
    """The journey with the names that its steps are given."""
    steps = tuple(
        replace(step, name=names.get(f"{journey.id}/{step.id}", step.name))
        for step in journey.steps
    )
    return replace(journey, steps=steps)


def renamed_touchpoint(touchpoint: Touchpoint, names: Dict[str, Text]) -> Touchpoint:
    """The touchpoint with the name that it is given."""
    name = names.get(f"{TOUCHPOINTS}/{touchpoint.id}", touchpoint.name)
    return replace(touchpoint, name=name)


def check_names(
    names: Dict[str, str], journeys: Dict[str, Journey], touchpoints: Dict[str, Touchpoint]
) -> list[str]:
    """What is named must be there; `names`: key → `file:line`."""
    known = [f"{journey.id}/{step.id}" for journey in journeys.values() for step in journey.steps]
    known += [f"{TOUCHPOINTS}/{id_}" for id_ in touchpoints]
    return [
        _("{source}: there is no {name} to give another name{hint}").format(
            source=source, name=name, hint=hint(name, known)
        )
        for name, source in names.items()
        if name not in known
    ]
