"""How an explanation looks: the answer first, then its grounds, then the story.

People read names in their language; the ids behind them are in --json.
"""

from collections.abc import Mapping as Dict

from connector.cli.moments_view import show_moments
from connector.cli.output import bullet, moment, say, table
from connector.cli.story_view import (
    SHOWN,
    show_moves,
    show_override,
    show_visibility,
    source_name,
)
from connector.config import Config
from connector.explain import Explanation
from connector.journey import fields
from connector.journey.model import Mapping, Text
from connector.journey.nearly import Considered, Tested
from connector.messages import _, current_language
from connector.moment_records import on_the_record


def show_explanation(found: Explanation, mapping: Mapping, config: Config) -> None:
    """For people: in their language, times in the instance's zone."""
    zone = config.instance.time_zone
    _show_place(found, mapping, zone)
    _show_conditions(found.conditions)
    _show_standings(found, zone)
    if found.almost:
        say(_("What almost decided"), "bold")
    for considered in found.almost:
        _show_almost(considered)
    if found.almost:
        say()
    if found.moments:
        say(_("Its moments of truth"), "bold")
        show_moments(found.moments, zone)
        say()
    show_moves(found, mapping, zone)
    show_visibility(found, zone)
    _show_changes(found, mapping, config)
    for rule in found.off:
        bullet(
            "warn", _("Rule {rule} is off: {reason}").format(rule=rule.rule_id, reason=rule.reason)
        )


def _words(text: Text) -> str:
    return text.in_(current_language())


def _label(choices: Dict[str, Text], value: str) -> str:
    return _words(choices[value]) if value in choices else value


def _show_place(found: Explanation, mapping: Mapping, zone: str) -> None:
    say(f"{found.number} · {found.table}", "bold")
    say(f"  {_words(found.because)}")
    show_override(found, mapping)
    if found.inherited:
        origin = found.inherited
        say(
            _("  Its place comes from {number}: {because} ({rule})").format(
                number=origin.number, because=_words(origin.because), rule=origin.rule_id
            )
        )
    facts = [
        (_("Rule"), f"{found.rule_id} {found.rule_source}".strip()),
        (_("Touchpoint"), _words(found.touchpoint_name)),
        (_("Last visible"), _words(found.last_visible_name)),
        (_("Band"), _label(fields.BAND_CHOICES, found.band)),
        (_("Outcome"), _label(fields.OUTCOME_CHOICES, found.outcome)),
        (_("Value"), _label(fields.VALUE_CHOICES, found.value)),
        (_("Moment of truth"), _moment_of(found)),
        (_("Confidence"), _label(fields.CONFIDENCE_CHOICES, found.confidence)),
        (_("As of"), f"{moment(found.as_of, zone)} {zone}"),
    ]
    width = max(len(name) for name, value in facts)
    for name, value in facts:
        if value:
            say(f"  {name:<{width}}  {value}")


def _moment_of(found: Explanation) -> str:
    """What the record says of its moments, and which of them says so."""
    one = on_the_record(found.moments)
    if one is None:
        return _label(fields.MOMENT_CHOICES, "potential") if found.is_potential_moment else ""
    choice = "potential" if one.polarity == "open" else one.polarity
    return f"{_label(fields.MOMENT_CHOICES, choice)} ({one.moment_id} {_words(one.name)})"


def _show_conditions(conditions: tuple[Tested, ...]) -> None:
    if conditions:
        say()
        say(_("What the rule asked, and what it found"), "bold")
    for tested in conditions:
        _show_tested(tested)


def _show_tested(tested: Tested) -> None:
    found = ", ".join(f"{name} = {_shown(value)}" for name, value in tested.values)
    bullet(
        "ok" if tested.holds else "error", f"{tested.text}   ({found})" if found else tested.text
    )


def _shown(value: str | None) -> str:
    if value is None:
        return _("unknown")
    return value or _("empty")


def _show_standings(found: Explanation, zone: str) -> None:
    say()
    if found.standings:
        table(
            (_("Journey"), _("Step"), _("Since"), _("Known by")),
            [
                (
                    _words(one.journey_name),
                    _words(one.step_name),
                    moment(one.since, zone),
                    source_name(one.source),
                )
                for one in found.standings
            ],
            title=_("Where it stands"),
        )


def _show_almost(considered: Considered) -> None:
    if not considered.missing:
        text = _("{rule} matches too, but stands later: {because}")
        say(text.format(rule=considered.rule_id, because=_words(considered.because)))
        return
    text = _("{rule} almost matched: {because}")
    say(text.format(rule=considered.rule_id, because=_words(considered.because)))
    for tested in considered.missing:
        _show_tested(tested)


def _state(status: str) -> str:
    names = {
        "planned": _("planned"),
        "sent": _("sent"),
        "confirmed": _("confirmed"),
        "refused": _("refused"),
        "dropped": _("dropped"),
    }
    return names.get(status, status)


def _show_changes(found: Explanation, mapping: Mapping, config: Config) -> None:
    if not found.changes:
        return
    zone = config.instance.time_zone
    labels = {field.name: field.label for field in fields.RECORD_FIELDS}
    names = {
        **_names(mapping, config.mapping.journey),
        fields.RELATIONSHIP: found.relationships,
    }
    rows = []
    for change in found.changes[:SHOWN]:
        known = names.get(change.field, {})
        rows.append(
            (
                moment(change.changed_at, zone),
                _label(labels, change.field),
                _label(known, change.from_value) or "—",
                _label(known, change.to_value) or "—",
                _state(change.status),
            )
        )
    title = _("What was written")
    table((_("When"), _("Field"), _("From"), _("To"), _("State")), rows, title=title)


def _steps(mapping: Mapping, journey: str) -> dict[str, Text]:
    known = mapping.journeys.get(journey)
    return {step.id: step.name for step in known.steps} if known else {}


def _names(mapping: Mapping, journey: str) -> dict[str, Dict[str, Text]]:
    """Column of ours → the names of its values; a step is one of the journey shown in the tool."""
    return {
        fields.STEP: _steps(mapping, journey),
        fields.TOUCHPOINT: {id_: one.name for id_, one in mapping.touchpoints.items()},
        fields.BAND: fields.BAND_CHOICES,
        fields.MOMENT: fields.MOMENT_CHOICES,
        fields.OUTCOME: fields.OUTCOME_CHOICES,
        fields.VALUE: fields.VALUE_CHOICES,
        fields.CONFIDENCE: fields.CONFIDENCE_CHOICES,
        fields.LAST_VISIBLE: {id_: one.name for id_, one in mapping.touchpoints.items()},
    }
