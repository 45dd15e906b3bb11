"""A table as a list: filter by encoded query, sort, page; its columns as the view lays them out.

In the default view the journey columns stand near the front.
"""

import json
import re
from typing import TypedDict

from connector.encoded_query import EncodedQueryError, parse
from connector.messages import _n, speaking
from connector.sandbox.answers import Request, no_record
from connector.sandbox.catalogue import Table
from connector.sandbox.database import class_condition
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Instance
from connector.sandbox.listing import Walk, count, fetch, select
from connector.sandbox.reader import JOURNEY_PREFIX, Reader
from connector.sandbox.rights import context_of

PAGE = 25
UPLOAD = "/upload.do"
_LISTED_JOURNEY = ("step", "touchpoint", "since")
_ORDER = re.compile(r"\^?ORDERBY(DESC)?[a-z0-9_.]*")


class Head(TypedDict):
    """A column's heading with the link that sorts by it."""

    name: str
    title: str
    url: str
    arrow: str
    is_journey: bool


def content(
    instance: Instance, reader: Reader, request: Request, table: Table
) -> dict[str, object]:
    """What list.html.j2 shows. Raises ApiError 404 for a table that the person may not read."""
    if not reader.access.may_on_page("read", table):
        raise no_record()
    query = request.parameters.get("sysparm_query", "").strip()
    first = _first_row(request)
    columns = listed_columns(instance, reader, table)
    context = context_of(instance, reader.person.user)
    selection = select(instance.database, table, query or _usual_order(table), context)
    fields = tuple(dict.fromkeys(("sys_id", *columns)))
    records = fetch(instance.database, selection, fields, PAGE, first)
    total = count(instance.database, selection)
    rows = [
        {
            "url": reader.form_url(table.name, record["sys_id"]),
            "cells": reader.cells(table, record, columns),
        }
        for record in records
    ]
    return {
        "table": table.name,
        "new_url": _new_url(reader, table),
        "upload_url": reader.url(UPLOAD) if table.name == "sys_remote_update_set" else "",
        "views": reader.views(table),
        "view": reader.view.name if reader.view else "",
        "title": reader.titles.tables(table),
        "query": query,
        "notice": notice(instance, reader, table, query),
        "heads": [_head(reader, table, name, query) for name in columns],
        "rows": rows,
        "total": total,
        "counted": _counted(reader, total),
        "first": first + 1 if rows else 0,
        "last": first + len(rows),
        "previous": _page_url(reader, table, query, max(0, first - PAGE)) if first else "",
        "next": _page_url(reader, table, query, first + PAGE) if first + PAGE < total else "",
        "chips": chips(instance, reader, table, query),
    }


def _counted(reader: Reader, total: int) -> str:
    with speaking(reader.language):
        return _n("{n} record", "{n} records", total).format(n=reader.number(total))


