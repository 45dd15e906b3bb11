"""Try the organisation's own cases: where each record comes to, and where it should.

A case by field values needs no store; one by number is placed among all records of the last run.
Changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connector.classify import classify, rule_result
from connector.encoded_query import Context, EncodedQueryError, FieldType
from connector.errors import ConfigError
from connector.extract import stored_schema
from connector.journey.cases import Case, Expected
from connector.journey.examples import EXAMPLE_NOW
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Schema
from connector.journey.near import hint
from connector.journey.nearly import Considered, Tested
from connector.journey.scope import Catalogue, catalogue_of
from connector.journey.trials import fields_read, try_record
from connector.messages import _
from connector.store import classifications, standings
from connector.store.database import Store

UNCLASSIFIED = classifications.UNCLASSIFIED
_ALWAYS = frozenset({"active", "state"})


@dataclass(frozen=True)
class Difference:
    """What was expected of a record, and what was found."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True)
class Outcome:
    """How one case ended. `rule_id` decided it; `almost` and `conditions` tell why."""

    name: str
    source: str
    passed: bool
    rule_id: str
    differences: tuple[Difference, ...] = ()
    conditions: tuple[Tested, ...] = ()
    almost: tuple[Considered, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Place:
    """Where a record comes to."""

    rule_id: str
    touchpoint: str = ""
    steps: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    band: str = ""
    value: str = ""


def faults(mapping: JourneyMapping, cases: Iterable[Case], journey: str) -> list[str]:
    """What is wrong with the cases themselves, one sentence with `file:line` each."""
    return [
        f"{case.source}: {sentence}"
        for case in cases
        for sentence in (
            *_record_faults(mapping, case),
            *_expected_faults(mapping, case.expect, journey),
        )
    ]


def _record_faults(mapping: JourneyMapping, case: Case) -> Iterator[str]:
    if case.number:
        return
    if not mapping.rules_of(case.table):
        tables = {table for rule in mapping.rules for table in rule.tables}
        yield _("no rule decides records of {table}{hint}").format(
            table=case.table, hint=hint(case.table, tables)
        )
        return
    read = fields_read(mapping, case.table)
    for name in sorted(set(case.record) - read - _ALWAYS):
        yield _("no rule of {table} reads {field}{hint}").format(
            table=case.table, field=name, hint=hint(name, read)
        )


def _expected_faults(mapping: JourneyMapping, expect: Expected, journey: str) -> Iterator[str]:
    rules = {rule.id for rule in mapping.rules} | {UNCLASSIFIED}
    for word, known, kind in (
        (expect.rule, rules, _("rule")),
        (expect.touchpoint, mapping.touchpoints, _("touchpoint")),
    ):
        if word and word not in known:
            yield _("there is no {kind} {name}{hint}").format(
                kind=kind, name=word, hint=hint(word, known)
            )
    for name, step in _expected_steps(expect, journey).items():
        if name not in mapping.journeys:
            yield _("there is no journey {name}{hint}").format(
                name=name, hint=hint(name, mapping.journeys)
            )
            continue
        steps = [one.id for one in mapping.journeys[name].steps]
        if step and step not in steps:
            yield _("the journey {journey} has no step {step}{hint}").format(
                journey=name, step=step, hint=hint(step, steps)
            )


def _expected_steps(expect: Expected, journey: str) -> dict[str, str]:
    return {**expect.steps, **({journey: expect.step} if expect.step is not None else {})}


def run_cases(
    mapping: JourneyMapping,
    cases: Sequence[Case],
    journey: str,
    time_zone: str,
    store: Store | None,
) -> list[Outcome]:
    """Try every case; `store` is needed for those by number. Raises ConfigError."""
    schema: Schema = stored_schema(store) if store else {}
    held = classifications.held_columns(store) if store else {}
    catalogue = catalogue_of(mapping, schema, held)
    if store and any(case.number for case in cases):
        mark = standings.last_mark(store)
        now = mark.replace(tzinfo=UTC) if mark else datetime.now(UTC)
        classify(store, mapping, schema, now, "cases", time_zone)
    return [
        _by_number(store, case, journey)
        if case.number
        else _by_values(mapping, case, catalogue, journey, time_zone)
        for case in cases
    ]


def _by_values(
    mapping: JourneyMapping, case: Case, catalogue: Catalogue, journey: str, time_zone: str
) -> Outcome:
    context = Context(case.as_of or EXAMPLE_NOW, time_zone)
    types = _known_types(catalogue, case.table, fields_read(mapping, case.table))
    try:
        tried = try_record(mapping, case.table, case.record, types, context)
    except EncodedQueryError as error:
        return Outcome(case.name, case.source, passed=False, rule_id="", note=str(error))
    rule = next((one for one in mapping.rules if one.id == tried.rule_id), None)
    place, note = Place(UNCLASSIFIED), ""
    if rule and rule.inherit == "all":
        note = _("its place comes from records that belong to it; test it by its number")
        place = Place(rule.id)
    elif rule:
        place = _place(rule_result(mapping, rule))
    found = _differences(case.expect, place, journey)
    return Outcome(
        case.name,
        case.source,
        not found,
        place.rule_id,
        found,
        tried.conditions,
        tried.almost,
        note,
    )


def _known_types(catalogue: Catalogue, table: str, fields: Iterable[str]) -> dict[str, FieldType]:
    return {f: catalogue.type_of(table, f) for f in fields if catalogue.gives(table, f)}


def _place(row: Mapping[str, Any]) -> Place:
    return Place(
        row["rule_id"],
        row["touchpoint"],
        dict(row["steps"] or {}),
        row["outcome"],
        row["band"],
        row["value"],
    )


def _by_number(store: Store | None, case: Case, journey: str) -> Outcome:
    found = classifications.find_record(store, case.number) if store else None
    row = classifications.read_placed(store, *found) if store and found else None
    if row is None:
        text = _("{source}: the last run has no record {number} that a rule could place").format(
            source=case.source, number=case.number
        )
        raise ConfigError(_("mappings test"), [text])
    place = _place(row)
    differences = _differences(case.expect, place, journey)
    note = "" if not differences else _("travesia explain {number} tells more")
    return Outcome(
        case.name,
        case.source,
        not differences,
        place.rule_id,
        differences,
        note=note.format(number=case.number),
    )


def _differences(expect: Expected, place: Place, journey: str) -> tuple[Difference, ...]:
    wanted: list[tuple[str, str | None, str]] = [
        ("rule", expect.rule, place.rule_id),
        ("touchpoint", expect.touchpoint, place.touchpoint),
        *(
            (f"step ({name})", step, place.steps.get(name, ""))
            for name, step in _expected_steps(expect, journey).items()
        ),
        ("outcome", expect.outcome, place.outcome),
        ("band", expect.band, place.band),
        ("value", expect.value, place.value),
    ]
    return tuple(
        Difference(what, expected, found)
        for what, expected, found in wanted
        if expected is not None and expected != found
    )
