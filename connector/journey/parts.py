"""A rule's condition taken apart, to show which part of it held for one record.

A part is what stands between two `^` of a branch, with its `^OR`s: one group of the tree.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from connector.encoded_query import Condition, Context, Query
from connector.journey.compiler import FIELDS, Live, condition_sql, field_column, fields_of
from connector.journey.scope import Catalogue, select_fields

_SHORT = 60


@dataclass(frozen=True)
class Part:
    """One group of one branch of a rule's condition. `text` is as the rule has it."""

    rule_id: str
    branch: int
    text: str
    fields: tuple[str, ...]
    query: Query


def parts_of(live: Sequence[Live]) -> list[Part]:
    """The parts of all rules, in their order. A rule without a condition has none."""
    return [part for one in live for part in _parts(one)]


def _parts(one: Live) -> Iterator[Part]:
    written = _as_written(one)
    for number, branch in enumerate(one.query.branches):
        for place, group in enumerate(branch):
            text = written[number][place] if written else _spelled(group)
            query = Query(((group,),), (), text)
            yield Part(one.rule.id, number, text, tuple(sorted(query.fields)), query)


def _as_written(one: Live) -> list[list[str]] | None:
    """The pieces of the rule's text, None where they do not correspond to the tree one by one."""
    branches = [
        [piece for piece in re.split(r"\^(?!OR|\^)", branch) if piece]
        for branch in re.split(r"\^NQ", one.rule.when)
    ]
    sizes = [len(branch) for branch in branches]
    return branches if sizes == [len(branch) for branch in one.query.branches] else None


def _spelled(group: tuple[Condition, ...]) -> str:
    texts = [f"{c.field}{c.operator}{c.value}" for c in group]
    return "^OR".join(text if len(text) <= _SHORT else text[:_SHORT] + "…" for text in texts)


def parts_query(
    parts: Sequence[Part],
    live: Sequence[Live],
    table: str,
    sys_id: str,
    catalogue: Catalogue,
    context: Context,
) -> exp.Select:
    """One row for one record: `v0`, `v1`, … the values of the fields, `p0`, … whether parts hold.

    The fields are in the order of `fields_of(live)`.
    """
    fields = fields_of(live)
    inner = select_fields(catalogue, table, fields, context)
    values = [exp.alias_(field_column(field), f"v{n}") for n, field in enumerate(fields)]
    tests = [
        exp.alias_(_test(part.query, table, catalogue, context), f"p{n}")
        for n, part in enumerate(parts)
    ]
    key = field_column("sys_id").eq(exp.Literal.string(sys_id))
    found = exp.select(field_column("sys_id"), *values, *tests)
    return found.from_(inner.subquery(FIELDS)).where(key)


def _test(query: Query, table: str, catalogue: Catalogue, context: Context) -> exp.Condition:
    return condition_sql(query, lambda name: catalogue.type_of(table, name), context)