def _first_row(request: Request) -> int:
    text = request.parameters.get("sysparm_offset", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def listed_columns(instance: Instance, reader: Reader, table: Table, parent: str = "") -> list[str]:
    """The list layout of the view that is looked at; else the table's own, with our columns.

    What the person may not read is left out.
    """
    laid_out = reader.layouts.list_columns(table, reader.view, parent) if reader.view else []
    names = laid_out or _own_columns(instance, table)
    return [name for name in names if reader.may_read(table, name)] or [table.display]


def _own_columns(instance: Instance, table: Table) -> list[str]:
    stored = instance.database.engine.meta(f"list.{table.name}")
    layout = json.loads(stored) if stored else []
    if not layout:
        own = [n for n in table.column_names if not n.startswith(("sys_", JOURNEY_PREFIX))]
        layout = list(dict.fromkeys([table.display, *own]))[:6]
    journey = [f"{JOURNEY_PREFIX}{name}" for name in _LISTED_JOURNEY]
    return [name for name in (*layout[:2], *journey, *layout[2:]) if name in table.columns]


def _new_url(reader: Reader, table: Table) -> str:
    """Where the person makes a new record, '' where they may not."""
    if not reader.access.may_on_page("create", table):
        return ""
    view = {"sysparm_view": reader.view.name} if reader.view else {}
    return reader.url(f"/{table.name}.do", sys_id="-1", **view)


def _usual_order(table: Table) -> str:
    column = "number" if "number" in table.columns else "sys_created_on"
    return f"ORDERBYDESC{column}"


def notice(instance: Instance, reader: Reader, table: Table, query: str) -> str:
    """What of the filter was not understood, '' where all was."""
    try:
        parsed = parse(query)
    except EncodedQueryError as error:
        return str(error)
    walk = Walk(instance.database.catalogue, table)
    names = [*sorted(parsed.fields), *(order.field for order in parsed.order)]
    unknown = [name for name in names if not walk.knows(name)]
    if not unknown:
        return ""
    text = reader.text("Unknown column, ignored as a real instance would: {columns}")
    return text.format(columns=", ".join(unknown))


def _head(reader: Reader, table: Table, name: str, query: str) -> Head:
    condition = _ORDER.sub("", query)
    ascending = f"ORDERBY{name}" in query
    arrow = "▲" if ascending else "▼" if f"ORDERBYDESC{name}" in query else ""
    order = f"ORDERBY{'DESC' if ascending else ''}{name}"
    wanted = f"{condition}^{order}" if condition else order
    return {
        "name": name,
        "title": reader.title(table, name),
        "url": list_url(reader, table, wanted),
        "arrow": arrow,
        "is_journey": name.startswith(JOURNEY_PREFIX),
    }


def list_url(reader: Reader, table: Table, query: str, **more: str) -> str:
    """The list with this filter, in the view that is looked at."""
    view = {"sysparm_view": reader.view.name} if reader.view else {}
    return reader.url(f"/{table.name}_list.do", sysparm_query=query, **view, **more)


def _page_url(reader: Reader, table: Table, query: str, offset: int) -> str:
    return list_url(reader, table, query, sysparm_offset=str(offset))


def chips(instance: Instance, reader: Reader, table: Table, query: str) -> list[dict[str, object]]:
    """Ready filters: all, open, those saved for everybody or the person, each journey step."""
    found = [_chip(reader, table, reader.text("All records"), "", query)]
    if "active" in table.columns:
        found.append(_chip(reader, table, reader.text("Open"), "active=true", query))
    found += [_chip(reader, table, *saved, query) for saved in _saved_filters(reader, table)]
    if (step := f"{JOURNEY_PREFIX}step") in table.columns:
        counts = _counts(instance, table, step)
        for value, label in reader.labels.choices(table, step).items():
            chip = _chip(reader, table, label, f"{step}={value}", query)
            found.append({**chip, "count": counts.get(value, 0), "is_journey": True})
    return found


def _chip(
    reader: Reader, table: Table, label: str, condition: str, query: str
) -> dict[str, object]:
    return {
        "label": label,
        "url": list_url(reader, table, condition),
        "is_current": _ORDER.sub("", query) == condition,
        "count": None,
        "is_journey": False,
    }


def _saved_filters(reader: Reader, table: Table) -> list[tuple[str, str]]:
    """Title and query of each sys_filter for everybody (no user, no group) or the person."""
    if "sys_filter" not in reader.instance.database.catalogue:
        return []
    rows = reader.instance.database.engine.rows(
        'SELECT title, filter FROM sys_filter WHERE "table" = ? '
        "AND user IN ('', ?) AND \"group\" = '' ORDER BY title",
        (table.name, reader.access.user_id),
    )
    return [(reader.translated("sys_filter", "title", title), text) for title, text in rows]


def _counts(instance: Instance, table: Table, column: str) -> dict[str, int]:
    only = class_condition(table)
    rows = instance.database.engine.rows(
        f"SELECT {quoted(column)}, count(*) FROM {quoted(table.physical)}"
        + (f" WHERE {only}" if only else "")
        + " GROUP BY 1",
        () if table.is_root else table.classes,
    )
    return {value: int(number) for value, number in rows}
