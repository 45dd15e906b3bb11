"""Update sets from XML: taken in, previewed, committed, backed out (servicenow-api.md §8.3).

Taking one in makes a sys_remote_update_set and its sys_update_xml records; the preview says what
each would do and what stands against it; a commit applies the payloads through `unload` and keeps
what was there before, so that a back-out can bring it back. A record whose natural key exists
under another sys_id is brought up to date there, as the platform does with labels and columns.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import groupby

from connector.sandbox import unload
from connector.sandbox.answers import ApiError
from connector.sandbox.catalogue import Record, stable_id
from connector.sandbox.engine import SandboxError
from connector.sandbox.instance import Instance
from connector.sandbox.unload import Change, Unload
from connector.sandbox.xml_gate import HostileXmlError

SET, UPDATE, PROBLEM = "sys_remote_update_set", "sys_update_xml", "sys_update_preview_problem"
LOADED, PREVIEWED, COMMITTED, BACKED_OUT = "loaded", "previewed", "committed", "backed_out"

_KEYS: dict[str, tuple[str, ...]] = {
    "sys_db_object": ("name",),
    "sys_dictionary": ("name", "element"),
    "sys_documentation": ("name", "element", "language"),
    "sys_choice": ("name", "element", "value", "language", "dependent_value"),
    "sys_user_role": ("name",),
    "sys_ui_view": ("name",),
}
"""What tells one record of these tables from another, whatever their sys_ids."""

_ID = re.compile(r"^[0-9a-f]{32}$")

_FIRST = ("sys_db_object", "sys_dictionary")
"""Tables and columns come before whatever speaks of them; all else in the order of the file."""


Undo = tuple[str, Record | None, str]
"""What a commit changed: table, the record before it (None: there was none), sys_id."""


@dataclass(frozen=True)
class Step:
    """One record of a set against what is there; `before` is None where there is nothing."""

    update: str
    change: Change
    before: Record | None
    problem: str = ""

    @property
    def verb(self) -> str:
        """What a commit would do: insert, update, delete, or nothing."""
        if self.change.is_delete:
            return "delete" if self.before else "nothing"
        if self.before is None:
            return "insert"
        wanted = {k: v for k, v in self.change.values.items() if k != "sys_id"}
        same = all(self.before.get(k, v) == v for k, v in wanted.items())
        return "nothing" if same else "update"


def take_in(instance: Instance, data: bytes, user: str) -> str:
    """The sys_id of the retrieved set that the file holds; taken in again, it is loaded anew.

    Raises HostileXmlError with one sentence.
    """
    found = unload.read(data)
    database = instance.database
    with database.transaction():
        _forget(instance, found)
        for name, records in ((SET, [found.header]), (UPDATE, found.updates)):
            table = database.table(name)
            for record in records:
                database.insert(table, record, user)
    return found.header["sys_id"]


def _forget(instance: Instance, found: Unload) -> None:
    """What an earlier import of the same set left; what a back-out needs stays."""
    set_id = found.header["sys_id"]
    engine = instance.database.engine
    engine.execute("DELETE FROM sys_remote_update_set WHERE sys_id = ?", (set_id,))
    for table in (UPDATE, PROBLEM):
        engine.execute(f"DELETE FROM {table} WHERE remote_update_set = ?", (set_id,))
    marks = [(update["sys_id"],) for update in found.updates]
    engine.connection.executemany("DELETE FROM sys_update_xml WHERE sys_id = ?", marks)


# ── preview ──────────────────────────────────────────────────────────────────────────────────


def steps(instance: Instance, set_id: str) -> list[Step]:
    """Every record of the set against what is there now, in the order of a commit."""
    rows = instance.database.engine.records(
        "SELECT sys_id, payload FROM sys_update_xml WHERE remote_update_set = ? ORDER BY rowid",
        (set_id,),
    )
    found = [
        (row["sys_id"], _resolved(instance, change))
        for row in rows
        for change in _changes(row["payload"])
    ]
    coming = {c.values.get("name", "") for _u, c in found if c.table == "sys_db_object"}
    made = [_step(instance, update, change, coming) for update, change in found]
    return sorted(made, key=lambda step: _rank(step.change.table))


def _changes(payload: str) -> list[Change]:
    try:
        return unload.changes(payload)
    except HostileXmlError as error:
        return [Change("", {}, problem=str(error))]


def _resolved(instance: Instance, change: Change) -> Change:
    """A table that names the one it extends, by that one's sys_id here."""
    parent = change.values.get("super_class", "")
    if change.table != "sys_db_object" or not parent or _ID.match(parent):
        return change
    rows = instance.database.engine.rows(
        "SELECT sys_id FROM sys_db_object WHERE name = ?", (parent,)
    )
    if not rows:
        return replace(change, problem=f"It extends {parent}, which does not exist")
    return replace(change, values={**change.values, "super_class": rows[0][0]})


def _rank(table: str) -> int:
    return _FIRST.index(table) if table in _FIRST else len(_FIRST)


def _step(instance: Instance, update: str, change: Change, coming: set[str]) -> Step:
    if change.problem:
        return Step(update, change, None, change.problem)
    before = _existing(instance, change.table, change.values)
    return Step(update, change, before, _problem(instance, change, before, coming))


def _existing(instance: Instance, name: str, values: Mapping[str, str]) -> Record | None:
    """The record by its sys_id, else by its natural key."""
    database = instance.database
    table = database.catalogue.get(name)
    if table is None:
        return None
    if found := database.get(table, values.get("sys_id", "")):
        return found
    key = [column for column in _KEYS.get(name, ()) if column in table.columns]
    if not key:
        return None
    where = " AND ".join(f"{column} = ?" for column in key)
    rows = database.engine.rows(
        f"SELECT sys_id FROM {table.physical} WHERE {where}",
        [values.get(column, "") for column in key],
    )
    return database.get(table, rows[0][0]) if rows else None


