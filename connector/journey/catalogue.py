"""What can be read of an instance: its dictionary as far as the store holds it, and the facts.

Refuses, with a sentence, what is not there: `UnavailableError`.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass

from connector.encoded_query import FieldType, field_type
from connector.journey.conditions import Sets, parse_condition
from connector.journey.facts import Fact, find_fact
from connector.journey.facts.model import EXTERNAL_UPDATE, RECORD
from connector.journey.model import FieldInfo, Mapping, Schema
from connector.messages import _

BASE_TASK = "task"
"""The table that task tables extend; a reference to it may point to any of them."""


class UnavailableError(KeyError):
    """A field that this instance does not give; `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Catalogue:
    """What can be read: the dictionary of what the store holds, sets, the task tables read."""

    schema: Schema
    sets: Sets
    task_tables: tuple[str, ...]

    def has_table(self, table: str) -> bool:
        """Some column of the table is known."""
        if table == BASE_TASK:
            return bool(self.task_tables)
        return (table, "sys_id") in self.schema

    def info(self, table: str, column: str) -> FieldInfo:
        """What the dictionary says of a column. Raises UnavailableError."""
        owners = self.task_tables if table == BASE_TASK else (table,)
        for owner in owners:
            if (owner, column) in self.schema:
                return self.schema[owner, column]
        if not self.has_table(table):
            raise UnavailableError(_("the table {table} is not read").format(table=table))
        if column == EXTERNAL_UPDATE:
            return FieldInfo("glide_date_time")
        raise UnavailableError(
            _("{table} has no readable column {column}").format(table=table, column=column)
        )

    def type_of(self, table: str, field: str) -> FieldType:
        """How a column, dot-walk or fact compares. Raises UnavailableError."""
        if fact := find_fact(table, field):
            self.check_fact(table, fact)
            return fact.type
        owner, column = self.walk(table, field)[-1]
        return field_type(self.info(owner, column).type)

    def walk(self, table: str, field: str) -> list[tuple[str, str]]:
        """The (table, column) pairs that a dot-walk goes through. Raises UnavailableError."""
        *references, last = field.split(".")
        path, here = [], table
        for column in references:
            target = self.info(here, column).reference
            if not target:
                raise UnavailableError(
                    _("{table}.{column} refers to no other table").format(table=here, column=column)
                )
            path.append((here, column))
            here = target
        self.info(here, last)
        return [*path, (here, last)]

    def gives(self, table: str, field: str) -> bool:
        """Whether a column, dot-walk or fact can be read."""
        try:
            self.type_of(table, field)
        except UnavailableError:
            return False
        return True

    def check_fact(self, table: str, fact: Fact) -> None:
        """Raises UnavailableError if something that a fact of `table` reads is not there."""
        for field in fact.own_reads:
            if field not in fact.optional:
                self.type_of(table, field)
        owner = fact.source or table
        for field in (*fact.source_reads, *parse_condition(fact.where, self.sets).fields):
            if field.startswith(RECORD):
                self.type_of(table, field.removeprefix(RECORD))
            else:
                self.type_of(owner, field)


def catalogue_of(mapping: Mapping, schema: Schema, held: Dict[str, set[str]]) -> Catalogue:
    """The part of the dictionary that the store holds (`held`: table → columns).

    So a column that was not read yet is unavailable, whatever the dictionary says of it.
    """
    always = {"sys_id": FieldInfo("GUID"), "sys_created_on": FieldInfo("glide_date_time")}
    found = {
        (table, column): schema.get((table, column)) or always[column]
        for table, columns in held.items()
        for column in columns
        if (table, column) in schema or column in always
    }
    tasks = tuple(t for t, spec in mapping.tables.items() if spec.is_task and t in held)
    return Catalogue(found, mapping.sets, tasks)
