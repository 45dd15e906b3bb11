"""How far a mapping covers the records of the last run, and what to write the next rule from.

Values of columns are shown only where they come from a list (choices, yes or no, whole numbers,
references to things): never free text, never people, never values of fewer records than a group
may have.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import datetime

from connector.encoded_query import FieldType, field_type
from connector.journey.conditions import parse_condition
from connector.journey.model import Mapping, Schema, Text
from connector.journey.requirements import off_rules
from connector.journey.scope import catalogue_of
from connector.journey.sources import off_here, tables_reaching
from connector.store import classifications, coverage
from connector.store.coverage import Shared
from connector.store.database import Row, Store

GROUPS = 10
TOGETHER = 3
"""So many columns, at most, describe a group of unclassified records."""

_PEOPLE = frozenset({"sys_user", "sys_user_has_role", "customer_contact"})


@dataclass(frozen=True)
class RuleHits:
    """One rule on one table. `off`: why it cannot match here, "" if it can.

    `overrides`: how often stewards overruled it.
    """

    table: str
    rule_id: str
    records: int
    low: int
    overrides: int
    off: str


@dataclass(frozen=True)
class TableCoverage:
    """How much of a table is placed."""

    table: str
    records: int
    unclassified: int
    low: int


@dataclass(frozen=True)
class StepCoverage:
    """A step of the shown journey; `records` is None where the tool has no source for it."""

    step: str
    name: Text
    records: int | None


@dataclass(frozen=True)
class FieldValue:
    """One value of a column, by how many unclassified records and how many in all have it."""

    column: str
    value: str
    label: str
    unclassified: int
    records: int


@dataclass(frozen=True)
class Group:
    """Unclassified records that look alike; `query` finds all records that do, ready to paste."""

    table: str
    values: tuple[FieldValue, ...]
    query: str
    unclassified: int
    records: int


@dataclass(frozen=True)
class Coverage:
    """All of it. `minimum_group`: smaller groups and rarer values are left out."""

    hash: str
    as_of: datetime
    minimum_group: int
    tables: tuple[TableCoverage, ...]
    steps: tuple[StepCoverage, ...]
    rules: tuple[RuleHits, ...]
    values: tuple[tuple[str, tuple[FieldValue, ...]], ...]
    groups: tuple[Group, ...]


def measure_coverage(
    store: Store,
    mapping: Mapping,
    schema: Schema,
    as_of: datetime,
    minimum_group: int,
    language: str,
    journey: str,
) -> Coverage:
    """Coverage of the classification at rest. Raises StoreError."""
    rows = coverage.hits(store)
    names = dict.fromkeys(row["table_name"] for row in rows)
    tables = tuple(_table(name, [r for r in rows if r["table_name"] == name]) for name in names)
    values, groups = [], []
    for one in tables:
        if one.unclassified >= minimum_group:
            found, some = _unclassified(store, mapping, schema, one.table, minimum_group, language)
            values.append((one.table, tuple(found)))
            groups += some
    return Coverage(
        mapping.hash,
        as_of,
        minimum_group,
        tables,
        tuple(_steps(store, mapping, schema, journey)),
        tuple(_rules(store, mapping, schema)),
        tuple(values),
        tuple(sorted(groups, key=lambda group: -group.unclassified)),
    )


def _table(table: str, rows: Sequence[Row]) -> TableCoverage:
    left = [row["records"] for row in rows if row["rule_id"] == classifications.UNCLASSIFIED]
    low = sum(row["low"] for row in rows)
    return TableCoverage(table, sum(row["records"] for row in rows), sum(left), low)


def _steps(store: Store, mapping: Mapping, schema: Schema, journey: str) -> Iterator[StepCoverage]:
    held = classifications.held_columns(store)
    tables = [table for table in mapping.tables if table in held]
    off = off_here(mapping, tables, catalogue_of(mapping, schema, held))
    placed = coverage.placed_in(store, journey)
    for step in mapping.journeys[journey].steps:
        records = placed.get(step.id, 0)
        if not records and not tables_reaching(mapping, journey, step.id, tables, off):
            yield StepCoverage(step.id, step.name, None)
        else:
            yield StepCoverage(step.id, step.name, records)


def _rules(store: Store, mapping: Mapping, schema: Schema) -> Iterator[RuleHits]:
    """Every rule on every table that is read, in the order in which they are tried."""
    held = classifications.held_columns(store)
    catalogue = catalogue_of(mapping, schema, held)
    found = {(row["table_name"], row["rule_id"]): row for row in coverage.hits(store)}
    overruled = coverage.overrides_per_rule(store)
    for table in (t for t in mapping.tables if t in held):
        off = {dead.rule_id: dead.reason for dead in off_rules(mapping, table, catalogue, {})}
        for rule in mapping.rules_of(table):
            row = found.get((table, rule.id), {"records": 0, "low": 0})
            yield RuleHits(
                table,
                rule.id,
                row["records"],
                row["low"],
                overruled.get(rule.id, 0),
                off.get(rule.id, ""),
            )


def _unclassified(
    store: Store, mapping: Mapping, schema: Schema, table: str, least: int, language: str
) -> tuple[list[FieldValue], list[Group]]:
    """The most frequent values of a table's unclassified records, and how they go together."""
    columns = telling_columns(store, mapping, schema, table)
    by_column = {
        column: coverage.shared_values(store, table, [column], least, GROUPS) for column in columns
    }
    labels = _labels(store, schema, table, by_column, language)

    def value_of(column: str, value: str, shared: Shared) -> FieldValue:
        label = labels.get((column, value), "")
        return FieldValue(column, value, label, shared.unclassified, shared.records)

    best = sorted((c for c in columns if by_column[c]), key=lambda c: -_telling(by_column[c]))
    values = [value_of(c, one.values[0], one) for c in best for one in by_column[c]]
    together = best[:TOGETHER]
    found = coverage.shared_values(store, table, together, least, GROUPS) if together else []
    groups = [
        Group(
            table,
            tuple(value_of(c, v, one) for c, v in zip(together, one.values, strict=True)),
            _query(together, one.values),
            one.unclassified,
            one.records,
        )
        for one in found
    ]
    return values, groups


