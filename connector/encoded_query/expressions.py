"""Building blocks: typed comparisons of a column, each true or false whatever the data.

All stored values are text; NULL and '' are the same. Literals only ever enter as sqlglot literals.
A plain column stays bare inside comparisons, so that an index or zone map can serve them.
"""

from collections.abc import Callable, Iterable
from functools import reduce

from sqlglot import exp

from connector.encoded_query.model import Column, FieldType
from connector.encoded_query.operands import BOOLEANS, NUMBER_SHAPE, NUMBERS

_WIDTH = 50
_FOLDED = (FieldType.STRING, FieldType.JOURNAL)
_COMPARISONS: dict[str, Callable[..., exp.Expression]] = {
    "=": exp.EQ,
    ">": exp.GT,
    ">=": exp.GTE,
    "<": exp.LT,
    "<=": exp.LTE,
}


def all_of(tests: Iterable[exp.Expression]) -> exp.Expression:
    """Every test holds; true for none."""
    return _joined(exp.And, list(tests)) or exp.true()


def any_of(tests: Iterable[exp.Expression]) -> exp.Expression:
    """One of the tests holds; false for none."""
    return _joined(exp.Or, list(tests)) or exp.false()


def _joined(
    connector: type[exp.And | exp.Or], tests: list[exp.Expression]
) -> exp.Expression | None:
    """All tests in one expression; many are grouped, as SQLite nests no deeper than 1000."""
    if len(tests) <= 1:
        return tests[0] if tests else None
    if len(tests) > _WIDTH:
        parts = [tests[start : start + _WIDTH] for start in range(0, len(tests), _WIDTH)]
        return _joined(connector, [part for group in parts if (part := _joined(connector, group))])
    return exp.Paren(this=reduce(lambda left, right: connector(this=left, expression=right), tests))


def negated(test: exp.Expression) -> exp.Expression:
    """The test does not hold."""
    return exp.Not(this=test if isinstance(test, exp.Paren) else exp.Paren(this=test))


