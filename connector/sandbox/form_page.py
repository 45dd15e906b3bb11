"""A record as a form: in the default view all of it, in another one what its layout names.

Below stand related records, attachments, notes, history. Records that the person may not read are
as good as absent.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from connector.encoded_query import Context
from connector.sandbox import form_fields
from connector.sandbox.access import Operation
from connector.sandbox.answers import Request, no_record
from connector.sandbox.bookkeeping import starting
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.engine import quoted
from connector.sandbox.form_fields import Field
from connector.sandbox.form_view import sections
from connector.sandbox.instance import Instance
from connector.sandbox.layout import RelatedList
from connector.sandbox.list_page import list_url, listed_columns
from connector.sandbox.listing import count, fetch, select
from connector.sandbox.reader import Cell, Reader, journey_columns
from connector.sandbox.set_pages import commands
from connector.sandbox.ui_actions import buttons

_RELATED = (
    RelatedList("sc_req_item", "request"),
    RelatedList("sc_task", "request_item"),
    RelatedList("sysapproval_approver", "sysapproval"),
    RelatedList("task_sla", "task"),
    RelatedList("asmt_assessment_instance", "task_id"),
    RelatedList("asmt_metric_result", "instance"),
    RelatedList("sys_user_has_role", "user"),
    RelatedList("sys_update_preview_problem", "remote_update_set"),
    RelatedList("sys_update_xml", "remote_update_set"),
)
"""Related lists of a form in the default view."""

NEW = "-1"
"""The sys_id of a record that is not there yet, as the platform writes it."""

_MOST_RELATED = 20
_MOST_HISTORY = 200


def content(
    instance: Instance, reader: Reader, request: Request, table: Table
) -> dict[str, object]:
    """What form.html.j2 shows. Raises ApiError 404 where there is no such record."""
    table, record = find(instance, reader, request, table)
    is_new = not record
    operation: Operation = "create" if is_new else "write"
    shown = record or beginning(instance, reader, request, table)
    parts = _parts(reader, table, shown, operation)
    fields = [field for part in parts for field in part["fields"]]  # type: ignore[attr-defined]  # what a template gets
    layout = sections(instance, reader, table, shown, operation)
    typed = [f for f in (layout.fields if layout else fields) if f["input"]]
    sys_id = record.get("sys_id", "")
    return {
        "table": table.name,
        "table_title": reader.titles.table(table),
        "list_title": reader.titles.tables(table),
        "list_url": reader.url(f"/{table.name}_list.do"),
        "name": reader.text("New record") if is_new else _name(reader, table, sys_id),
        "subtitle": record.get("short_description", ""),
        "state": _state(reader, table, record),
        "views": reader.views(table),
        "layout": layout,
        "parts": parts,
        "is_new": is_new,
        "is_typed": bool(typed),
        "boxes": " ".join(str(f["name"]) for f in typed if f["input"] == "checkbox"),
        "sent_to": reader.here(sys_id=sys_id or NEW, sysparm_query="", saved=""),
        "said": request.parameters.get("saved", ""),
        "refused": "",
        "run_url": _run_url(reader, table, sys_id),
        "commands": commands(reader, table, record.get("state", "")),
        "buttons": buttons(instance, reader, table, record) if sys_id else [],
        "system": [_shown(reader, table, record, n) for n in _system(table)] if sys_id else [],
        "related": list(related(instance, reader, table, sys_id)) if sys_id else [],
        "attachments": attachments(instance, reader, table, sys_id),
        "notes": notes(instance, reader, table, sys_id),
        "history": history(instance, reader, table, sys_id),
    }


def find(
    instance: Instance, reader: Reader, request: Request, table: Table
) -> tuple[Table, Record]:
    """The record by sys_id or by the first match of a query, as the class it really is.

    Of a new one there is nothing yet. Raises ApiError 404.
    """
    database = instance.database
    sys_id = request.parameters.get("sys_id", "")
    if sys_id == NEW and reader.access.may_on_page("create", table):
        return table, {}
    if query := request.parameters.get("sysparm_query", ""):
        selection = select(database, table, query, Context(now=instance.clock.now()))
        found = fetch(database, selection, ("sys_id",), 1)
        sys_id = found[0]["sys_id"] if found else ""
    record = database.get(table, sys_id)
    if record is None:
        raise no_record()
    actual = database.catalogue.get(record.get("sys_class_name", ""), table)
    record = database.get(actual, sys_id) or record
    if not reader.access.may_on_page("read", actual, "", record):
        raise no_record()
    return actual, record


def beginning(instance: Instance, reader: Reader, request: Request, table: Table) -> Record:
    """What a new record begins with: the table's defaults, and what the link to it says."""
    user = instance.database.user_id(reader.person.user) if reader.person.user else ""
    given = {k: v for k, v in request.parameters.items() if k in table.columns and k != "sys_id"}
    return {**starting(table, user, instance.clock.text()), **given}


def _parts(
    reader: Reader, table: Table, record: Record, operation: Operation
) -> list[dict[str, object]]:
    """The default view: our columns, what is filled, what is empty."""
    system = _system(table)
    journey = journey_columns(table)
    is_new = operation == "create"
    special = {*journey, *system, *(() if is_new else table.journals)}
    names = [n for n in table.column_names if n not in special and reader.may_read(table, n)]
    ours = [
        form_fields.field(reader, table, record, name, operation)
        for name in journey
        if reader.may_read(table, name)
    ]
    rest = [form_fields.field(reader, table, record, name, operation) for name in names]
    has_any = any(field["is_filled"] or field["input"] for field in ours)
    return [
        {"kind": "journey", "fields": ours if has_any else [], "is_there": bool(ours)},
        {"kind": "filled", "fields": [f for f in rest if f["is_filled"] or is_new]},
        {"kind": "empty", "fields": [f for f in rest if not (f["is_filled"] or is_new)]},
    ]


