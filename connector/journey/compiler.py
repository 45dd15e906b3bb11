"""Rules of a table → one CASE expression. First match wins; an unknown column never matches.

The expression works on the dotted names of `scope.select_fields`, so the same one classifies a
million records in the store and proves a rule's example at load.
"""

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace

from sqlglot import exp

from connector.encoded_query import (
    Column,
    Condition,
    Context,
    EncodedQueryError,
    FieldType,
    Query,
    to_sql,
)
from connector.encoded_query.operands import NUMBER_SHAPE, NUMBERS
from connector.journey.conditions import NOTHING, Sets, is_asleep, parse_condition, used_sets
from connector.journey.model import Mapping, Rule
from connector.journey.scope import Catalogue, UnavailableError, select_fields
from connector.messages import _

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
    """The id of the first rule that matches, NULL if none does. Raises EncodedQueryError."""
    return _case([(one, condition_sql(one.query, type_of, context)) for one in live])


def _case(tests: Sequence[tuple[Live, exp.Condition]]) -> exp.Expression:
    ifs = [exp.If(this=test, true=exp.Literal.string(one.rule.id)) for one, test in tests]
    return exp.Case(ifs=ifs) if ifs else exp.cast(exp.null(), exp.DType.VARCHAR)


def fields_of(live: Sequence[Live]) -> list[str]:
    """Every field that the conditions read."""
    return sorted({field for one in live for field in one.query.fields})


def parsed(rules: Sequence[Rule], sets: Sets) -> list[Live]:
    """Rules with their conditions. Raises EncodedQueryError (never for a loaded mapping)."""
    return [Live(rule, parse_condition(rule.when, sets)) for rule in rules]


def live_rules(mapping: Mapping, table: str, catalogue: Catalogue, context: Context) -> list[Live]:
    """The rules of a table that can match on this instance, in order."""
    return [one for one, _test in _usable(mapping, table, catalogue, context)]


def _usable(
    mapping: Mapping, table: str, catalogue: Catalogue, context: Context
) -> list[tuple[Live, exp.Condition]]:
    found = []
    for one in parsed(mapping.rules_of(table), mapping.sets):
        test = compile_on(one.query, table, catalogue, context)
        if not isinstance(test, str):
            found.append((replace(one, query=_fitting(one.query, table, catalogue)), test))
    return found


def compile_on(
    query: Query, table: str, catalogue: Catalogue, context: Context
) -> exp.Condition | str:
    """The condition as SQL, or a sentence that says why this instance cannot give it."""
    if is_asleep(query):
        return ASLEEP
    try:
        types = {field: catalogue.type_of(table, field) for field in sorted(query.fields)}
        fitting = _fitting(query, table, catalogue)
        if is_asleep(fitting):
            return _("no entry of {sets} fits its column").format(
                sets=", ".join(used_sets(query.text))
            )
        return condition_sql(fitting, types.__getitem__, context)
    except (UnavailableError, EncodedQueryError) as error:
        return error.reason


def _fitting(query: Query, table: str, catalogue: Catalogue) -> Query:
    """The query without those entries of named sets that a column cannot hold.

    A set lists the values of several instances, words here and numbers there; what stands in the
    query itself is still refused where it does not fit.
    """
    sets = [catalogue.sets.get(name, ()) for name in used_sets(query.text)]
    listed = {",".join(entries) or NOTHING for entries in sets}

    def fit(condition: Condition) -> Condition:
        is_set = condition.operator in ("IN", "NOT IN") and condition.value in listed
        if not is_set or catalogue.type_of(table, condition.field) not in NUMBERS:
            return condition
        values = condition.value.split(",")
        numbers = [value for value in values if re.fullmatch(NUMBER_SHAPE, value.strip())]
        return replace(condition, value=",".join(numbers))

    branches = tuple(
        tuple(tuple(fit(condition) for condition in group) for group in branch)
        for branch in query.branches
    )
    return replace(query, branches=branches)


def asked_query(
    table: str,
    catalogue: Catalogue,
    context: Context,
    conditions: Dict[str, str],
    fields: Sequence[str] = (),
) -> exp.Select:
    """Any conditions and fields of every record of a table, as one query over the store.

    `sys_id`; each of `conditions` (name → encoded query) as a boolean that is never NULL; each of
    `fields` (column, dot-walk or fact) as text under its own name, NULL where it is unknown. What
    this instance cannot give is false, or NULL. Raises EncodedQueryError for a faulty condition.
    """
    tests: dict[str, exp.Condition] = {}
    needed: list[str] = []
    for name, when in conditions.items():
        query = parse_condition(when, catalogue.sets)
        compiled = compile_on(query, table, catalogue, context)
        tests[name] = exp.false() if isinstance(compiled, str) else compiled
        needed += [] if isinstance(compiled, str) else sorted(query.fields)
    given = [field for field in dict.fromkeys(fields) if catalogue.gives(table, field)]
    source = select_fields(catalogue, table, [*needed, *given], context)
    unknown = exp.cast(exp.null(), exp.DType.VARCHAR)
    return exp.select(
        field_column("sys_id"),
        *(exp.alias_(test, name, quoted=True, copy=False) for name, test in tests.items()),
        *(
            field_column(name) if name in given else exp.alias_(unknown.copy(), name, quoted=True)
            for name in dict.fromkeys(fields)
        ),
    ).from_(source.subquery(FIELDS, copy=False), copy=False)


def table_query(
    mapping: Mapping,
    table: str,
    catalogue: Catalogue,
    context: Context,
    extra: Sequence[str] = (),
) -> exp.Select:
    """`sys_id`, `rule_id` and the `extra` fields of every record of a table."""
    usable = _usable(mapping, table, catalogue, context)
    needed = fields_of([one for one, _test in usable])
    fields = select_fields(catalogue, table, [*needed, *extra], context)
    return exp.select(
        field_column("sys_id"),
        exp.alias_(_case(usable), "rule_id", copy=False),
        *(field_column(name) for name in dict.fromkeys(extra)),
    ).from_(fields.subquery(FIELDS, copy=False), copy=False)
