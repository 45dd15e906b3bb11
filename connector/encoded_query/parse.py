"""Text → tree: `^` is AND, `^OR` binds tighter, `^NQ` starts a branch, ORDERBY may stand anywhere.

`^^` is an escaped `^`. Operators are case-sensitive and stand right after a legal column name: the
earliest place where one can, and the longest one there, so a value may contain operator words.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.encoded_query.model import (
    FIELD_OPERATORS,
    Branch,
    Condition,
    EncodedQueryError,
    Order,
    Query,
)
from connector.encoded_query.moments import PREFIX, parse_call, parse_relative
from connector.encoded_query.operands import split_list
from connector.messages import _

_SPELLINGS = {
    **{name: name for name in ("=", "!=", ">", ">=", "<", "<=", "IN", "NOT IN", "LIKE")},
    **{name: name for name in ("NOT LIKE", "STARTSWITH", "ENDSWITH", "ISEMPTY", "ISNOTEMPTY")},
    **{name: name for name in ("EMPTYSTRING", "ANYTHING", "BETWEEN", "ON", "NOTON", "DYNAMIC")},
    **{f"RELATIVE{name}": f"RELATIVE{name}" for name in ("GT", "GE", "LT", "LE", "EE")},
    **{name: name for name in FIELD_OPERATORS},
    "CONTAINS": "LIKE",
    "*": "LIKE",
    "DOES NOT CONTAIN": "NOT LIKE",
    "!*": "NOT LIKE",
    "%": "ENDSWITH",
}
_REFUSED = (
    "DATEPART", "MORETHAN", "LESSTHAN", "VALCHANGES", "CHANGESFROM", "CHANGESTO", "INSTANCEOF",
    "MATCH_PAT", "MATCH_RGX", "IN_HIERARCHY",
)  # fmt: skip
_OPERATOR = re.compile(
    "|".join(re.escape(name) for name in sorted([*_SPELLINGS, *_REFUSED], key=len, reverse=True))
)
# A dictionary element never ends in an underscore: this keeps `active_IN=1` the column active_IN.
_COLUMN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_]*[A-Za-z0-9])?(?:\.[A-Za-z0-9_]*[A-Za-z0-9])*")
_COLUMN_CHARACTER = re.compile(r"[A-Za-z0-9_.]")
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_NO_VALUE = frozenset({"ISEMPTY", "ISNOTEMPTY", "EMPTYSTRING", "ANYTHING"})
_EMPTY_VALUE = frozenset({"=", "!=", "IN", "NOT IN", "LIKE", "NOT LIKE", "STARTSWITH", "ENDSWITH"})
DYNAMIC_ME = "90d1921e5f510100a9ad2572f2b477fe"
"""sys_id of the dynamic filter option "Me" that every instance ships with."""


@dataclass(frozen=True)
class _Segment:
    kind: str  # AND, OR, NQ, ORDER
    text: str  # what follows the keyword, still escaped
    position: int


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The parts between single carets, each with its position."""
    start = index = 0
    while index < len(text):
        if text[index] != "^":
            index += 1
        elif text.startswith("^^", index):
            index += 2
        else:
            yield start, text[start:index]
            start = index = index + 1
    yield start, text[start:]


def _opening(position: int, piece: str) -> _Segment:
    """What begins a branch: an order or a condition, but no alternative to anything."""
    if piece.startswith("ORDERBY"):
        return _Segment("ORDER", piece[7:], position + 7)
    return _Segment("AND", piece, position)


def _split(position: int, piece: str) -> list[_Segment]:
    if piece == "EQ":
        return []
    if piece.startswith("NQ"):
        return [_Segment("NQ", "", position), _opening(position + 2, piece[2:])]
    if piece.startswith("OR") and not piece.startswith("ORDERBY"):
        return [_Segment("OR", piece[2:], position + 2)]
    return [_opening(position, piece)]


def _segments(text: str) -> list[_Segment]:
    """The segments that say something: empty pieces (a leading or trailing `^`) are dropped."""
    pieces = list(_pieces(text))
    found = [segment for place in pieces for segment in _split(*place)]
    if pieces[0][1].startswith("OR"):  # no `^` before it: the text begins with a column
        found[0] = _opening(*pieces[0])
    return [s for s in found if s.text or s.kind != "AND"]


def parse(text: str, sets: Mapping[str, Sequence[str]] | None = None) -> Query:
    """Read an encoded query.

    With `sets`, `columnIN@name` stands for the values of that named set; without, `@name` is a
    value like any other. Raises EncodedQueryError, and nothing else, for what cannot be honoured.
    """
    if bad := _UNUSABLE.search(text):
        raise EncodedQueryError(text, bad.start(), _("this character cannot be in a query"))
    branches: list[list[list[Condition]]] = [[]]
    order: list[Order] = []
    for segment in _segments(text):
        if segment.kind == "ORDER":
            order.append(_order(text, segment))
        elif segment.kind == "NQ":
            _refuse_empty(text, branches, segment.position)
            branches.append([])
        else:
            _add(text, branches[-1], segment, sets)
    if len(branches) > 1:
        _refuse_empty(text, branches, len(text))
    frozen: tuple[Branch, ...] = tuple(tuple(map(tuple, branch)) for branch in branches)
    return Query(frozen, tuple(order), text)


def _refuse_empty(text: str, branches: list[list[list[Condition]]], position: int) -> None:
    if not branches[-1]:
        reason = _("a branch beside ^NQ has no condition, so it would match every record")
        raise EncodedQueryError(text, position, reason)


def _add(
    text: str,
    branch: list[list[Condition]],
    segment: _Segment,
    sets: Mapping[str, Sequence[str]] | None,
) -> None:
    condition = _condition(text, segment, sets)
    if segment.kind != "OR":
        branch.append([condition])
    elif branch:
        branch[-1].append(condition)
    else:
        reason = _("^OR needs a condition before it in the same branch")
        raise EncodedQueryError(text, segment.position, reason)


