"""Contacts from a CSV file become records of our own table in the store: checked, looked up, kept.

The file is the truth: a line that is gone takes its contact away. Works where the table does not
exist in the tool. Refuses a file with any fault whole, and says every fault with its line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector import log
from connector.errors import ConfigError
from connector.journey.contacts import Line, contact_touchpoints, decode, keys_of, read_contacts
from connector.journey.fields import CONTACT_TABLE
from connector.journey.model import FieldInfo, Schema
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.near import hint
from connector.messages import _
from connector.store import contacts, records
from connector.store.database import Store
from connector.timestamps import format_instance
from connector.wording import os_reason

_log = log.get("contacts")

TABLE = CONTACT_TABLE.name
COLUMNS = (
    "u_date",
    "u_customer",
    "u_company",
    "u_service",
    "u_touchpoint",
    "u_promise_due",
    "u_promise_kept",
)
"""What is kept of a contact; its texts are not."""
_TYPES = {
    "date": "glide_date",
    "datetime": "glide_date_time",
    "reference": "reference",
    "integer": "integer",
}
_NAMED = {
    "department": ("u_customer", "cmn_department"),
    "company": ("u_company", "core_company"),
    "service": ("u_service", "cmdb_ci_service"),
}
"""Column of the file → column of the record, and the table whose names it gives."""


@dataclass(frozen=True)
class Taken:
    """What a file brought: contacts in all, of them new or changed, and those that went."""

    contacts: int
    changed: int
    removed: int


def schema() -> Schema:
    """What the dictionary says of our table: it is ours, so it is known without asking."""
    return {
        (TABLE, "sys_id"): FieldInfo("GUID"),
        (TABLE, "sys_created_on"): FieldInfo("glide_date_time"),
        **{
            (TABLE, field.name): FieldInfo(_TYPES.get(field.type, "string"), field.reference)
            for field in CONTACT_TABLE.fields
        },
    }


def take_file(
    store: Store, mapping: JourneyMapping, path: Path, now: datetime, run_id: str
) -> Taken:
    """Make the contacts in the store those of the file, in one transaction.

    Departments, companies and services are those that the last reading brought. Raises ConfigError
    with every fault of the file.
    """
    lines = _lines(store, mapping, path)
    rows = dict(zip(keys_of(lines), _rows(store, lines), strict=True))
    records.ensure_table(store, TABLE, [*COLUMNS, "sys_created_on"])
    before = contacts.list_lines(store, TABLE, COLUMNS)
    stamp = format_instance(now)
    system = {"sys_updated_on": stamp, "sys_mod_count": "0"}
    fresh = [
        {"sys_id": key, **system, **row, "sys_created_on": row["u_date"] + " 12:00:00"}
        for key, row in rows.items()
        if before.get(key) != row
    ]
    with store.transaction():
        contacts.replace_lines(store, TABLE, fresh, list(rows), run_id)
        records.merge(store, TABLE, now, is_by_key=True)
    taken = Taken(len(rows), len(fresh), len(set(before) - set(rows)))
    _log.info("contacts_taken", contacts=taken.contacts, changed=taken.changed)
    return taken


def _lines(store: Store, mapping: JourneyMapping, path: Path) -> Sequence[Line]:
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise ConfigError(str(path), [os_reason(error)]) from error
    except ValueError as error:
        raise ConfigError(str(path), [str(error)]) from error
    found = read_contacts(text, path.name, contact_touchpoints(mapping))
    problems = [*found.problems, *_unknown_names(store, path.name, found.lines)]
    if problems:
        raise ConfigError(str(path), problems)
    return found.lines


def _unknown_names(store: Store, source: str, lines: Sequence[Line]) -> Iterator[str]:
    known = {kind: contacts.names_of(store, table) for kind, (_c, table) in _NAMED.items()}
    for line in lines:
        for kind, names in known.items():
            written = getattr(line, kind)
            if written and (reason := _name_fault(kind, written, names)):
                yield f"{source}:{line.number}: {reason}"


def _name_fault(kind: str, written: str, names: Mapping[str, Sequence[str]]) -> str:
    label = {"department": _("department"), "company": _("company"), "service": _("service")}[kind]
    ids = names.get(written, ())
    if len(ids) == 1:
        return ""
    if ids:
        return _("{n} records of the tool are called {name!r}; the {kind} is not clear").format(
            n=len(ids), name=written, kind=label
        )
    if not names:
        return _("no {kind} was read from the tool yet; run travesia sync first").format(kind=label)
    return _("there is no {kind} {name!r}{hint}").format(
        kind=label, name=written, hint=hint(written, names)
    )


def _rows(store: Store, lines: Sequence[Line]) -> Iterator[dict[str, str]]:
    ids = {kind: contacts.names_of(store, table) for kind, (_c, table) in _NAMED.items()}
    for line in lines:
        named = {
            column: ids[kind][written][0] if (written := getattr(line, kind)) else ""
            for kind, (column, _table) in _NAMED.items()
        }
        yield {
            "u_date": line.date,
            **named,
            "u_touchpoint": line.touchpoint,
            "u_promise_due": line.promise_due,
            "u_promise_kept": line.kept,
        }
