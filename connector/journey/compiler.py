"""Rules of a table → one CASE expression. First match wins; an unknown column never matches.

The expression works on the dotted names of `scope.select_fields`, so the same one classifies a
million records in the store and proves a rule's example at load.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from connector.encoded_query import (
    Column,
    Context,
    EncodedQueryError,
    FieldType,
    Query,
    to_sql,
)
from connector.journey.conditions import Sets, is_asleep, parse_condition
from connector.journey.model import Mapping, Rule
from connector.journey.scope import Catalogue, UnavailableError, select_fields

ASLEEP = "asleep"
"""The fault of a condition that can match only through empty sets."""

TypeOf = Callable[[str], FieldType]
FIELDS = "x"
"""Alias under which the fields stand, each under its own dotted name."""


@dataclass(frozen=True)
class Live:
    """A rule with its condition, both usable on this instance."""

    rule: Rule
    query: Query


def field_column(name: str) -> exp.Column:
    """A field as the rules see it."""
    return exp.column(name, table=FIELDS, quoted=True)


def condition_sql(query: Query, type_of: TypeOf, context: Context) -> exp.Condition:
    """True where the condition holds on known values. Raises EncodedQueryError, KeyError."""
    test = to_sql(query, lambda name: Column(field_column(name), type_of(name)), context)
    known: list[exp.Expression] = [
        exp.Not(this=exp.Is(this=field_column(name), expression=exp.null()))
        for name in sorted(query.fields)
    ]
    return exp.and_(*known, test, copy=False)


def rule_case(live: Sequence[Live], type_of: TypeOf, context: Context) -> exp.Expression:
    """The id of the first rule that matches, NULL if none does."""
    ifs = [
        exp.If(
            this=condition_sql(one.query, type_of, context),
            true=exp.Literal.string(one.rule.id),
        )
        for one in live
    ]
    return exp.Case(ifs=ifs) if ifs else exp.cast(exp.null(), "VARCHAR")


def fields_of(live: Sequence[Live]) -> list[str]:
    """Every field that the conditions read."""
    return sorted({field for one in live for field in one.query.fields})


def parsed(rules: Sequence[Rule], sets: Sets) -> list[Live]:
    """Rules with their conditions. Raises EncodedQueryError (never for a loaded mapping)."""
    return [Live(rule, parse_condition(rule.when, sets)) for rule in rules]


def live_rules(mapping: Mapping, table: str, catalogue: Catalogue, context: Context) -> list[Live]:
    """The rules of a table that can match on this instance, in order."""
    return [
        one
        for one in parsed(mapping.rules_of(table), mapping.sets)
        if not fault_of(one.query, table, catalogue, context)
    ]


def fault_of(query: Query, table: str, catalogue: Catalogue, context: Context) -> str:
    """Why a condition cannot be used on this instance, as a sentence; "" if it can."""
    if is_asleep(query):
        return ASLEEP
    try:
        for field in sorted(query.fields):
            catalogue.type_of(table, field)
        condition_sql(query, lambda name: catalogue.type_of(table, name), context)
    except UnavailableError as error:
        return error.reason
    except EncodedQueryError as error:
        return error.reason
    return ""


def table_query(
    mapping: Mapping,
    table: str,
    catalogue: Catalogue,
    context: Context,
    extra: Sequence[str] = (),
) -> exp.Select:
    """`sys_id`, `rule_id` and the `extra` fields of every record of a table."""
    live = live_rules(mapping, table, catalogue, context)
    fields = select_fields(catalogue, table, [*fields_of(live), *extra], context)
    case = rule_case(live, lambda name: catalogue.type_of(table, name), context)
    return exp.select(
        field_column("sys_id"),
        exp.alias_(case, "rule_id"),
        *(field_column(name) for name in dict.fromkeys(extra)),
    ).from_(fields.subquery(FIELDS))
