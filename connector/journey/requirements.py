"""What the mapping asks of the tool: tables and columns to read, and the rules that cannot work."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.encoded_query import Branch, Condition, Context, Query
from connector.journey.compiler import ASLEEP, compile_on
from connector.journey.conditions import empty_sets, parse_condition
from connector.journey.engagement import engagement_fields, service_table_of
from connector.journey.facts import Fact, find_fact
from connector.journey.facts.model import RECORD
from connector.journey.model import Mapping, Schema
from connector.journey.moment_fields import fields_of_moment
from connector.journey.near import hint
from connector.journey.scope import BASE_TASK, Catalogue
from connector.messages import _

ALWAYS = ("sys_id", "sys_updated_on", "sys_mod_count")
"""Columns read of every table: the key and the version of a record."""

Choices = Dict[tuple[str, str], set[str]]
"""(table, column) → the values of its choice list."""


@dataclass(frozen=True)
class DeadRule:
    """A rule that cannot match on this instance, with the reason as a sentence."""

    rule_id: str
    table: str
    reason: str


def requirements(
    mapping: Mapping, tables: Sequence[str], schema: Schema
) -> dict[str, tuple[str, ...]]:
    """Every table to read (asked, referred to, or the source of a fact) → its columns, in order.

    A table that `schema` does not describe yet is named with its key columns only: describe it and
    ask again. Columns that the schema lacks are left out.
    """
    needs = _Needs(mapping, tables, schema)
    for table in tables:
        needs.add_table(table)
    return needs.result()


class _Needs:
    """Collects (table, column) pairs; follows dot-walks as far as the schema knows the way."""

    def __init__(self, mapping: Mapping, tables: Sequence[str], schema: Schema) -> None:
        self._mapping = mapping
        self._asked = set(tables)
        self._schema = schema
        self._tasks = [t for t in tables if t in mapping.tables and mapping.tables[t].is_task]
        self._columns: dict[str, dict[str, None]] = {}

    def add_table(self, table: str) -> None:
        """A table with its own columns, its ties to others, and what its rules read."""
        if table in self._columns:
            return
        self._columns[table] = dict.fromkeys((*ALWAYS, "number"))
        spec = self._mapping.tables.get(table)
        for field in spec.columns if spec else ():
            self.add(table, field)
        for field in self._mapping.past.columns_of(table) if spec and spec.is_task else ():
            self.add(table, field)
        for field in self._ties(table):
            self.add(table, field)
        for field in self._read_of(table):
            self.add(table, field)
        if services := service_table_of(self._mapping, table):
            self.add(services, "name")

    def _read_of(self, table: str) -> Iterator[str]:
        """What rules, moments of truth and the lines of engagement read of a record."""
        for rule in self._mapping.rules_of(table):
            yield from sorted(parse_condition(rule.when, self._mapping.sets).fields)
        for moment in self._mapping.moments_of(table):
            yield from fields_of_moment(moment, self._mapping.sets)
        yield from engagement_fields(self._mapping, table)

    def _ties(self, table: str) -> list[str]:
        """The columns along which places are inherited and rolled up."""
        up = [edge.field for edge in self._mapping.edges if edge.table == table]
        down = [one.field for one in self._mapping.roll_ups if one.child == table]
        return [*up, *down, *(["active"] if down else [])]

    def add(self, table: str, field: str) -> None:
        """A column, a dot-walk or a fact of records of `table`."""
        if fact := find_fact(table, field):
            self._add_fact(table, fact)
            return
        if not self._may_be_read(table):
            return
        self.add_table(table)
        column, _dot, rest = field.partition(".")
        self._columns[table][column] = None
        if not rest or (table, column) not in self._schema:
            return
        target = self._schema[table, column].reference
        for owner in self._tasks if target == BASE_TASK else [target]:
            if owner:
                self.add(owner, rest)

    def _may_be_read(self, table: str) -> bool:
        """Tables that somebody must ask for (surveys, HR cases) are not read for a fact's sake."""
        spec = self._mapping.tables.get(table)
        return not spec or not spec.only_with or bool({spec.only_with, table} & self._asked)

    def _add_fact(self, table: str, fact: Fact) -> None:
        where = parse_condition(fact.where, self._mapping.sets)
        for field in fact.own_reads:
            self.add(table, field)
        for field in (*fact.source_reads, *sorted(where.fields)):
            if field.startswith(RECORD):
                self.add(table, field.removeprefix(RECORD))
            else:
                self.add(fact.source or table, field)

    def result(self) -> dict[str, tuple[str, ...]]:
        """Table → the columns that exist; the key columns alone where nothing is known yet."""
        described = {table for table, _column in self._schema}
        return {
            table: tuple(
                column
                for column in columns
                if column in ALWAYS or (table in described and (table, column) in self._schema)
            )
            for table, columns in self._columns.items()
        }


