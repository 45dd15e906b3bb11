"""Whether the moments of truth are sound: every problem is found, none is raised.

Nothing in a moment may move with the time alone but its window: so a decided moment stays decided
until the record changes.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from datetime import UTC, datetime
from functools import cache

from sqlglot import exp

from connector.encoded_query import Condition, Context, EncodedQueryError, Query
from connector.journey.conditions import Sets, forbidden_fields, parse_condition
from connector.journey.examples import EXAMPLE_NOW
from connector.journey.facts import FAMILIES, Fact, facts_of, find_fact
from connector.journey.measures import Measured
from connector.journey.moment_model import END, WORDS, Moment
from connector.journey.moment_proofs import Told, prove
from connector.journey.near import hint
from connector.messages import _

_TEXTS = frozenset(
    {"short_description", "description", "close_notes", "comments", "work_notes", "name", "email"}
)
_DAYS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 7, 7, tzinfo=UTC))


def check_moments(moments: Iterable[Moment], tables: Iterable[str], sets: Sets) -> list[str]:
    """Every problem of all moments, one sentence each, with file and line."""
    known = list(tables)
    return [
        f"{moment.source}: {moment.id}: {sentence}"
        for moment in moments
        for sentence in _problems(moment, known, sets)
    ]


def _problems(moment: Moment, tables: list[str], sets: Sets) -> Iterator[str]:
    for table in moment.tables:
        if table not in tables:
            yield _("there is no table {table}{hint}").format(table=table, hint=hint(table, tables))
    if moment.off:
        return
    queries: dict[str, Query] = {}
    faults = [*_shape(moment), *_parsed(moment, sets, queries)]
    faults += _instants(moment, sets)
    yield from faults
    if not faults:
        yield from _proofs(moment, queries)


def _shape(moment: Moment) -> Iterator[str]:
    if not moment.starts:
        yield _("the key {key} is missing").format(key="starts")
    if not moment.evidence:
        yield _("nothing decides it: give positive or negative evidence, or say why it is off")
    codes = [one.code for one in moment.evidence]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        yield _("the evidence {code} is given twice").format(code=code)
    shown = {example.polarity for example in moment.examples}
    for polarity in sorted({one.polarity for one in moment.evidence} - shown):
        yield _("it has no example that is {polarity}").format(polarity=polarity)


def _parsed(moment: Moment, sets: Sets, into: dict[str, Query]) -> Iterator[str]:
    """Fill `into` with the parsed conditions; tell what is wrong with them."""
    for text in dict.fromkeys(moment.conditions):
        try:
            query = into[text] = parse_condition(text, sets)
        except EncodedQueryError as error:
            yield _("{query!r}: position {n}: {why}").format(
                query=text, n=error.position, why=error.reason
            )
            continue
        for name in forbidden_fields(query):
            yield _("{field} may not be used: our own writes move it").format(field=name)
        for condition in query.conditions:
            if _is_relative(condition):
                yield _("{field}: a moment knows the time by its window only").format(
                    field=condition.field
                )
        yield from _facts(moment, query.fields, sets)


def _is_relative(condition: Condition) -> bool:
    return condition.operator.startswith("RELATIVE") or "javascript:" in condition.value


def _facts(moment: Moment, fields: Iterable[str], sets: Sets) -> Iterator[str]:
    for table in moment.tables:
        for name in sorted(fields):
            fact = find_fact(table, name)
            if fact is None and "." in name and name.split(".")[0] in FAMILIES:
                yield _("{table} has no fact {name}{hint}").format(
                    table=table, name=name, hint=hint(name, facts_of(table))
                )
            if fact and _moves_with_time(table, fact, sets):
                yield _("{field}: a moment knows the time by its window only").format(field=name)


def _moves_with_time(table: str, fact: Fact, sets: Sets) -> bool:
    """Whether the fact, or one that it reads, says another thing tomorrow of the same records."""
    try:
        where = parse_condition(fact.where, sets)
    except EncodedQueryError:  # a set is missing: told where sets are checked
        return False
    if any(_is_relative(condition) for condition in where.conditions):
        return True
    measures = (fact.measured, fact.by)
    if "active=false" not in fact.where and any(_knows_now(one) for one in measures if one):
        return True  # of what is over, the clocks stand still
    others = {find_fact(table, name) for name in (*fact.own_reads, *where.fields)}
    return any(_moves_with_time(table, other, sets) for other in others if other)


@cache
def _knows_now(measured: Measured) -> bool:
    values: Dict[str, exp.Expression] = {name: exp.column(name) for name in measured.reads}
    told = {measured.measure(values, Context(day)).sql(copy=False) for day in _DAYS}
    return len(told) > 1


def _instants(moment: Moment, sets: Sets) -> Iterator[str]:
    for name in moment.show:
        if name.rsplit(".", maxsplit=1)[-1] in _TEXTS:
            yield _("{field} may not be shown: people write it").format(field=name)
    names = [*moment.instants, *moment.show]
    yield from _facts(moment, [name for name in names if "." in name], sets)
    written = {name for one in moment.evidence for name in one.at}
    for name in sorted(written):
        if name.startswith("window.") and name not in WORDS:
            yield _("{name} is no instant{hint}").format(name=name, hint=hint(name, WORDS))
    for one in moment.evidence:
        if END in one.at and one.at[-1] != END:
            yield _("{code}: window.end stands last, nothing after it is looked at").format(
                code=one.code
            )


def _proofs(moment: Moment, queries: Dict[str, Query]) -> Iterator[str]:
    """Every example must come to what it says, on every table."""
    read = {name for query in queries.values() for name in query.fields}
    read |= {*moment.instants, *moment.show}
    for example in moment.examples:
        for key in example.values:
            if key not in read | {"active", "state"}:
                yield _("example: nothing here reads {key}{hint}").format(
                    key=key, hint=hint(key, read)
                )
    for table in moment.tables:
        try:
            told = prove(moment, table, queries, Context(EXAMPLE_NOW))
        except (EncodedQueryError, sqlite3.Error) as error:
            yield _("{table}: it cannot be proven: {reason}").format(table=table, reason=error)
            continue
        for example, found in zip(moment.examples, told, strict=True):
            if _polarity(found) != example.polarity:
                yield _("the example that should be {wanted} is {found} on {table}").format(
                    wanted=example.polarity, found=_polarity(found), table=table
                )


def _polarity(told: Told | None) -> str:
    return told.polarity if told else _("no such moment")
