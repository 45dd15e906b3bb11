"""Tree → one SQL expression, true or false for every record, never NULL."""

from collections.abc import Callable
from typing import Literal

from sqlglot import exp

from connector.encoded_query import expressions as sql
from connector.encoded_query import moments
from connector.encoded_query.model import (
    FIELD_OPERATORS,
    Branch,
    Column,
    Condition,
    Context,
    EncodedQueryError,
    FieldType,
    Order,
    Query,
    Resolver,
)
from connector.encoded_query.operands import (
    DATES,
    as_operand,
    instant_text,
    list_items,
    on_bounds,
)
from connector.messages import _

_NEGATIVE = {"!=": "=", "NOT IN": "IN", "NOT LIKE": "LIKE", "NOTON": "ON", "NSAMEAS": "SAMEAS"}
_COMPARISONS = frozenset({">", ">=", "<", "<="})
_RELATIVE = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
# The platform fills these itself: they are ordered bare, so that paging by key can use an index.
_NEVER_EMPTY = frozenset({"sys_id", "sys_created_on", "sys_updated_on"})


class _UnknownFieldError(Exception):
    """The resolver does not know a field; never leaves this module."""


class _NoRowsError(Exception):
    """An unknown field, where it means that nothing matches; never leaves this module."""


def to_sql(
    query: Query,
    resolve: Resolver,
    context: Context,
    on_unknown: Literal["raise", "ignore", "no_rows"] = "raise",
) -> exp.Expression:
    """The query as one boolean expression.

    With "raise", an unknown field or a value its column cannot hold (`state=abc` on an integer)
    is an EncodedQueryError with its position. Otherwise such a value matches nothing, and an
    unknown field is dropped from the query ("ignore", the platform's documented default) or makes
    the whole query match nothing ("no_rows", `glide.invalid_query.returns_no_rows`).
    """

    def compiled(condition: Condition) -> exp.Expression | None:
        try:
            return _condition(condition, resolve, context)
        except _UnknownFieldError as error:
            if on_unknown == "raise":
                reason = _("there is no field {field}").format(field=error)
                raise EncodedQueryError(query.text, condition.position, reason) from None
            if on_unknown == "no_rows":
                raise _NoRowsError from None
            return None
        except ValueError as error:
            if on_unknown == "raise":
                reason = f"{condition.field}: {error}"
                raise EncodedQueryError(query.text, condition.position, reason) from error
            return exp.false()

    try:
        return sql.any_of([_branch(branch, compiled) for branch in query.branches])
    except _NoRowsError:
        return exp.false()


def _branch(
    branch: Branch, compiled: Callable[[Condition], exp.Expression | None]
) -> exp.Expression:
    groups = [[test for c in group if (test := compiled(c)) is not None] for group in branch]
    return sql.all_of(sql.any_of(group) for group in groups if group)


def _resolved(resolve: Resolver, name: str) -> Column:
    try:
        return resolve(name)
    except KeyError:
        raise _UnknownFieldError(name) from None


def _condition(condition: Condition, resolve: Resolver, context: Context) -> exp.Expression:
    """Raises _UnknownFieldError, or ValueError with the reason a value cannot be used."""
    column = _resolved(resolve, condition.field)
    operator = _NEGATIVE.get(condition.operator, condition.operator)
    if operator in FIELD_OPERATORS:
        other = _resolved(resolve, condition.value)
        test = sql.compare_columns(column, FIELD_OPERATORS[operator], other)
        needed = [sql.present(column), sql.present(other)]
    else:
        test = _test(operator, column, condition.value, context)
        needed = _needed(operator, column, condition.value)
    if operator == condition.operator:
        return test
    return sql.all_of([*needed, sql.negated(test)])


def _needed(operator: str, column: Column, value: str) -> list[exp.Expression]:
    """What a negative operator asks of the column besides not matching.

    "Is not" does not find empty records (platform KB0715430), except on booleans, where it does
    (Table API reference).
    """
    if column.type is FieldType.BOOLEAN and operator in ("=", "IN") and value:
        return []
    return [sql.has_text(column) if operator == "LIKE" else sql.present(column)]


