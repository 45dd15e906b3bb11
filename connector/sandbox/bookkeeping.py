"""The rows and fields that a write brings with it: stamps, defaults, audit, journal entries.

Pure: `database` decides when. Refuses (drops) what a caller may not set or the table lacks.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

from connector.messages import _
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.engine import SandboxError

_AUTOMATIC = frozenset(
    {
        "sys_id",
        "sys_created_on",
        "sys_created_by",
        "sys_updated_on",
        "sys_updated_by",
        "sys_mod_count",
    }
)
"""Columns that the instance fills; what a caller sends for them is dropped."""

TOUCHED = ("sys_mod_count", "sys_updated_on", "sys_updated_by")
"""Columns that every update moves."""

_STARTING = {"active": "true", "inactive": "false", "language": "en"}
"""What a new record starts with where it has such a column and the caller said nothing."""

_FIRST_STATE = "1"
"""New or Open: where every task class starts."""

_BOOLEANS = {"1": "true", "yes": "true", "true": "true"}
_BOOLEANS |= {"0": "false", "no": "false", "false": "false"}

AUDIT_COLUMNS = (
    "sys_id",
    "tablename",
    "documentkey",
    "fieldname",
    "oldvalue",
    "newvalue",
    "user",
    "record_checkpoint",
    "sys_created_on",
    "sys_created_by",
    "sys_updated_on",
    "sys_updated_by",
    "sys_mod_count",
    "sys_class_name",
)


def stamp(table: str, sys_id: str, user: str, now: str) -> Record:
    """The system fields of a new record; an empty sys_id gets a new one."""
    return {
        "sys_id": sys_id or uuid4().hex,
        "sys_class_name": table,
        "sys_created_on": now,
        "sys_created_by": user,
        "sys_updated_on": now,
        "sys_updated_by": user,
        "sys_mod_count": "0",
    }


def raw_row(table: Table, columns: Sequence[str], record: Mapping[str, str], now: str) -> list[str]:
    """A given record's values for `columns`; system fields it lacks are filled.

    Raises SandboxError for a column that the table does not have.
    """
    if unknown := record.keys() - table.columns.keys() - {"sys_class_name"}:
        raise SandboxError(
            _("Table {table} has no column {column}").format(table=table.name, column=min(unknown))
        )
    created = record.get("sys_created_on") or now
    author = record.get("sys_created_by") or "system"
    given = {name: value for name, value in record.items() if value}
    full = {**stamp(table.name, "", author, created), **given}
    return [full.get(column, "") for column in columns]


def settable(table: Table, values: Mapping[str, str], classes: Sequence[str]) -> Record:
    """What of `values` the table has and a caller may set, in the platform's own spelling.

    A record may change class only within its hierarchy, `classes`.
    """
    known = {k: v for k, v in values.items() if k in table.columns and k not in _AUTOMATIC}
    if known.get("sys_class_name", table.name) not in classes:
        del known["sys_class_name"]
    for name in known.keys() & table.booleans:
        known[name] = _BOOLEANS.get(known[name].strip().lower(), known[name])
    return known


def starting(table: Table, opened_by: str, now: str) -> Record:
    """Defaults of a new record: the dictionary's, then the platform's."""
    values = {c.name: c.default for c in table.columns.values() if c.default}
    values |= _STARTING
    if table.physical == "task":
        values |= {"state": _FIRST_STATE, "opened_at": now, "opened_by": opened_by}
    return {name: value for name, value in values.items() if name in table.columns}


def audit_rows(
    table: str, before: Record, after: Record, changed: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """sys_audit rows, one per changed field, in AUDIT_COLUMNS order."""
    count = after["sys_mod_count"]
    moment, user = after["sys_updated_on"], after["sys_updated_by"]
    common = (user, count, moment, user, moment, user, "0", "sys_audit")
    return [
        (_ordered_id(), table, after["sys_id"], name, before[name], value, *common)
        for name, value in changed.items()
    ]


def _ordered_id() -> str:
    """A sys_id that grows: rows written in masses stay together in the index."""
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


def journal_entries(
    table: Table, sys_id: str, values: Mapping[str, str], user: str
) -> list[Record]:
    """sys_journal_field records for what was written in journal columns."""
    return [
        {
            "name": table.name,
            "element": name,
            "element_id": sys_id,
            "value": values[name],
            "sys_created_by": user,
        }
        for name in table.journals
        if values.get(name)
    ]
