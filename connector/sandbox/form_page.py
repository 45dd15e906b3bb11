"""A record as a form: journey section, fields, related records, attachments, notes, history."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from connector.encoded_query import Context
from connector.sandbox.answers import Request, no_record
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Instance
from connector.sandbox.list_page import listed_columns
from connector.sandbox.listing import fetch, select
from connector.sandbox.reader import Cell, Reader, journey_columns

_RELATED = (
    ("sc_req_item", "request"),
    ("sc_task", "request_item"),
    ("sysapproval_approver", "sysapproval"),
    ("task_sla", "task"),
    ("asmt_assessment_instance", "task_id"),
    ("asmt_metric_result", "instance"),
)
"""Related lists of a form: the table, and its reference to the record."""

_MOST_RELATED = 20
_MOST_HISTORY = 200
_WIDE = ("description", "close_notes", "u_journey_why", "u_summary")

Field = dict[str, object]


def content(
    instance: Instance, reader: Reader, request: Request, table: Table
) -> dict[str, object]:
    """What form.html.j2 shows. Raises ApiError 404 where there is no such record."""
    table, record = _find(instance, request, table)
    journey = journey_columns(table)
    system = [name for name in table.column_names if name.startswith("sys_")]
    special = {*journey, *system, *table.journals}
    business = [name for name in table.column_names if name not in special]
    fields = [_field(reader, table, record, name) for name in business]
    return {
        "table": table.name,
        "table_title": reader.titles.table(table),
        "list_title": reader.titles.tables(table),
        "list_url": reader.url(f"/{table.name}_list.do"),
        "name": reader.labels.names(table.name, [record["sys_id"]]).get(record["sys_id"], ""),
        "subtitle": record.get("short_description", ""),
        "state": _state(reader, table, record),
        "journey": [_field(reader, table, record, name) for name in journey],
        "is_classified": any(record[name] for name in journey),
        "filled": [field for field in fields if field["is_filled"]],
        "empty": [field for field in fields if not field["is_filled"]],
        "system": [_field(reader, table, record, name) for name in system],
        "related": list(related(instance, reader, table, record["sys_id"])),
        "attachments": attachments(instance, reader, table, record["sys_id"]),
        "notes": notes(instance, reader, table, record["sys_id"]),
        "history": history(instance, reader, table, record["sys_id"]),
    }


def _find(instance: Instance, request: Request, table: Table) -> tuple[Table, Record]:
    """The record by sys_id or by the first match of a query, as the class it really is."""
    database = instance.database
    sys_id = request.parameters.get("sys_id", "")
    if query := request.parameters.get("sysparm_query", ""):
        selection = select(database, table, query, Context(now=instance.clock.now()))
        found = fetch(database, selection, ("sys_id",), 1)
        sys_id = found[0]["sys_id"] if found else ""
    record = database.get(table, sys_id)
    if record is None:
        raise no_record()
    actual = database.catalogue.get(record.get("sys_class_name", ""), table)
    return (actual, database.get(actual, sys_id) or record)


def _field(reader: Reader, table: Table, record: Record, name: str) -> Field:
    cell = reader.cell(table, table.columns[name], record[name])
    return {
        "name": name,
        "title": reader.titles.column(table, name),
        "cell": cell,
        "is_filled": bool(cell.text),
        "is_wide": name in _WIDE or len(cell.text) > 90,
    }


def _state(reader: Reader, table: Table, record: Record) -> str:
    if "state" not in table.columns:
        return ""
    return reader.cell(table, table.columns["state"], record["state"]).text


# ── beside the record ────────────────────────────────────────────────────────────────────────


def related(
    instance: Instance, reader: Reader, table: Table, sys_id: str
) -> Iterator[dict[str, object]]:
    """Lists of records that refer to this one."""
    for name, column in _RELATED:
        other = instance.database.catalogue.get(name)
        if other is None or other.references.get(column) not in table.lineage:
            continue
        columns = [c for c in listed_columns(instance, other) if c != column]
        query = f"{column}={sys_id}^ORDERBYsys_created_on"
        selection = select(instance.database, other, query, Context(now=instance.clock.now()))
        fields = tuple(dict.fromkeys(("sys_id", *columns)))
        records = fetch(instance.database, selection, fields, _MOST_RELATED)
        if records:
            yield {
                "title": reader.titles.tables(other),
                "heads": [reader.titles.column(other, c) for c in columns],
                "rows": [
                    {
                        "url": reader.form_url(name, record["sys_id"]),
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
