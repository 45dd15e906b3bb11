"""The store as one report sees it: what may be read, with which mapping, for which period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import sqlglot
from sqlglot import exp

from connector.encoded_query import Context
from connector.errors import ConfigError
from connector.journey.model import FieldInfo
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.scope import Catalogue, catalogue_of
from connector.journey.sources import off_here
from connector.messages import _
from connector.report.figures import WHOLE, Period, Scope
from connector.report.life import MEASURES, lives_of
from connector.report.scope import restrict
from connector.store.database import Row, Store
from connector.store.records import list_columns, list_tables
from connector.store.runs import read_schema_rows
from connector.timestamps import format_instance

# One join a statement: what one needs of memory grows with its joins.
_CLOCKS = (
    (
        "clock_own",
        """
SELECT s.sys_id AS clock_id, s.task, l.opened AS started, l.ended, l.is_open AS runs,
       CASE WHEN lower(s.has_breached) IN ('true', '1') OR s.stage = 'breached' THEN 'breached'
            WHEN s.stage IN ('completed', 'achieved') THEN 'met'
            ELSE 'running' END AS result
FROM current.task_sla AS s
JOIN life AS l ON l.table_name = 'task_sla' AND l.sys_id = s.sys_id
WHERE coalesce(s.stage, '') <> 'cancelled'
""",
    ),
    (
        "clock_placed",
        """
SELECT k.*, c.table_name, c.steps
FROM clock_own AS k
LEFT JOIN classification AS c ON c.sys_id = k.task AND NOT list_contains($measures, c.table_name)
WHERE NOT list_contains($ignored, coalesce(c.rule_id, '-'))
""",
    ),
    (
        "clock_kept",
        """
SELECT k.* EXCLUDE (table_name), coalesce(t.is_open, FALSE) AS is_open
FROM clock_placed AS k
LEFT JOIN life AS t ON t.table_name = k.table_name AND t.sys_id = k.task
""",
    ),
)

CLOCK = """
SELECT *, coalesce(started < $until AND (runs OR coalesce(ended, started) >= $since), FALSE)
          AS in_period
FROM clock_kept
"""
"""Every SLA clock that counts, one reading for all figures; `is_open` is its record's. `clock_kept`
is put down once (`Source.prepared`)."""

# By the order of the runs, not by the marks: one run under a wrong clock is put right by the next.
DATA_UNTIL = """
SELECT arg_max(high_mark, started_at) AS until, arg_min(high_mark, started_at) AS since
FROM run
WHERE kind = 'sync' AND outcome IN ('succeeded', 'partial') AND is_placed IS NOT FALSE
"""

OURS = (
    "classification",
    "standing",
    "transition",
    "moment",
    "band_dwell",
    "invisible_stretch",
    "band_piece",
)
"""What we know of records: within a scope only of those that belong to it."""

_BELONGS = "(table_name, sys_id) IN (SELECT (table_name, sys_id) FROM in_scope)"

_PEOPLE = """
SELECT count(DISTINCT s.person) AS people
FROM in_scope AS s JOIN life AS l ON l.table_name = s.table_name AND l.sys_id = s.sys_id
WHERE l.opened < $until AND (l.is_open OR coalesce(l.ended, l.opened) >= $since)
"""


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
    scope: Scope = WHOLE
    has_lives: bool = False
    """Whether TEMP TABLE `life` stands: see `open_source`."""

    @property
    def tickets(self) -> tuple[str, ...]:
        """The tables of tickets that this store holds."""
        return ticket_tables(self.mapping, tuple(self.columns))

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table is at rest with all these columns."""
        return table in self.columns and set(columns) <= set(self.columns[table])

    def read(self, sql: str, **params: object) -> list[Row]:
        """Rows of a SELECT; `life`, `clock` and the parameters of `_known` need not be given.

        `who` (table_name, sys_id, person) tells people apart within a scope; else it is empty.
        """
        query, asked = self._asked(sql, params)
        return self.store.read(query, **asked)

    def keep(self, name: str, sql: str, **params: object) -> None:
        """Put the rows of a SELECT into TEMP TABLE `name`, to be asked more than once."""
        query, asked = self._asked(sql, params)
        self.store.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}", **asked)

    def _asked(self, sql: str, params: Mapping[str, object]) -> tuple[str, dict[str, object]]:
        query = _parse(sql)
        if _reads(query, "clock"):
            query = _with(query, "clock", _parse(CLOCK))
        if not self.has_lives and _reads(query, "life"):
            query = _with(query, "life", self._lives())
        if _reads(query, "who"):
            query = _with(query, "who", _parse(_WHO if self.scope.is_part else _NOBODY))
        if self.scope.is_part:
            for relation in OURS:
                if _reads(query, relation):
                    belonging = _parse(f"SELECT * FROM main.{relation} WHERE {_BELONGS}")
                    query = _with(query, relation, belonging)
        asked = {placeholder.name for placeholder in query.find_all(exp.Placeholder)}
        known = {name: value for name, value in self._known().items() if name in asked}
        return query.sql("duckdb"), {**known, **params}

    def catalogue(self) -> Catalogue:
        """What can be asked of the records at rest, for encoded queries."""
        held = {table: set(columns) for table, columns in self.columns.items()}
        return catalogue_of(self.mapping, _schema(self.store), held)

    def _lives(self) -> exp.Query:
        lives = lives_of(self._placed())
        if not self.scope.is_part:
            return lives
        return _parse(f"SELECT * FROM ({lives.sql('duckdb')}) WHERE {_BELONGS}")

    def prepared(self) -> "Source":
        """The same, with the lives of all records and the SLA clocks put down once, as TEMP TABLEs.

        Nearly every statement joins them. Made anew in each, the union of some twenty-five tables
        asks for buffers of each of them, however few the records, and is planned every time.
        """
        self.store.execute(f"CREATE OR REPLACE TEMP TABLE life AS {self._lives().sql('duckdb')}")
        made = replace(self, has_lives=True)
        if self.has("task_sla", "task", "stage", "has_breached"):
            for name, sql in _CLOCKS:
                made.keep(name, sql)
            for name, _sql in _CLOCKS[:-1]:
                self.store.execute(f"DROP TABLE {name}")
        return made

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


