"""What the instance says of itself: tables, columns, choices, by small calls through pysnow.

pysnow runs on our session, so the gate, the retries and the typed errors are ours. A fresh Resource
per call, because parameters leak between calls of one; pages counted here, because pysnow cuts
silently at its limit.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import requests

from connector.errors import ForbiddenError, IncompleteResponseError
from connector.itsm.base import Choice, Column, Record
from connector.itsm.servicenow.decode import decode_result, text, whole_number
from connector.itsm.servicenow.gate import JSON, Request
from connector.itsm.servicenow.keys import PLAIN_VALUES, table_path
from connector.itsm.servicenow.session import Session
from connector.messages import _

with warnings.catch_warnings():
    # pysnow warns where libmagic is missing; it would guess content types, we always give them.
    warnings.filterwarnings("ignore", message="Missing the python-magic library")
    import pysnow
    import pysnow.exceptions

LANGUAGES = ("en", "es")
_LIMIT = 5000
_EMPTY_ANSWERS = 3
"""So many empty answers about rows that are counted are believed: an ACL hides them."""

_CHOICE_KINDS = frozenset({"1", "2", "3"})
"""`sys_dictionary.choice`: 1 and 3 are dropdowns (with and without none), 2 is a suggestion."""


class PysnowSession:
    """The few methods of a requests session that pysnow uses, on our own."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: object,
    ) -> requests.Response:
        """One call of pysnow's, through the gate and the retry loop."""
        body = data.encode() if isinstance(data, str) else data
        call = Request(
            method,
            url.removeprefix(self._session.url),
            {key: str(value) for key, value in (params or {}).items() if value not in (None, "")},
            body,
            content_type=(headers or {}).get("Content-Type", JSON),
        )
        bodies: list[bytes] = []

        def keep(answer: bytes) -> None:
            decode_result(answer)
            bodies[:] = [answer]

        response = self._session.call(call, keep).response
        # requests has no public way to give back a body that was read under our size limit.
        response._content = bodies[0]
        return response


def query_table(
    session: Session, table: str, query: pysnow.QueryBuilder, fields: Sequence[str]
) -> list[Record]:
    """All rows of a small table that match. Raises InstanceError and its kinds, never pysnow's."""
    table_path(table)
    found: list[Record] = []
    empty = 0
    while True:
        page, total = _query_page(session, table, f"{query}^ORDERBYsys_id", fields, len(found))
        found += page
        # A cancelled query may send nothing (§1.6), and another after it; what an ACL hides stays
        # hidden however often it is asked for.
        empty = 0 if page else empty + 1
        if len(found) >= total or empty == _EMPTY_ANSWERS:
            return found


def _query_page(
    session: Session, table: str, query: str, fields: Sequence[str], offset: int
) -> tuple[list[Record], int]:
    try:
        answer = _resource(session, table).get(
            query=query, limit=_LIMIT, offset=offset, fields=list(fields)
        )
        rows = answer.all()
    except (pysnow.exceptions.PysnowException, requests.RequestException) as error:
        raise _no_list(table) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _no_list(table)
    page = [{key: text(value) for key, value in row.items()} for row in rows]
    return page, _total(answer.headers, offset + len(page))


def _no_list(table: str) -> IncompleteResponseError:
    sentence = _("The answer to a look into {table} was no list of records; try again later")
    path = table_path(table)
    return IncompleteResponseError(sentence.format(table=table), method="GET", path=path)


def _total(headers: Mapping[str, str], seen: int) -> int:
    said = whole_number(headers.get("X-Total-Count", ""))
    return seen if said is None else said


def _resource(session: Session, table: str) -> pysnow.Resource:
    parameters = pysnow.ParamsBuilder()
    parameters.add_custom({**PLAIN_VALUES, "sysparm_suppress_pagination_header": "true"})
    return pysnow.Resource(
        base_url=session.url,
        base_path="/api/now",
        api_path=f"/table/{table}",
        parameters=parameters,
        chunk_size=8192,
        session=PysnowSession(session),
    )