def _run_url(reader: Reader, table: Table, sys_id: str) -> str:
    """Where a report's form shows it drawn, '' for every other table."""
    if table.name != "sys_report" or not sys_id:
        return ""
    return reader.url("/sys_report_template.do", jvar_report_id=sys_id)


def _system(table: Table) -> list[str]:
    return [name for name in table.column_names if name.startswith("sys_")]


def _shown(reader: Reader, table: Table, record: Record, name: str) -> Field:
    return form_fields.shown(reader, table, name, record[name])


def _name(reader: Reader, table: Table, sys_id: str) -> str:
    return reader.labels.names(table.name, [sys_id]).get(sys_id, "")


def _state(reader: Reader, table: Table, record: Record) -> str:
    if "state" not in table.columns or not record:
        return ""
    return reader.cell(table, table.columns["state"], record["state"]).text


# ── beside the record ────────────────────────────────────────────────────────────────────────


def related(
    instance: Instance, reader: Reader, table: Table, sys_id: str
) -> Iterator[dict[str, object]]:
    """Lists of records that refer to this one, as the view names them."""
    lists: Sequence[RelatedList] = _RELATED
    if reader.view:
        lists = reader.layouts.related(table, reader.view)
    for one in lists:
        other = instance.database.catalogue.get(one.table)
        if other is None or other.references.get(one.column) not in table.lineage:
            continue
        if reader.access.may_on_page("read", other):
            found = _related(instance, reader, other, one, table.name, sys_id)
            if found["rows"] or reader.view or found["new_url"]:
                yield found


def _related(
    instance: Instance, reader: Reader, other: Table, one: RelatedList, parent: str, sys_id: str
) -> dict[str, object]:
    columns = [c for c in listed_columns(instance, reader, other, parent) if c != one.column]
    order = f"ORDERBY{one.order_by or 'sys_created_on'}"
    query = "^".join(filter(None, (f"{one.column}={sys_id}", one.filter, order)))
    selection = select(instance.database, other, query, Context(now=instance.clock.now()))
    fields = tuple(dict.fromkeys(("sys_id", *columns)))
    records = fetch(instance.database, selection, fields, _MOST_RELATED)
    total = count(instance.database, selection)
    may_add = not reader.view and reader.access.may_on_page("create", other)
    new = {"sys_id": NEW, one.column: sys_id}
    return {
        "title": reader.titles.tables(other),
        "heads": [reader.title(other, c) for c in columns],
        "total": total,
        "all_url": list_url(reader, other, query) if total > len(records) else "",
        "new_url": reader.url(f"/{one.table}.do", **new) if may_add else "",
        "rows": [
            {
                "url": reader.form_url(one.table, record["sys_id"]),
                "cells": reader.cells(other, record, columns),
            }
            for record in records
        ],
    }


def attachments(
    instance: Instance, reader: Reader, table: Table, sys_id: str
) -> list[dict[str, str]]:
    """The files of the record, with links to look at them and to save them."""
    rows = instance.database.engine.records(
        "SELECT sys_id, file_name, content_type, size_bytes, sys_created_on, sys_created_by "
        "FROM sys_attachment WHERE table_sys_id = ? AND table_name = ? ORDER BY file_name",
        (sys_id, table.name),
    )
    path = "/sys_attachment.do"
    return [
        {
            **row,
            "view": reader.url(path, sys_id=row["sys_id"], view="true"),
            "save": reader.url(path, sys_id=row["sys_id"]),
        }
        for row in rows
    ]


def notes(instance: Instance, reader: Reader, table: Table, sys_id: str) -> list[Mapping[str, str]]:
    """Comments and work notes, newest first."""
    rows = instance.database.engine.records(
        "SELECT element, value, sys_created_on, sys_created_by FROM sys_journal_field "
        "WHERE element_id = ? ORDER BY sys_created_on DESC, rowid DESC",
        (sys_id,),
    )
    return [
        {**row, "title": reader.titles.column(table, row["element"])}
        for row in rows
        if row["element"] in table.columns
    ]


def history(
    instance: Instance, reader: Reader, table: Table, sys_id: str
) -> list[dict[str, object]]:
    """What was changed, by whom and when, newest first: one entry per update."""
    rows = instance.database.engine.records(
        "SELECT fieldname, oldvalue, newvalue, user, sys_created_on, record_checkpoint "
        f"FROM {quoted('sys_audit')} WHERE documentkey = ? ORDER BY rowid DESC LIMIT ?",
        (sys_id, _MOST_HISTORY),
    )
    known = [row for row in rows if row["fieldname"] in table.columns]
    entries = groupby(
        known, lambda row: (row["sys_created_on"], row["user"], row["record_checkpoint"])
    )
    return [
        {
            "at": at,
            "user": user,
            "changes": [_change(reader, table, row) for row in reversed(list(changes))],
        }
        for (at, user, _checkpoint), changes in entries
    ]


def _change(reader: Reader, table: Table, row: Mapping[str, str]) -> dict[str, object]:
    column = table.columns[row["fieldname"]]
    before: Cell = reader.cell(table, column, row["oldvalue"])
    return {
        "name": column.name,
        "title": reader.titles.column(table, column.name),
        "before": before.text,
        "after": reader.cell(table, column, row["newvalue"]).text,
    }
