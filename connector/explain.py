"""Why a record stands where it stands: the rule, the values it saw, what almost matched, its story.

Reads the store of the last run and evaluates the rules again for this one record, as of that run.
Changes nothing.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.encoded_query import Context
from connector.errors import ConfigError
from connector.journey.compiler import fields_of, live_rules
from connector.journey.engagement_words import relationship_name
from connector.journey.fields import RELATIONSHIP
from connector.journey.model import Mapping, Rule, Schema, Text
from connector.journey.nearly import Branches, Considered, Tested, almost, by_rule, nearest_branch
from connector.journey.parts import parts_of, parts_query
from connector.journey.requirements import DeadRule, off_rules
from connector.journey.scope import Catalogue, catalogue_of
from connector.messages import LANGUAGES, _
from connector.moment_records import RecordMoment, of_record
from connector.store import bands, classifications, engagement, overrides, standings
from connector.store.database import Row, Store

_NO_TEXT = Text("", "")


@dataclass(frozen=True)
class Standing:
    """The step in one journey, since when, and how that is known."""

    journey: str
    journey_name: Text
    step: str
    step_name: Text
    since: datetime
    source: str
    resolution: str = "night"


@dataclass(frozen=True)
class Move:
    """One transition; `from_step` is "" on first sight, and then nobody knows a dwell.

    `resolution` is exact, or night where the move lies between two looks.
    """

    journey: str
    from_step: str
    to_step: str
    happened_at: datetime
    cause: str
    source: str
    rule_id: str
    dwell_seconds: int | None = None
    is_back_step: bool = False
    outcome: str = ""
    resolution: str = "night"


@dataclass(frozen=True)
class BandTime:
    """How long a record stood in a band; known exactly, or to one night."""

    band: str
    seconds: int
    resolution: str


@dataclass(frozen=True)
class Unseen:
    """The longest time in which the consumer saw nothing of a record."""

    seconds: int
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Overruled:
    """A steward's word: what the rules said instead, and when it ended (None = in force)."""

    touchpoint: str
    reason: str
    rule_id: str
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class SentChange:
    """One field written to the tool, or meant to be."""

    field: str
    from_value: str
    to_value: str
    status: str
    changed_at: datetime


@dataclass(frozen=True)
class Origin:
    """The record whose place was taken over, and the rule that placed it."""

    table: str
    number: str
    rule_id: str
    because: Text


@dataclass(frozen=True)
class Explanation:
    """All that is known of one record's place. `as_of` is the end of the data."""

    table: str
    sys_id: str
    number: str
    as_of: datetime
    mapping_hash: str
    rule_id: str
    rule_source: str
    because: Text
    confidence: str
    touchpoint: str
    touchpoint_name: Text
    band: str
    outcome: str
    phase: str
    value: str
    is_potential_moment: bool
    conditions: tuple[Tested, ...]
    inherited: Origin | None
    almost: tuple[Considered, ...]
    off: tuple[DeadRule, ...]
    standings: tuple[Standing, ...]
    moves: tuple[Move, ...]
    changes: tuple[SentChange, ...]
    moments: tuple[RecordMoment, ...] = ()
    last_visible: str = ""
    last_visible_name: Text = _NO_TEXT
    bands: tuple[BandTime, ...] = ()
    unseen: Unseen | None = None
    overruled: Overruled | None = None
    relationships: Dict[str, Text] = field(default_factory=dict)
    """The rows that a change speaks of, by sys_id, and what people call these relationships."""


def explain(
    store: Store, mapping: Mapping, schema: Schema, number: str, time_zone: str
) -> Explanation:
    """Why the record `number` (or `table/sys_id`) stands where it does, as of the last run.

    Raises ConfigError if the store has no such record or it was not classified yet.
    """
    table, sys_id, row = _find(store, number)
    mark = standings.last_mark(store)
    as_of = mark.replace(tzinfo=UTC) if mark else datetime.now(UTC)
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    tested = _tested(store, mapping, (table, sys_id), catalogue, Context(as_of, time_zone))
    rules = {rule.id: rule for rule in mapping.rules}
    rule = rules.get(row["rule_id"])
    touchpoint = mapping.touchpoints.get(row["touchpoint"])
    stands, moves, changes = classifications.read_history(store, table, sys_id)
    seen = mapping.touchpoints.get(row["last_visible"] or "")
    word = _overruled(store, table, sys_id)
    times, unseen = _bands(store, table, sys_id)
    return Explanation(
        table=table,
        sys_id=sys_id,
        number=classifications.number_of(store, table, sys_id),
        as_of=as_of,
        mapping_hash=row["mapping_hash"],
        rule_id=row["rule_id"],
        rule_source=rule.source if rule else "",
        because=rule.because if rule else _because(word),
        confidence=row["confidence"],
        touchpoint=row["touchpoint"],
        touchpoint_name=touchpoint.name if touchpoint else Text("", ""),
        band=row["band"],
        outcome=row["outcome"],
        phase=row["phase"],
        value=row["value"],
        is_potential_moment=row["is_potential_moment"],
        conditions=nearest_branch(tested.get(row["rule_id"], [])),
        inherited=_origin(store, rules, row["inherited_from"]),
        almost=tuple(almost(mapping.rules_of(table), row["rule_id"], tested)),
        off=tuple(off_rules(mapping, table, catalogue, {})),
        standings=tuple(_standing(mapping, one) for one in stands),
        moves=tuple(_move(one) for one in moves),
        changes=tuple(_change(one) for one in changes),
        moments=of_record(store, mapping, schema, table, sys_id, time_zone),
        last_visible=seen.id if seen else "",
        last_visible_name=seen.name if seen else Text("", ""),
        bands=times,
        unseen=unseen,
        overruled=word,
        relationships=_relationships(store, mapping, changes),
    )


