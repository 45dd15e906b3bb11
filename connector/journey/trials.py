"""What a mapping says of a record that somebody describes: the organisation's own cases.

Pure: the record is field values, tried in an in-memory SQLite like the examples of rules; what is
left out is empty. Types are the instance's where they are known, else taken from the conditions.
"""

import sqlite3
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlglot import exp

from connector.encoded_query import Context, FieldType, register_sqlite
from connector.journey.compiler import FIELDS, Live, condition_sql, fields_of, parsed, rule_case
from connector.journey.examples import default_of, guessed_types
from connector.journey.model import Mapping
from connector.journey.nearly import Considered, Tested, almost, by_rule, nearest_branch
from connector.journey.parts import parts_of


@dataclass(frozen=True)
class Tried:
    """The rule that decides ("" for none), what it asked and found, and which almost decided."""

    rule_id: str
    conditions: tuple[Tested, ...]
    almost: tuple[Considered, ...]


def fields_read(mapping: Mapping, table: str) -> set[str]:
    """Every field that some rule of a table reads."""
    return set(fields_of(parsed(mapping.rules_of(table), mapping.sets)))


def try_record(
    mapping: Mapping,
    table: str,
    values: Dict[str, str],
    types: Dict[str, FieldType],
    context: Context,
) -> Tried:
    """Which rule of `table` decides a record with these field values.

    `types`: what is known of the fields; others are guessed. Raises EncodedQueryError where a
    condition cannot hold on a type.
    """
    live = parsed(mapping.rules_of(table), mapping.sets)
    known = {**guessed_types(table, live), **types}
    parts = parts_of(live)
    fields = fields_of(live)
    row = {field: values.get(field, default_of(table, field)) for field in fields}
    tests = [condition_sql(part.query, known.__getitem__, context) for part in parts]
    rule_id, holds = _asked(live, known, row, tests, context)
    tested = by_rule(parts, dict(row), holds)
    return Tried(
        rule_id,
        nearest_branch(tested.get(rule_id, [])),
        tuple(almost(mapping.rules_of(table), rule_id, tested)),
    )


def _asked(
    live: Sequence[Live],
    types: Dict[str, FieldType],
    row: Dict[str, str],
    tests: Sequence[exp.Condition],
    context: Context,
) -> tuple[str, list[object]]:
    """The rule that decides, and whether each test holds."""
    case = rule_case(live, types.__getitem__, context)
    fields = [exp.alias_(exp.Placeholder(), field, quoted=True) for field in row]
    inner = exp.select(*(fields or [exp.alias_(exp.Placeholder(), "none")])).subquery(FIELDS)
    with closing(sqlite3.connect(":memory:")) as connection:
        register_sqlite(connection)
        asked = [case, *tests]
        found: list[object] = []
        for start in range(0, len(asked), _COLUMNS):  # SQLite limits the columns of a row
            sql = exp.select(*asked[start : start + _COLUMNS]).from_(inner.copy())
            cells = list(row.values()) or [""]
            found += connection.execute(sql.sql(dialect="sqlite"), cells).fetchone()
    return str(found[0] or ""), found[1:]


_COLUMNS = 500
