"""Step 2: place every record on its journeys.

1. Facts and dot-walks of a table become one view of named fields (`journey/scope.py`).
2. The rules of the table compile to one CASE over it: the first that matches gives a rule.
3. Parents before children, children before roll-ups, records that inherit take the place of the
   record that they follow.
4. What is new against the stored classification becomes standings and transitions.

The classification is a pure function of (latest records, mapping, now): our own columns and the
version marks of records are never read. Only `save_classification` changes the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from connector import log
from connector.encoded_query import Context
from connector.evaluate import forget, with_facts_first
from connector.journey.compiler import table_query
from connector.journey.fields import OVERRIDE, OVERRIDE_REASON
from connector.journey.graph import order_of_tables, parents_of
from connector.journey.model import Mapping, Rule, Schema, Touchpoint
from connector.journey.near import hint
from connector.journey.scope import Catalogue, catalogue_of
from connector.messages import _, _n
from connector.store import (
    bands,
    classifications,
    overrides,
    retold,
    standings,
    visibility,
    words,
)
from connector.store.classifications import Children, Parent
from connector.store.database import Row, Store
from connector.store.records import has_rows

_log = log.get("classify")

NAMED = 10
"""So many records with an impossible override are named one by one."""


@dataclass(frozen=True)
class TableResult:
    """How many records of a table came where; ignored ones are left out of the figures."""

    table: str
    records: int
    unclassified: int
    ignored: int
    low_confidence: int


@dataclass(frozen=True)
class ClassifyResult:
    """What one classification found. `hits`: (table, rule id) → records."""

    tables: tuple[TableResult, ...]
    hits: dict[tuple[str, str], int]

    @property
    def records(self) -> int:
        """Records classified in all tables."""
        return sum(table.records for table in self.tables)

    @property
    def unclassified(self) -> int:
        """Records that no rule matched."""
        return sum(table.unclassified for table in self.tables)


def classify(
    store: Store, mapping: Mapping, schema: Schema, now: datetime, run_id: str, time_zone: str
) -> ClassifyResult:
    """Classify all records at rest as of `now`, into the TEMP TABLEs `classified`, `standing_next`.

    Saves nothing. Raises StoreError.
    """
    with store.scratching():
        _classify(store, mapping, schema, Context(now, time_zone), run_id)
        return _result(store, run_id)


def _classify(
    store: Store, mapping: Mapping, schema: Schema, context: Context, run_id: str
) -> None:
    held = classifications.held_columns(store)
    catalogue = catalogue_of(mapping, schema, held)
    forget(store)
    tables = _tables(mapping, catalogue)
    results = [rule_result(mapping, rule) for rule in mapping.rules]
    places = [place_of(touchpoint) for touchpoint in mapping.touchpoints.values()]
    words.learn(store, _vocabulary(mapping, [*results, *places]))
    classifications.begin(store, results, positions(mapping))
    overrides.begin(store, {table: held[table] for table in tables}, places, context.now)
    for table in tables:
        if has_rows(store, table):
            _place(store, mapping, table, catalogue, context)
            overrides.apply(store, table)
    _see(store, mapping, tables, catalogue, context)
    standings.stand(store, tables, mapping.last_steps, context.now, run_id)
    retold.begin(store, positions(mapping))
    retold.settle(store)
    bands.begin(store, mapping.past.waits, mapping.last_steps)


def _vocabulary(mapping: Mapping, results: Sequence[dict[str, Any]]) -> set[str]:
    """Every word that a place may be described with: a value of `results`, or named by evidence."""
    past = mapping.past
    said = {value for one in results for value in one.values() if isinstance(value, str)}
    steps = {word for one in results for pair in one["steps"].items() for word in pair}
    seen = {past.comment_touchpoint, *past.entry.values(), *(rule.to_band for rule in past.bands)}
    own = (*classifications.WORDS, *overrides.WORDS, *standings.WORDS)
    return {*said, *steps, *seen, *mapping.tables, mapping.hash, *own}


def save_classification(store: Store, run_id: str) -> None:
    """Keep what the last `classify` of this connection found: differences, and every move."""
    classifications.save(store, run_id)


def _tables(mapping: Mapping, catalogue: Catalogue) -> list[str]:
    """The tables with rules that the store holds, in the order in which they take their places."""
    ordered = order_of_tables(mapping.tables, mapping.edges, mapping.roll_ups)
    return [t for t in ordered if mapping.rules_of(t) and catalogue.has_table(t)]


def rule_result(mapping: Mapping, rule: Rule) -> dict[str, Any]:
    """What a rule gives to a record that it decides, before anything is inherited."""
    touchpoint = mapping.touchpoints.get(rule.touchpoint)
    steps = {**touchpoint.steps, **rule.steps} if touchpoint else {}
    return {
        "rule_id": rule.id,
        "touchpoint": rule.touchpoint,
        "steps": steps,
        "band": rule.band or (touchpoint.band if touchpoint else ""),
        "is_potential_moment": bool(touchpoint and touchpoint.is_potential_moment),
        "outcome": rule.outcome,
        "phase": rule.phase,
        "value": rule.value,
        "confidence": "" if rule.ignore else rule.confidence,
        "inherit": rule.inherit,
        "last_visible": _where_seen(touchpoint, rule.band or touchpoint.band) if touchpoint else "",
    }


def place_of(touchpoint: Touchpoint) -> dict[str, Any]:
    """What a steward's word for a touchpoint gives to a record."""
    return {
        "touchpoint": touchpoint.id,
        "steps": dict(touchpoint.steps),
        "band": touchpoint.band,
        "is_potential_moment": touchpoint.is_potential_moment,
        "last_visible": _where_seen(touchpoint, touchpoint.band),
    }


