"""The rows that show engagement in the tool: planned as a difference, sent in batches, checked.

1. See what the tool holds: our columns, and what people wrote beside them (never written by us,
   but for a ring that a person confirmed on the command line, where the tool has no date yet).
2. Plan: what differs. A row whose group became too small is emptied, never deleted.
3. Send: new rows under their own sys_id, so that sending twice makes one; how: row_sending.py.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector import log, row_sending
from connector.context import Run
from connector.itsm.base import Instance, RecordUpdate, UpdateReply
from connector.journey.engagement_fields import (
    COMPUTED,
    ENGAGEMENT_TABLE,
    PASSENGERS,
    PEOPLES,
    RING_CONFIRMED,
    TOO_SMALL,
)
from connector.journey.engagement_model import Engagement
from connector.journey.engagement_words import (
    advice,
    reached,
    reasons_text,
    relationship_name,
    ring_of,
    ring_reason,
    steps_text,
    whole,
)
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _, _n
from connector.row_sending import Delivered, RowChange, RowsSent, Terms
from connector.store import engagement, set_aside
from connector.store.changes import Change
from connector.store.database import Row, Store
from connector.store.engagement import Seen
from connector.store.set_aside import EVERYTHING

TABLE = ENGAGEMENT_TABLE.name
Values = dict[str, str]
_log = log.get("engagement")

_OURS = tuple(field.name for field in COMPUTED)
_KEPT_WHEN_EMPTIED = ("u_name", "u_customer", "u_service")


def see_rows(instance: Instance) -> dict[str, Values] | None:
    """What the tool holds, by sys_id; None if it lacks the table. Raises InstanceError kinds."""
    if TABLE not in instance.list_tables([TABLE]):
        return None
    columns = ("sys_id", *_OURS, *(field.name for field in PEOPLES))
    return {row["sys_id"]: dict(row) for row in instance.list_records(TABLE, columns)}


def no_table() -> str:
    """Why relationships cannot be shown in the tool."""
    return _(
        "The instance has no table {table}: relationships are not shown in the tool; run travesia"
        " provision --apply"
    ).format(table=TABLE)


def save_seen(store: Store, rows: Mapping[str, Values], at: datetime) -> None:
    """Keep what people decided in the tool, seen `at` this instant of the instance: dates, and
    whether there is an owner. No texts."""
    engagement.save_seen(
        store,
        [
            Seen(
                sys_id,
                row.get(RING_CONFIRMED),
                bool(row.get("u_owner", "").strip()),
                bool(row.get("u_next_step", "").strip()),
                row.get("u_due", ""),
                _mark(sys_id, row.get("u_next_step", "")),
            )
            for sys_id, row in rows.items()
        ],
        at,
    )


def _mark(sys_id: str, words: str) -> str:
    """Tells a next step from another one of the same row; the words stay in the tool."""
    plain = " ".join(words.split())
    return hashlib.sha256(f"{sys_id}\0{plain}".encode()).hexdigest()[:16] if plain else ""


def plan_rows(
    store: Store, mapping: JourneyMapping, journey: str, language: str, seen: Mapping[str, Values]
) -> list[RowChange]:
    """What the tool needs, in the order of the names; nothing where it holds it already."""
    if mapping.engagement is None:
        return []
    wanted = {}
    for row in engagement.read_next(store):
        held = seen.get(row["sys_id"])
        as_told = {**row, "ring_confirmed": _ring_day(row, held)}
        values = _wanted(as_told, mapping, mapping.engagement, journey, language)
        wanted[row["sys_id"]] = values | _word(as_told, held)
    planned = [change for key, values in wanted.items() if (change := _change(key, values, seen))]
    return [*planned, *_emptied(wanted, seen)]


def _ring_day(row: Row, held: Values | None) -> str:
    """Since when the ring is confirmed, "" if it is not: the tool's own date before any other."""
    in_tool = held.get(RING_CONFIRMED) if held is not None else ""
    if in_tool is None:  # hidden from us
        return _day(row["ring_confirmed"])
    if in_tool:
        return in_tool
    is_emptied = held is not None and row["ring_seen"] is not None
    return "" if is_emptied else _day(row["ring_said"])


def _word(row: Row, held: Values | None) -> Values:
    """A person's word from the command line, for the date that the tool does not have yet."""
    is_empty = held is None or held.get(RING_CONFIRMED) == ""
    return {RING_CONFIRMED: row["ring_confirmed"]} if row["ring_confirmed"] and is_empty else {}


def _change(sys_id: str, values: Mapping[str, str], seen: Mapping[str, Values]) -> RowChange | None:
    held = seen.get(sys_id)
    if held is None:
        filled = {name: value for name, value in values.items() if value}
        return RowChange(sys_id, values["u_name"], filled, None)
    # A column that is not answered is hidden from us: never a difference that we could mend.
    different = {k: v for k, v in values.items() if k in held and held[k] != v}
    if different.keys() <= PASSENGERS:
        return None
    return RowChange(sys_id, values["u_name"], different, held)


