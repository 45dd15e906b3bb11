"""Moments of truth as people ask for them: of one record, the open ones, how often they go wrong.

Reads the store of the last run; changes nothing. Of a record it tells the values behind the
evidence, never a text that a person wrote; of groups, nothing that less than so many records say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connector.encoded_query import Context
from connector.evaluate import ask
from connector.journey.model import Mapping, Schema, Text
from connector.journey.moment_model import Moment
from connector.journey.moments import OffMoment, off_moments
from connector.journey.scope import Catalogue, catalogue_of
from connector.store import classifications, moments, standings
from connector.store.database import Row, Store

WATERMELON = "M29"
"""The moment that is told first of all: every time kept, and the person is not content."""

Values = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class RecordMoment:
    """One moment of one record. `left` is what is left of an open window (None = no end yet).

    `because` is empty without deciding evidence; of `values` None is unknown.
    """

    moment_id: str
    name: Text
    table: str
    number: str
    polarity: str
    weight: int
    started_at: datetime
    window_ends_at: datetime | None
    decided_at: datetime | None
    left: timedelta | None
    evidence: str
    because: Text
    turns_positive: Text
    values: Values = ()


@dataclass(frozen=True)
class Rate:
    """How one moment went on the records of one priority ("" = all that have it).

    `share` of the negative among those whose window is over or that are decided; None where they
    are too few, or the moment can be nothing but negative. The counts are None where all of them
    together are too few.
    """

    moment_id: str
    name: Text
    priority: str
    positive: int | None
    negative: int | None
    neutral: int | None
    open: int | None
    share: float | None


@dataclass(frozen=True)
class Listed:
    """Some moments of `total` that there are."""

    total: int
    moments: tuple[RecordMoment, ...]


def as_of(store: Store) -> datetime:
    """The end of the data of the last run."""
    mark = standings.last_mark(store)
    return mark.replace(tzinfo=UTC) if mark else datetime.now(UTC)


def of_record(
    store: Store, mapping: Mapping, schema: Schema, table: str, sys_id: str, time_zone: str
) -> tuple[RecordMoment, ...]:
    """The moments of one record, the heaviest first, with the values behind them."""
    rows = moments.of_record(store, table, sys_id)
    now = as_of(store)
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    shown = {row["moment_id"]: _shown(mapping, row["moment_id"]) for row in rows}
    wanted = [field for fields in shown.values() for field in fields]
    values = _values(store, catalogue, Context(now, time_zone), (table, sys_id), wanted)
    told = _told(store, mapping, rows, now)
    return tuple(
        RecordMoment(
            **{**one.__dict__, "values": tuple((f, values.get(f)) for f in shown[one.moment_id])}
        )
        for one in told
    )


def on_the_record(found: Sequence[RecordMoment]) -> RecordMoment | None:
    """The one that stands on the record itself: the heaviest decided one, else an open one, else a
    neutral one; as `store.moments.choose` has it."""
    classes = {"negative": 2, "positive": 2, "open": 1}
    return max(
        found,
        key=lambda one: (classes.get(one.polarity, 0), one.weight, one.polarity == "negative"),
        default=None,
    )


def _shown(mapping: Mapping, moment_id: str) -> tuple[str, ...]:
    moment = mapping.moment(moment_id)
    return moment.show if moment else ()


def _values(
    store: Store,
    catalogue: Catalogue,
    context: Context,
    key: tuple[str, str],
    fields: Sequence[str],
) -> dict[str, str | None]:
    if not fields:
        return {}
    query = ask(store, catalogue, context, key[0], {}, list(dict.fromkeys(fields)))
    return moments.answers_of(store, query, key[1])


def open_ones(store: Store, mapping: Mapping, moment_ids: Iterable[str], limit: int) -> Listed:
    """The moments whose window still runs, those that end first first."""
    total, rows = moments.open_ones(store, list(moment_ids), limit)
    return Listed(total, tuple(_told(store, mapping, rows, as_of(store))))


def newest_negative(store: Store, mapping: Mapping, moment_id: str, limit: int) -> Listed:
    """The moments that went wrong last."""
    total, rows = moments.newest(store, moment_id, "negative", limit)
    return Listed(total, tuple(_told(store, mapping, rows, as_of(store))))


def _told(store: Store, mapping: Mapping, rows: Sequence[Row], now: datetime) -> list[RecordMoment]:
    numbers = moments.numbers_of(store, [(row["table_name"], row["sys_id"]) for row in rows])
    return [_one(mapping, row, numbers, now) for row in rows]


def _one(
    mapping: Mapping, row: Row, numbers: dict[tuple[str, str], str], now: datetime
) -> RecordMoment:
    moment = mapping.moment(row["moment_id"])
    evidence = moment.evidence_of(row["evidence"]) if moment else None
    ends = _aware(row["window_ends_at"])
    nothing = Text("", "")
    return RecordMoment(
        moment_id=row["moment_id"],
        name=moment.name if moment else Text(row["moment_id"], row["moment_id"]),
        table=row["table_name"],
        number=numbers[row["table_name"], row["sys_id"]],
        polarity=row["polarity"],
        weight=row["weight"],
        started_at=row["started_at"].replace(tzinfo=UTC),
        window_ends_at=ends,
        decided_at=_aware(row["decided_at"]),
        left=ends - now if ends and row["polarity"] == "open" else None,
        evidence=row["evidence"],
        because=evidence.because if evidence else nothing,
        turns_positive=moment.turns_positive if moment else nothing,
    )


def _aware(when: datetime | None) -> datetime | None:
    return when.replace(tzinfo=UTC) if when else None


# --- base rates -----------------------------------------------------------------------------------


def rates(store: Store, mapping: Mapping, minimum: int) -> list[Rate]:
    """Each moment that a record has: all its records first, then those of each priority."""
    counted: dict[str, dict[str, dict[str, int]]] = {}
    for row in moments.count_by_priority(store, moments.tables_with_moments(store)):
        for priority in dict.fromkeys(("", row["priority"])):
            of = counted.setdefault(row["moment_id"], {}).setdefault(priority, {})
            of[row["polarity"]] = of.get(row["polarity"], 0) + row["n"]
    return [
        _rate(moment, priority, counted[moment.id][priority], minimum)
        for moment in mapping.moments
        if moment.id in counted
        for priority in sorted(counted[moment.id])
    ]


def _rate(moment: Moment, priority: str, of: dict[str, int], minimum: int) -> Rate:
    total = sum(of.values())
    ended = total - of.get("open", 0)
    can_go_well = any(one.polarity != "negative" for one in moment.evidence)
    shown = {kind: of.get(kind, 0) if total >= minimum else None for kind in _KINDS}
    share = of.get("negative", 0) / ended if can_go_well and ended >= max(minimum, 1) else None
    return Rate(moment.id, moment.name, priority, share=share, **shown)


_KINDS = ("positive", "negative", "neutral", "open")


def off(store: Store, mapping: Mapping, schema: Schema) -> list[OffMoment]:
    """The moments that cannot be told on what this instance gives, with the reason."""
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    tables = dict.fromkeys(table for moment in mapping.moments for table in moment.tables)
    return [one for table in tables for one in off_moments(mapping, table, catalogue)]
