"""The proof that every rule can be reached: its example is really classified, at load.

The compiled CASE runs in an in-memory SQLite, with the example's values as stored text; what an
example leaves out is empty (a count is 0, a yes-or-no fact is false). Relative dates are taken on
15 January 2026, 12:00 UTC. Column types are not known before an instance is: they are taken from
how the conditions use the column.
"""

import re
import sqlite3
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlglot import exp

from connector.encoded_query import Condition, Context, FieldType, Query, register_sqlite
from connector.journey.compiler import FIELDS, Live, fields_of, rule_case
from connector.journey.conditions import NOTHING, Sets
from connector.journey.facts import find_fact
from connector.journey.model import Rule

EXAMPLE_NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""The instant at which examples are read."""

_SET_NAME = re.compile(r"^@([a-z][a-z0-9_]*)$")
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")
_HOLDS_ON_EMPTY = ("!=", "NOT IN", "ISEMPTY", "EMPTYSTRING", "ANYTHING")
_ORDERED = (">", ">=", "<", "<=", "BETWEEN")


@dataclass(frozen=True)
class Reached:
    """Which rule an example came to: its id, "" for none."""

    rule: Rule
    reached: str


def filled(example: Dict[str, str], sets: Sets) -> dict[str, str]:
    """An example with `@name` as the first entry of that set. Raises KeyError for an unknown set.

    So who replaces a set need not touch the examples of the rules that read it. Of an empty set it
    is what the empty set matches.
    """
    return {key: _first(value, sets) for key, value in example.items()}


def _first(value: str, sets: Sets) -> str:
    match = _SET_NAME.match(value)
    return next(iter(sets[match[1]]), NOTHING) if match else value


def prove(table: str, live: Sequence[Live]) -> list[Reached]:
    """Classify the example of every rule of a table. Raises EncodedQueryError, sqlite3.Error."""
    fields = fields_of(live)
    types = guessed_types(table, live)
    case = rule_case(live, types.__getitem__, Context(EXAMPLE_NOW))
    values = [exp.alias_(exp.Placeholder(), field, quoted=True) for field in fields]
    inner = exp.select(*(values or [exp.alias_(exp.Placeholder(), "none")]))
    query = exp.select(case, copy=False).from_(inner.subquery(FIELDS, copy=False), copy=False)
    sql = query.sql(dialect="sqlite", copy=False)
    with closing(sqlite3.connect(":memory:")) as connection:
        register_sqlite(connection)
        return [
            Reached(one.rule, _classified(connection, sql, _row(table, fields, one.rule.example)))
            for one in live
        ]


def _row(table: str, fields: Sequence[str], example: Dict[str, str]) -> list[str]:
    return [example.get(field, default_of(table, field)) for field in fields] or [""]


def default_of(table: str, field: str) -> str:
    """The value of a field that an example leaves out."""
    fact = find_fact(table, field)
    return fact.default if fact else ""


def _classified(connection: sqlite3.Connection, sql: str, row: Sequence[str]) -> str:
    found = connection.execute(sql, row).fetchone()[0]
    return str(found) if found else ""


def left_out(table: str, live: Live) -> list[str]:
    """Fields that the condition needs and the example does not give, in the nearest branch."""
    branches: list[list[str]] = [
        [group[0].field for group in branch if not any(_is_given(table, live, c) for c in group)]
        for branch in live.query.branches
    ]
    fewest: list[str] = min(branches, key=len, default=[])
    return list(dict.fromkeys(fewest))


def _is_given(table: str, live: Live, condition: Condition) -> bool:
    """Whether the example says something of the field, or nothing has to be said."""
    if condition.field in live.rule.example or condition.operator in _HOLDS_ON_EMPTY:
        return True
    return condition.operator == "=" and condition.value == default_of(table, condition.field)


def guessed_types(table: str, live: Sequence[Live]) -> dict[str, FieldType]:
    """How each field of the rules compares."""
    return types_of(table, [one.query for one in live])


def types_of(table: str, queries: Sequence[Query]) -> dict[str, FieldType]:
    """How each field compares, from its fact or from the values it is compared with."""
    uses: dict[str, list[Condition]] = {name: [] for query in queries for name in query.fields}
    for query in queries:
        for condition in query.conditions:
            uses[condition.field].append(condition)
    return {field: _guess(table, field, conditions) for field, conditions in uses.items()}


def _guess(table: str, field: str, conditions: Sequence[Condition]) -> FieldType:
    if fact := find_fact(table, field):
        return fact.type
    if any(_is_date(condition) for condition in conditions):
        return FieldType.DATETIME
    ordered = [c.value for c in conditions if c.operator in _ORDERED]
    if ordered and all(_NUMBER.match(part) for value in ordered for part in value.split("@")):
        return FieldType.DECIMAL
    plain = [c.value for c in conditions if c.operator in ("=", "!=")]
    if plain and all(value in ("true", "false") for value in plain):
        return FieldType.BOOLEAN
    return FieldType.STRING


def _is_date(condition: Condition) -> bool:
    if condition.operator in ("ON", "NOTON") or condition.operator.startswith("RELATIVE"):
        return True
    return condition.value.startswith("javascript:") or bool(_DATE.match(condition.value))
