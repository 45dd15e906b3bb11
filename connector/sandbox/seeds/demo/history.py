"""Records as the sum of what happened to them, so that every generated record agrees with time.

A record is a list of events; the ones after the clock have not happened yet. What is left decides
the fields, sys_updated_on, sys_mod_count and the journal entries.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connector.sandbox.seeds.base import Batch, Record, sys_id
from connector.timestamps import format_instance

SYSTEM = "system"


@dataclass(frozen=True)
class Event:
    """What somebody (`by`, a user_name) did to a record at an instant."""

    at: datetime
    by: str
    values: Record = field(default_factory=dict)
    comments: str = ""
    work_notes: str = ""


@dataclass
class World:
    """The records made so far, by table, as they stand at `now`."""

    now: datetime
    rows: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, name: str, events: Sequence[Event]) -> Record | None:
        """The record `name` of `table` after the events until now; None if there are none."""
        happened = sorted((e for e in events if e.at <= self.now), key=lambda event: event.at)
        if not happened:
            return None
        first, last = happened[0], happened[-1]
        record: Record = {"sys_id": record_id(table, name)}
        for event in happened:
            record.update(event.values)
            self._add_journal(table, record["sys_id"], event)
        record |= {
            "sys_created_on": format_instance(first.at),
            "sys_created_by": first.by,
            "sys_updated_on": format_instance(last.at),
            "sys_updated_by": last.by,
            "sys_mod_count": str(len(happened) - 1),
        }
        self.rows[table].append(record)
        return record

    def batches(self) -> Iterator[Batch]:
        """Every table with its records."""
        yield from self.rows.items()

    def _add_journal(self, table: str, identity: str, event: Event) -> None:
        for element, text in (("comments", event.comments), ("work_notes", event.work_notes)):
            if text:
                at = format_instance(event.at)
                entry = sys_id("demo", "journal", identity, element, at, text)
                self.rows["sys_journal_field"].append(
                    {
                        "sys_id": entry,
                        "name": table,
                        "element": element,
                        "element_id": identity,
                        "value": text,
                        "sys_created_on": at,
                        "sys_created_by": event.by,
                        "sys_updated_on": at,
                        "sys_updated_by": event.by,
                        "sys_mod_count": "0",
                    }
                )


def record_id(table: str, name: str) -> str:
    """The sys_id of a record of the demo seed."""
    return sys_id("demo", table, name)


def dice(name: str) -> random.Random:
    """Repeatable chance: the same name always gives the same throws."""
    return random.Random(f"travesia demo: {name}")  # noqa: S311 - a story, not a secret


def moment(at: datetime) -> str:
    """An instant as the instance stores it."""
    return format_instance(at)


def duration(hours: float) -> str:
    """A glide_duration: the instant that lies so far after 1970-01-01."""
    return format_instance(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=max(hours, 0.0)))


def truth(value: bool) -> str:
    """`true` or `false`, as the instance stores a boolean."""
    return "true" if value else "false"
