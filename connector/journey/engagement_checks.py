"""What may be wrong in engagement.toml: names that do not exist, parts that do not fit together.

Every problem is found, none is raised.
"""

from collections.abc import Iterable, Iterator, Sequence

from connector.encoded_query import EncodedQueryError
from connector.journey.checks import Draft
from connector.journey.conditions import forbidden_fields, parse_condition
from connector.journey.engagement_model import (
    AGEING,
    OWN_PLACE,
    UNSCORED,
    Engagement,
    Line,
    Relationship,
    RingEvidence,
    State,
)
from connector.journey.facts import FAMILIES, facts_of, find_fact
from connector.journey.near import hint
from connector.messages import _

Places = dict[tuple[str, str], str]
"""(kind, key) of a block → the `file:line` that had the last word on it."""


def problems_of(made: Engagement, draft: Draft, places: Places) -> Iterator[str]:
    found: list[tuple[tuple[str, str], Iterator[str]]] = [
        *((("line", one.id), _line(one, made, draft)) for one in made.lines),
        *((("line", one.id), _asked(one, made, draft)) for one in made.lines),
        *((("ring", one.id), _asked(one, made, draft)) for one in made.ring),
        *((("relationship", one.table), _relationship(one, draft)) for one in made.relationships),
        *((("state", one.id), _state(one, made)) for one in made.states),
    ]
    for place, sentences in found:
        for sentence in sentences:
            yield f"{places[place]}: {sentence}"
    yield from _whole(made, places)


def _known(kind: str, name: str, known: Iterable[str]) -> Iterator[str]:
    names = list(known)
    if name and name not in names:
        yield _("there is no {kind} {name}{hint}").format(
            kind=kind, name=name, hint=hint(name, names)
        )


def _line(line: Line, made: Engagement, draft: Draft) -> Iterator[str]:
    if line.id == AGEING:
        yield _("a line may not be called {id}: older evidence is told by that name").format(
            id=line.id
        )
    yield from _known(_("dimension"), line.dimension, [one.id for one in made.dimensions])
    yield from _known(_("touchpoint"), line.touchpoint, draft.touchpoints)
    yield from _known(_("moment"), line.moment, draft.moments)
    if bool(line.moment) == bool(line.tables):
        yield _("the line {id} needs either tables or a moment").format(id=line.id)
    if line.moment and not line.polarity:
        yield _("the line {id} does not say which polarity of its moment counts").format(id=line.id)
    if line.tables and not line.at:
        yield _("the line {id} does not say when it happened (at)").format(id=line.id)


def _asked(one: Line | RingEvidence, made: Engagement, draft: Draft) -> Iterator[str]:
    """A condition over tables: the tables are tied to a relationship, its facts exist."""
    ties = [relationship.table for relationship in made.relationships]
    for table in one.tables:
        yield from _known(_("table"), table, draft.tables)
        if table in draft.tables and table not in ties:
            yield _(
                "{table} has no [[relationship]]: nobody would know whose evidence it is"
            ).format(table=table)
    for name in one.at:
        if name.startswith("sys_updated"):
            yield _("{field} may not be used: our own writes move it").format(field=name)
    yield from _condition(one.when, one.tables, draft)


def _condition(when: str, tables: Sequence[str], draft: Draft) -> Iterator[str]:
    try:
        query = parse_condition(when, draft.sets)
    except EncodedQueryError as error:
        yield _("when: position {n}: {why}").format(n=error.position, why=error.reason)
        return
    for name in forbidden_fields(query):
        yield _("{field} may not be used: our own writes move it").format(field=name)
    for table in tables:
        for name in sorted(query.fields):
            is_fact = "." in name and name.split(".")[0] in FAMILIES
            if is_fact and not find_fact(table, name) and not _is_column(name):
                yield _("{table} has no fact {name}{hint}").format(
                    table=table, name=name, hint=hint(name, facts_of(table))
                )


def _is_column(name: str) -> bool:
    """`sla.target` of task_sla is a dot-walk, though `sla` is a family of facts, too."""
    return name.startswith("sla.")


def _relationship(one: Relationship, draft: Draft) -> Iterator[str]:
    yield from _known(_("table"), one.table, draft.tables)
    if one.touchpoint != OWN_PLACE:
        yield from _known(_("touchpoint"), one.touchpoint, draft.touchpoints)
    if not one.touchpoint and not one.via:
        yield _("{table}: say in which touchpoint's step its evidence counts").format(
            table=one.table
        )
    if bool(one.via) == bool(one.customer):
        yield _("{table}: name either its customer or, with via, the record that knows it").format(
            table=one.table
        )
    if one.via and one.person:
        yield _("{table}: with via, the people are those of the record that it leads to").format(
            table=one.table
        )
    yield from _condition(one.contact_when, [one.table], draft)


def _state(state: State, made: Engagement) -> Iterator[str]:
    if state.at_least is None and state.id not in UNSCORED:
        yield _("the state {id} needs at_least; without it stand only {known}").format(
            id=state.id, known=", ".join(UNSCORED)
        )
    if state.at_least is not None and state.id in UNSCORED:
        yield _("the state {id} comes without a score; leave out at_least").format(id=state.id)
    for name in state.needs:
        yield from _known(_("dimension"), name, [one.id for one in made.dimensions])


def _whole(made: Engagement, places: Places) -> Iterator[str]:
    where = places["", "state"]
    ids = [state.id for state in made.states]
    for name in UNSCORED:
        if name not in ids:
            yield _("{source}: the state {id} is missing").format(source=where, id=name)
    if not made.scored or made.scored[-1].at_least:
        yield _("{source}: one state must hold from 0 points").format(source=where)
    elif made.scored[-1].needs:
        yield _("{source}: the state from 0 points may need nothing").format(source=where)
    lines = [line.id for line in made.lines]
    for name in (made.sla.met, made.sla.breached):
        for sentence in _known(_("line"), name, lines):
            yield f"{places['', 'sla']}: {sentence}"
