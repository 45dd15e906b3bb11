"""What can be said of the mapping alone: its steps, an own folder, a file of contacts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from connector.check.findings import Finding
from connector.journey.contacts import contact_touchpoints, decode, read_contacts
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Rule
from connector.journey.overlays import OverlayEntry
from connector.messages import _, _n, current_language

EFFECTS = ("replaces", "equal", "new", "near")


def check_mapping(mapping: JourneyMapping) -> list[Finding]:
    """What can be said of the mapping alone."""
    summary = _("{journeys} journeys, {touchpoints} touchpoints, {rules} rules; hash {hash}")
    words = {
        "journeys": len(mapping.journeys),
        "touchpoints": len(mapping.touchpoints),
        "rules": len(mapping.rules),
        "hash": mapping.hash,
    }
    return [
        Finding("ok", _("mapping"), summary.format(**words)),
        *_unreached_steps(mapping),
    ]


def check_overlay(entries: Sequence[OverlayEntry]) -> list[Finding]:
    """What an own folder does to the shipped one, and where it probably does something else."""
    if not entries:
        return []
    counts = {effect: sum(one.effect == effect for one in entries) for effect in EFFECTS}
    summary = _("your folder replaces {replaces} shipped entries and adds {new} of its own")
    words = {"replaces": counts["replaces"], "new": counts["new"] + counts["near"]}
    replaced = [f"{_(one.kind)} {one.id}" for one in entries if one.effect == "replaces"]
    said = summary.format(**words) + (": " + ", ".join(replaced) if replaced else "")
    return [
        Finding("ok", _("overlay"), said),
        *(_odd_entry(one) for one in entries if one.effect in ("equal", "near")),
    ]


def _odd_entry(one: OverlayEntry) -> Finding:
    kind = _(one.kind)
    if one.effect == "equal":
        text = _("the {kind} {id} is equal to the shipped one")
        remedy = _("take it out: an upgrade could then improve it")
        return Finding("warn", one.source, text.format(kind=kind, id=one.id), remedy)
    text = _("the {kind} {id} is new, and looks like the shipped {near}")
    remedy = _("if you meant that one, use its id")
    return Finding("warn", one.source, text.format(kind=kind, id=one.id, near=one.near), remedy)


def check_contacts(path: Path, mapping: JourneyMapping) -> list[Finding]:
    """Whether the file of contacts can be read; its names are looked up by the next sync."""
    try:
        text = decode(path.read_bytes())
    except (OSError, ValueError) as error:
        return [Finding("error", path.name, str(error))]
    found = read_contacts(text, path.name, contact_touchpoints(mapping))
    n = len(found.lines)
    said = _n("{n} contact can be read", "{n} contacts can be read", n).format(n=n)
    faults = [Finding("error", _("contacts"), problem) for problem in found.problems]
    return faults or [Finding("ok", path.name, said)]


def _unreached_steps(mapping: JourneyMapping) -> Iterator[Finding]:
    for journey in mapping.journeys.values():
        reached = {_step_of(mapping, rule, journey.id) for rule in mapping.rules}
        missing = [
            step.name.in_(current_language()) for step in journey.steps if step.id not in reached
        ]
        if missing:
            text = _("No rule leads to {steps}; these steps will stay empty in reports")
            yield Finding(
                "warn",
                _("journey {id}").format(id=journey.id),
                text.format(steps=", ".join(missing)),
                _("add a rule, or read the journey without them"),
            )


def _step_of(mapping: JourneyMapping, rule: Rule, journey: str) -> str:
    touchpoint = mapping.touchpoints.get(rule.touchpoint)
    return rule.steps.get(journey) or (touchpoint.steps.get(journey, "") if touchpoint else "")
