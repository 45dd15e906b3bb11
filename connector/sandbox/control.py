"""What only a sandbox has: moving its clock, replaying a history, dumping it, counting requests.

Everything under /_sandbox: no login, loopback only. A replay is applied in time order with the
clock standing at each change's own time; a change updates only the fields it names, so whatever
the connector wrote stays.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import get_args

import msgspec

from connector.sandbox import jobs, policies
from connector.sandbox.answers import Answer, ApiError, encode, result
from connector.sandbox.catalogue import CONFIGURATION_TABLES, Record, Table
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Counts, Instance, InvalidQuery, RecordedChange
from connector.sandbox.literals import DateLiterals
from connector.timestamps import parse_day, parse_instance

_CHUNK = 500
_BOOKKEEPING = frozenset({*CONFIGURATION_TABLES, "sys_audit", "sys_audit_delete"})
"""Tables that a dump leaves out unless asked: the instance's own notes about itself."""


@dataclass
class Replayed:
    """What an advance did."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


def health(instance: Instance) -> Answer:
    """GET /_sandbox/health."""
    clock = instance.clock
    return result(
        {
            "status": "ok",
            "seed": instance.seed,
            "clock": clock.text(),
            "frozen": clock.frozen,
            **{name: getattr(instance, name) for name in MODES},
            "policies": policies.described(instance.policies),
        }
    )


def set_clock(instance: Instance, body: bytes) -> Answer:
    """POST /_sandbox/clock {"frozen": bool, "until": instant}: either or both."""
    asked = _fields(body, {"frozen", "until"})
    if "until" in asked:
        instance.clock.advance(_instant(asked["until"]))
    if "frozen" in asked:
        instance.clock.freeze(asked["frozen"] is True)
    jobs.run_due(instance)
    with instance.database.transaction():  # a commit keeps the clock's place
        pass
    return health(instance)


MODES: dict[str, tuple[str, ...]] = {
    "invalid_query": get_args(InvalidQuery),
    "date_literals": get_args(DateLiterals),
}
"""What can be set, and to what: each is a field of the instance."""


def set_mode(instance: Instance, body: bytes) -> Answer:
    """POST /_sandbox/mode: some of MODES, or of the switches of `policies`.

    All are good or none is set. Raises ApiError 400.
    """
    asked = _fields(body, {*MODES, *policies.SWITCHES})
    if not asked:
        raise ApiError(400, "Invalid mode", f"one or more of {', '.join(MODES)}")
    modes = {name: value for name, value in asked.items() if name in MODES}
    for name, value in modes.items():
        if value not in MODES[name]:
            raise ApiError(400, "Invalid mode", f"{name}: one of {', '.join(MODES[name])}")
    instance.policies = policies.changed(instance.policies, asked, instance.database.catalogue)
    for name, value in modes.items():
        setattr(instance, name, value)
    return health(instance)


def _fields(body: bytes, known: set[str]) -> dict[str, object]:
    try:
        asked = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise ApiError(400, "Invalid request", "the body must be a JSON object") from None
    if unknown := asked.keys() - known:
        raise ApiError(400, "Invalid request", f"unknown field {min(unknown)}")
    return asked


def _instant(value: object) -> datetime:
    text = str(value)
    try:
        return parse_instance(text)
    except ValueError:
        pass
    try:
        return parse_day(text)
    except ValueError as error:
        raise ApiError(400, "Invalid instant", str(error)) from error


# ── advance ──────────────────────────────────────────────────────────────────────────────────


async def advance(instance: Instance, body: bytes) -> Answer:
    """POST /_sandbox/advance {"until": instant}: replay what was recorded, then stand there.

    Other calls are served between chunks, under the moving clock. Two at once: the second waits.
    """
    asked = _fields(body, {"until"})
    if "until" not in asked:
        raise ApiError(400, "Invalid request", "until is required")
    until = _instant(asked["until"])
    replayed = Replayed()
    async with instance.advancing:
        was_frozen = instance.clock.frozen
        instance.clock.freeze(True)
        try:
            changes = iter(instance.history(instance.clock.now(), until))
            while chunk := list(islice(changes, _CHUNK)):
                apply_changes(instance, chunk, replayed)
                await asyncio.sleep(0)
            instance.clock.advance(until)
        finally:
            instance.clock.freeze(was_frozen)
            with instance.database.transaction():
                pass
    jobs.run_due(instance)
    return result(
        {
            "clock": instance.clock.text(),
            "inserted": replayed.inserted,
            "updated": replayed.updated,
            "unchanged": replayed.unchanged,
        }
    )


def apply_changes(
    instance: Instance, changes: Iterable[RecordedChange], replayed: Replayed
) -> None:
    """Apply recorded changes in one transaction, each at its own time."""
    database = instance.database
    with database.transaction():
        for change in changes:
            instance.clock.advance(change.at)
            _apply(instance, change, replayed)


def _apply(instance: Instance, change: RecordedChange, replayed: Replayed) -> None:
    database = instance.database
    table = database.catalogue[change.table]
    before = database.get(table, change.sys_id)
    if before is None:
        database.insert(table, {**change.values, "sys_id": change.sys_id}, change.updated_by)
        replayed.inserted += 1
        return
    after = database.update(table, change.sys_id, change.values, change.updated_by, before)
    if after is before:
        replayed.unchanged += 1
    else:
        replayed.updated += 1


# ── dump ─────────────────────────────────────────────────────────────────────────────────────


async def dump(instance: Instance, only: str, with_bookkeeping: bool) -> AsyncIterator[bytes]:
    """JSON Lines of the records, sorted by table and sys_id, empty fields left out."""
    for table in _dumped_tables(instance, only, with_bookkeeping):
        for chunk in _chunks(instance, table):
            yield b"".join(_line(instance, table, record) for record in chunk)
            await asyncio.sleep(0)


def _dumped_tables(instance: Instance, only: str, with_bookkeeping: bool) -> list[Table]:
    catalogue = instance.database.catalogue
    if only:
        return [catalogue[only]]
    left_out = frozenset() if with_bookkeeping else _BOOKKEEPING
    return [t for name, t in sorted(catalogue.items()) if t.is_root and name not in left_out]


def _chunks(instance: Instance, table: Table) -> Iterator[list[Record]]:
    marks = ", ".join("?" * len(table.classes))
    only = "" if table.is_root else f" AND sys_class_name IN ({marks})"
    sql = (
        f"SELECT * FROM {quoted(table.physical)} WHERE sys_id > ?{only} ORDER BY sys_id LIMIT 2000"
    )
    values = () if table.is_root else table.classes
    last = ""
    while chunk := instance.database.engine.records(sql, (last, *values)):
        yield chunk
        last = chunk[-1]["sys_id"]


def _line(instance: Instance, table: Table, record: Record) -> bytes:
    owner = instance.database.catalogue.get(record["sys_class_name"], table)
    shown = {n: record[n] for n in sorted(owner.columns) if n in record and record[n] != ""}
    if "table" in shown:  # a column of that name gives way to the name of the table
        shown["table_column"] = shown["table"]
    return encode({**shown, "table": owner.name}) + b"\n"


# ── counts ───────────────────────────────────────────────────────────────────────────────────


def requests(instance: Instance) -> Answer:
    """GET /_sandbox/requests: what was asked since the start or the last reset."""
    counts = instance.counts
    return result(
        {
            "requests": dict(sorted(counts.requests.items())),
            "batched": dict(sorted(counts.batched.items())),
            "with_cookies": counts.with_cookies,
        }
    )


def reset_requests(instance: Instance) -> Answer:
    """DELETE /_sandbox/requests."""
    instance.counts = Counts()
    return requests(instance)
