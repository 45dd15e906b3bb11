"""What engagement says to people: names, reasons, what is missing. Pure, in either language."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from connector.journey.engagement_model import AGEING, Engagement
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import mark, translate
from connector.wording import signed_in

Row = Mapping[str, Any]


def relationship_name(row: Row, opinions: Engagement, language: str) -> str:
    """`Finanzas × ERP`."""
    service = row["service_name"] or opinions.unnamed_service.in_(language)
    return f"{row['customer_name'] or row['customer']} × {service}"


def reasons_text(reasons: Iterable[Row], opinions: Engagement, language: str) -> str:
    """`Agreed time missed ×14: −6.2 · …`: lines with the points that they add to the score."""
    return " · ".join(
        f"{line_name(one['line'], opinions, language)}{_times(one['records'])}:"
        f" {points(one['points'], language)}"
        for one in reasons
    )


def _times(records: int) -> str:
    # What older evidence has lost is of no records of its own.
    return f" ×{records}" if records else ""


def line_name(line_id: str, opinions: Engagement, language: str) -> str:
    """What people call a line; its id where the mapping no longer has it."""
    if line_id == AGEING:
        return translate(_AGEING, language)
    return {line.id: line.name.in_(language) for line in opinions.lines}.get(line_id, line_id)


def points(value: float, language: str) -> str:
    """Points with their sign, one decimal, as the language writes numbers."""
    return signed_in(value, language)


def steps_text(
    steps: Mapping[str, float | None], mapping: JourneyMapping, journey: str, language: str
) -> str:
    """`Acordar 52 · Usar 48`, in the order of the journey; without those of too few people."""
    return " · ".join(
        f"{step.name.in_(language)} {whole(steps[step.id])}"
        for step in mapping.journeys[journey].steps
        if steps.get(step.id) is not None
    )


def whole(score: float | None) -> str:
    """A score as people read it, rounded half up, the same wherever it is said. "" for none.

    Its state is that of the unrounded score: 44.6 is said as 45 below a cut at 45, as its days of
    grace may have it as well.
    """
    return "" if score is None else str(rounded(score))


def rounded(score: float) -> int:
    """To the nearest point, half up: what Python's round() would do to 44.5 surprises a reader."""
    return math.floor(score + 0.5)


def reached(value: float) -> str:
    """Evidence and confidence without their fraction, not rounded: below the evidence that a state
    asks for, a row must not read as if it had it."""
    return str(math.floor(value))


def ring_of(row: Row) -> str:
    """confirmed, proposed or none."""
    if row["ring_confirmed"]:
        return "confirmed"
    return "proposed" if row["ring_proposed"] else "none"


def ring_reason(evidence: str, opinions: Engagement, language: str) -> str:
    """What proposed the ring, in words."""
    return {one.id: one.name.in_(language) for one in opinions.ring}.get(evidence, "")


def advice(row: Row, opinions: Engagement, language: str) -> str:
    """What is missing so that the relationship can be known, or can become the best it can be.

    Names the department or company to ask, never a person. "" if nothing is missing.
    """

    def say(text: str) -> str:
        return translate(text, language)

    sentences = []
    best, second = opinions.scored[0], opinions.scored[min(1, len(opinions.scored) - 1)]
    heard = [name for name in best.needs if name in row["dimensions"]]
    if best.needs and not heard:
        sentences.append(
            say(_NO_WORD).format(
                state=second.name.in_(language), who=row["customer_name"] or row["customer"]
            )
        )
    elif best.needs and best.needs[0] not in heard:
        sentences.append(say(_NO_VOICE).format(who=row["customer_name"] or row["customer"]))
    if row["is_capped"]:
        sentences.append(say(_CAPPED).format(cap=whole(opinions.formula.cap)))
    return " ".join(sentences)


_AGEING = mark("Older evidence weighs less")
_NO_WORD = mark("No voice: it cannot get past {state}; ask a contact in {who} how it goes.")
_NO_VOICE = mark("No voice: nobody has said how it goes; ask a contact in {who}.")
_CAPPED = mark("Something serious is unanswered: trust stays at {cap} or below until it is.")
