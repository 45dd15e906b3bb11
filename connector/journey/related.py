"""Facts about other records than the record itself, as queries: `record` and one column each.

Facts that look at the same rows in the same way share a query. Three ways: rows that point to the
record are aggregated; records of the same person are looked along, one after the other; rows of
another table are found near in time. Each is one pass with one sort, which the engine may spill.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from connector.journey.conditions import Sets, parse_condition
from connector.journey.facts.model import RECORD, Fact, Line, Near
from connector.journey.measures import Measured, instant

_DAY = 86400


@dataclass(frozen=True)
class Group:
    """What facts have in common that one query answers. `record_table`: whose records ask."""

    record_table: str
    source: str
    links: tuple[str, ...] = ()
    line: Line | None = None
    near: Near | None = None
    where: str = ""


class Rows(Protocol):
    """A table whose fields are becoming SQL: see `scope.Scope`."""

    def text(self, field: str) -> exp.Expression: ...
    def condition(self, where: str) -> exp.Expression: ...
    def measure(self, measured: Measured) -> exp.Expression: ...
    def finish(self, select: exp.Select) -> exp.Select: ...


Inner = Callable[..., Rows]


def group_of(fact: Fact, table: str, sets: Sets) -> Group:
    """The group of a fact of records of `table`."""
    if fact.line:
        return Group(table, table, line=fact.line)
    if fact.near:
        return Group(table, fact.source, near=fact.near, where=fact.where)
    reads = (*fact.source_reads, *parse_condition(fact.where, sets).fields)
    asks = any(field.startswith(RECORD) for field in reads)
    return Group(table if asks else "", fact.source, links=fact.links)


def query(group: Group, facts: Sequence[Fact], inner: Inner) -> exp.Select:
    """One row for each record that the facts say something of."""
    if group.line:
        return _along(group, group.line, facts, inner)
    if group.near:
        return _nearby(group, group.near, facts, inner)
    return _aggregated(group, facts, inner)


def _known(value: exp.Expression) -> exp.Expression:
    """Not NULL and not empty."""
    return exp.NEQ(this=value.copy(), expression=exp.Literal.string(""))


def _present(value: exp.Expression) -> exp.Expression:
    return exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))


def _first_known(rows: Rows, fields: Sequence[str]) -> exp.Expression:
    values = [exp.Nullif(this=rows.text(f), expression=exp.Literal.string("")) for f in fields]
    return exp.Coalesce(this=values[0], expressions=values[1:]) if values[1:] else values[0]


def _named(value: exp.Expression, name: str) -> exp.Alias:
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


# --- rows that point to the record ----------------------------------------------------------------


def _aggregated(group: Group, facts: Sequence[Fact], inner: Inner) -> exp.Select:
    rows = inner(group.source)
    key = _first_known(rows, group.links)
    if group.record_table:
        rows = inner(group.source, (group.record_table, key))
        key = _first_known(rows, group.links)
    values = [_named(_aggregate(rows, fact), fact.name) for fact in facts]
    record = exp.alias_(key, "record", copy=False)
    select = exp.select(record, *values, copy=False).group_by("1", copy=False)
    return rows.finish(select)


def _aggregate(rows: Rows, fact: Fact) -> exp.Expression:
    """The fact's value over a group of the rows, as text."""
    value = _combined(rows, fact)
    if fact.where:
        where = exp.Where(this=rows.condition(fact.where))
        value = exp.Filter(this=value, expression=where)
    if fact.aggregate == "any":
        value = exp.GT(this=value, expression=exp.Literal.number(0))
    return exp.cast(value, exp.DType.VARCHAR, copy=False)


def _combined(rows: Rows, fact: Fact) -> exp.Expression:
    if fact.measured is None:
        return exp.Count(this=exp.Star())
    value = rows.measure(fact.measured)
    if fact.aggregate == "latest" and fact.by:
        return exp.ArgMax(this=value, expression=instant(rows.measure(fact.by)))
    combine: type[exp.Expression] = _COMBINED[fact.aggregate]
    return combine(this=value)


_COMBINED: dict[str, type[exp.Expression]] = {"max": exp.Max, "min": exp.Min, "mean": exp.Avg}


# --- one after the other --------------------------------------------------------------------------


def _along(group: Group, line: Line, facts: Sequence[Fact], inner: Inner) -> exp.Select:
    """A look at the neighbours in a line. Who has no place in it has none of its facts."""
    rows = inner(group.source)
    keys = [rows.text(key) for key in line.keys]
    order = [rows.measure(one) for one in line.order]
    sys_id = exp.column("sys_id", table="r", quoted=True)
    window = _window(keys, [*order, sys_id])
    values = [_named(_neighbour(rows, fact, window), fact.name) for fact in facts]
    in_line = [_known(keys[0]), *(_present(key) for key in keys[1:]), _present(order[0])]
    select = exp.select(exp.alias_(sys_id, "record"), *values, copy=False)
    return rows.finish(select.where(exp.and_(*in_line, copy=False), copy=False))