def _where_seen(touchpoint: Touchpoint | None, band: str) -> str:
    """The touchpoint itself if people meet there and the other party sees it, else ""."""
    is_seen = touchpoint and touchpoint.kind == "touchpoint" and band == "visible"
    return touchpoint.id if touchpoint and is_seen else ""


def unknown_overrides(store: Store, mapping: Mapping) -> list[str]:
    """A sentence for each override of the last `classify` that names no touchpoint."""
    found = overrides.list_unknown(store)
    said = [
        _(
            "{number}: {value!r} in {column} is no touchpoint{hint}; choose one of the list, or"
            " clear the field"
        ).format(
            number=classifications.number_of(store, row["table_name"], row["sys_id"]),
            value=row["touchpoint"],
            column=OVERRIDE,
            hint=hint(row["touchpoint"], mapping.touchpoints),
        )
        for row in found[:NAMED]
    ]
    if len(found) > NAMED:
        said.append(_("… and {n} more records with such a value").format(n=len(found) - NAMED))
    return said


def unexplained_overrides(store: Store) -> list[str]:
    """A sentence about overrides of the last `classify` that somebody set without saying why."""
    found = overrides.list_unexplained(store)
    if not found:
        return []
    numbers = [
        classifications.number_of(store, row["table_name"], row["sys_id"]) for row in found[:NAMED]
    ]
    text = _n(
        "{n} record was set by hand without a reason ({numbers}): write it into {column}",
        "{n} records were set by hand without a reason ({numbers}): write it into {column}",
        len(found),
    )
    told = ", ".join([*numbers, *(["…"] if len(found) > NAMED else [])])
    return [text.format(n=len(found), numbers=told, column=OVERRIDE_REASON)]


def positions(mapping: Mapping) -> dict[str, int]:
    """`journey/step` → how far along it is; a journey with more steps weighs more."""
    by_length = sorted(mapping.journeys.values(), key=lambda j: (len(j.steps), j.id))
    return {
        f"{journey.id}/{step.id}": step.position * 100**rank
        for rank, journey in enumerate(by_length[-4:])
        for step in journey.steps
    }


def _place(
    store: Store, mapping: Mapping, table: str, catalogue: Catalogue, context: Context
) -> None:
    parents = [
        Parent(edge.field, tuple(parents_of(edge, mapping.tables)))
        for edge in mapping.edges
        if edge.table == table and (table, edge.field) in catalogue.schema
    ]
    children = [
        Children(one.child, one.field, (one.child, "active") in catalogue.schema)
        for one in mapping.roll_ups
        if one.table == table and (one.child, one.field) in catalogue.schema
    ]
    query = table_query(mapping, table, catalogue, context, [parent.field for parent in parents])
    classifications.place(
        store,
        table,
        with_facts_first(store, query).sql(dialect="duckdb", copy=False),
        mapping.hash,
        parents=parents,
        children=children,
    )


def _see(
    store: Store,
    mapping: Mapping,
    tables: Sequence[str],
    catalogue: Catalogue,
    context: Context,
) -> None:
    """Bands that evidence moves, and where each record was last visible."""
    schema, past = catalogue.schema, mapping.past
    sources = visibility.Sources(
        journal=("sys_journal_field", "element_id") in schema,
        audit=("sys_audit", "documentkey") in schema,
    )
    held = classifications.held_columns(store)
    tasks = [table for table in tables if mapping.tables[table].is_task]
    visibility.begin(store, past, sources)
    visibility.shift_bands(store, past, held, tasks, sources)
    visibility.remember(store, past, standings.last_mark(store))
    for table in visibility.list_unseen(store):
        seen = {
            rule.id: str(result["last_visible"])
            for rule in mapping.rules_of(table)
            if (result := rule_result(mapping, rule))["last_visible"] and not rule.inherit
        }
        visible = replace(mapping, rules=tuple(rule for rule in mapping.rules if rule.id in seen))
        query = table_query(visible, table, catalogue, context)
        text = with_facts_first(store, query).sql(dialect="duckdb", copy=False)
        visibility.take_from_rules(store, table, text, seen)
    visibility.take_entry(store, past.entry)
    visibility.take_from_parents(store)


def _result(store: Store, run_id: str) -> ClassifyResult:
    rows = classifications.counts(store)
    tables = tuple(
        _table_result(table, list(some))
        for table, some in groupby(rows, key=lambda row: str(row["table_name"]))
    )
    for one in tables:
        _log.info(
            "classified",
            run_id=run_id,
            table=one.table,
            records=one.records,
            unclassified=one.unclassified,
            low_confidence=one.low_confidence,
        )
    return ClassifyResult(
        tables, {(row["table_name"], row["rule_id"]): row["records"] for row in rows}
    )


def _table_result(table: str, rows: Sequence[Row]) -> TableResult:
    """What the counts of a table's rules, and of those without one, come to."""
    placed = [row for row in rows if row["rule_id"] != classifications.UNCLASSIFIED]
    records = sum(row["records"] for row in rows)
    return TableResult(
        table,
        records,
        records - sum(row["records"] for row in placed),
        sum(row["ignored"] for row in placed),
        sum(row["low"] for row in rows),
    )