def _emptied(wanted: Mapping[str, Values], seen: Mapping[str, Values]) -> Iterator[RowChange]:
    """Rows of ours whose relationship may no longer be shown: their figures go."""
    for sys_id, row in sorted(seen.items()):
        state = row.get("u_state", "")
        if sys_id in wanted or state in ("", TOO_SMALL):
            continue
        gone = {k: "" for k in _OURS if k not in _KEPT_WHEN_EMPTIED and row.get(k)}
        yield RowChange(sys_id, row.get("u_name", ""), {**gone, "u_state": TOO_SMALL}, row)


def _wanted(
    row: Row, mapping: JourneyMapping, opinions: Engagement, journey: str, language: str
) -> Values:
    """Our columns of one relationship, cut to their lengths."""
    state = opinions.state(row["state"])
    values = {
        "u_name": relationship_name(row, opinions, language),
        "u_customer": row["customer_name"] or row["customer"],
        "u_service": row["service_name"] or opinions.unnamed_service.in_(language),
        "u_state": state.id,
        "u_since": _day(row["since"]),
        "u_action": state.action.in_(language),
        "u_score": whole(row["score"]),
        "u_month_before": whole(row["month_score"]),
        "u_provider_side": whole(row["provider"]),
        "u_customer_side": whole(row["customer_side"]),
        "u_steps": steps_text(row["steps"], mapping, journey, language),
        "u_why": reasons_text(row["reasons"], opinions, language),
        "u_advice": advice(row, opinions, language),
        "u_people": str(row["people"]),
        "u_evidence": reached(row["evidence"]),
        "u_confidence": reached(100 * row["confidence"]),
        "u_last_contact": _day(row["last_contact"]),
        "u_ring": ring_of(row),
        "u_ring_proposed": _day(row["ring_proposed"]),
        "u_ring_evidence": ring_reason(row["ring_evidence"], opinions, language),
    }
    values |= {
        f"u_{one.id}": whole(row["dimensions"].get(one.id))
        for one in opinions.dimensions
        if f"u_{one.id}" in _OURS
    }
    longest = {field.name: field.max_length for field in COMPUTED if field.type == "string"}
    return {k: v[: longest.get(k, 40)].rstrip() for k, v in values.items()}


def _day(day: object) -> str:
    return str(day or "")


def changes_of(planned: Sequence[RowChange]) -> list[Change]:
    """The plan as a run's plan shows it: field by field."""
    return [
        Change(TABLE, one.sys_id, one.name, field, (one.seen or {}).get(field, ""), value, False)
        for one in planned
        for field, value in one.values.items()
    ]


def send_rows(run: Run, planned: Sequence[RowChange], terms: Terms) -> RowsSent:
    """Send them, paced and held back as records are; what is refused or lost is planned again.

    Raises InterruptedRunError between two batches if the run was asked to stop.
    """
    if not planned:
        return RowsSent()
    sent = row_sending.send(run, TABLE, planned, terms, _deliver)
    _log.info("engagement_written", run_id=run.run_id, written=sent.written, refused=sent.refused)
    sent.messages += _sentences(sent.refused)
    return sent


def _deliver(instance: Instance, batch: Sequence[RowChange]) -> Delivered:
    still = _unless_said_meanwhile(instance, batch)
    return still, _send(instance, still)


def leave_out(store: Store, planned: Sequence[RowChange], now: datetime) -> list[RowChange]:
    """The plan without rows and fields that rest at `now` (the instance's), set aside."""
    resting = set_aside.resting(store, TABLE, now)
    if not resting:
        return list(planned)
    kept = [
        replace(one, values=_tried(one, resting))
        for one in planned
        if not {(one.sys_id, ""), (EVERYTHING, "")} & resting
    ]
    return [one for one in kept if one.seen is None or one.values.keys() - PASSENGERS]


def _tried(one: RowChange, resting: set[tuple[str, str]]) -> Values:
    return {
        name: value
        for name, value in one.values.items()
        if not {(one.sys_id, name), (EVERYTHING, name)} & resting
    }


def _unless_said_meanwhile(instance: Instance, batch: Sequence[RowChange]) -> list[RowChange]:
    """The batch without dates of rings that somebody wrote in the tool since we looked."""
    asked = [one.sys_id for one in batch if one.seen is not None and RING_CONFIRMED in one.values]
    rows = instance.read_records(TABLE, asked, ["sys_id", RING_CONFIRMED]) if asked else []
    said = {row["sys_id"] for row in rows if row.get(RING_CONFIRMED)}
    return [
        replace(one, values={k: v for k, v in one.values.items() if k != RING_CONFIRMED})
        if one.sys_id in said
        else one
        for one in batch
    ]


def _send(instance: Instance, batch: Sequence[RowChange]) -> list[UpdateReply]:
    new = [{"sys_id": one.sys_id, **one.values} for one in batch if one.seen is None]
    old = [RecordUpdate(TABLE, o.sys_id, dict(o.values)) for o in batch if o.seen and o.values]
    replies = instance.create_records(TABLE, new) if new else []
    return [*replies, *(instance.send_updates(old) if old else [])]


def _sentences(refused: int) -> Iterator[str]:
    if refused:
        yield _n(
            "{n} relationship could not be written to {table}; check the account's roles, the next"
            " run tries again",
            "{n} relationships could not be written to {table}; check the account's roles, the next"
            " run tries again",
            refused,
        ).format(n=refused, table=TABLE)
