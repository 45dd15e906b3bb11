"""What a catalogue request and the life of one of its items are: shared by their parts."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo.catalogue import Item
from connector.sandbox.seeds.demo.history import Event, moment, record_id
from connector.sandbox.seeds.demo.organisation import Person
from connector.sandbox.seeds.demo.story import Mood

Decision = Literal["approved", "rejected", "lapsed", "waiting", "not asked"]
Ending = Literal["complete", "failed", "cancelled", "withdrawn", "open"]
NEVER = timedelta(days=4000)
"""Later than any clock: what a record waits for and has not got."""


@dataclass(frozen=True)
class Ask:
    """What somebody asks for. `decision`, `ending` and the hours (of working time, to the
    first task, for all tasks, from the last one to the end) force what chance would say;
    `is_controlled` puts the slow second approval (spend control) before the usual one. `extra` are
    fields besides the usual ones; `by_change` is built by a change. Withdrawn is cancelled before
    any work."""

    number: str
    opened: datetime
    person: Person
    items: tuple[Item, ...]
    mood: Mood
    is_controlled: bool = False
    decision: Decision | Literal[""] = ""
    ending: Ending | Literal[""] = ""
    build_hours: float | None = None
    queue_hours: float | None = None
    close_hours: float | None = None
    text: str = ""
    extra: Record = field(default_factory=dict)
    by_change: bool = False


@dataclass
class ItemLife:
    """One item's events, and when what happened."""

    number: str
    ask: Ask
    item: Item
    events: list[Event] = field(default_factory=list)
    decision: Decision = "not asked"
    decided: datetime | None = None
    ending: Ending = "open"
    ended: datetime | None = None

    @property
    def sys_id(self) -> str:
        """The record that all the rest points to."""
        return record_id("sc_req_item", self.number)


def ended(state: str, at: datetime) -> Record:
    """The fields of a record that ends in `state` at an instant."""
    return {"state": state, "active": "false", "closed_at": moment(at)}


def half(name: str, language: str) -> str:
    """`Portátil / Laptop` in one language."""
    spanish, _slash, english = name.partition(" / ")
    return english if english and language != "es" else spanish