_WHO = "SELECT table_name, sys_id, person FROM in_scope"
_NOBODY = "SELECT '' AS table_name, '' AS sys_id, 0::UBIGINT AS person WHERE FALSE"


def open_source(
    store: Store,
    mapping: JourneyMapping,
    period: Period,
    scope: Scope = WHOLE,
    minimum_group: int = 5,
) -> Source:
    """Look at which tables and columns the store holds, and at what belongs to the scope.

    Raises ConfigError for a scope with fewer people in the period than `minimum_group`.
    """
    columns = {table: tuple(list_columns(store, table)) for table in list_tables(store)}
    schema = _schema(store)
    catalogue = catalogue_of(mapping, schema, {t: set(c) for t, c in columns.items()})
    described = {table for table, _column in schema}
    off = frozenset(off_here(mapping, [t for t in columns if t in described], catalogue))
    source = Source(store, mapping, period, columns, off, scope)
    if scope.is_part:
        restrict(store, mapping, catalogue, Context(period.end, period.time_zone), scope)
        _refuse_few(source, minimum_group)
    return source.prepared()


def _schema(store: Store) -> dict[tuple[str, str], FieldInfo]:
    """The dictionary as the last run saw it, without what an ACL hides."""
    return {
        (row["table_name"], row["element"]): FieldInfo(row["type"], row["reference"])
        for row in read_schema_rows(store)
        if not row["is_hidden"]
    }


def count_people(source: Source, **bounds: str) -> int:
    """People of the scope who had anything on the journey in the period, or between `bounds`."""
    return int(source.read(_PEOPLE, **bounds)[0]["people"])


def _refuse_few(source: Source, minimum_group: int) -> None:
    if count_people(source) < minimum_group:
        problem = _(
            "{name}: fewer than {n} people had anything on the journey in this period; a report"
            " would be about single people"
        )
        raise ConfigError(
            "--scope", [problem.format(name=source.scope.name or source.scope.key, n=minimum_group)]
        )


def _parse(sql: str) -> exp.Query:
    return cast("exp.Query", sqlglot.parse_one(sql, dialect="duckdb"))


def _reads(query: exp.Query, relation: str) -> bool:
    return any(table.name == relation and not table.db for table in query.find_all(exp.Table))


def _with(query: exp.Query, name: str, relation: exp.Query) -> exp.Query:
    # First in the list: the statement's own common tables read it.
    whole = query.with_(name, as_=relation)
    clause = whole.find(exp.With)
    assert clause is not None  # noqa: S101  # just added
    clause.set("expressions", [clause.expressions[-1], *clause.expressions[:-1]])
    return whole
