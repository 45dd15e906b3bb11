"""Records as the sum of what happened to them, so that every generated record agrees with time.

A record is a list of events. Those up to the clock decide its fields, sys_updated_on,
sys_mod_count, journal entries and audit rows; those after it have not happened yet and are kept as
changes, for the instance whose clock is advanced.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connector.sandbox.first_rows import AUDITED
from connector.sandbox.seeds.base import Batch, Record, sys_id

SYSTEM = "system"

AUDIT_KEPT = timedelta(days=180)
"""How far back sys_audit reaches: older rows were archived, as many instances do."""

WATCHED = frozenset(
    {
        *("state", "active", "hold_reason", "approval", "stage", "assignment_group", "priority"),
        *("resolved_at", "closed_at", "reopen_count", "close_code"),
    }
)
"""Columns of audited tables whose changes the seed tells; an instance tells of every column."""


@dataclass(frozen=True)
class Event:
    """What somebody (`by`, a user_name) did to a record at an instant."""

    at: datetime
    by: str
    values: Record = field(default_factory=dict)
    comments: str = ""
    work_notes: str = ""


@dataclass(frozen=True)
class Change:
    """An event that comes after the clock, in the shape that a sandbox applies."""

    at: datetime
    table: str
    sys_id: str
    values: Record
    updated_by: str


@dataclass
class World:
    """The records made so far, by table, as they stand at `now`, and what will happen to them."""

    now: datetime
    rows: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    later: list[Change] = field(default_factory=list)

    def add(self, table: str, name: str, events: Sequence[Event]) -> Record | None:
        """The record `name` of `table` after the events until now; None if there are none."""
        identity = record_id(table, name)
        in_order = sorted(events, key=lambda event: event.at)
        happened = [event for event in in_order if event.at <= self.now]
        for event in in_order[len(happened) :]:
            self.later.append(_change(table, identity, event))
        if not happened:
            return None
        record: Record = {"sys_id": identity}
        for count, event in enumerate(happened):
            if count and table in AUDITED and event.at >= self.now - AUDIT_KEPT:
                self._add_audit(table, record, event, count)
            record.update(event.values)
            self._add_journal(table, identity, event)
        self.rows[table].append(record)
        record.update(_stamp(happened[0], happened[-1], len(happened) - 1))
        return record

    def batches(self) -> Iterator[Batch]:
        """Every table with its records."""
        yield from self.rows.items()

    def _add_journal(self, table: str, identity: str, event: Event) -> None:
        for element, text in (("comments", event.comments), ("work_notes", event.work_notes)):
            if text:
                at = moment(event.at)
                entry = {
                    "sys_id": sys_id("demo", "journal", identity, element, at, text),
                    "name": table,
                    "element": element,
                    "element_id": identity,
                    "value": text,
                }
                self.rows["sys_journal_field"].append(entry | _stamp(event, event, 0))

    def _add_audit(self, table: str, record: Record, event: Event, count: int) -> None:
        identity, stamp = record["sys_id"], _stamp(event, event, 0)
        for name in (name for name in event.values if name in WATCHED):
            old, new = record.get(name, ""), event.values[name]
            if old != new:
                entry = {
                    "sys_id": sys_id("demo", "audit", identity, name, str(count)),
                    "tablename": table,
                    "documentkey": identity,
                    "fieldname": name,
                    "oldvalue": old,
                    "newvalue": new,
                    "user": event.by,
                    "record_checkpoint": str(count),
                }
                self.rows["sys_audit"].append(entry | stamp)


def _stamp(first: Event, last: Event, count: int) -> Record:
    return {
        "sys_created_on": moment(first.at),
        "sys_created_by": first.by,
        "sys_updated_on": moment(last.at),
        "sys_updated_by": last.by,
        "sys_mod_count": str(count),
    }


def _change(table: str, identity: str, event: Event) -> Change:
    said = {"comments": event.comments, "work_notes": event.work_notes}
    values = {**event.values, **{name: text for name, text in said.items() if text}}
    return Change(event.at, table, identity, values, event.by)


def record_id(table: str, name: str) -> str:
    """The sys_id of a record of the demo seed."""
    return sys_id("demo", table, name)


def dice(name: str) -> random.Random:
    """Repeatable chance: the same name always gives the same throws."""
    return random.Random(f"travesia demo: {name}")  # noqa: S311 - a story, not a secret


def moment(at: datetime) -> str:
    """An instant (aware UTC) as the instance stores it; fast, for the seed says many."""
    return at.isoformat(" ", "seconds")[:19]


def duration(hours: float) -> str:
    """A glide_duration: the instant that lies so far after 1970-01-01."""
    return moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=max(hours, 0.0)))


def truth(value: bool) -> str:
    """`true` or `false`, as the instance stores a boolean."""
    return "true" if value else "false"