def _test(operator: str, column: Column, value: str, context: Context) -> exp.Expression:
    if operator.startswith("RELATIVE"):
        return _relative(operator.removeprefix("RELATIVE"), column, value, context)
    if operator in _COMPARISONS:
        return _comparison(operator, column, value, context)
    return _TESTS[operator](column, value, context)


def _comparison(sign: str, column: Column, value: str, context: Context) -> exp.Expression:
    if column.type is FieldType.BOOLEAN:
        raise ValueError(_("true and false cannot be ordered; use = or !="))
    operand = as_operand(value, column.type, context)
    return sql.compare(column, sign, operand) if operand else exp.false()


def _relative(sign: str, column: Column, value: str, context: Context) -> exp.Expression:
    _needs_date(column)
    moment, whole = moments.relative_span(value, context)
    if sign == "EE":
        start = instant_text(whole.start, column.type, context)
        return sql.between(column, start, instant_text(whole.end, column.type, context))
    return sql.compare(column, _RELATIVE[sign], instant_text(moment, column.type, context))


def _needs_date(column: Column) -> None:
    if column.type not in DATES:
        raise ValueError(_("this operator needs a date column"))


def _equal(column: Column, value: str, context: Context) -> exp.Expression:
    if not value:
        return sql.negated(sql.present(column))
    operand = as_operand(value, column.type, context)
    return sql.compare(column, "=", operand) if operand else exp.false()


def _one_of(column: Column, value: str, context: Context) -> exp.Expression:
    return sql.one_of(column, list_items(value, column.type, context))


def _on(column: Column, value: str, context: Context) -> exp.Expression:
    _needs_date(column)
    return sql.between(column, *on_bounds(value, column.type, context))


def _range(column: Column, value: str, context: Context) -> exp.Expression:
    if column.type is FieldType.BOOLEAN:
        raise ValueError(_("true and false cannot be ordered; use = or !="))
    low, high = (as_operand(part, column.type, context) for part in value.split("@"))
    return sql.between(column, low, high) if low and high else exp.false()


def _text_test(
    build: Callable[[Column, str], exp.Expression],
) -> Callable[[Column, str, Context], exp.Expression]:
    def test(column: Column, value: str, context: Context) -> exp.Expression:
        if not value:  # every text contains nothing
            return sql.has_text(column)
        operand = as_operand(value, FieldType.STRING, context)
        return build(column, operand) if operand else exp.false()

    return test


def _me(column: Column, _value: str, context: Context) -> exp.Expression:
    return _equal(column, "javascript:gs.getUserID()", context)


def _empty(column: Column, _value: str, _context: Context) -> exp.Expression:
    return sql.negated(sql.present(column))


_TESTS: dict[str, Callable[[Column, str, Context], exp.Expression]] = {
    "=": _equal,
    "IN": _one_of,
    "LIKE": _text_test(sql.contains),
    "STARTSWITH": _text_test(sql.starts_with),
    "ENDSWITH": _text_test(sql.ends_with),
    "BETWEEN": _range,
    "ON": _on,
    "DYNAMIC": _me,
    "ISEMPTY": _empty,
    "EMPTYSTRING": _empty,
    "ISNOTEMPTY": lambda column, _value, _context: sql.present(column),
    "ANYTHING": lambda _column, _value, _context: exp.true(),
}


def order_by(
    query: Query, resolve: Resolver, on_unknown: Literal["raise", "ignore"] = "raise"
) -> list[exp.Ordered]:
    """The ORDERBYs, first is primary; empties come first going up and last going down.

    An unknown field is an EncodedQueryError, or left out with "ignore".
    """
    ordered = []
    for order in query.order:
        try:
            ordered.append(_ordered(order, _resolved(resolve, order.field)))
        except _UnknownFieldError:
            if on_unknown == "raise":
                reason = _("there is no field {field}").format(field=order.field)
                raise EncodedQueryError(query.text, order.position, reason) from None
    return ordered


def _ordered(order: Order, column: Column) -> exp.Ordered:
    bare = order.field in _NEVER_EMPTY
    key = sql.raw(column) if bare else sql.sort_key(column)
    return exp.Ordered(this=key, desc=order.descending, nulls_first=not order.descending)