def dead_rules(
    mapping: Mapping, tables: Sequence[str], schema: Schema, choices: Choices
) -> list[DeadRule]:
    """The rules of `tables` that cannot match: a column, table or choice value is missing."""
    tasks = tuple(t for t in tables if t in mapping.tables and mapping.tables[t].is_task)
    catalogue = Catalogue(schema, mapping.sets, tasks)
    return [dead for table in tables for dead in off_rules(mapping, table, catalogue, choices)]


def off_rules(
    mapping: Mapping, table: str, catalogue: Catalogue, choices: Choices
) -> list[DeadRule]:
    """The rules of one table that are off on what can be read."""
    found = []
    for rule in mapping.rules_of(table):
        query = parse_condition(rule.when, mapping.sets)
        test = compile_on(query, table, catalogue, _ANY_TIME)
        fault = test if isinstance(test, str) else ""
        if fault == ASLEEP:
            names = ", ".join(empty_sets(rule.when, mapping.sets))
            fault = _("the set {names} is empty").format(names=names)
        if reason := fault or _choice_fault(query, table, catalogue, choices):
            found.append(DeadRule(rule.id, table, reason))
    return found


_ANY_TIME = Context(datetime(2026, 1, 1, tzinfo=UTC))


def _choice_fault(query: Query, table: str, catalogue: Catalogue, choices: Choices) -> str:
    """A sentence if in every branch some group asks only for values that no choice list has."""

    def is_dead(condition: Condition) -> bool:
        return bool(_unknown_values(condition, table, catalogue, choices))

    if not query.branches or not all(_dead_group(branch, is_dead) for branch in query.branches):
        return ""
    condition = next(_dead_conditions(query.branches[0], is_dead))
    value = _unknown_values(condition, table, catalogue, choices)[0]
    owner, column = catalogue.walk(table, condition.field)[-1]
    return _("the choice list of {table}.{column} has no value {value!r}{hint}").format(
        table=owner, column=column, value=value, hint=hint(value, choices[owner, column])
    )


def _dead_group(branch: Branch, is_dead: Callable[[Condition], bool]) -> bool:
    return any(all(is_dead(condition) for condition in group) for group in branch)


def _dead_conditions(branch: Branch, is_dead: Callable[[Condition], bool]) -> Iterator[Condition]:
    return (group[0] for group in branch if all(is_dead(condition) for condition in group))


def _unknown_values(
    condition: Condition, table: str, catalogue: Catalogue, choices: Choices
) -> list[str]:
    """The values asked for, if the column's choice list has none of them."""
    if condition.operator not in ("=", "IN") or find_fact(table, condition.field):
        return []
    known = choices.get(catalogue.walk(table, condition.field)[-1])
    wanted = [value.strip() for value in condition.value.split(",") if value.strip()]
    if not known or not wanted or any(_listed(value, known) for value in wanted):
        return []
    return wanted


def _listed(value: str, known: set[str]) -> bool:
    return value.lower() in {one.lower() for one in known}