def _text(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def raw(column: Column) -> exp.Expression:
    """The stored text."""
    return column.expression.copy()


def _number(value: exp.Expression) -> exp.Expression:
    """Text as a number, NULL for anything else.

    The shape decides, not the engine's cast: engines differ on `1_000`, `nan`, ` 7 ` and `12abc`.
    """
    shape = exp.RegexpLike(this=value.copy(), expression=_text(rf"^{NUMBER_SHAPE}\z"))
    return exp.Case(ifs=[exp.If(this=shape, true=_cast(value))])


def _cast(value: exp.Expression) -> exp.Expression:
    return exp.TryCast(this=value, to=exp.DataType.build(exp.DType.DOUBLE))


def _boolean(value: exp.Expression) -> exp.Expression:
    tests = {name: _is_boolean(value.copy(), [name]) for name in BOOLEANS}
    return exp.Case(ifs=[exp.If(this=test, true=_text(name)) for name, test in tests.items()])


def _is_boolean(value: exp.Expression, names: Iterable[str]) -> exp.Expression:
    texts = [_text(text) for name in names for text in BOOLEANS[name]]
    return exp.In(this=value, expressions=texts)


def comparable(column: Column) -> exp.Expression:
    """The column as its type compares; NULL where the number or boolean is garbage."""
    if column.type in NUMBERS:
        return _number(raw(column))
    if column.type in _FOLDED:
        return exp.Lower(this=raw(column))
    return _boolean(raw(column)) if column.type is FieldType.BOOLEAN else raw(column)


def _folded(value: str) -> exp.Expression:
    """A literal in lower case; beyond ASCII the engine folds it, as it folds the column."""
    return _text(value.lower()) if value.isascii() else exp.Lower(this=_text(value))


def _literal(value: str, kind: FieldType) -> exp.Expression:
    if kind in NUMBERS:
        return _cast(_text(value))
    return _folded(value) if kind in _FOLDED else _text(value)


def _false_if_null(test: exp.Expression) -> exp.Expression:
    return exp.Coalesce(this=test, expressions=[exp.false()])


def _sure(test: exp.Expression, column: Column) -> exp.Expression:
    """A test of the stored text, false instead of NULL."""
    if not isinstance(column.expression, exp.Column):
        return _false_if_null(test)
    known = exp.Not(this=exp.Is(this=raw(column), expression=exp.null()))
    return all_of([known, test])


def has_text(column: Column) -> exp.Expression:
    """The column has any stored text, be it garbage for its type."""
    return _sure(exp.NEQ(this=raw(column), expression=_text("")), column)


def present(column: Column) -> exp.Expression:
    """The column has a value of its type."""
    if column.type in NUMBERS:
        return exp.Not(this=exp.Is(this=comparable(column), expression=exp.null()))
    if column.type is FieldType.BOOLEAN:
        return one_of(column, list(BOOLEANS))
    return has_text(column)


def compare(column: Column, sign: str, value: str) -> exp.Expression:
    """`column sign value`, the value in stored form; an empty column never compares."""
    if column.type is FieldType.BOOLEAN:  # only equality: the order of booleans is refused above
        return one_of(column, [value])
    test = _COMPARISONS[sign](this=comparable(column), expression=_literal(value, column.type))
    if column.type in NUMBERS:
        return _false_if_null(test)
    # '' sorts before everything, yet an empty value is not less than another.
    if sign in ("<", "<="):
        test = exp.And(this=exp.NEQ(this=raw(column), expression=_text("")), expression=test)
    return _sure(test, column)


def between(column: Column, low: str, high: str) -> exp.Expression:
    """Both ends included."""
    return all_of([compare(column, ">=", low), compare(column, "<=", high)])


def one_of(column: Column, values: list[str]) -> exp.Expression:
    """The column is one of these (stored form); false for none."""
    if not values:
        return exp.false()
    if column.type is FieldType.BOOLEAN:
        return _sure(_is_boolean(raw(column), values), column)
    literals = [_literal(value, column.type) for value in values]
    test = exp.In(this=comparable(column), expressions=literals)
    return _false_if_null(test) if column.type in NUMBERS else _sure(test, column)


def contains(column: Column, value: str) -> exp.Expression:
    """The stored text holds `value`, without case; `%` and `_` are ordinary characters."""
    return _sure(exp.GT(this=_place(column, value), expression=_zero()), column)


def starts_with(column: Column, value: str) -> exp.Expression:
    """The stored text begins with `value`, without case."""
    one = exp.Literal.number(1)
    return _sure(exp.EQ(this=_place(column, value), expression=one), column)


def ends_with(column: Column, value: str) -> exp.Expression:
    """The stored text ends with `value`, without case."""
    lowered = exp.Lower(this=raw(column))
    # Where the text is shorter, the piece is too, so it cannot equal the value.
    back = exp.Literal.number(len(value) - 1)
    start = exp.Sub(this=exp.Length(this=lowered.copy()), expression=back)
    piece = exp.Substring(this=lowered, start=start, length=exp.Literal.number(len(value)))
    return _sure(exp.EQ(this=piece, expression=_folded(value)), column)


def _zero() -> exp.Expression:
    return exp.Literal.number(0)


def _place(column: Column, value: str) -> exp.Expression:
    return exp.StrPosition(this=exp.Lower(this=raw(column)), substr=_folded(value))


def compare_columns(left: Column, sign: str, right: Column) -> exp.Expression:
    """`left sign right`; both must have a value."""
    first, second = _alike(left, right)
    test = _COMPARISONS[sign](this=first, expression=second)
    return all_of([present(left), present(right), _false_if_null(test)])


def _alike(left: Column, right: Column) -> tuple[exp.Expression, exp.Expression]:
    kinds = {left.type, right.type}
    if len(kinds) == 1 or kinds <= set(NUMBERS):
        return comparable(left), comparable(right)
    if kinds == {FieldType.DATE, FieldType.DATETIME}:
        return _day(left), _day(right)
    return exp.Lower(this=raw(left)), exp.Lower(this=raw(right))


def _day(column: Column) -> exp.Expression:
    one, ten = exp.Literal.number(1), exp.Literal.number(10)
    return exp.Substring(this=raw(column), start=one, length=ten)


def sort_key(column: Column) -> exp.Expression:
    """What to order by: empties are all alike, and before everything else."""
    key = comparable(column)
    return key if column.type in NUMBERS else exp.Coalesce(this=key, expressions=[_text("")])
