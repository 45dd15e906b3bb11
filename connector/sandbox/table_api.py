"""The Table API: list, one, create, update, delete, as servicenow-api.md §1 describes it.

`PUT` acts like `PATCH`. Of several records in one body the first counts. What a caller may not set
or the table lacks is dropped without a word, as the platform does.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from connector.encoded_query import Context
from connector.sandbox import rights, writing
from connector.sandbox.answers import (
    Answer,
    ApiError,
    Request,
    invalid_table,
    method_not_allowed,
    no_record,
    result,
    unreadable_body,
)
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.display import Labels
from connector.sandbox.instance import Instance
from connector.sandbox.listing import Selection, Walk, count, fetch, select
from connector.sandbox.literals import as_utc
from connector.sandbox.refusals import RefusedError
from connector.sandbox.rendering import render, user_zone, wanted_fields

DEFAULT_LIMIT = 10_000

_decoder = msgspec.json.Decoder()


def handle(instance: Instance, request: Request, name: str, sys_id: str, version: str) -> Answer:
    """One Table API call on table `name`, on the record `sys_id` where it is not ''."""
    table = instance.database.catalogue.get(name)
    if table is None:
        raise invalid_table(name)
    rights.check_reachable(instance, table)
    if not sys_id:
        if request.method in ("GET", "HEAD"):
            return list_records(instance, request, table, version)
        if request.method == "POST":
            return create(instance, request, table)
        raise method_not_allowed(request.method)
    if request.method in ("GET", "HEAD"):
        return read_one(instance, request, table, sys_id)
    if request.method in ("PATCH", "PUT"):
        return update(instance, request, table, sys_id)
    if request.method == "DELETE":
        return delete(instance, request, table, sys_id)
    raise method_not_allowed(request.method)


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def selection_of(instance: Instance, request: Request, table: Table) -> Selection:
    """What a list request filters by, for the user who asks. Raises ApiError 403."""
    context = rights.context_of(instance, request.user)
    text = _query_text(instance, request, table)
    return select(
        instance.database,
        table,
        as_utc(text, context.time_zone, instance.date_literals),
        context,
        instance.invalid_query,
        rights.restrictions_of(instance, request.user),
    )


@dataclass(frozen=True)
class Page:
    """One page of a list and the headers that go with it."""

    walk: Walk
    records: list[Record]
    headers: dict[str, str]


def page_of(instance: Instance, request: Request, table: Table) -> Page:
    """The records that a list request asks for, unrendered."""
    limit = _number(request, "sysparm_limit", DEFAULT_LIMIT)
    offset = _number(request, "sysparm_offset", 0)
    database = instance.database
    selection = selection_of(instance, request, table)
    fields = wanted_fields(selection.walk, request)
    records = fetch(database, selection, fields, limit, offset)
    headers = _paging_headers(instance, request, selection, limit, offset, len(records))
    return Page(selection.walk, records, headers)


def list_records(instance: Instance, request: Request, table: Table, version: str) -> Answer:
    """GET on a table: one page of it, with Link and X-Total-Count; v1 says 404 for none."""
    page = page_of(instance, request, table)
    if version == "v1" and not page.records:
        raise no_record()
    shown = render(instance.database, page.walk, page.records, request)
    return result(shown, headers=page.headers)


def _number(request: Request, name: str, default: int) -> int:
    text = request.parameters.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ApiError(400, f"Invalid value for {name}", f"{name} must be a non-negative number")
    return int(text)


def _query_text(instance: Instance, request: Request, table: Table) -> str:
    """sysparm_query, or the bare `field=value` parameters, which take display values too."""
    if "sysparm_query" in request.parameters:
        return request.parameters["sysparm_query"]
    labels = Labels(instance.database)
    return "^".join(
        f"{name}={labels.stored(table, name, value)}".replace("^", "^^")
        for name, value in request.parameters.items()
        if not name.startswith("sysparm_")
    )


def _paging_headers(
    instance: Instance,
    request: Request,
    selection: Selection,
    limit: int,
    offset: int,
    returned: int,
) -> dict[str, str]:
    headers: dict[str, str] = {}
    total = None
    if not request.flag("sysparm_no_count"):
        is_whole = not offset and returned < limit and not selection.hidden
        total = returned if is_whole else count(instance.database, selection)
        headers["X-Total-Count"] = str(total)
    if not request.flag("sysparm_suppress_pagination_header"):
        headers["Link"] = ",".join(_links(request, limit, offset, returned, total))
    return headers


def _links(
    request: Request, limit: int, offset: int, returned: int, total: int | None
) -> list[str]:
    pages = [("first", 0)]
    if offset > 0:
        pages.append(("prev", max(0, offset - limit)))
    more = returned == limit if total is None else offset + limit < total
    if more:
        pages.append(("next", offset + limit))
    if total is not None and limit:
        pages.append(("last", max(0, (total - 1) // limit * limit)))
    return [_link(request, limit, start, relation) for relation, start in pages]


def _link(request: Request, limit: int, offset: int, relation: str) -> str:
    parameters = {
        **request.parameters,
        "sysparm_limit": str(limit),
        "sysparm_offset": str(offset),
    }
    return f'<{request.base}{request.path}?{urlencode(parameters)}>;rel="{relation}"'


def read_one(instance: Instance, request: Request, table: Table, sys_id: str) -> Answer:
    """GET on a record; one that the user may not read is missing."""
    record = _record(instance, request, table, sys_id)
    return result(_shown(instance, request, table, record))


def _record(instance: Instance, request: Request, table: Table, sys_id: str) -> Record:
    record = instance.database.get(table, sys_id)
    if record is None or not rights.may_read(instance, record, request.user):
        raise no_record()
    return record


def _shown(instance: Instance, request: Request, table: Table, record: Record) -> object:
    """One record with the fields and in the shape asked for; dot-walks are read for it."""
    hidden = rights.restrictions_of(instance, request.user).hidden_fields
    walk = Walk(instance.database.catalogue, table, hidden)
    fields = wanted_fields(walk, request)
    if any("." in name for name in fields):
        record = _walked(instance, table, record["sys_id"], fields)
    elif len(fields) < len(record):
        record = {name: record[name] for name in fields}
    return render(instance.database, walk, [record], request)[0]


def _walked(instance: Instance, table: Table, sys_id: str, fields: tuple[str, ...]) -> Record:
    context = Context(now=instance.clock.now())
    selection = select(instance.database, table, f"sys_id={sys_id}", context)
    return fetch(instance.database, selection, fields, 1)[0]


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def values_of(body: bytes) -> dict[str, str]:
    """The fields in a JSON body as the instance holds them: text. Raises ApiError 400."""
    try:
        decoded = _decoder.decode(body)
    except msgspec.DecodeError:
        raise unreadable_body() from None
    if isinstance(decoded, list):
        decoded = decoded[0] if decoded else {}
    if not isinstance(decoded, dict):
        raise unreadable_body()
    return {name: _text(value) for name, value in decoded.items()}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _text(value.get("value", ""))
    if isinstance(value, list):
        return ",".join(_text(item) for item in value)
    return str(value)


def create(instance: Instance, request: Request, table: Table) -> Answer:
    """POST: 201 with Location; a second POST of the same sys_id is refused."""
    with _refusals():
        record = writing.create(instance, table, _sent(instance, request, table), request.user)
    table = instance.database.catalogue[table.name]
    location = f"{request.base}/api/now/table/{table.name}/{record['sys_id']}"
    shown = {name: record.get(name, "") for name in table.column_names}
    return _written(instance, request, table, shown, 201, {"Location": location})


def update(instance: Instance, request: Request, table: Table, sys_id: str) -> Answer:
    """PATCH or PUT: the whole record comes back."""
    values = _sent(instance, request, table)
    before = _record(instance, request, table, sys_id)
    with _refusals():
        record = writing.update(instance, table, before, values, request.user)
    return _written(instance, request, table, record)


def delete(instance: Instance, request: Request, table: Table, sys_id: str) -> Answer:
    """DELETE: 204, and a row in sys_audit_delete."""
    record = _record(instance, request, table, sys_id)
    with _refusals():
        writing.delete(instance, table, record, request.user)
    return Answer(204)


def _sent(instance: Instance, request: Request, table: Table) -> Record:
    """The fields of the body as stored; with sysparm_input_display_value they are as displayed."""
    values = values_of(request.body)
    if request.flag("sysparm_input_display_value"):
        labels = Labels(instance.database, "en", user_zone(instance.database, request.user))
        return {name: labels.stored(table, name, value) for name, value in values.items()}
    return values


def _written(
    instance: Instance,
    request: Request,
    table: Table,
    record: Record,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """The record as it stands now; no body where `X-no-response-body` asks for none."""
    if request.headers.get("x-no-response-body", "").lower() == "true":
        return Answer(status, b"", headers or {})
    return result(_shown(instance, request, table, record), status, headers)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except RefusedError as error:
        raise ApiError(403, "Operation Failed", error.detail) from error