def _relationships(store: Store, mapping: Mapping, changes: list[Row]) -> dict[str, Text]:
    opinions = mapping.engagement
    of_field = [one for one in changes if one["field"] == RELATIONSHIP]
    named = sorted({one[end] for one in of_field for end in ("from_value", "to_value")} - {""})
    if opinions is None or not named:
        return {}
    return {
        row["sys_id"]: Text(*(relationship_name(row, opinions, one) for one in LANGUAGES))
        for row in engagement.read_names(store, named)
    }


_NO_RULE = Text("No rule matched this record", "Ninguna regla corresponde a este registro")


def _because(word: Overruled | None) -> Text:
    return Text(word.reason, word.reason) if word and word.ended_at is None else _NO_RULE


def _overruled(store: Store, table: str, sys_id: str) -> Overruled | None:
    row = overrides.read(store, table, sys_id)
    if row is None:
        return None
    ended = row["ended_at"]
    return Overruled(
        row["touchpoint"],
        row["reason"],
        row["overruled"],
        row["seen_at"].replace(tzinfo=UTC),
        ended.replace(tzinfo=UTC) if ended else None,
    )


def _bands(store: Store, table: str, sys_id: str) -> tuple[tuple[BandTime, ...], Unseen | None]:
    rows, longest = bands.read_bands(store, table, sys_id)
    times = tuple(BandTime(row["band"], row["seconds"], row["resolution"]) for row in rows)
    if longest is None:
        return times, None
    began, ended = (longest[key].replace(tzinfo=UTC) for key in ("began_at", "ended_at"))
    return times, Unseen(longest["seconds"], began, ended)


def _find(store: Store, number: str) -> tuple[str, str, Row]:
    found = classifications.find_record(store, number)
    row = classifications.read_classification(store, *found) if found else None
    if found is None or row is None:
        problem = _(
            "this is not among the records that the last run classified; check the number, or "
            "read it with travesia sync --record {number}"
        )
        raise ConfigError(number, [problem.format(number=number)])
    return (*found, row)


# --- what was tested ------------------------------------------------------------------------------


def _tested(
    store: Store, mapping: Mapping, key: tuple[str, str], catalogue: Catalogue, context: Context
) -> dict[str, Branches]:
    """Rule id → its parts, each tried on this record."""
    table, sys_id = key
    live = live_rules(mapping, table, catalogue, context)
    parts = parts_of(live)
    query = parts_query(parts, live, table, sys_id, catalogue, context)
    rows = store.read(query.sql(dialect="duckdb"))
    if not rows:
        return {}
    values = {field: rows[0][f"v{n}"] for n, field in enumerate(fields_of(live))}
    return by_rule(parts, values, [rows[0][f"p{n}"] for n in range(len(parts))])


# --- what is told ---------------------------------------------------------------------------------


def _origin(store: Store, rules: Dict[str, Rule], followed: str) -> Origin | None:
    if not followed:
        return None
    table, _slash, sys_id = followed.partition("/")
    row = classifications.read_classification(store, table, sys_id)
    rule_id = row["rule_id"] if row else ""
    because = rules[rule_id].because if rule_id in rules else _NO_RULE
    return Origin(table, classifications.number_of(store, table, sys_id), rule_id, because)


def _standing(mapping: Mapping, row: Row) -> Standing:
    journey = mapping.journeys.get(row["journey"])
    steps = {step.id: step.name for step in journey.steps} if journey else {}
    return Standing(
        journey=row["journey"],
        journey_name=journey.name if journey else Text(row["journey"], row["journey"]),
        step=row["step"],
        step_name=steps.get(row["step"], Text(row["step"], row["step"])),
        since=row["since"].replace(tzinfo=UTC),
        source=row["source"],
        resolution=row["resolution"] or "night",
    )


def _move(row: Row) -> Move:
    return Move(
        journey=row["journey"],
        from_step=row["from_step"],
        to_step=row["to_step"],
        happened_at=row["happened_at"].replace(tzinfo=UTC),
        cause=row["cause"],
        source=row["source"],
        rule_id=row["rule_id"],
        dwell_seconds=row["dwell_seconds"],
        is_back_step=bool(row["is_back_step"]),
        outcome=row["outcome"] or "",
        resolution=row["resolution"] or "night",
    )


def _change(row: Row) -> SentChange:
    return SentChange(
        field=row["field"],
        from_value=row["from_value"],
        to_value=row["to_value"],
        status=row["status"],
        changed_at=row["changed_at"].replace(tzinfo=UTC),
    )
