"""Building blocks: typed comparisons of a column, each true or false whatever the data.

All stored values are text; NULL and '' are the same. Literals only ever enter as sqlglot literals.
A plain column stays bare inside comparisons, so that an index or zone map can serve them.
"""

from collections.abc import Callable, Iterable
from functools import reduce

from sqlglot import exp

from connector.encoded_query.model import Column, FieldType
from connector.encoded_query.operands import BOOLEANS, NUMBER_SHAPE, NUMBERS

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
    found = list(tests)
    if not found:
        return exp.true()
    joined = reduce(lambda left, right: exp.And(this=left, expression=right), found)
    return joined if len(found) == 1 else exp.Paren(this=joined)


def any_of(tests: Iterable[exp.Expression]) -> exp.Expression:
    """One of the tests holds; false for none."""
    found = list(tests)
    if not found:
        return exp.false()
    joined = reduce(lambda left, right: exp.Or(this=left, expression=right), found)
    return joined if len(found) == 1 else exp.Paren(this=joined)


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
    return exp.TryCast(this=value, to=exp.DataType.build("DOUBLE"))


def _boolean(value: exp.Expression) -> exp.Expression:
    spelled = {
        name: exp.In(this=value.copy(), expressions=[_text(text) for text in texts])
        for name, texts in BOOLEANS.items()
    }
    return exp.Case(ifs=[exp.If(this=test, true=_text(name)) for name, test in spelled.items()])


def _has_garbage(column: Column) -> bool:
    return column.type in NUMBERS or column.type is FieldType.BOOLEAN


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


def _sure(test: exp.Expression, *columns: Column, garbage: bool = True) -> exp.Expression:
    """`test`, false instead of NULL; without `garbage`, the test reads stored text only."""
    plain = all(isinstance(c.expression, exp.Column) for c in columns)
    if plain and not (garbage and any(map(_has_garbage, columns))):
        known = [exp.Not(this=exp.Is(this=raw(c), expression=exp.null())) for c in columns]
        return all_of([*known, test])
    return exp.Coalesce(this=test, expressions=[exp.false()])


def present(column: Column) -> exp.Expression:
    """The column has a value of its type."""
    if _has_garbage(column):
        return exp.Not(this=exp.Is(this=comparable(column), expression=exp.null()))
    return _sure(exp.NEQ(this=raw(column), expression=_text("")), column)


def has_text(column: Column) -> exp.Expression:
    """The column has any stored text, be it garbage for its type."""
    return _sure(exp.NEQ(this=raw(column), expression=_text("")), column, garbage=False)


def compare(column: Column, sign: str, value: str) -> exp.Expression:
    """`column sign value`, the value in stored form; an empty column never compares."""
    test = _COMPARISONS[sign](this=comparable(column), expression=_literal(value, column.type))
    sure = _sure(test, column)
    # '' sorts before everything, yet an empty value is not less than another.
    return all_of([present(column), sure]) if sign in ("<", "<=") else sure


def between(column: Column, low: str, high: str) -> exp.Expression:
    """Both ends included."""
    return all_of([compare(column, ">=", low), compare(column, "<=", high)])


def one_of(column: Column, values: list[str]) -> exp.Expression:
    """The column is one of these (stored form); false for none."""
    if not values:
        return exp.false()
    literals = [_literal(value, column.type) for value in values]
    return _sure(exp.In(this=comparable(column), expressions=literals), column)


def contains(column: Column, value: str) -> exp.Expression:
    """The stored text holds `value`, without case; `%` and `_` are ordinary characters."""
    return _sure(exp.GT(this=_place(column, value), expression=_zero()), column, garbage=False)


def starts_with(column: Column, value: str) -> exp.Expression:
    """The stored text begins with `value`, without case."""
    one = exp.Literal.number(1)
    return _sure(exp.EQ(this=_place(column, value), expression=one), column, garbage=False)


def ends_with(column: Column, value: str) -> exp.Expression:
    """The stored text ends with `value`, without case."""
    lowered = exp.Lower(this=raw(column))
    # Where the text is shorter, the piece is too, so it cannot equal the value.
    back = exp.Literal.number(len(value) - 1)
    start = exp.Sub(this=exp.Length(this=lowered.copy()), expression=back)
    piece = exp.Substring(this=lowered, start=start, length=exp.Literal.number(len(value)))
    return _sure(exp.EQ(this=piece, expression=_folded(value)), column, garbage=False)


def _zero() -> exp.Expression:
    return exp.Literal.number(0)


def _place(column: Column, value: str) -> exp.Expression:
    return exp.StrPosition(this=exp.Lower(this=raw(column)), substr=_folded(value))


def compare_columns(left: Column, sign: str, right: Column) -> exp.Expression:
    """`left sign right`; both must have a value."""
    first, second = _alike(left, right)
    test = _COMPARISONS[sign](this=first, expression=second)
    sure = exp.Coalesce(this=test, expressions=[exp.false()])
    return all_of([present(left), present(right), sure])


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
    return key if _has_garbage(column) else exp.Coalesce(this=key, expressions=[_text("")])
