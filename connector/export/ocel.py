"""An object-centric event log in OCEL 2.0, JSON (the OCEL 2.0 specification, "JSON Format").

Objects are the records, and the customers and services that they name; an event touches its record,
the records above it, its customer and its service. Written object by object: constant memory.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from connector.export.log import Attributes, Case, Event, Log
from connector.store import exports

BEGINNING = "1970-01-01T00:00:00+00:00"
"""The time of an attribute that was always so, as the specification has it."""
_TIMES = frozenset({"opened_at", "closed_at"})
_EVENT_ATTRIBUTES = {
    "step": "string",
    "touchpoint": "string",
    "band": "string",
    "moment": "string",
    "polarity": "string",
    "source": "string",
    "cause": "string",
    "dwell_seconds": "integer",
}
_RECORD_ATTRIBUTES = (
    *("number", "touchpoint", "step", "band", "outcome", "phase", "value", "priority", "category"),
    *sorted(_TIMES),
)
_GROUPS = ("customer", "service")
Json = dict[str, Any]


def write_ocel(log: Log, path: Path) -> int:
    """Write the log to `path`; answers the number of events. Raises OSError, StoreError."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"objectTypes":')
        _array(file, _object_types(log))
        file.write(',\n"eventTypes":')
        _array(file, _event_types(log))
        file.write(',\n"objects":')
        _array(file, _objects(log))
        file.write(',\n"events":')
        count = _array(file, _events(log))
        file.write("}\n")
    return count


def _array(file: IO[str], items: Iterable[Json]) -> int:
    count = 0
    for count, item in enumerate(items, start=1):
        file.write("[\n" if count == 1 else ",\n")
        file.write(json.dumps(item, ensure_ascii=False))
    file.write("]" if count else "[]")
    return count


def _object_types(log: Log) -> Iterator[Json]:
    attributes = [{"name": one, "type": _type(one)} for one in _RECORD_ATTRIBUTES]
    for table in sorted({table for rule in log.mapping.rules for table in rule.tables}):
        yield {"name": table, "attributes": attributes}
    for group in _GROUPS:
        yield {"name": group, "attributes": []}


def _type(name: str) -> str:
    return "time" if name in _TIMES else "string"


def _event_types(log: Log) -> Iterator[Json]:
    attributes = [{"name": one, "type": type_} for one, type_ in _EVENT_ATTRIBUTES.items()]
    for activity in sorted(log.activities()):
        yield {"name": activity, "attributes": attributes}


def _objects(log: Log) -> Iterator[Json]:
    for group in _GROUPS:
        for one in exports.groups(log.store, group):
            yield {"id": f"{group}/{one}", "type": group, "attributes": [], "relationships": []}
    for case, parents in _with_parents(log):
        yield {
            "id": case.key,
            "type": case.table,
            "attributes": _timed(case.attributes),
            "relationships": [_tie(key, "part of") for key in parents] + _groups_of(case),
        }


def _events(log: Log) -> Iterator[Json]:
    for case, parents in _with_parents(log):
        ties = [_tie(case.key, "record"), *(_tie(key, "part of") for key in parents)]
        for number, event in enumerate(case.events, start=1):
            yield _event(f"{case.key}/{number}", event, ties + _groups_of(case))


def _event(key: str, event: Event, ties: list[Json]) -> Json:
    return {
        "id": key,
        "type": event.activity,
        "time": event.happened_at.isoformat(),
        "attributes": [{"name": name, "value": value} for name, value in event.attributes.items()],
        "relationships": ties,
    }


def _timed(attributes: Attributes) -> list[Json]:
    return [{"name": name, "value": value, "time": BEGINNING} for name, value in attributes.items()]


def _groups_of(case: Case) -> list[Json]:
    named = (("customer", case.customer), ("service", case.service))
    return [_tie(f"{group}/{one}", group) for group, one in named if one]


def _tie(key: str, qualifier: str) -> Json:
    return {"objectId": key, "qualifier": qualifier}


def _with_parents(log: Log) -> Iterator[tuple[Case, list[str]]]:
    """Each case with the keys of those of its parents that are exported themselves."""
    part: list[Case] = []
    for case in log.cases():
        part.append(case)
        if len(part) == exports.PART:
            yield from _named(log, part)
            part = []
    yield from _named(log, part)


def _named(log: Log, part: list[Case]) -> Iterator[tuple[Case, list[str]]]:
    wanted = sorted({parent for case in part for parent in case.parents})
    tables = exports.tables_of(log.store, wanted) if wanted else {}
    for case in part:
        parents = dict.fromkeys(parent for parent in case.parents if parent in tables)
        yield case, [f"{tables[parent]}/{parent}" for parent in parents]
