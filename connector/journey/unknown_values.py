"""Values that a condition asks for and no choice list has: a part of the rule that is dead."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from connector.encoded_query import Condition
from connector.journey.conditions import parse_condition
from connector.journey.facts import find_fact
from connector.journey.model import Mapping, Schema
from connector.journey.near import hint
from connector.journey.scope import Catalogue, UnavailableError


@dataclass(frozen=True)
class UnknownValue:
    """A value written in a rule or moment (not one of a named set). `hint` may be ""."""

    table: str
    id: str
    field: str
    value: str
    hint: str


def unknown_values(
    mapping: Mapping,
    tables: Sequence[str],
    schema: Schema,
    choices: Dict[tuple[str, str], set[str]],
) -> Iterator[UnknownValue]:
    """Every such value of the rules of `tables`.

    Not those of named sets, and of lists with some known value: they hold several instances' words.
    """
    catalogue = Catalogue(schema, mapping.sets, ())
    nothing: dict[str, list[str]] = {name: [] for name in mapping.sets}
    for table in tables:
        for rule in mapping.rules_of(table):
            for condition in parse_condition(rule.when, nothing).conditions:
                for value, near in _unknown(condition, table, catalogue, choices):
                    yield UnknownValue(table, rule.id, condition.field, value, near)


def _unknown(
    condition: Condition,
    table: str,
    catalogue: Catalogue,
    choices: Dict[tuple[str, str], set[str]],
) -> Iterator[tuple[str, str]]:
    if condition.operator not in ("=", "!=", "IN", "NOT IN") or find_fact(table, condition.field):
        return
    try:
        known = choices.get(catalogue.walk(table, condition.field)[-1])
    except UnavailableError:
        return
    words = {value.lower() for value in known or ()}
    asked = [part.strip() for part in condition.value.split(",")]
    literal = [value for value in asked if value and not value.startswith("\u2205")]  # emptied sets
    # A list with one known value holds the words of several instances on purpose.
    if words and not any(value.lower() in words for value in literal):
        yield from ((value, hint(value, known or ())) for value in literal)
