"""Encoded query → SQL → records: lists, counts and dot-walks over the catalogue.

Owns what happens to an invalid part of a query, in the three ways seen on real instances: dropped
(`ignore`), no rows (`no_rows`), refused (`query_acl`). Rows that a user may not read are taken out
after the limit, as the platform does: a page may hold fewer records than asked, even none.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp

from connector.encoded_query import (
    Column,
    Context,
    EncodedQueryError,
    Query,
    field_type,
    order_by,
    parse,
    to_sql,
)
from connector.sandbox import catalogue as known
from connector.sandbox.answers import query_not_allowed
from connector.sandbox.catalogue import Catalogue, Record, Table
from connector.sandbox.database import Database
from connector.sandbox.engine import quoted
from connector.sandbox.instance import InvalidQuery
from connector.sandbox.policies import UNRESTRICTED, Restrictions

_CARET = re.compile(r"(?<!\^)\^(?!\^)")
_BASE = "t"
_HIDDEN = "_hidden"


@dataclass(frozen=True)
class Place:
    """Where a field path ends: the SQL alias, and the table and column that describe it."""

    alias: str
    table: Table
    column: known.Column

    def is_among(self, fields: Collection[str]) -> bool:
        """Whether `table.field` is in `fields`, for the table or one that it extends."""
        return any(f"{base}.{self.column.name}" in fields for base in self.table.lineage)


class Walk:
    """Resolves field paths from one table; each dot-walk becomes one LEFT JOIN.

    A field among `hidden` (`table.field`) is as unknown as one that does not exist.
    """

    def __init__(
        self, catalogue: Catalogue, table: Table, hidden: Collection[str] = frozenset()
    ) -> None:
        self._catalogue = catalogue
        self.hidden = hidden
        self.table = table
        self._joins: dict[str, tuple[str, str, Table]] = {}

    def place(self, path: str) -> Place:
        """Raises KeyError for an unknown column or a walk through what is no reference."""
        *steps, last = path.split(".")
        alias, table, walked = _BASE, self.table, ""
        for step in steps:
            target = self._catalogue[table.references[step]]
            walked = f"{walked}.{step}"
            if walked not in self._joins:
                name = f"j{len(self._joins) + 1}"
                self._joins[walked] = (name, f"{alias}.{quoted(step)}", target)
            alias, table = self._joins[walked][0], target
        place = Place(alias, table, table.columns[last])
        if self.hidden and place.is_among(self.hidden):
            raise KeyError(path)
        return place

    def resolve(self, path: str) -> Column:
        """The field as an encoded query sees it. Raises KeyError."""
        place = self.place(path)
        expression = exp.column(place.column.name, table=place.alias, quoted=True)
        return Column(expression, field_type(place.column.internal_type))

    def knows(self, path: str) -> bool:
        """Whether the path ends in a column."""
        try:
            self.place(path)
        except KeyError:
            return False
        return True

    def source(self) -> str:
        """The FROM clause with the joins needed so far."""
        parts = [f"{quoted(self.table.physical)} AS {_BASE}"]
        for name, on, target in self._joins.values():
            join = f"LEFT JOIN {quoted(target.physical)} AS {name} ON {name}.sys_id = {on}"
            parts.append(join + _only_classes(target, name, " AND "))
        return " ".join(parts)


@dataclass(frozen=True)
class Selection:
    """A filter and order ready to run: SQL texts, or nothing at all (`is_empty`)."""

    walk: Walk
    where: str
    order: str
    is_empty: bool = False
    hidden: str = ""


def select(
    database: Database,
    table: Table,
    text: str,
    context: Context,
    mode: InvalidQuery = "ignore",
    restrictions: Restrictions = UNRESTRICTED,
) -> Selection:
    """Understand an encoded query on `table`.

    Raises ApiError 403 in mode query_acl, and for a field that may not be queried.
    """
    walk = Walk(database.catalogue, table, restrictions.hidden_fields)
    while True:
        try:
            query = _parsed(text)
            selection = _compiled(walk, query, context, mode, restrictions.unqueryable)
            hidden = _hidden_rows(database, table, restrictions, context)
            return replace(selection, hidden=hidden)
        except EncodedQueryError as error:
            if mode == "query_acl":
                raise query_not_allowed() from error
            if mode == "no_rows":
                return Selection(walk, "", "", is_empty=True)
            text = _without(text, error.position)


_parsed = lru_cache(maxsize=512)(parse)


def _without(text: str, position: int) -> str:
    """The query without the part that holds `position`: an invalid condition is dropped."""
    starts = [0, *(match.end() for match in _CARET.finditer(text))]
    begin = max(start for start in starts if start <= position)
    later = [start for start in starts if start > begin]
    end = later[0] if later else len(text) + 1
    return (text[:begin] + text[end:]).rstrip("^")


def _hidden_rows(
    database: Database, table: Table, restrictions: Restrictions, context: Context
) -> str:
    """SQL that is true for the rows of `table` that may not be read, '' where all may."""
    tests = []
    for name, text in restrictions.hidden_rows.items():
        if name in table.lineage or name in table.classes:
            rule = select(database, database.catalogue[name], text, context)
            tests.append(f"{_BASE}.sys_id IN (SELECT {_BASE}.sys_id {tail(rule)})")
    return " OR ".join(tests)


def _compiled(
    walk: Walk, query: Query, context: Context, mode: InvalidQuery, unqueryable: Collection[str]
) -> Selection:
    names = {*query.fields, *(order.field for order in query.order)}
    if any(walk.place(name).is_among(unqueryable) for name in names if walk.knows(name)):
        raise query_not_allowed()
    if not all(walk.knows(name) for name in names):
        if mode == "query_acl":
            raise query_not_allowed()
        if mode == "no_rows":
            return Selection(walk, "", "", is_empty=True)
        query = replace(query, order=tuple(o for o in query.order if walk.knows(o.field)))
    condition = to_sql(query, walk.resolve, context, on_unknown="ignore")
    order = ", ".join(o.sql(dialect="sqlite") for o in order_by(query, walk.resolve))
    return Selection(walk, condition.sql(dialect="sqlite"), order)


def _only_classes(table: Table, alias: str, before: str) -> str:
    if table.is_root:
        return ""
    names = ", ".join(f"'{name}'" for name in table.classes)
    return f"{before}{alias}.sys_class_name IN ({names})"


def tail(selection: Selection) -> str:
    """FROM and WHERE of a selection, without order."""
    only = _only_classes(selection.walk.table, _BASE, " AND ")
    return f"FROM {selection.walk.source()} WHERE {selection.where}{only}"


def count(database: Database, selection: Selection) -> int:
    """How many records match."""
    if selection.is_empty:
        return 0
    return int(database.engine.rows(f"SELECT count(*) {tail(selection)}")[0][0])


def matches(database: Database, selection: Selection, sys_id: str) -> bool:
    """Whether the record is among those that match."""
    sql = f"SELECT 1 {tail(selection)} AND {_BASE}.sys_id = ?"
    return not selection.is_empty and bool(database.engine.rows(sql, (sys_id,)))


def fetch(
    database: Database, selection: Selection, fields: tuple[str, ...], limit: int, offset: int = 0
) -> list[Record]:
    """The matching records with these field paths (each known to the walk), in the order asked.

    Rows that may not be read count for the limit and are left out.
    """
    if selection.is_empty:
        return []
    places = [selection.walk.place(name) for name in fields]
    columns = ", ".join(
        f"{place.alias}.{quoted(place.column.name)} AS {quoted(name)}"
        for place, name in zip(places, fields, strict=True)
    )
    order = f" ORDER BY {selection.order}" if selection.order else ""
    hidden = selection.hidden or "0"
    sql = (
        f"SELECT {columns or _BASE + '.sys_id'}, ({hidden}) AS {_HIDDEN} "
        f"{tail(selection)}{order} LIMIT ? OFFSET ?"
    )
    if not any("." in name for name in fields):  # no join in the list: nothing can be NULL
        rows = database.engine.rows(sql, (limit, offset))
        return [dict(zip(fields, row, strict=False)) for row in rows if not row[-1]]
    records = database.engine.records(sql, (limit, offset))
    return [record for record in records if not record.pop(_HIDDEN)]
