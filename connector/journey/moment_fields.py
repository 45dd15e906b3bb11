"""What a moment of truth reads of a record, and which history it cannot do without."""

from collections.abc import Iterable, Iterator

from connector.journey.conditions import Sets, parse_condition
from connector.journey.facts import Fact, find_fact
from connector.journey.moment_model import Moment


def fields_of_moment(moment: Moment, sets: Sets) -> list[str]:
    """Every column, dot-walk and fact of its conditions and instants, and those worth showing.

    Nothing for a moment that is off.
    """
    if moment.off:
        return []
    return sorted({*_fields(moment.conditions, sets), *moment.instants, *moment.show})


def needed_sources(moment: Moment, table: str, sets: Sets) -> set[str]:
    """The tables whose rows its beginning, its windows and its firm evidence are counted from.

    Optional evidence does not count: where nothing is known, it only says nothing.
    """
    firm = [one for one in moment.evidence if not one.optional]
    conditions = [moment.when, *(w.when for w in moment.windows), *(one.when for one in firm)]
    instants = [*moment.starts, *(name for w in moment.windows for name in w.start)]
    instants += [name for one in firm for name in one.fields]
    return set(_sources(table, {*_fields(conditions, sets), *instants}, sets))


def _fields(conditions: Iterable[str], sets: Sets) -> set[str]:
    return {name for when in conditions for name in parse_condition(when, sets).fields}


def _sources(table: str, fields: Iterable[str], sets: Sets) -> Iterator[str]:
    facts = (find_fact(table, name) for name in fields)
    for fact in facts:
        if fact:
            yield from _sources_of(table, fact, sets)


def _sources_of(table: str, fact: Fact, sets: Sets) -> Iterator[str]:
    if fact.source:
        yield fact.source
    own = [name for name in fact.own_reads if name not in fact.optional]
    yield from _sources(table, own, sets)
    if not fact.source:
        yield from _sources(table, parse_condition(fact.where, sets).fields, sets)
