"""Buttons and links on a form: of sys_ui_action those that ask for nothing but a row in a table.

There is no script engine here. A button is understood where its script is the one shape that the
connector ships: a GlideRecord of one table, initialized, some fields set, inserted.
"""

import re
from collections.abc import Mapping

from connector.encoded_query import Context
from connector.sandbox import writing
from connector.sandbox.answers import ApiError
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.instance import Instance
from connector.sandbox.listing import matches, select
from connector.sandbox.reader import Reader

_NEW_RECORD = re.compile(r"new\s+GlideRecord\(\s*['\"](\w+)['\"]\s*\)")
_SET_VALUE = re.compile(r"\.setValue\(\s*['\"](\w+)['\"]\s*,\s*(.+?)\s*\)\s*;")
_OF_RECORD = re.compile(r"^current\.getValue\(['\"](\w+)['\"]\)$|^current\.(\w+)$")
_LITERAL = re.compile(r"^(['\"])([^'\"\\]*)\1$")
_CALLS = {
    "current.getUniqueValue()": "sys_id",
    "current.getTableName()": "sys_class_name",
    "gs.getUserID()": "user",
}
"""What a value may be beside a literal."""


def buttons(
    instance: Instance, reader: Reader, table: Table, record: Record
) -> list[dict[str, str]]:
    """The form buttons that this person may press on this record."""
    if not reader.person.user or "sys_ui_action" not in instance.database.catalogue:
        return []
    return [
        {"sys_id": row["sys_id"], "title": _title(reader, row), "hint": row["hint"]}
        for row in _rows(instance, table)
        if "true" in (row["form_button"], row["form_link"])
        and _may(instance, reader, table, record, row)
    ]


def _title(reader: Reader, row: Mapping[str, str]) -> str:
    return reader.translated("sys_ui_action", "name", row["name"])


def _rows(instance: Instance, table: Table) -> list[Record]:
    marks = ", ".join("?" * len(table.lineage))
    return instance.database.engine.records(
        "SELECT sys_id, name, hint, script, condition, form_button, form_link "
        "FROM sys_ui_action "
        f"WHERE active = 'true' AND \"table\" IN ({marks}, 'global') "
        'ORDER BY CAST("order" AS INTEGER), rowid',
        table.lineage,
    )


def _may(
    instance: Instance, reader: Reader, table: Table, record: Record, row: Mapping[str, str]
) -> bool:
    """Whether the action is understood, its roles include the person and its condition holds."""
    if not _NEW_RECORD.search(row["script"]):
        return False
    needed = instance.database.engine.rows(
        "SELECT r.name FROM sys_ui_action_role a JOIN sys_user_role r "
        "ON r.sys_id = a.sys_user_role WHERE a.sys_ui_action = ?",
        (row["sys_id"],),
    )
    names = {name for (name,) in needed}
    is_open = not names or reader.access.is_admin or bool(names & reader.access.roles)
    return is_open and _holds(instance, table, record, row["condition"])


def _holds(instance: Instance, table: Table, record: Record, condition: str) -> bool:
    """A condition is a script on the platform; here an encoded query, and any other holds."""
    if not condition or "(" in condition:
        return True
    context = Context(now=instance.clock.now())
    selection = select(instance.database, table, condition, context)
    return matches(instance.database, selection, record["sys_id"])


def press(
    instance: Instance, reader: Reader, table: Table, record: Record, action: str
) -> tuple[str, Record]:
    """Do what the button does; the table and the new row. Raises ApiError 403, RefusedError.

    A UI action runs on the server with the person's name and without their access controls
    (GlideRecord, not GlideRecordSecure).
    """
    known = {row["sys_id"]: row for row in _rows(instance, table)}
    row = known.get(action)
    if row is None or not _may(instance, reader, table, record, row):
        raise ApiError(403, "Operation Failed", "there is no such action for you here")
    found = _NEW_RECORD.search(row["script"])
    target = instance.database.catalogue.get(found[1]) if found else None
    if target is None:
        raise ApiError(403, "Operation Failed", "the action's table does not exist")
    values = dict(_values(instance, reader, table, record, row["script"]))
    user = reader.person.user
    return target.name, writing.create(instance, target, values, user, secured=False)


def _values(
    instance: Instance, reader: Reader, table: Table, record: Record, script: str
) -> Mapping[str, str]:
    calls = {
        "sys_id": record["sys_id"],
        "sys_class_name": record.get("sys_class_name", table.name),
        "user": instance.database.user_id(reader.person.user),
    }
    found: dict[str, str] = {}
    for name, expression in _SET_VALUE.findall(script):
        if literal := _LITERAL.match(expression):
            found[name] = literal[2]
        elif expression in _CALLS:
            found[name] = calls[_CALLS[expression]]
        elif of_record := _OF_RECORD.match(expression):
            found[name] = record.get(of_record[1] or of_record[2], "")
    return found