def _labels(
    store: Store,
    schema: Schema,
    table: str,
    by_column: Dict[str, Sequence[Shared]],
    language: str,
) -> dict[tuple[str, str], str]:
    """(column, value) → what people call it: its choice label, or the name of the thing."""
    labels = coverage.choice_labels(store, table, language)
    for column, shared in by_column.items():
        if target := schema[table, column].reference if (table, column) in schema else "":
            names = coverage.names_of(store, target, [one.values[0] for one in shared])
            labels |= {(column, value): name for value, name in names.items()}
    return labels


def _telling(values: Sequence[Shared]) -> float:
    """How well a column tells unclassified records from the others: by its best value."""
    return max(one.unclassified**2 / one.records for one in values)


def telling_columns(store: Store, mapping: Mapping, schema: Schema, table: str) -> list[str]:
    """The columns that rules of a table read and whose values may be shown."""
    held = classifications.held_columns(store).get(table, set())
    chosen = coverage.choice_columns(store, table)
    read = {
        field
        for rule in mapping.rules_of(table)
        for field in parse_condition(rule.when, mapping.sets).fields
    }
    return sorted(c for c in read & held if c in chosen or _is_listed(schema, table, c))


def _is_listed(schema: Schema, table: str, column: str) -> bool:
    info = schema.get((table, column))
    if info is None:
        return False
    if info.reference:
        return info.reference not in _PEOPLE
    return field_type(info.type) in (FieldType.BOOLEAN, FieldType.INTEGER)


def _query(columns: Sequence[str], values: Sequence[str]) -> str:
    """An encoded query for these values, as one would copy it from a list."""
    return "^".join(
        f"{column}={value.replace('^', '^^')}" if value else f"{column}ISEMPTY"
        for column, value in zip(columns, values, strict=True)
    )
