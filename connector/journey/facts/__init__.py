"""Facts: what a rule may ask about a record beyond its own columns.

A fact is an aggregate over records of another table that point to the record, a look along the
records of the same person, or a measure of the record's own columns. They are data here, one module
for each family; `scope.py` turns them into SQL over the store. The table in docs/mappings.md is
generated from them.
"""

from collections.abc import Sequence

from connector.journey.conditions import parse_condition, used_sets
from connector.journey.facts import (
    afterwards,
    agreement,
    approval,
    caller,
    events,
    golive,
    links,
    moments,
    sla,
    survey,
    tasks,
)
from connector.journey.facts.model import RECORD, TASKS, Fact

__all__ = ["FACTS", "FAMILIES", "Fact", "facts_markdown", "facts_of", "find_fact"]

_MODULES = (
    sla,
    tasks,
    approval,
    survey,
    events,
    caller,
    golive,
    links,
    afterwards,
    agreement,
    moments,
)

FACTS: tuple[Fact, ...] = tuple(fact for module in _MODULES for fact in module.FACTS)

_BY_KEY = {(table, fact.name): fact for fact in FACTS for table in fact.tables}
FAMILIES = frozenset(fact.name.split(".")[0] for fact in FACTS)
"""First words of fact names: `tasks.open` can only be a fact."""


def find_fact(table: str, name: str) -> Fact | None:
    """The fact of that name for records of `table`, None if the name is a column or dot-walk."""
    return _BY_KEY.get((table, name))


def facts_of(table: str) -> list[str]:
    """The names of the facts that rules of `table` may use."""
    return sorted(
        name for (owner, name), fact in _BY_KEY.items() if owner == table and not fact.hidden
    )


def facts_markdown() -> str:
    """The table of facts for docs/mappings.md; one line for those that say the same of tables."""
    alike: dict[tuple[str, str, str], list[Fact]] = {}
    for fact in sorted(FACTS, key=lambda f: (f.name, f.tables)):
        if not fact.hidden:
            alike.setdefault((fact.name, fact.type, fact.meaning.en), []).append(fact)
    lines = ["| Fact | Type | Tables | What it says | Read from |", "|---|---|---|---|---|"]
    for (name, kind, meaning), facts in alike.items():
        tables = _tables([table for fact in facts for table in fact.tables])
        lines.append(f"| `{name}` | {kind} | {tables} | {meaning} | {'; '.join(_sources(facts))} |")
    return "\n".join(lines) + "\n"


def _tables(tables: Sequence[str]) -> str:
    if set(TASKS) <= set(tables):
        others = [f"`{table}`" for table in tables if table not in TASKS]
        return ", ".join(["every task", *others])
    return ", ".join(f"`{table}`" for table in dict.fromkeys(tables))


def _sources(facts: Sequence[Fact]) -> list[str]:
    """What facts are read from, for people: tables with their columns, and other facts."""
    read: dict[str, dict[str, None]] = {}
    for fact in facts:
        _collect(fact, read)
    parts = [f"`{name}`" for name in read.pop("", {})]
    return parts + [f"{table}: {', '.join(columns)}" for table, columns in read.items()]


def _collect(fact: Fact, read: dict[str, dict[str, None]]) -> None:
    fields = parse_condition(fact.where, dict.fromkeys(used_sets(fact.where), ("x",))).fields
    owner = fact.source or _OF_THE_RECORD
    for field in (*fact.source_reads, *sorted(fields)):
        place = _OF_THE_RECORD if field.startswith(RECORD) else owner
        _note(fact, place, field.removeprefix(RECORD), read)
    for field in fact.own_reads:
        _note(fact, _OF_THE_RECORD, field, read)


def _note(fact: Fact, place: str, field: str, read: dict[str, dict[str, None]]) -> None:
    """One more field; of a hidden fact what that reads."""
    other = find_fact(fact.tables[0], field) if place == _OF_THE_RECORD else None
    if other and other.hidden:
        _collect(other, read)
    else:
        read.setdefault("" if other else place, {})[field] = None


_OF_THE_RECORD = "the record"
