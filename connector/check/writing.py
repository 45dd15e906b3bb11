"""May our columns be written? As far as that can be learned without writing, and no further.

A role or ACL shows itself only in a write; a read-only option stands in the dictionary; and the
store remembers what became of earlier writes (servicenow-api.md §7.4).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector import staging
from connector.check.effects import lineages
from connector.check.findings import Finding
from connector.errors import InstanceError
from connector.itsm.base import Instance
from connector.journey.fields import OWN_PREFIX, RECORD_FIELDS, fields_on_records
from connector.journey.model import Schema
from connector.messages import _, _n

_LETS_US = "display_read_only"
"""The one read-only option that leaves the Table API alone."""


@dataclass(frozen=True)
class Past:
    """What became of earlier writes to a table, as the store remembers."""

    confirmed: int
    """Records."""
    refused: int
    """Records whose write was refused, with the reason below."""
    kept: tuple[str, ...] = ()
    """Fields that were answered 200 and kept another value."""
    reason: str = ""


def check_writing(
    instance: Instance,
    tables: Sequence[str],
    known: Schema,
    past: Mapping[str, Past],
    via: str,
    *,
    relationship: bool = True,
) -> Iterator[Finding]:
    """Our columns, their read-only options, the staging tables, and what earlier writes tell."""
    for table in tables:
        yield _own_columns(table, known, relationship=relationship)
        yield from _past(table, past.get(table))
    yield from _read_only(instance, tables)
    if via == "import_set":
        yield from _quiet(instance, tables, relationship=relationship)
    untried = [table for table in tables if table not in past]
    if untried:
        text = _("Whether the account may write {tables} is known only after a first write")
        remedy = _("a pilot tells: travesia sync --limit 20")
        yield Finding("warn", _("writing"), text.format(tables=", ".join(untried)), remedy)


def _own_columns(table: str, known: Schema, *, relationship: bool) -> Finding:
    asked = fields_on_records(relationship=relationship)
    missing = [field.name for field in asked if (table, field.name) not in known]
    if not missing:
        return Finding("ok", table, _("All journey columns are there"), aspect="write")
    text = _("{n} of the {all} journey columns are missing")
    said = text.format(n=len(missing), all=len(asked))
    return Finding("warn", table, said, _("run travesia provision --apply"), "write")


def _past(table: str, past: Past | None) -> Iterator[Finding]:
    if past is None:
        return
    n = past.confirmed
    if n:
        said = _n("{n} record was written and checked", "{n} records were written and checked", n)
        yield Finding("ok", table, said.format(n=n), aspect="write")
    if past.refused:
        text = _n(
            "{n} record refused a write: {reason}",
            "{n} records refused a write, the last for: {reason}",
            past.refused,
        )
        said = text.format(n=past.refused, reason=past.reason)
        remedy = _("travesia status names them; mend the cause, or the role of the account")
        yield Finding("warn", table, said, remedy, "write")
    if past.kept:
        text = _("{fields} were answered with 200 and not stored")
        remedy = _("look at their choice lists, write ACLs and read-only options")
        said = text.format(fields=", ".join(past.kept))
        yield Finding("warn", table, said, remedy, "write")


def _read_only(instance: Instance, tables: Sequence[str]) -> Iterator[Finding]:
    """A column may be inherited, so its row may stand under a parent table."""
    places = {place for line in lineages(instance, tables).values() for place in line}
    columns = ["name", "element", "read_only", "read_only_option"]
    try:
        rows = list(
            instance.list_records("sys_dictionary", columns, f"elementSTARTSWITH{OWN_PREFIX}")
        )
    except InstanceError as error:
        if error.retryable:
            raise
        rows = []
    ours = {field.name for field in RECORD_FIELDS}
    for row in rows:
        option = row.get("read_only_option", "")
        is_written = row.get("element") in ours and row.get("name") in places
        if is_written and row.get("read_only") == "true" and option != _LETS_US:
            text = _("{column} is read only ({option}), and the Table API may not write it then")
            said = text.format(column=row["element"], option=option or _("as the instance says"))
            remedy = _("set its read-only option to Display Read Only")
            yield Finding("warn", row.get("name", ""), said, remedy, "write")


def _quiet(instance: Instance, tables: Sequence[str], *, relationship: bool) -> Iterator[Finding]:
    standing = staging.look(instance, tables)
    found = staging.problems(standing, tables, relationship=relationship)
    for said in found:
        remedy = _("run travesia provision --apply")
        yield Finding("error", _("import sets"), said, remedy)
    if found:
        return
    if standing.maps is None:
        text = _("The transform maps may not be read: that they run no rules is not known")
        remedy = _("let the account read sys_transform_map and sys_transform_entry")
        yield Finding("warn", _("import sets"), text, remedy)
        return
    text = _("The transform maps run no business rules and find records by their sys_id")
    yield Finding("ok", _("import sets"), text)
