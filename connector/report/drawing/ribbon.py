"""Compromiso as a ribbon: the state of the relationship, tied at step 2 and seen in all after it.

It begins with the ring, at the step that establishes it. Before the ring, and where there is none,
it is only a broken outline; from the ring on each step has the colour of its own score.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connector.journey.engagement_words import rounded, whole
from connector.messages import _
from connector.report.drawing import ink
from connector.report.drawing.palette import PAPER
from connector.report.wording import NOTHING, full_day

STATES = ("committed", "connected", "transactional", "at_risk", "broken")
"""From good to bad; each has its colour in the palette."""

CUTS = ((75, "committed"), (60, "connected"), (45, "transactional"), (30, "at_risk"), (0, "broken"))
"""From so many points on, a step has the colour of this state; the shipped cuts."""

HEIGHT = 78.0


@dataclass(frozen=True)
class Ribbon:
    """The state of a relationship along the steps, in their order, from the step of the ring on.

    `scores` hold (step, 0 to 100 or None for too little evidence). A ring that is only `proposed`
    by evidence is told apart from one that a person confirmed.
    """

    scores: tuple[tuple[str, float | None], ...]
    ring_confirmed: date | None = None
    ring_proposed: date | None = None
    cuts: tuple[tuple[float, str], ...] = CUTS
    said: str = ""
    """What stands under the ring instead of its day, where the ribbon is of several."""
    is_worn: bool = False

    @property
    def is_tied(self) -> bool:
        """Whether a person has said that the relationship is established."""
        return self.is_worn or self.ring_confirmed is not None


def role_of(score: float | None, cuts: tuple[tuple[float, str], ...] = CUTS) -> str:
    """The colour of a score, as it is said: a number and its colour are never of two states."""
    if score is None:
        return "paper"
    return f"state_{next((state for cut, state in cuts if rounded(score) >= cut), cuts[-1][1])}"


def said_score(score: float | None) -> str:
    """A score in points."""
    return NOTHING if score is None else whole(score)


def ring_words(ribbon: Ribbon) -> str:
    """What is known of the ring."""
    if ribbon.said:
        return ribbon.said
    if ribbon.ring_confirmed:
        return _("ring since {day}").format(day=full_day(ribbon.ring_confirmed))
    if ribbon.ring_proposed:
        return _("no ring; proposed {day}").format(day=full_day(ribbon.ring_proposed))
    return _("no ring")


def told(ribbon: Ribbon, names: Mapping[str, str]) -> str:
    """The ribbon in words."""
    scores = ", ".join(
        f"{names.get(step, step)} {said_score(score)}" for step, score in ribbon.scores
    )
    return f"{_('Engagement')}: {scores}; {ring_words(ribbon)}"


def drawn(ribbon: Ribbon, columns: Mapping[str, float], top: float, left: float) -> str:
    """The ribbon under the columns (their middles), beginning at `top`."""
    known = [(step, score) for step, score in ribbon.scores if step in columns]
    if not known:
        return ""
    width = _column_width(columns)
    middle, thick = top + 34, 22.0
    ring_x = columns[known[0][0]]
    parts = [
        ink.words(
            0,
            middle - 2,
            ink.wrapped(_("Engagement"), left - 12, 12.5, most=2),
            size=12.5,
            bold=True,
        ),
        ink.line(left, middle, ring_x, middle, "before", stroke_width=2, stroke_dasharray="6 5"),
    ]
    for i, (step, score) in enumerate(known):
        x = ring_x if i == 0 else columns[step] - width / 2
        end = columns[step] + width / 2
        parts.append(_piece(ribbon, score, (x, middle - thick / 2, end - x, thick)))
        label_x = (x + 14 + end) / 2 if i == 0 else columns[step]
        parts.append(
            ink.words(label_x, middle - thick / 2 - 6, said_score(score), size=12, anchor="middle")
        )
    return ink.group([*parts, _ring(ribbon, ring_x, middle)], class_="ribbon")


def _column_width(columns: Mapping[str, float]) -> float:
    places = sorted(columns.values())
    return places[1] - places[0] if len(places) > 1 else 98.0


def _piece(ribbon: Ribbon, score: float | None, box: tuple[float, float, float, float]) -> str:
    x, y, width, height = box
    role = role_of(score, ribbon.cuts)
    if ribbon.is_tied and score is not None:
        return ink.rect(x, y, width, height, role, stroke=PAPER["paper"], stroke_width=1)
    # Without a ring the colour is only a thread in a broken outline: known, but not tied.
    thread = ink.rect(x, y + height / 2 - 3, width, 6, role) if score is not None else ""
    return thread + ink.frame(x, y, width, height, "before", stroke_dasharray="5 4")


def _ring(ribbon: Ribbon, x: float, middle: float) -> str:
    words = ink.words(
        x, middle + 36, ring_words(ribbon), size=12, anchor="middle", bold=ribbon.is_tied
    )
    if ribbon.is_tied:
        outer = ink.circle(x, middle, 15, "paper", stroke=PAPER["ink"], stroke_width=4.5)
        return (
            outer
            + ink.circle(
                x,
                middle,
                15,
                "none_",
                fill="none",
                stroke=PAPER["provider_backstage"],
                stroke_width=2,
            )
            + words
        )
    return (
        ink.circle(
            x, middle, 15, "paper", stroke=PAPER["before"], stroke_width=2, stroke_dasharray="4 3"
        )
        + words
    )
