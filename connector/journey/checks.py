"""Whether the pieces of a mapping fit together. Every problem is found, none is raised.

What an instance lacks is not a problem of the mapping: see `requirements.dead_rules`.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

from connector.encoded_query import EncodedQueryError, parse
from connector.journey.compiler import Live
from connector.journey.conditions import forbidden_fields, is_asleep, parse_condition
from connector.journey.examples import left_out, prove
from connector.journey.facts import FAMILIES, facts_of, find_fact
from connector.journey.graph import InheritanceCycleError, order_of_tables
from connector.journey.model import (
    Edge,
    History,
    Journey,
    RollUp,
    Rule,
    TableSpec,
    Text,
    Touchpoint,
)
from connector.journey.moment_checks import check_moments
from connector.journey.moment_model import Moment
from connector.journey.naming import check_names
from connector.journey.near import hint
from connector.journey.past import NOTHING, Past
from connector.journey.past_shapes import check_past
from connector.journey.scope import BASE_TASK
from connector.journey.taking import check_taking
from connector.messages import _


@dataclass
class Draft:
    """A mapping in the making. `placed`: journey → touchpoint → step, as its own file says.
    `takes`: journey → `journey/step` of another → the step that takes it over."""

    journeys: dict[str, Journey] = field(default_factory=dict)
    touchpoints: dict[str, Touchpoint] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    moments: dict[str, Moment] = field(default_factory=dict)
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tables: dict[str, TableSpec] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    roll_ups: list[RollUp] = field(default_factory=list)
    history: list[History] = field(default_factory=list)
    past: Past = NOTHING
    placed: dict[str, dict[str, str]] = field(default_factory=dict)
    takes: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    names: dict[str, tuple[Text, str]] = field(default_factory=dict)


def check(draft: Draft) -> list[str]:
    """Every problem of a draft, one sentence each."""
    problems = [*_journeys(draft), *_touchpoints(draft), *_tables(draft), *_histories(draft)]
    problems += check_names(
        {name: source for name, (_text, source) in draft.names.items()},
        draft.journeys,
        draft.touchpoints,
    )
    problems += check_taking(draft.journeys, draft.takes, draft.sources)
    usable: dict[str, Live] = {}
    for rule in draft.rules:
        found = [*_references(draft, rule), *_shape(rule)]
        live, faults = _condition(draft, rule)
        problems += [f"{rule.source}: {sentence}" for sentence in (*found, *faults)]
        if live:
            usable[rule.id] = live
    problems += check_past(
        draft.past, draft.sources.get("past", ""), draft.touchpoints, draft.tables
    )
    problems += check_moments(draft.moments.values(), draft.tables, draft.sets)
    return problems + [p for table in draft.tables for p in _proofs(draft, table, usable)]


# --- journeys, touchpoints, tables ----------------------------------------------------------------


def _journeys(draft: Draft) -> Iterator[str]:
    if not draft.journeys:
        yield _("there is no journey; journeys/ needs at least one file")
    for journey in draft.journeys.values():
        source = draft.sources[journey.id]
        ids = [step.id for step in journey.steps]
        for step in sorted({name for name in ids if ids.count(name) > 1}):
            yield _("{source}: the step {step} is given twice").format(source=source, step=step)
        for name in draft.placed[journey.id]:
            if name not in draft.touchpoints:
                yield _("{source}: there is no touchpoint {name}{hint}").format(
                    source=source, name=name, hint=hint(name, draft.touchpoints)
                )


def _touchpoints(draft: Draft) -> Iterator[str]:
    for touchpoint in draft.touchpoints.values():
        source = draft.sources[touchpoint.id]
        for sentence in _steps(draft, touchpoint.steps):
            yield f"{source}: {sentence}"
        for journey in draft.journeys:
            if journey not in touchpoint.steps:
                yield _("{source}: the touchpoint {name} has no step in {journey}").format(
                    source=source, name=touchpoint.id, journey=journey
                )


def _steps(draft: Draft, steps: Dict[str, str]) -> Iterator[str]:
    for journey, step in steps.items():
        if journey not in draft.journeys:
            yield _("there is no journey {name}{hint}").format(
                name=journey, hint=hint(journey, draft.journeys)
            )
            continue
        known = [one.id for one in draft.journeys[journey].steps]
        if step not in known:
            yield _("the journey {journey} has no step {step}{hint}").format(
                journey=journey, step=step, hint=hint(step, known)
            )


def _histories(draft: Draft) -> Iterator[str]:
    for one in draft.history:
        if one.table not in draft.tables:
            yield _("tools: a history names the unknown table {table}{hint}").format(
                table=one.table, hint=hint(one.table, draft.tables)
            )


def _tables(draft: Draft) -> Iterator[str]:
    tied = [(edge.table, edge.parent) for edge in draft.edges]
    tied += [(one.table, one.child) for one in draft.roll_ups]
    for names in tied:
        for name in names:
            if name not in draft.tables and name != BASE_TASK:
                yield _("tools: an edge or roll-up names the unknown table {table}{hint}").format(
                    table=name, hint=hint(name, draft.tables)
                )
    for table in draft.tables.values():
        try:
            parse(table.filter)
        except EncodedQueryError as error:
            source = draft.sources[f"table {table.name}"]
            yield _("{source}: the filter of {table}: {reason}").format(
                source=source, table=table.name, reason=error
            )
    try:
        order_of_tables(draft.tables, draft.edges, draft.roll_ups)
    except InheritanceCycleError as error:
        yield _("tools: edges and roll-ups go in a circle: {tables}").format(
            tables=" → ".join(error.tables)
        )


# --- rules ----------------------------------------------------------------------------------------


def _references(draft: Draft, rule: Rule) -> Iterator[str]:
    for table in rule.tables:
        if table not in draft.tables:
            yield _("there is no table {table}{hint}").format(
                table=table, hint=hint(table, draft.tables)
            )
    if rule.touchpoint and rule.touchpoint not in draft.touchpoints:
        yield _("there is no touchpoint {name}{hint}").format(
            name=rule.touchpoint, hint=hint(rule.touchpoint, draft.touchpoints)
        )
    yield from _steps(draft, rule.steps)
    if rule.inherit:
        tied = {e.table for e in draft.edges} | {one.table for one in draft.roll_ups}
        for table in rule.tables:
            if table not in tied:
                yield _("{table} has no edge or roll-up to inherit along; see tools/").format(
                    table=table
                )


def _shape(rule: Rule) -> Iterator[str]:
    has_no_touchpoint = rule.ignore or rule.inherit == "all"
    if not rule.touchpoint and not has_no_touchpoint:
        yield _("the rule {id} gives no touchpoint").format(id=rule.id)
    if rule.touchpoint and has_no_touchpoint:
        yield _("the rule {id} gives a touchpoint, but ignores or inherits all").format(id=rule.id)


def _condition(draft: Draft, rule: Rule) -> tuple[Live | None, list[str]]:
    try:
        query = parse_condition(rule.when, draft.sets)
    except EncodedQueryError as error:
        return None, [_("when: position {n}: {why}").format(n=error.position, why=error.reason)]
    faults = [
        _("{field} may not be used: our own writes move it").format(field=name)
        for name in forbidden_fields(query)
    ]
    if query.order:
        faults.append(_("ORDERBY has no meaning in a rule"))
    faults += _unknown_facts(rule, query.fields)
    return (None if faults else Live(rule, query)), faults


def _unknown_facts(rule: Rule, fields: Iterable[str]) -> list[str]:
    found = []
    for table in rule.tables:
        for name in sorted(fields):
            if "." in name and name.split(".")[0] in FAMILIES and not find_fact(table, name):
                found.append(
                    _("{table} has no fact {name}{hint}").format(
                        table=table, name=name, hint=hint(name, facts_of(table))
                    )
                )
    return found


# --- proofs ---------------------------------------------------------------------------------------


def _proofs(draft: Draft, table: str, usable: dict[str, Live]) -> Iterator[str]:
    """Every example must come to its own rule; a rule that it never reaches is hidden."""
    rules = [rule for rule in draft.rules if table in rule.tables]
    live = [usable[rule.id] for rule in rules if rule.id in usable]
    yield from _unread_keys(live)
    try:
        reached = prove(table, live)
    except (EncodedQueryError, sqlite3.Error) as error:
        yield _("the rules of {table} cannot be proven: {reason}").format(table=table, reason=error)
        return
    asleep = {one.rule.id for one in live if is_asleep(one.query)}
    for one in reached:
        if one.reached != one.rule.id and one.rule.id not in asleep:
            yield f"{one.rule.source}: {_unproven(rules, usable[one.rule.id], one.reached, table)}"


def _unproven(rules: list[Rule], live: Live, reached: str, table: str) -> str:
    """Why an example did not come to its rule."""
    rule = live.rule
    ids = [one.id for one in rules]
    if not reached or ids.index(reached) > ids.index(rule.id):
        return _missed(live, table)
    return _(
        "{rule} is hidden on {table}: {other} ({where}) stands before it and takes its example; put"
        " {rule} first, or make its example reach it"
    ).format(rule=rule.id, table=table, other=reached, where=rules[ids.index(reached)].source)


def _missed(live: Live, table: str) -> str:
    text = _("the example of {rule} on {table} does not match its own condition").format(
        rule=live.rule.id, table=table
    )
    if not (names := left_out(table, live)):
        return text
    unused = [key for key in live.rule.example if key not in live.query.fields]
    near = next((found for name in names if (found := hint(name, unused))), "")
    return text + _(": it does not give {fields}{hint}").format(fields=", ".join(names), hint=near)


def _unread_keys(live: list[Live]) -> Iterator[str]:
    """Keys of an example that no rule of the table reads: most likely mistyped.

    `active` and `state` are allowed everywhere: they make an example readable.
    """
    read = {field for one in live for field in one.query.fields} | {"active", "state"}
    for one in live:
        for key in one.rule.example:
            if key not in read:
                yield _("{source}: example: no rule here reads {key}{hint}").format(
                    source=one.rule.source, key=key, hint=hint(key, read)
                )
