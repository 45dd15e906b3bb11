"""Which tables and columns the mapping needs, and which of them the instance has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connector.errors import ForbiddenError
from connector.itsm.base import Column, Instance
from connector.journey.model import FieldInfo, Mapping, Schema
from connector.journey.requirements import requirements
from connector.messages import _, _n


@dataclass(frozen=True)
class Needed:
    """The instance's dictionary as far as the mapping asks for it."""

    schema: Schema
    wanted: dict[str, tuple[str, ...]]
    """Tables to read, asked and referred to → their columns, as far as the instance has them."""
    absent: tuple[str, ...]
    """Asked tables that the instance lacks."""


def absent_sentences(tables: Sequence[str]) -> list[str]:
    """One line for all tables of plug-ins that the instance lacks; none if it has them all."""
    if not tables:
        return []
    text = _n(
        "The instance has no table {tables}: its rules are off",
        "The instance has no tables {tables}: their rules are off",
        len(tables),
    )
    return [text.format(tables=", ".join(tables))]


def read_schema(
    instance: Instance,
    mappings: Sequence[Mapping],
    tables: Sequence[str],
    ours: Schema | None = None,
) -> Needed:
    """Ask the dictionary for `tables`, and follow references until nothing new turns up.

    What any of `mappings` needs is wanted. `ours` says the columns of tables of ours: where the
    instance lacks such a table it is known all the same, and only not read.
    Raises InstanceError and its kinds; ForbiddenError where no table at all is seen.
    """
    known: dict[tuple[str, str], FieldInfo] = {}
    absent: set[str] = set()
    held: set[str] = set()
    asked: set[str] = set()
    wanted: dict[str, tuple[str, ...]] = {}
    pending = set(tables)
    while pending:
        exist = sorted(instance.list_tables(sorted(pending)))
        if not exist and not asked:
            exist = _look_again(instance, pending)
        missing = pending - set(exist)
        held |= {table for table, _column in ours or {}} & missing
        known |= {key: info for key, info in (ours or {}).items() if key[0] in held}
        absent |= missing - held
        known |= _fields(instance.list_columns(exist) if exist else [])
        asked |= pending
        present = [t for t in tables if t not in absent]
        wanted = _united([requirements(mapping, present, known) for mapping in mappings])
        pending = set(wanted) - asked
    readable = {table: columns for table, columns in wanted.items() if table not in absent | held}
    return Needed(known, readable, tuple(table for table in tables if table in absent))


WITNESS = "sys_user"
"""A table that every instance has."""


def _look_again(instance: Instance, tables: Iterable[str]) -> list[str]:
    """Not one of the tables is there: more likely the account may not see which there are, or the
    instance was not itself. Raises ForbiddenError."""
    if not instance.list_tables([WITNESS]):
        raise ForbiddenError(
            _("The account sees no table of the instance; let it read sys_db_object"),
            method="GET",
            path="/api/now/table/sys_db_object",
        )
    return sorted(instance.list_tables(sorted(tables)))


def _united(all_wanted: Sequence[dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Every table with all its columns, each once, in the order in which they come."""
    found: dict[str, dict[str, None]] = {}
    for wanted in all_wanted:
        for table, columns in wanted.items():
            found.setdefault(table, {}).update(dict.fromkeys(columns))
    return {table: tuple(columns) for table, columns in found.items()}


def _fields(columns: Iterable[Column]) -> dict[tuple[str, str], FieldInfo]:
    return {(c.table, c.element): FieldInfo(c.type, c.reference) for c in columns}
