"""How relationships look: tables for people, plain data for programs."""

from collections.abc import Mapping as Dict
from collections.abc import Sequence

from connector.cli.output import bullet, say, table
from connector.cli.session import console
from connector.journey.engagement_model import Engagement
from connector.journey.engagement_words import (
    advice,
    line_name,
    points,
    relationship_name,
    ring_of,
    ring_reason,
    whole,
)
from connector.journey.model import Mapping
from connector.messages import _, _n, current_language
from connector.relationship_desk import Relationships, change_of
from connector.store.database import Row
from connector.wording import percent

WIDE = 140
"""Columns from which on the state stands beside the name."""

_SECRET = ("customer_table", "service_table", "ring_said", "ring_seen")


def show_list(found: Relationships) -> None:
    """All relationships, the worst first; then what is in none.

    Where the terminal is narrow, the state stands under the name instead of beside it.
    """
    is_wide = console().width >= WIDE
    sides = (_("Trust"), _("30 days"), _("Provider"), _("Customer"))
    title = _("Engagement: the state of each relationship")
    if is_wide:
        columns = (_("Relationship"), _("State"), *sides, _("Certainty"), _("People"))
        wide = [(*_named(row, found), *_figures(row), *_basis(row)) for row in found.rows]
        table(columns, wide, title=title, numbers=6)
    else:
        narrow = [(_in_two_lines(row, found), *_figures(row)) for row in found.rows]
        table((_("Relationship"), *sides), narrow, title=title, numbers=4)
    if found.rows:
        say(_("Provider: what it keeps; customer: what it puts in (50 is neutral)"), "dim")
    if found.rows and not is_wide:
        say(_("Beside the state: how certain it is"), "dim")
    _show_left_out(found)


def _named(row: Row, found: Relationships) -> tuple[str, str]:
    language = current_language()
    name = relationship_name(row, found.opinions, language)
    return name, found.opinions.state(row["state"]).name.in_(language)


def _in_two_lines(row: Row, found: Relationships) -> str:
    name, state = _named(row, found)
    return f"{name}\n  {state} · {_share(row['confidence'])}"


def _figures(row: Row) -> tuple[str, str, str, str]:
    sides = (whole(row["provider"]) or "—", whole(row["customer_side"]) or "—")
    return (whole(row["score"]) or "—", _change(row), *sides)


def _basis(row: Row) -> tuple[str, str]:
    return _share(row["confidence"]), str(row["people"])


def _share(share: float) -> str:
    # Not rounded up, as in the tool: confidence must not read as more than there is.
    return percent(int(100 * share) / 100)


def _change(row: Row) -> str:
    change = change_of(row)
    return "—" if change is None else points(change, current_language())


def _show_left_out(found: Relationships) -> None:
    voices = found.opinions.scored[0].needs[:1]
    unheard = sum(not any(name in row["dimensions"] for name in voices) for row in found.rows)
    if unheard:
        text = _n(
            "{n} relationship has no voice in it: nobody has said how it goes",
            "{n} relationships have no voice in them: nobody has said how it goes",
            unheard,
        )
        bullet("warn", text.format(n=unheard))
    if found.too_small:
        text = _n(
            "{n} relationship has too few people to be shown, and none above it to join",
            "{n} relationships have too few people to be shown, and none above them to join",
            found.too_small,
        )
        bullet("warn", text.format(n=found.too_small))
    if found.nobodys:
        text = _n(
            "{n} record names neither department nor company: it is in no relationship",
            "{n} records name neither department nor company: they are in no relationship",
            found.nobodys,
        )
        bullet("warn", text.format(n=found.nobodys))


def show_relationship(row: Row, found: Relationships, mapping: Mapping, journey: str) -> None:
    """One relationship: its state and what must follow, both sides, steps, ring, reasons."""
    opinions, language = found.opinions, current_language()
    state = opinions.state(row["state"])
    say()
    say(relationship_name(row, opinions, language), "bold")
    since = _("since {day}").format(day=row["since"]) if row["since"] else ""
    say("  ".join(part for part in (f"  {state.name.in_(language)}", since) if part))
    say(f"  → {state.action.in_(language)}", "dim")
    for name, value in _facts(row, opinions):
        say(f"  {name}: {value}")
    if sentence := advice(row, opinions, language):
        bullet("warn", sentence)
    say()
    _show_reasons(_("What weighs most"), row["reasons"], opinions)
    _show_reasons(_("What moved it in 30 days"), row["moves"], opinions)
    _show_steps(row, mapping, journey)
    _show_changes(row, found)