def _order(text: str, segment: _Segment) -> Order:
    descending = segment.text.startswith("DESC")
    column = segment.text.removeprefix("DESC")
    if not _COLUMN.fullmatch(column):
        raise EncodedQueryError(text, segment.position, _("ORDERBY needs a column name"))
    return Order(column, descending, segment.position)


def _find_operator(text: str) -> tuple[str, str, int] | None:
    """(column, operator as written, where the value begins), or None."""
    for index in range(1, len(text)):
        if not _COLUMN_CHARACTER.match(text[index - 1]):
            return None
        match = _OPERATOR.match(text, index)
        if match and _COLUMN.fullmatch(text, 0, index):
            return text[:index], match[0], match.end()
    return None


def _condition(text: str, segment: _Segment, sets: Mapping[str, Sequence[str]] | None) -> Condition:
    for keyword in ("JOIN", "RLQUERY", "ENDRLQUERY"):
        if segment.text.startswith(keyword):
            reason = _("{keyword} cannot be honoured; use dot-walks or facts instead").format(
                keyword=keyword
            )
            raise EncodedQueryError(text, segment.position, reason)
    found = _find_operator(segment.text)
    if not found:
        reason = _("no column followed by an operator here (operators are upper case)")
        raise EncodedQueryError(text, segment.position, reason)
    column, spelled, begin = found
    if spelled in _REFUSED:
        reason = _("the operator {operator} cannot be honoured").format(operator=spelled)
        raise EncodedQueryError(text, segment.position + len(column), reason)
    operator, value = _SPELLINGS[spelled], segment.text[begin:].replace("^^", "^")
    try:
        value = _checked_value(operator, value, sets)
    except ValueError as error:
        raise EncodedQueryError(text, segment.position + begin, str(error)) from error
    return Condition(column, operator, value, segment.position)


def _checked_value(operator: str, value: str, sets: Mapping[str, Sequence[str]] | None) -> str:
    """The value as the condition keeps it. Raises ValueError with the reason it cannot be used."""
    if operator in _NO_VALUE:
        if value:
            raise ValueError(_("{operator} takes no value").format(operator=operator))
        return value
    if not value and operator not in _EMPTY_VALUE:
        raise ValueError(_("{operator} needs a value").format(operator=operator))
    if operator in FIELD_OPERATORS or operator == "DYNAMIC":
        return _other(operator, value)
    if operator in ("=", "!=") and value == "NULL":
        return ""
    if operator in ("IN", "NOT IN") and value.startswith("@") and sets is not None:
        return _expand(value[1:], sets)
    if operator.startswith("RELATIVE"):
        parse_relative(value)
    else:
        _check_operands(operator, value)
    return value


def _other(operator: str, value: str) -> str:
    if operator == "DYNAMIC":
        if value != DYNAMIC_ME:
            raise ValueError(_("of the dynamic values only Me can be honoured"))
    elif not _COLUMN.fullmatch(value):
        raise ValueError(_("{operator} needs a column name").format(operator=operator))
    return value


def _check_operands(operator: str, value: str) -> None:
    for operand in _operands(operator, value):
        if operand.startswith(PREFIX):
            parse_call(operand)


def _operands(operator: str, value: str) -> list[str]:
    """The single values inside a value. Raises ValueError where their number is wrong."""
    if operator in ("IN", "NOT IN"):
        return split_list(value)
    if operator == "BETWEEN":
        operands = value.split("@")
        if len(operands) != 2 or not all(operands):
            raise ValueError(_("BETWEEN is written with two values, like BETWEEN1@3"))
        return operands
    if operator in ("ON", "NOTON"):
        operands = value.split("@")
        if len(operands) not in (1, 3) or not all(operands[1:]):
            reason = _("{operator} is written label@start@end, or with one date")
            raise ValueError(reason.format(operator=operator))
        return operands[1:]
    return [value]


def _expand(name: str, sets: Mapping[str, Sequence[str]]) -> str:
    if name not in sets:
        near = difflib.get_close_matches(name, sets, n=1)
        if near:
            raise ValueError(
                _("there is no set {name}; did you mean {near}?").format(name=name, near=near[0])
            )
        raise ValueError(_("there is no set {name}; add it to sets.toml").format(name=name))
    for value in sets[name]:
        if "," in value or _UNUSABLE.search(value):
            raise ValueError(_("a value of the set {name} cannot be in a list").format(name=name))
    return ",".join(sets[name])


def and_to_every_branch(query_text: str, condition_text: str) -> str:
    """`query_text` narrowed by `condition_text` in **every** branch, as text for the instance.

    Appending after a `^NQ` would narrow the last branch only. The conditions are not read, so a
    filter may use what `parse` refuses. The order is that of `condition_text`: an ORDERBY of the
    filter is dropped, because a page's order belongs to whoever pages.
    """
    branches = _branch_texts(_segments(query_text))
    narrowing = _segments(condition_text)
    order = [f"ORDERBY{s.text}" for s in narrowing if s.kind == "ORDER"]
    joined = "^NQ".join(
        "^".join(part for part in (branch, extra) if part)
        for branch in branches
        for extra in _branch_texts(narrowing)
    )
    return "^".join(part for part in (joined, *order) if part)


def _branch_texts(segments: list[_Segment]) -> list[str]:
    branches: list[list[str]] = [[]]
    for segment in segments:
        if segment.kind == "NQ":
            branches.append([])
        if segment.kind != "ORDER" and segment.text:
            branches[-1].append(("OR" if segment.kind == "OR" else "") + segment.text)
    return ["^".join(parts) for parts in branches]