def _window(keys: Sequence[exp.Expression], order: Sequence[exp.Expression]) -> exp.Window:
    ordered = [exp.Ordered(this=one.copy(), nulls_first=False) for one in order]
    return exp.Window(
        partition_by=[key.copy() for key in keys], order=exp.Order(expressions=ordered)
    )


_LOOKS: dict[str, type[exp.Expression]] = {
    "previous": exp.Lag,
    "next": exp.Lead,
    "first": exp.FirstValue,
}


def _neighbour(rows: Rows, fact: Fact, window: exp.Window) -> exp.Expression:
    if fact.measured is None:
        raise ValueError(fact.name)
    look = _LOOKS[fact.aggregate](
        this=exp.cast(rows.measure(fact.measured), exp.DType.VARCHAR, copy=False)
    )
    over = window.copy()
    over.set("this", look)
    return over


# --- near in time ---------------------------------------------------------------------------------


def _nearby(group: Group, near: Near, facts: Sequence[Fact], inner: Inner) -> exp.Select:
    """Records and source rows in one line of events by time; each record looks around itself.

    Records that find nothing are left out: they are most of them. Where only some of the other
    table's rows are sources, those whose key no source has need not even stand in line.
    """
    asking, found = inner(group.record_table), inner(group.source)
    events = _events(asking, near.keys, near.own_time, is_source=False)
    sources = _events(found, near.source_keys, near.source_time, is_source=True)
    if group.where:
        sources = sources.where(found.condition(group.where), copy=False)
        has_source = exp.In(this=_first_known(asking, near.keys), query=_keys(group, near, inner))
        events = events.where(has_source, copy=False)
    union = asking.finish(events).union(found.finish(sources), distinct=False, copy=False)
    values = [_named(_around(near), fact.name) for fact in facts]
    windowed = exp.select("record", "is_source", *values, copy=False)
    windowed.from_(union.subquery("e", copy=False), copy=False)
    asked = exp.select("record", *(exp.column(f.name, quoted=True) for f in facts))
    found_some = exp.NEQ(
        this=exp.column(facts[0].name, quoted=True),
        expression=exp.Literal.string(facts[0].default),
    )
    return asked.from_(windowed.subquery("w", copy=False), copy=False).where(
        exp.and_(exp.Not(this=exp.column("is_source")), found_some), copy=False
    )


def _keys(group: Group, near: Near, inner: Inner) -> exp.Subquery:
    """The keys of the sources, whenever they happened."""
    rows = inner(group.source)
    key = _first_known(rows, near.source_keys)
    select = exp.select(exp.alias_(key, "key", copy=False), copy=False)
    select.where(exp.and_(_present(key), rows.condition(group.where), copy=False), copy=False)
    return rows.finish(select).subquery()


def _events(rows: Rows, keys: Sequence[str], time: Measured, *, is_source: bool) -> exp.Select:
    key, moment = _first_known(rows, keys), instant(rows.measure(time))
    present = [_present(key), _present(moment)]
    seconds = exp.cast(exp.TimeToUnix(this=moment), exp.DType.BIGINT)
    return exp.select(
        exp.alias_(exp.column("sys_id", table="r", quoted=True), "record"),
        exp.alias_(key, "key", copy=False),
        exp.alias_(seconds, "moment", copy=False),
        exp.alias_(exp.Boolean(this=is_source), "is_source"),
        copy=False,
    ).where(exp.and_(*present, copy=False), copy=False)


def _around(near: Near) -> exp.Expression:
    near_end, far_end = exp.Literal.number(1), exp.Literal.number(near.days * _DAY)
    first, last = (far_end, near_end) if near.side == "before" else (near_end, far_end)
    word = "PRECEDING" if near.side == "before" else "FOLLOWING"
    frame = exp.WindowSpec(kind="RANGE", start=first, start_side=word, end=last, end_side=word)
    is_source = exp.column("is_source")
    mine = exp.Case(ifs=[exp.If(this=is_source, true=exp.column("moment"))])
    nearest: type[exp.Expression] = exp.Max if near.side == "before" else exp.Min
    look = nearest(this=mine) if near.result == "time" else exp.Count(this=mine)
    value = exp.Window(
        this=look,
        partition_by=[exp.column("key")],
        order=exp.Order(expressions=[exp.Ordered(this=exp.column("moment"), nulls_first=False)]),
        spec=frame,
    )
    return exp.cast(_answer(value, near), exp.DType.VARCHAR)


def _answer(value: exp.Expression, near: Near) -> exp.Expression:
    if near.result == "any":
        return value > 0
    if near.result == "time":
        return exp.cast(exp.UnixToTime(this=value), exp.DType.TIMESTAMP)
    return value