def _facts(row: Row, opinions: Engagement) -> list[tuple[str, str]]:
    dimensions = ", ".join(
        f"{one.name.in_(current_language())} {whole(row['dimensions'][one.id])}"
        for one in opinions.dimensions
        if one.id in row["dimensions"]
    )
    found = [
        (_("Trust"), f"{whole(row['score']) or '—'} ({_change(row)})"),
        (_("What the provider keeps"), whole(row["provider"]) or "—"),
        (_("What the customer puts in"), whole(row["customer_side"]) or "—"),
        (_("Dimensions"), dimensions or "—"),
        (_("Certainty of the data"), _confidence(row)),
        (_("Last visible contact"), str(row["last_contact"] or "—")),
        (_("Ring"), _ring(row, opinions)),
    ]
    if row["smaller"] > 1:
        text = _("with {n} smaller groups counted in").format(n=row["smaller"] - 1)
        found.append((_("Group"), text))
    if row["fallback_share"]:
        found.append((_("Records that name no service"), _share(row["fallback_share"])))
    return found


def _confidence(row: Row) -> str:
    return _("{share} ({n} people)").format(share=_share(row["confidence"]), n=row["people"])


def _ring(row: Row, opinions: Engagement) -> str:
    if row["ring_confirmed"]:
        return _("confirmed by a person, since {day}").format(day=row["ring_confirmed"])
    if row["ring_proposed"]:
        why = ring_reason(row["ring_evidence"], opinions, current_language())
        text = _("proposed on {day} ({why}); a person must confirm it")
        return text.format(day=row["ring_proposed"], why=why)
    return _("no ring")


def _show_reasons(title: str, reasons: Sequence[Row], opinions: Engagement) -> None:
    if not reasons:
        return
    language = current_language()
    rows = [
        (
            line_name(one["line"], opinions, language),
            one["records"] or "—",
            points(one["points"], language),
        )
        for one in reasons
    ]
    table((_("Evidence"), _("Times"), _("Points")), rows, title=title, numbers=2)


def _show_steps(row: Row, mapping: Mapping, journey: str) -> None:
    """Every step that carries engagement; those after its first without a ring say so."""
    has_ring = ring_of(row) == "confirmed"
    steps = mapping.journeys[journey].steps
    first = next((s.position for s in steps if s.establishes_engagement), 2)
    rows = [
        (
            step.name.in_(current_language()),
            _of_step(row["steps"], step.id),
            "" if has_ring or step.position == first else _("no ring"),
        )
        for step in steps
        if step.position >= first
    ]
    table((_("Step"), _("Trust"), _("Ring")), rows, title=_("By step of the journey"))


def _of_step(steps: Dict[str, float | None], step: str) -> str:
    if step in steps and steps[step] is None:
        return _("too few people")
    return whole(steps.get(step)) or "—"


def _show_changes(row: Row, found: Relationships) -> None:
    opinions, language = found.opinions, current_language()
    rows = [
        (
            change["changed_on"],
            opinions.state(change["from_state"]).name.in_(language),
            opinions.state(change["to_state"]).name.in_(language),
            whole(change["score"]) or "—",
            ", ".join(line_name(r["line"], opinions, language) for r in change["reasons"][:2]),
        )
        for change in found.changes
        if change["sys_id"] == row["sys_id"]
    ]
    if rows:
        head = (_("When"), _("From"), _("To"), _("Trust"), _("What weighed most"))
        table(head, rows, title=_("How its state changed"))


def as_data(found: Relationships) -> dict[str, object]:
    """All of it as plain data."""
    language = current_language()
    rows = [
        {
            "name": relationship_name(row, found.opinions, language),
            **{k: v for k, v in row.items() if k not in _SECRET},
            "ring": ring_of(row),
            "advice": advice(row, found.opinions, language),
            "changes": [c for c in found.changes if c["sys_id"] == row["sys_id"]],
        }
        for row in found.rows
    ]
    return {"relationships": rows, "too_small": found.too_small, "nobodys": found.nobodys}
