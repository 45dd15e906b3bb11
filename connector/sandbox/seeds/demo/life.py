"""What a ticket and its life are: shared by the parts that tell it."""

from dataclasses import dataclass, field
from datetime import datetime

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo.history import SYSTEM, Event
from connector.sandbox.seeds.demo.organisation import Person
from connector.sandbox.seeds.demo.story import Mood
from connector.sandbox.seeds.demo.texts import Subject

ROBOT = "event.management"
"""The technical account that opens alerts and restarts services."""


@dataclass(frozen=True)
class Plan:
    """What is known when a ticket is opened. `extra` are fields besides the usual ones.

    `stands` is the state it stays in: '' = it goes on to the end, a state's value (with the hold
    reason after the 3; after the 2, the last thing that happened), `reopened` or `duplicate`. `key`
    is a name for others to refer to.
    """

    number: str
    opened: datetime
    caller: Person | None
    subject: Subject
    channel: str
    priority: str
    mood: Mood
    extra: Record = field(default_factory=dict)
    stands: str = ""
    text: str = ""
    key: str = ""


@dataclass
class Run:
    """One stretch from opening (or reopening) to resolution: what a resolution SLA measures."""

    start: datetime
    end: datetime | None = None
    is_cancelled: bool = False
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)


@dataclass
class Life:
    """An incident's events, and what others need to follow it."""

    plan: Plan
    events: list[Event] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    responded: datetime | None = None
    agent: str = SYSTEM

    @property
    def language(self) -> str:
        """The language spoken in this ticket."""
        return self.plan.caller.language if self.plan.caller else "en"

    @property
    def requester(self) -> str:
        """The caller's user_name, or the technical account's."""
        return self.plan.caller.user_name if self.plan.caller else ROBOT