def _problem(instance: Instance, change: Change, before: Record | None, coming: set[str]) -> str:
    """What a person must know before they commit, '' for nothing."""
    catalogue = instance.database.catalogue
    if change.table not in catalogue:
        return f"Table {change.table} does not exist"
    about = change.values.get("name", "")
    is_about_table = change.table in ("sys_dictionary", "sys_documentation", "sys_choice")
    if is_about_table and about not in catalogue and about not in coming:
        return f"It is about table {about}, which does not exist"
    if before is None:
        return ""
    if before["sys_id"] != change.values.get("sys_id"):
        return "" if _is_companion(change) else f"It exists already as {before['sys_id']}"
    is_ours = before.get("sys_updated_by") in ("", _AUTHOR)
    return "" if is_ours else f"{before['sys_updated_by']} has changed it here"


_AUTHOR = "update.set"
"""Who stands as the author of what a commit writes."""


def _is_companion(change: Change) -> bool:
    """Labels and first columns that the platform makes of itself with a table or a column."""
    return change.table in ("sys_documentation", "sys_dictionary")


def preview(instance: Instance, set_id: str, user: str) -> None:
    """Write down the problems, and how many records would come, change and go."""
    database = instance.database
    found = steps(instance, set_id)
    with database.transaction():
        _clear_problems(instance, set_id)
        problems = database.table(PROBLEM)
        for position, step in enumerate(step for step in found if step.problem):
            row = {
                "sys_id": stable_id(PROBLEM, set_id, str(position)),
                "type": "error" if not step.before else "warning",
                "description": f"{step.change.table}: {step.problem}"[:1000],
                "remote_update": step.update,
                "remote_update_set": set_id,
            }
            database.insert(problems, row, user)
        _say(instance, set_id, {"state": PREVIEWED, **_counts(found)}, user)


def _clear_problems(instance: Instance, set_id: str) -> None:
    instance.database.engine.execute(
        "DELETE FROM sys_update_preview_problem WHERE remote_update_set = ?", (set_id,)
    )


def _counts(found: Sequence[Step]) -> Record:
    verbs = [step.verb for step in found]
    return {
        "inserted": str(verbs.count("insert")),
        "updated": str(verbs.count("update")),
        "deleted": str(verbs.count("delete")),
        "collisions": str(sum(bool(step.problem) for step in found)),
    }


def _say(instance: Instance, set_id: str, values: Record, user: str) -> None:
    database = instance.database
    database.update(database.table(SET), set_id, values, user)


# ── commit and back-out ──────────────────────────────────────────────────────────────────────


def commit(instance: Instance, set_id: str, user: str) -> None:
    """Apply every payload, all or nothing, and keep what was there. Raises ApiError 400."""
    found = steps(instance, set_id)
    if wrong := [s for s in found if s.problem and s.before is None]:
        sentence = f"{len(wrong)} records stand in the way; the first: {wrong[0].problem}"
        raise ApiError(400, "Update set not committed", sentence)
    database = instance.database
    with database.transaction():
        undo = list(_applied(instance, found))
        kept = json.loads(database.engine.meta(_undo_name(set_id)) or "[]")
        database.engine.set_meta(_undo_name(set_id), json.dumps([*kept, *undo]))
        now = instance.clock.text()
        _say(instance, set_id, {"state": COMMITTED, "commit_date": now, **_counts(found)}, user)


def _applied(instance: Instance, found: Sequence[Step]) -> Iterator[Undo]:
    """Write each step, tables before columns before all else; yields what changed."""
    ranked = groupby(found, lambda step: _rank(step.change.table))
    for rank, group in ranked:
        # A table must be there for its columns; of the rest the dictionary is read once.
        with nullcontext() if rank == 0 else instance.database.together():
            for step in group:
                yield from _apply(instance, step)


def _apply(instance: Instance, step: Step) -> Iterator[Undo]:
    database, values = instance.database, step.change.values
    table = database.table(step.change.table)
    # Again: a table of this set has brought its first columns and labels along.
    before = _existing(instance, table.name, values)
    try:
        if step.change.is_delete:
            database.delete(table, before["sys_id"] if before else "", _AUTHOR)
        elif before is None:
            database.insert(table, values, _AUTHOR)
        else:
            database.update(table, before["sys_id"], values, _AUTHOR)
    except SandboxError as error:
        raise ApiError(400, "Update set not committed", f"{table.name}: {error}") from error
    if step.verb != "nothing":
        yield table.name, before, (before or values)["sys_id"]


def back_out(instance: Instance, set_id: str, user: str) -> None:
    """Bring back what stood there before, the newest first: new records go, old values return."""
    database = instance.database
    with database.transaction():
        undo: list[Undo] = json.loads(database.engine.meta(_undo_name(set_id)) or "[]")
        undo.reverse()
        for rank, group in groupby(undo, lambda one: _rank(one[0])):
            with nullcontext() if rank == 0 else database.together():
                for one in group:
                    _undone(instance, *one, user)
        database.engine.set_meta(_undo_name(set_id), "[]")
        _say(instance, set_id, {"state": BACKED_OUT}, user)


def _undone(instance: Instance, name: str, before: Record | None, sys_id: str, user: str) -> None:
    database = instance.database
    table = database.catalogue.get(name)
    if table is None:
        return
    if before is None:
        database.delete(table, sys_id, user)
    elif database.update(table, sys_id, before, user) is None:
        database.load(name, [before])


def _undo_name(set_id: str) -> str:
    return f"undo.{set_id}"
