"""How a record's story looks: its moves with the time in each step, and what the consumer saw."""

from collections.abc import Mapping as Dict

from connector.cli.output import hanging, moment, say, table
from connector.explain import Explanation, Move
from connector.journey import fields
from connector.journey.model import Mapping, Text
from connector.messages import _, current_language

SHOWN = 10
"""So many moves are shown, the newest; --json has all."""

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def span(seconds: int, resolution: str) -> str:
    """A length of time in its two largest units; without more than is known of it."""
    if resolution != "exact":
        nights = round(seconds / 86400)
        return _("{n} d ± 1 night").format(n=nights)
    parts = []
    for size, unit in _UNITS:
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or f"{seconds} s"


def source_name(source: str) -> str:
    """How a move or a standing is known, in words."""
    names = {
        "observed": _("seen to move"),
        "timestamp": _("the record's own dates"),
        "adopted": _("what the tool held"),
        "audit": _("the audit"),
        "inferred": _("the audit, by facts as they are now"),
    }
    return names.get(source, source)


def show_moves(found: Explanation, mapping: Mapping, zone: str) -> None:
    """The newest moves, with what they left behind; a step back is named."""
    if not found.moves:
        return
    say(_("How it moved"), "bold")
    shown = found.moves[:SHOWN]
    for journey in dict.fromkeys(move.journey for move in shown):
        known = mapping.journeys.get(journey)
        say(f"  {known.name.in_(current_language()) if known else journey}")
        for move in shown:
            if move.journey == journey:
                _show_move(move, mapping, zone)
    say()


def _show_move(move: Move, mapping: Mapping, zone: str) -> None:
    """A line that says from where to where, and one that says how that is known."""
    steps = _steps(mapping, move.journey)
    path = _label(steps, move.to_step)
    if move.from_step:
        path = f"{_label(steps, move.from_step)} → {path}"
    marks = [_("step back")] if move.is_back_step else []
    marks += [_label(fields.OUTCOME_CHOICES, move.outcome)] if move.outcome else []
    told = f" ({', '.join(marks)})" if marks else ""
    hanging(f"  {moment(move.happened_at, zone)}  ", path + told)
    said = (
        []
        if move.dwell_seconds is None
        else [_("after {time}").format(time=span(move.dwell_seconds, move.resolution))]
    )
    said += [_("cause: {cause}").format(cause=_cause(move.cause))]
    said += [source_name(move.source), move.rule_id]
    hanging("    ", " · ".join(said))


def _cause(cause: str) -> str:
    names = {"customer": _("customer"), "mapping": _("mapping"), "override": _("steward")}
    return names.get(cause, cause)


def _steps(mapping: Mapping, journey: str) -> dict[str, Text]:
    known = mapping.journeys.get(journey)
    return {step.id: step.name for step in known.steps} if known else {}


def _label(choices: Dict[str, Text], value: str) -> str:
    return choices[value].in_(current_language()) if value in choices else value


def show_visibility(found: Explanation, zone: str) -> None:
    """The time on both sides of the band, and the longest time out of sight."""
    if not found.bands:
        return
    rows = [
        (_label(fields.BAND_CHOICES, one.band), span(one.seconds, one.resolution))
        for one in found.bands
    ]
    table((_("Band"), _("Time")), rows, title=_("What the consumer saw"))
    if found.unseen:
        say(
            _("  Longest time out of sight: {time}, from {began} to {ended}").format(
                time=span(found.unseen.seconds, "exact"),
                began=moment(found.unseen.began_at, zone),
                ended=moment(found.unseen.ended_at, zone),
            )
        )
        say()


def show_override(found: Explanation, mapping: Mapping) -> None:
    """What a steward set by hand, in force or over."""
    word = found.overruled
    if word is None:
        return
    touchpoint = mapping.touchpoints.get(word.touchpoint)
    name = touchpoint.name.in_(current_language()) if touchpoint else word.touchpoint
    text = (
        _("  Set by hand: {touchpoint} ({reason}); the rules said {rule}")
        if word.ended_at is None
        else _("  Set by hand until its state changed: {touchpoint} ({reason})")
    )
    say(text.format(touchpoint=name, reason=word.reason or "—", rule=word.rule_id or "—"))