def _where(**wanted: Sequence[str]) -> pysnow.QueryBuilder:
    """Each column in its list of values."""
    query = pysnow.QueryBuilder()
    for position, (column, values) in enumerate(wanted.items()):
        if position:
            query.AND()
        query.field(column).equals(sorted(values))
    return query


def list_tables(session: Session, names: Sequence[str]) -> dict[str, str]:
    """Those of `names` that exist → the table they extend, or ""."""
    if not names:
        return {}
    for name in names:
        table_path(name)
    rows = query_table(
        session, "sys_db_object", _where(name=names), ("sys_id", "name", "super_class.name")
    )
    return {row["name"]: row.get("super_class.name", "") for row in rows if row.get("name")}


def read_lineage(session: Session, tables: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each existing table → itself and what it extends, nearest first."""
    parents: dict[str, str] = {}
    asked: set[str] = set()
    while wanted := ({*tables, *parents.values()} - asked - {""}):
        asked |= wanted
        parents |= list_tables(session, sorted(wanted))
    return {table: _line(table, parents) for table in tables if table in parents}


def _line(table: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    line: list[str] = []
    while table and table not in line:
        line.append(table)
        table = parents.get(table, "")
    return tuple(line)


def list_columns(session: Session, tables: Sequence[str]) -> list[Column]:
    """The columns of existing tables, inherited ones under the asking table; the nearest wins."""
    lineage = read_lineage(session, tables)
    if not lineage:
        return []
    by_table = _columns_of(session, {name for line in lineage.values() for name in line})
    found: dict[tuple[str, str], Column] = {}
    for table, line in lineage.items():
        rows = [row for ancestor in line for row in by_table.get(ancestor, ())]
        if not rows:
            raise _unreadable(table)
        for row in rows:
            found.setdefault((table, row["element"]), _column(table, row))
    return list(found.values())


def _columns_of(session: Session, tables: Iterable[str]) -> dict[str, list[Record]]:
    query = _where(name=list(tables)).AND().field("element").is_not_empty()
    fields = ("sys_id", "name", "element", "internal_type", "column_label", "reference", "choice")
    by_table: dict[str, list[Record]] = {}
    for row in query_table(session, "sys_dictionary", query, (*fields, "active")):
        if row.get("element") and row.get("active") != "false":
            by_table.setdefault(row.get("name", ""), []).append(row)
    return by_table


def _unreadable(table: str) -> ForbiddenError:
    sentence = _("The account sees no column of {table}; let it read sys_dictionary")
    path = table_path("sys_dictionary")
    return ForbiddenError(sentence.format(table=table), method="GET", path=path)


def _column(table: str, row: Record) -> Column:
    return Column(
        table,
        row["element"],
        row.get("internal_type", ""),
        row.get("column_label", ""),
        row.get("reference", ""),
        row.get("choice", "") in _CHOICE_KINDS,
    )


def list_choices(session: Session, tables: Sequence[str]) -> list[Choice]:
    """The active choices of tables; a table's own list for a column replaces an inherited one."""
    lineage = read_lineage(session, tables)
    if not lineage:
        return []
    names = {name for line in lineage.values() for name in line}
    query = _where(name=list(names), language=LANGUAGES, inactive=["false"])
    fields = ("sys_id", "name", "element", "value", "label", "language")
    lists: dict[tuple[str, str], list[Record]] = {}
    for row in query_table(session, "sys_choice", query, fields):
        lists.setdefault((row.get("name", ""), row.get("element", "")), []).append(row)
    return [
        Choice(table, element, row.get("value", ""), row.get("label", ""), row.get("language", ""))
        for table, line in lineage.items()
        for element, rows in _nearest_lists(line, lists).items()
        for row in rows
    ]


def _nearest_lists(
    line: Sequence[str], lists: Mapping[tuple[str, str], list[Record]]
) -> dict[str, list[Record]]:
    nearest: dict[str, list[Record]] = {}
    for ancestor in line:
        for (table, element), rows in lists.items():
            if table == ancestor:
                nearest.setdefault(element, rows)
    return nearest
