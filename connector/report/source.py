"""The store as one report sees it: what may be read, with which mapping, for which period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlglot
from sqlglot import exp

from connector.journey.model import FieldInfo
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.scope import catalogue_of
from connector.journey.sources import off_here
from connector.report.figures import Period
from connector.report.life import MEASURES, lives_of
from connector.store.database import Row, Store
from connector.store.records import list_columns, list_tables
from connector.store.runs import read_schema_rows
from connector.timestamps import format_instance

CLOCK = """
SELECT s.task, c.steps, l.opened AS started, coalesce(t.is_open, FALSE) AS is_open,
       CASE WHEN lower(s.has_breached) IN ('true', '1') OR s.stage = 'breached' THEN 'breached'
            WHEN s.stage IN ('completed', 'achieved') THEN 'met'
            ELSE 'running' END AS result,
       coalesce(l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since),
                FALSE) AS in_period
FROM current.task_sla AS s
JOIN life AS l ON l.table_name = 'task_sla' AND l.sys_id = s.sys_id
LEFT JOIN classification AS c ON c.sys_id = s.task AND NOT list_contains($measures, c.table_name)
LEFT JOIN life AS t ON t.table_name = c.table_name AND t.sys_id = c.sys_id
WHERE coalesce(s.stage, '') <> 'cancelled' AND NOT list_contains($ignored, coalesce(c.rule_id, '-'))
"""
"""Every SLA clock that counts, one reading for all figures; `is_open` is its record's."""


def ticket_tables(mapping: JourneyMapping, tables: Sequence[str]) -> tuple[str, ...]:
    """Of `tables`, those whose records people call tickets, as the mapping says.

    Incidents, request items, cases: not a request (it repeats its items), not what hangs from a
    ticket, not what the provider does behind it (changes, problems).
    """
    specs = mapping.tables
    return tuple(table for table in tables if table in specs and specs[table].is_ticket)


@dataclass(frozen=True)
class Source:
    """One report's view of the store. `columns`: every table of the tool at rest → its columns."""

    store: Store
    mapping: JourneyMapping
    period: Period
    columns: Mapping[str, Sequence[str]]
    off: frozenset[tuple[str, str]] = frozenset()
    """(table, rule id) of rules that cannot match on this instance."""

    @property
    def tickets(self) -> tuple[str, ...]:
        """The tables of tickets that this store holds."""
        return ticket_tables(self.mapping, tuple(self.columns))

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table is at rest with all these columns."""
        return table in self.columns and set(columns) <= set(self.columns[table])

    def read(self, sql: str, **params: object) -> list[Row]:
        """Rows of a SELECT; `life`, `clock` and the parameters of `_known` need not be given."""
        query = sqlglot.parse_one(sql, dialect="duckdb")
        if isinstance(query, exp.Query) and _reads(query, "clock"):
            query = _with(
                query, "clock", cast("exp.Query", sqlglot.parse_one(CLOCK, dialect="duckdb"))
            )
        if isinstance(query, exp.Query) and _reads(query, "life"):
            query = _with(query, "life", lives_of(self._placed()))
        asked = {placeholder.name for placeholder in query.find_all(exp.Placeholder)}
        known = {name: value for name, value in self._known().items() if name in asked}
        return self.store.read(query.sql("duckdb"), **{**known, **params})

    def _placed(self) -> dict[str, Sequence[str]]:
        """The tables whose records stand on a journey; people and catalogues do not."""
        ruled = {table for rule in self.mapping.rules for table in rule.tables}
        rolled = {roll_up.table for roll_up in self.mapping.roll_ups}
        return {t: columns for t, columns in self.columns.items() if t in ruled | rolled}

    def _known(self) -> dict[str, Any]:
        return {
            "since": format_instance(self.period.start),
            "until": format_instance(self.period.end),
            "measures": list(MEASURES),
            # Never empty: DuckDB cannot tell the type of an empty list.
            "ignored": ["", *(rule.id for rule in self.mapping.rules if rule.ignore)],
            "tickets": ["", *self.tickets],
        }


def open_source(store: Store, mapping: JourneyMapping, period: Period) -> Source:
    """Look at which tables and columns the store holds."""
    columns = {table: tuple(list_columns(store, table)) for table in list_tables(store)}
    return Source(store, mapping, period, columns, _off(store, mapping, columns))


def _off(
    store: Store, mapping: JourneyMapping, columns: Mapping[str, Sequence[str]]
) -> frozenset[tuple[str, str]]:
    """Rules that are off, where the dictionary is known at all."""
    schema = {
        (row["table_name"], row["element"]): FieldInfo(row["type"], row["reference"])
        for row in read_schema_rows(store)
        if not row["is_hidden"]
    }
    described = {table for table, _column in schema}
    catalogue = catalogue_of(mapping, schema, {t: set(c) for t, c in columns.items()})
    return frozenset(off_here(mapping, [t for t in columns if t in described], catalogue))


def _reads(query: exp.Query, relation: str) -> bool:
    return any(table.name == relation for table in query.find_all(exp.Table))


def _with(query: exp.Query, name: str, relation: exp.Query) -> exp.Query:
    # First in the list: the statement's own common tables read it.
    whole = query.with_(name, as_=relation)
    clause = whole.find(exp.With)
    assert clause is not None  # noqa: S101  # just added
    clause.set("expressions", [clause.expressions[-1], *clause.expressions[:-1]])
    return whole
