"""What happened to records between two looks: their moves, and the time in each band.

1. Whose past is told: records seen for the first time, and those with entries since the last run.
2. Their versions, from the audit (or, at first sight, from their own dates), are placed by the same
   rules. A rule that asks for a fact of that day which nobody kept is not sure: what all rules that
   could have decided agree on is sure (`audit`), anything else is `inferred`.
3. Moves, shortest stays left out, back steps named; bands, and the longest time out of sight.

History is never rewritten: a move that was told stays as it was told, whatever rules say later.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlglot import exp

from connector.encoded_query import Branch, Condition, Context, FieldType, Query
from connector.evaluate import with_facts_first
from connector.journey.compiler import (
    FIELDS,
    Live,
    condition_sql,
    field_column,
    fields_of,
    live_rules,
    parsed,
    rule_case,
)
from connector.journey.facts import find_fact
from connector.journey.model import FieldInfo, Mapping, Rule, Schema
from connector.journey.scope import Catalogue, catalogue_of, select_fields
from connector.store import bands, classifications, replay, retold, standings
from connector.store.database import Store
from connector.store.replay import Table

_VERSION = "_version"
_MACHINES = "automation_users"
"""The set of the user names that are no persons."""
_LAST_EVENT, _NO_EVENT = "last_event.kind", {"", "none"}
_MOVING_DATES = ("RELATIVE", "ON", "NOTON", "DATEPART", "MORETHAN", "LESSTHAN")


@dataclass(frozen=True)
class _Rules:
    """The rules of one table as far as they can look back."""

    live: Sequence[Live]
    sure: Sequence[Live]
    """Those that ask for nothing but columns and lasting facts."""
    unsure: Sequence[Live]
    """The others, each with only that part of its condition."""


def trace(store: Store, mapping: Mapping, schema: Schema, context: Context, run_id: str) -> None:
    """TEMP TABLEs `move_next` and the bands' (`store/bands.py`), from what classification left.

    Saves nothing. Raises StoreError.
    """
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    tasks = [
        _table(catalogue, table)
        for table, spec in mapping.tables.items()
        if spec.is_task and mapping.rules_of(table) and catalogue.has_table(table)
    ]
    with store.scratching():
        retold.begin(store, _positions(mapping))
        bands.begin(store, mapping.past.waits, mapping.last_steps)
        mark = standings.last_mark(store, run_id)
        for table in tasks:
            _tell(store, mapping, table, catalogue, context, mark)
        retold.settle(store)
        bands.settle(store, tasks, context.now)


def _table(catalogue: Catalogue, table: str) -> Table:
    return Table(
        table,
        frozenset(column for owner, column in catalogue.schema if owner == table),
        audit=("sys_audit", "documentkey") in catalogue.schema,
        journal=("sys_journal_field", "element_id") in catalogue.schema,
    )


def _positions(mapping: Mapping) -> dict[str, int]:
    return {
        f"{journey.id}/{step.id}": step.position
        for journey in mapping.journeys.values()
        for step in journey.steps
    }


def _tell(
    store: Store,
    mapping: Mapping,
    table: Table,
    catalogue: Catalogue,
    context: Context,
    mark: datetime | None,
) -> None:
    has_dates = any(one.table == table.name for one in mapping.past.milestones)
    since = context.now - timedelta(days=mapping.past.told_days)
    whose = replay.Whose(mapping.hash, mark, since, has_dates)
    parts = replay.choose(store, table, whose) if table.audit or has_dates else 0
    if not parts:
        return
    query = _query(store, mapping, table.name, catalogue, context)
    replay.know_rules(store, _results(mapping, table.name))
    for part in range(parts):
        replay.take_part(store, table, part, parts, mapping.past, context.now)
        replay.note_events(store, table, mapping.past, mapping.sets.get(_MACHINES, ()))
        replay.place(store, query)
        retold.move(store, table.name, mark)
        bands.take(store, table, context.now)


# --- placing a version ----------------------------------------------------------------------------


def _results(mapping: Mapping, table: str) -> list[dict[str, object]]:
    """What each rule gives to a version: a place of its own, if it inherits none."""
    return [
        {
            "rule_id": one.rule.id,
            "place": place,
            "needs_event": _needs_event(one.query),
            **_result(mapping, one.rule),
        }
        for place, one in enumerate(parsed(mapping.rules_of(table), mapping.sets))
    ]


def _needs_event(query: Query) -> bool:
    """Whether it can match only where something happened to the record: an entry, a handing on."""
    return all(any(all(map(_asks_for_event, group)) for group in b) for b in query.branches)


def _asks_for_event(condition: Condition) -> bool:
    kinds = {kind.strip() for kind in condition.value.split(",")}
    is_positive = condition.operator in ("=", "IN") and not kinds & _NO_EVENT
    return condition.field == _LAST_EVENT and is_positive


def _result(mapping: Mapping, rule: Rule) -> dict[str, object]:
    touchpoint = mapping.touchpoints.get(rule.touchpoint)
    is_placed = touchpoint is not None and not rule.inherit and not rule.ignore
    steps = {**touchpoint.steps, **rule.steps} if touchpoint and is_placed else {}
    band = rule.band or (touchpoint.band if touchpoint else "")
    waits = rule.touchpoint in mapping.past.waits
    return {
        "steps": steps,
        "band": "consumer_backstage" if waits else band,
        "outcome": rule.outcome,
        "is_placed": is_placed,
    }


def _query(
    store: Store, mapping: Mapping, table: str, catalogue: Catalogue, context: Context
) -> str:
    """The rules over `replay_source`: sys_id, _version, likely, sure, maybe."""
    schema = {**catalogue.schema, (table, _VERSION): FieldInfo("string")}
    dated = replace(catalogue, schema=schema)
    rules = _rules(mapping, table, dated, context)

    def type_of(name: str) -> FieldType:
        return dated.type_of(table, name)

    inner = select_fields(dated, table, [*fields_of(rules.live), _VERSION], context)
    maybe = [
        exp.Case(
            ifs=[
                exp.If(
                    this=condition_sql(one.query, type_of, context),
                    true=exp.Literal.string(one.rule.id),
                )
            ]
        )
        for one in rules.unsure
    ]
    select = exp.select(
        field_column("sys_id"),
        exp.alias_(exp.cast(field_column(_VERSION), "TIMESTAMP"), _VERSION),
        exp.alias_(rule_case(rules.live, type_of, context), "likely"),
        exp.alias_(rule_case(rules.sure, type_of, context), "sure"),
        exp.alias_(exp.cast(exp.Array(expressions=maybe), "VARCHAR[]"), "maybe"),
        copy=False,
    ).from_(inner.subquery(FIELDS, copy=False), copy=False)
    query = _over_versions(with_facts_first(store, select), table)
    return query.sql(dialect="duckdb", copy=False)


def _over_versions(query: exp.Select, table: str) -> exp.Select:
    """Read the versions where the query reads the table itself (not where it is referred to)."""
    for found in list(query.find_all(exp.Table)):
        if found.name == table and found.db == "current" and found.alias == "r":
            found.replace(exp.to_table("replay_source").as_("r"))
    return query


def _rules(mapping: Mapping, table: str, catalogue: Catalogue, context: Context) -> _Rules:
    live = live_rules(mapping, table, catalogue, context)
    lasting = set(mapping.past.lasting_facts)

    def is_sure(condition: Condition) -> bool:
        moves = condition.operator.startswith(_MOVING_DATES) or "javascript:" in condition.value
        is_fact = find_fact(table, condition.field) is not None
        return not moves and (not is_fact or condition.field.split(".")[0] in lasting)

    sure = [one for one in live if all(is_sure(c) for c in one.query.conditions)]
    unsure = [Live(one.rule, _sure_part(one.query, is_sure)) for one in live if one not in sure]
    return _Rules(live, sure, unsure)


def _sure_part(query: Query, is_sure: Callable[[Condition], bool]) -> Query:
    def part(branch: Branch) -> Branch:
        return tuple(group for group in branch if all(is_sure(c) for c in group))

    return Query(tuple(part(branch) for branch in query.branches), (), query.text)
