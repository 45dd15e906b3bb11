"""What must hold after a run, each fault found as one sentence.

Held against each other: the instance, the plain model of what people did, the lasting store, and a
store that never saw the instance before.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connector.journey.fields import RECORD_FIELDS
from tests.campaign.installation import Told
from tests.campaign.people import OURS, People, foreign
from tests.campaign.world import TABLES, Record, Rows, World
from tests.harness import USER

PATH_DEPENDENT = frozenset({"u_journey_since", "u_journey_last_visible"})
"""What a fresh store cannot know (docs/operations.md, "A fresh store and an old one")."""

PASSENGERS = frozenset(one.name for one in RECORD_FIELDS if not one.causes_write)
"""What explains the other fields and never causes a write alone (ADR 0005)."""

_JOURNEY = "travesia"
_SHOWN = {
    "u_journey_touchpoint": "touchpoint",
    "u_journey_band": "band",
    "u_journey_outcome": "outcome",
    "u_journey_value": "value",
}
"""Our columns that say a classification as it is; the rule and the why never cause a write."""


def of_people(people: People, rows: Rows) -> Iterator[str]:
    """Foreign columns are what people made of them; no record came or went by us."""
    for table in TABLES:
        wanted, found = people.expected[table], rows[table]
        for sys_id in sorted(wanted.keys() ^ found.keys()):
            yield f"lost or invented: {table} {sys_id}"
        for sys_id in sorted(wanted.keys() & found.keys()):
            if (seen := foreign(found[sys_id])) != wanted[sys_id]:
                names = _different(wanted[sys_id], seen)
                yield f"foreign columns touched: {table} {sys_id} {names}"


def of_quiet_sync(told: Told, rows: Rows) -> Iterator[str]:
    """It succeeded, knows every record, and the instance shows what it decided."""
    if told.code != 0:
        yield f"the quiet sync ended with {told.code}: {told.output[-1500:]}"
        return
    yield from _same_keys("the store", told, rows)
    for (table, sys_id), row in sorted(told.classified.items()):
        if table in TABLES and sys_id in rows[table]:
            yield from _shown(table, rows[table][sys_id], row)


def _same_keys(who: str, told: Told, rows: Rows) -> Iterator[str]:
    known = {key for key in told.classified if key[0] in TABLES}
    there = {(table, sys_id) for table in TABLES for sys_id in rows[table]}
    for table, sys_id in sorted(known ^ there):
        yield f"{who} and the instance disagree whether {table} {sys_id} exists"


def _shown(table: str, record: Record, row: Mapping[str, Any]) -> Iterator[str]:
    wanted = {column: str(row[name] or "") for column, name in _SHOWN.items()}
    wanted["u_journey_step"] = str((row["steps"] or {}).get(_JOURNEY) or "")
    for column, value in wanted.items():
        if record.get(column, "") != value:
            yield (
                f"wrong: {table} {record['sys_id']} {column} is {record.get(column, '')!r},"
                f" the store decided {value!r}"
            )


def of_fresh_sync(told: Told, fresh: Told, rows: Rows) -> Iterator[str]:
    """A store that never saw the instance decides the same, and would write nothing."""
    if fresh.code != 0:
        yield f"the fresh sync ended with {fresh.code}: {fresh.output[-1500:]}"
        return
    yield from _same_keys("a fresh store", fresh, rows)
    for key in sorted(told.classified.keys() | fresh.classified.keys()):
        ours, theirs = told.classified.get(key), fresh.classified.get(key)
        if ours != theirs:
            yield f"classified otherwise afresh: {key} {ours} / {theirs}"
    plan = [change for change in fresh.result["plan"] if change["field"] not in PATH_DEPENDENT]
    # An overwritten reason waits for a field that causes a write; a fresh store has one: `since`.
    caused = {(c["table"], c["sys_id"]) for c in plan if c["field"] not in PASSENGERS}
    for change in plan:
        if (change["table"], change["sys_id"]) in caused:
            yield f"a fresh store would write: {change}"


def of_audit(world: World, since: str, *, was_quiet: bool) -> Iterator[str]:
    """No write of ours was doubled: never the same value twice, never back and forth in peace."""
    query = f"sys_created_on>={since}^fieldnameSTARTSWITH{OURS}^ORDERBYsys_id"
    fields = "documentkey,fieldname,oldvalue,newvalue,user"
    last: dict[tuple[str, str], str] = {}
    written: set[tuple[str, str]] = set()
    for row in world.api("GET", "sys_audit", sysparm_query=query, sysparm_fields=fields):
        key = (row["documentkey"], row["fieldname"])
        if row["newvalue"] == row["oldvalue"] or last.get(key) == row["newvalue"]:
            yield f"doubled: {row}"
        if row["user"] == USER and was_quiet and key in written:
            yield f"written twice though nobody touched anything: {row}"
        last[key] = row["newvalue"]
        written.add(key)


def _different(one: Record, other: Record) -> list[str]:
    return sorted(
        f"{name}: {one.get(name, '')!r} became {other.get(name, '')!r}"
        for name in one.keys() | other.keys()
        if one.get(name, "") != other.get(name, "")
    )
