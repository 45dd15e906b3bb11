"""The words of the domain: journeys, steps, touchpoints, rules. Pure data, no I/O.

Sources: ITIL 4's seven steps by their generic names; the eight-step relationship journey after
Zona Busit (December 2021), labels reconstructed from the text.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Literal

from connector.journey import texts
from connector.journey.engagement_model import Engagement
from connector.journey.moment_model import Moment
from connector.journey.past import NOTHING, Past

Text = texts.Text
"""The words of the domain are found in one place: here."""

Band = Literal["visible", "provider_backstage", "consumer_backstage"]
"""Where an interaction lies: inside the two-sided band of visibility, or behind a line of it."""

Channel = Literal["human_human", "human_machine", "machine_machine"]
Kind = Literal["touchpoint", "backstage_activity"]
Confidence = Literal["high", "medium", "low"]
Value = Literal["", "confirmed", "presumed"]
Outcome = Literal["", "lost", "abandoned", "cancelled", "failed", "stalled", "no_answer"]
Phase = Literal["", "offboarding"]


@dataclass(frozen=True)
class Step:
    """One step of a journey; `position` counts from 1."""

    id: str
    position: int
    name: Text
    description: Text
    group: Text | None = None
    establishes_engagement: bool = False


@dataclass(frozen=True)
class Journey:
    """A journey as its owners drew it. `steps` are in order."""

    id: str
    name: Text
    description: Text
    credit: Text
    steps: tuple[Step, ...]

    def step(self, step_id: str) -> Step:
        """The step of that id; raises KeyError."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)


@dataclass(frozen=True)
class Touchpoint:
    """A place where consumer and provider (or their machines) meet, or an activity behind it.

    `steps` holds the step in each journey: `{"travesia": "usar", "itil4": "co_create"}`.
    """

    id: str
    code: str
    kind: Kind
    channel: Channel
    band: Band
    roles: tuple[str, ...]
    is_potential_moment: bool
    steps: Dict[str, str]
    name: Text


@dataclass(frozen=True)
class Rule:
    """First match wins, in file order within a table.

    `when` is an encoded query over columns, dot-walks, facts and named sets ("" matches all).
    `touchpoint` is "" for an `ignore` rule (test noise) and for one that inherits everything.
    `inherit` names what is taken along the table's declared edge or roll-up:
    "" (nothing), "step" (the steps only) or "all" (steps and touchpoint).
    """

    id: str
    tables: tuple[str, ...]
    when: str
    touchpoint: str
    because: Text
    example: Dict[str, str]
    steps: Dict[str, str] = field(default_factory=dict)
    band: Band | Literal[""] = ""
    outcome: Outcome = ""
    phase: Phase = ""
    value: Value = ""
    confidence: Confidence = "high"
    inherit: Literal["", "step", "all"] = ""
    ignore: bool = False
    source: str = ""
    """`file:line` for messages."""


@dataclass(frozen=True)
class Edge:
    """How a record of `table` is tied to its parent: `field` holds the parent's sys_id."""

    table: str
    field: str
    parent: str


@dataclass(frozen=True)
class RollUp:
    """A record of `table` takes its place from its children: the least advanced open one,
    or, when none is open, the most advanced closed one."""

    table: str
    child: str
    field: str


@dataclass(frozen=True)
class TableSpec:
    """What the connector knows of one table of the tool before asking it.

    `columns` are read besides those that rules, facts and edges need;
    `optional` tables that the instance lacks are switched off with one line.
    `filter` is a fixed encoded query for extraction ("" = all rows).
    `only_with` names the table that must be asked for before this one is read (its own name: it is
    read only where somebody asks for it, whatever rules and facts would like).
    `is_ticket`: people call its records tickets; figures about tickets count these.
    """

    name: str
    label: Text
    columns: tuple[str, ...]
    is_task: bool = True
    optional: bool = False
    filter: str = ""
    only_with: str = ""
    is_ticket: bool = False


@dataclass(frozen=True)
class History:
    """A table that tells what happened to records: read by their keys, never by time.

    `record` is its column that holds a record's sys_id; `of` the one that names the record's table
    ("" where it does not help to ask for it).
    """

    table: str
    record: str
    of: str = ""


@dataclass(frozen=True)
class Mapping:
    """Everything under mappings/, loaded and proven. `hash` identifies it (12 hex digits)."""

    journeys: Dict[str, Journey]
    touchpoints: Dict[str, Touchpoint]
    rules: tuple[Rule, ...]
    sets: Dict[str, tuple[str, ...]]
    tables: Dict[str, TableSpec]
    edges: tuple[Edge, ...]
    roll_ups: tuple[RollUp, ...]
    hash: str
    moments: tuple[Moment, ...] = ()
    engagement: Engagement | None = None
    """None where no folder has an engagement.toml: then nothing of it is calculated."""
    history: tuple[History, ...] = ()
    past: Past = NOTHING

    def rules_of(self, table: str) -> tuple[Rule, ...]:
        """The rules of one table, in the order in which they are tried."""
        return tuple(rule for rule in self.rules if table in rule.tables)

    @property
    def last_steps(self) -> Dict[str, str]:
        """The step in which each journey ends."""
        return {journey.id: journey.steps[-1].id for journey in self.journeys.values()}

    def moments_of(self, table: str) -> tuple[Moment, ...]:
        """The moments of truth that records of one table may have."""
        return tuple(one for one in self.moments if table in one.tables)

    def moment(self, moment_id: str) -> Moment | None:
        """The moment of that id."""
        return next((one for one in self.moments if one.id == moment_id), None)


@dataclass(frozen=True)
class FieldInfo:
    """What the dictionary says of one column: the tool's type, and the referenced table."""

    type: str
    reference: str = ""


Schema = Dict[tuple[str, str], FieldInfo]
"""(table, column) → what the dictionary says; inherited columns under the asking table."""
