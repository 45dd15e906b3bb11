"""The words of engagement: evidence lines, dimensions, states, the ring. Pure data, no I/O.

Engagement is a state of the relationship between a customer (a department or a company) and a
service, never of a person. How it is calculated: `journey/engagement.py`, docs/engagement.md.
"""

from dataclasses import dataclass
from typing import Literal

from connector.journey.texts import Text

Side = Literal["provider", "customer"]
Polarity = Literal["positive", "negative"]

NOT_YET, NOT_ENOUGH, DORMANT = "not_yet", "not_enough", "dormant"
"""The states that no score gives: no contact yet, too little evidence, no contact any more."""
OWN_PLACE = "*"
AGEING = "ageing"
"""Stands where lines are told for older evidence, which weighs less from day to day."""
UNSCORED = (NOT_YET, NOT_ENOUGH, DORMANT)


@dataclass(frozen=True)
class Formula:
    """The numbers of the trust ledger. Days are calendar days in UTC."""

    half_life_days: int
    window_days: int
    k: float
    """Pseudo-evidence at neutral: thin evidence is pulled to 50."""
    confidence_k: float
    """Confidence in the data = evidence / (evidence + confidence_k)."""
    minimum_evidence: float
    moment_weight: float
    sponsor_weight: float
    cap: float
    """The most that the score can be while a severe line is unanswered."""
    hysteresis_points: float
    hysteresis_days: int
    thin_days: int
    """So many days in a row evidence must be too thin before a relationship counts as unknown."""
    dormant_from: float
    """A relationship that falls silent is dormant if its score was at least this."""
    moved_points: float
    """A relationship moved if its score changed by so many points in 30 days."""


@dataclass(frozen=True)
class Dimension:
    """One part of trust; `side` says who brings it in."""

    id: str
    name: Text
    side: Side
    weight: float


@dataclass(frozen=True)
class Relationship:
    """How records of a table say whose relationship they are about. First non-empty field wins.

    With `via`, the relationship is that of the record which the first of these fields points to.
    `contact` are the columns with the instant of a contact that the customer saw ("" = none),
    of records that match `contact_when`. `touchpoint` says in which step its evidence counts:
    OWN_PLACE = where the record itself stands, "" = as the record under `via`.
    """

    table: str
    touchpoint: str = ""
    customer: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    service_table: str = ""
    """What a service must be found in to count; "" takes every value."""
    service_fallback: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    sponsor: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    contact_when: str = ""


@dataclass(frozen=True)
class Line:
    """One kind of evidence: records of `tables` that match `when`, or a decided moment of truth.

    `at` are the columns with its instant, first filled one; a moment has its own.
    """

    id: str
    name: Text
    dimension: str
    value: float
    """From -1 to +1."""
    tables: tuple[str, ...] = ()
    when: str = ""
    at: tuple[str, ...] = ()
    moment: str = ""
    polarity: Polarity | Literal[""] = ""
    weight: float = 1.0
    touchpoint: str = ""
    """Where it counts, if not in the step of its table."""
    is_severe: bool = False
    answers: bool = False
    """It answers the severe lines before it."""


@dataclass(frozen=True)
class State:
    """A state of the relationship, and what must follow from it.

    A scored state holds from `at_least` points; `needs` names dimensions of which one must have
    spoken well of the relationship.
    """

    id: str
    name: Text
    action: Text
    at_least: float | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RingEvidence:
    """What proposes the ring: records like a line's; or evidence in the step that establishes
    engagement (`in_step`); or so many visible `contacts` with a score of `score`."""

    id: str
    name: Text
    tables: tuple[str, ...] = ()
    when: str = ""
    at: tuple[str, ...] = ()
    in_step: bool = False
    contacts: int = 0
    score: float = 0.0


@dataclass(frozen=True)
class SlaLines:
    """What the backtest counts: the lines of a kept and of a missed agreed time, and the field
    that says when it began to run."""

    met: str
    breached: str
    began: str


@dataclass(frozen=True)
class Engagement:
    """engagement.toml, loaded and checked. `states` with a score come best first."""

    formula: Formula
    dimensions: tuple[Dimension, ...]
    relationships: tuple[Relationship, ...]
    lines: tuple[Line, ...]
    states: tuple[State, ...]
    ring: tuple[RingEvidence, ...]
    unnamed_service: Text
    sla: SlaLines

    @property
    def scored(self) -> tuple[State, ...]:
        """The states that a score gives, best first."""
        return tuple(state for state in self.states if state.at_least is not None)

    def state(self, state_id: str) -> State:
        """The state of that id; raises KeyError."""
        return {state.id: state for state in self.states}[state_id]

    def lines_of(self, table: str) -> tuple[Line, ...]:
        """The lines that records of a table can give."""
        return tuple(line for line in self.lines if table in line.tables)

    def ring_of(self, table: str) -> tuple[RingEvidence, ...]:
        """The ring evidence that records of a table can give."""
        return tuple(one for one in self.ring if table in one.tables)

    def relationship(self, table: str) -> Relationship | None:
        """How records of a table name their relationship, None if they do not."""
        return next((one for one in self.relationships if one.table == table), None)
