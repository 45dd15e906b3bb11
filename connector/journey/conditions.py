"""A rule's condition: an encoded query, with named sets in lists and in text searches.

`fieldIN@name` is expanded by the parser; `fieldLIKE@name` (also STARTSWITH, ENDSWITH, NOT LIKE)
here, into what an administrator would have pasted: one condition for each word of the set.
Refuses columns that our own writes move.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from connector.encoded_query import Branch, Condition, EncodedQueryError, Query, parse
from connector.journey.near import hint
from connector.messages import _

_WORD_OPERATORS = ("LIKE", "STARTSWITH", "ENDSWITH", "NOT LIKE")
_SET_NAME = re.compile(r"^@([a-z][a-z0-9_]*)$")
_USED_SET = re.compile(r"(?:IN|LIKE|STARTSWITH|ENDSWITH|CONTAINS)@([a-z][a-z0-9_]*)")
_FORBIDDEN = re.compile(r"^(sys_updated_.*|sys_mod_count|u_journey_.*)$")
NOTHING = "\u2205 empty set"
"""Stands for the entries of an empty set: no value of a record equals or contains it."""

Sets = Mapping[str, Sequence[str]]


def parse_condition(text: str, sets: Sets) -> Query:
    """The tree of a rule's `when`. Raises EncodedQueryError, with the position in `text`."""
    if "@" not in text:
        return _without_sets(text)
    return _parsed(text, sets)


@lru_cache(maxsize=4096)
def _without_sets(text: str) -> Query:
    """Most conditions, which every step asks for again."""
    return _parsed(text, {})


def _parsed(text: str, sets: Sets) -> Query:
    filled = {name: list(values) or [NOTHING] for name, values in sets.items()}
    query = parse(text, filled)
    branches = tuple(
        tuple(group for written in branch for group in _expanded(text, written, filled))
        for branch in query.branches
    )
    return replace(query, branches=branches)


def _expanded(
    text: str, group: tuple[Condition, ...], sets: Sets
) -> Iterator[tuple[Condition, ...]]:
    """The group with its word sets spelled out; NOT LIKE of a set is one group for each word."""
    spelled = [_words(text, condition, sets) for condition in group]
    if len(group) == 1 and group[0].operator == "NOT LIKE":
        yield from ((condition,) for condition in spelled[0])
        return
    for condition, words in zip(group, spelled, strict=True):
        if condition.operator == "NOT LIKE" and len(words) > 1:
            reason = _("NOT LIKE with a set cannot stand beside ^OR; write its words out")
            raise EncodedQueryError(text, condition.position, reason)
    yield tuple(condition for words in spelled for condition in words)


def _words(text: str, condition: Condition, sets: Sets) -> list[Condition]:
    match = _SET_NAME.match(condition.value)
    if condition.operator not in _WORD_OPERATORS or not match:
        return [condition]
    name = match[1]
    if name not in sets:
        reason = _("there is no set {name}{hint}").format(name=name, hint=hint(name, sets))
        raise EncodedQueryError(text, condition.position, reason)
    return [replace(condition, value=word) for word in sets[name]]


def used_sets(text: str) -> list[str]:
    """The named sets that a condition mentions, in order."""
    return list(dict.fromkeys(_USED_SET.findall(text)))


def empty_sets(text: str, sets: Sets) -> list[str]:
    """The named sets of a condition that have no entry."""
    return [name for name in used_sets(text) if name in sets and not sets[name]]


def is_asleep(query: Query) -> bool:
    """Nothing can match: in every branch some group consists of empty sets alone."""
    return bool(query.branches) and all(_is_impossible(branch) for branch in query.branches)


def _is_impossible(branch: Branch) -> bool:
    return any(
        all(
            (c.value == NOTHING and not c.operator.startswith("NOT"))
            or (c.operator, c.value) == ("IN", "")
            for c in group
        )
        for group in branch
    )


def forbidden_fields(query: Query) -> list[str]:
    """Fields of a condition that our own writes move: no rule may read them."""
    return sorted(
        field
        for field in query.fields
        if any(_FORBIDDEN.match(segment) for segment in field.split("."))
    )
