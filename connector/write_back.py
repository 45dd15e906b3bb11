"""Step 3, write back: what the tool shall hold against what it was seen to hold.

1. Settle what an earlier run sent and never heard of: read those records again, first of all.
2. Plan: wanted fields that differ from the values last seen; equal means no request.
3. Send in batches: marked as sent, sent, checked field by field, confirmed, each in its own
   transaction, so that whatever dies is known to be unknown.

Refuses to write anything but our own fields on the tables of `[write_back] tables`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TextIO

from connector import log
from connector.config import Config
from connector.context import Run
from connector.errors import ConfigError
from connector.itsm.base import RecordUpdate, UpdateReply
from connector.journey import fields
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Schema
from connector.messages import _
from connector.store import changes, history, moments, records
from connector.store.changes import Change, Planned, Refused, Window
from connector.store.database import Store
from connector.timestamps import format_instance

_log = log.get("write_back")


VERSION_COLUMNS = ("sys_updated_on", "sys_mod_count")

PART = 500
"""Records of a plan that are in memory at once."""


@dataclass(frozen=True)
class Settings:
    """How much may be written. Durations as in the config."""

    journey: str
    language: str
    tables: tuple[str, ...]
    batch_size: int
    max_records: int
    settled: timedelta
    backfill: timedelta
    set_aside_after: int


def settings_of(config: Config) -> Settings:
    """How much may be written, as the configuration says."""
    wanted = config.write_back
    return Settings(
        journey=config.mapping.journey,
        language=config.mapping.language,
        tables=tuple(wanted.tables),
        batch_size=wanted.batch_size,
        max_records=wanted.max_records_per_run,
        settled=timedelta(days=wanted.settled_days),
        backfill=timedelta(days=wanted.backfill_days),
        set_aside_after=wanted.set_aside_after,
    )


def narrowed(settings: Settings, tables: tuple[str, ...]) -> Settings:
    """The same settings for fewer tables."""
    return replace(settings, tables=tuple(t for t in settings.tables if t in tables))


@dataclass
class Sent:
    """What became of a plan, counted in records (refused: in fields)."""

    confirmed: int = 0
    refused: int = 0
    failed: int = 0
    set_aside: int = 0
    messages: list[str] = field(default_factory=list)
    closed_tables: set[str] = field(default_factory=set)
    """Tables on which the integration user may write nothing."""


def check_columns(schema: Schema, tables: Sequence[str]) -> None:
    """Raise ConfigError if the instance lacks one of our columns on a table to be written."""
    missing = [
        _("The instance's table {table} lacks {columns}; run travesia provision --apply").format(
            table=table, columns=", ".join(lacking)
        )
        for table in tables
        if (lacking := [f.name for f in fields.RECORD_FIELDS if (table, f.name) not in schema])
    ]
    if missing:
        raise ConfigError("[write_back]", missing)


def settle(run: Run, now: datetime) -> int:
    """Read again every record with a change that was sent and never answered for.

    Answers how many changes turn out to have been written.
    """
    confirmed = 0
    for table, sys_ids in changes.list_unanswered(run.store).items():
        columns = records.list_columns(run.store, table)
        fresh = run.instance.read_records(table, sys_ids, columns)
        with run.store.transaction():
            records.land(run.store, table, columns, fresh, run.run_id)
        records.merge(run.store, table, now, is_by_key=True)
        confirmed += changes.settle_unanswered(run.store, table)
        _log.info("settled", run_id=run.run_id, table=table, records=len(sys_ids))
    return confirmed


def plan(
    store: Store,
    mapping: JourneyMapping,
    settings: Settings,
    now: datetime,
    *,
    only: tuple[str, ...] = (),
    limit: int | None = None,
    is_retry: bool = False,
) -> list[Planned]:
    """Plan what the tool needs, by table, record and field; at most `limit` records.

    What was set aside is left out unless `is_retry`.

    Reads the TEMP TABLEs `classified`, `standing_next` and `override_next` that classification
    left; the plan is a TEMP TABLE too (`changes.iterate_plan`).
    Answers how much it holds of each table.
    """
    _prepare(store, mapping, settings)
    window = Window(
        format_instance(now - settings.settled), format_instance(now - settings.backfill), only
    )
    left = settings.max_records if limit is None else min(limit, settings.max_records)
    changes.begin_plan(store)
    for table in sorted(settings.tables):
        left -= changes.plan_table(
            store, table, WANTED, PASSENGERS, window, left, is_retry=is_retry
        )
    return changes.count_plan(store)


_LONGEST_WHY = next(f.max_length for f in fields.RECORD_FIELDS if f.name == fields.WHY)

WANTED: dict[str, str] = {
    fields.STEP: "coalesce(d.step, '')",
    fields.TOUCHPOINT: "d.touchpoint",
    fields.BAND: "d.band",
    fields.MOMENT: "coalesce(d.moment, CASE WHEN d.is_potential_moment THEN 'potential' ELSE ''"
    " END)",
    fields.OUTCOME: "d.outcome",
    fields.VALUE: "d.value",
    fields.SINCE: "coalesce(strftime(d.since, '%Y-%m-%d %H:%M:%S'), '')",
    fields.WHY: "coalesce(d.why, '')",
    fields.RULE: "d.rule_id",
    fields.CONFIDENCE: "d.confidence",
    fields.LAST_VISIBLE: "coalesce(d.last_visible, '')",
}
"""Each of our fields → its wanted value over `desired d`."""

PASSENGERS = tuple(f.name for f in fields.RECORD_FIELDS if not f.causes_write)


def _prepare(store: Store, mapping: JourneyMapping, settings: Settings) -> None:
    """TEMP TABLE `desired`: one row per classified record, with the texts of the shown journey."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE rule_why AS"
        " SELECT unnest($rules::VARCHAR[]) AS rule_id, unnest($whys::VARCHAR[]) AS why",
        rules=[rule.id for rule in mapping.rules],
        whys=[rule.because.in_(settings.language)[:_LONGEST_WHY] for rule in mapping.rules],
    )
    moments.ensure_chosen(store)
    # What few records have goes together first: each join of a statement holds its own buffers.
    store.execute(
        "CREATE OR REPLACE TEMP TABLE said AS SELECT table_name, sys_id, choice, reason"
        " FROM record_moment FULL JOIN override_next USING (table_name, sys_id)"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE desired AS"
        " SELECT c.*, c.steps[$journey] AS step, s.since, x.choice AS moment,"
        " coalesce(CASE c.rule_id WHEN 'override' THEN x.reason END, w.why) AS why"
        " FROM classified c"
        " LEFT JOIN standing_next s ON s.table_name = c.table_name AND s.sys_id = c.sys_id"
        " AND s.journey = $journey AND c.steps[$journey] IS NOT NULL"
        " LEFT JOIN rule_why w ON w.rule_id = c.rule_id"
        " LEFT JOIN said x ON x.table_name = c.table_name AND x.sys_id = c.sys_id",
        journey=settings.journey,
    )


def plan_lines(planned: Iterable[Change]) -> str:
    """Changes as JSON Lines: the same changes give the same bytes."""
    return "".join(
        json.dumps(
            {
                "table": change.table,
                "sys_id": change.sys_id,
                "number": change.number,
                "field": change.field,
                "from": change.from_value,
                "to": change.to_value,
            },
            ensure_ascii=False,
        )
        + "\n"
        for change in planned
    )


def write_plan(store: Store, target: TextIO) -> None:
    """Write the whole plan as JSON Lines."""
    for part in changes.iterate_plan(store, PART):
        target.write(plan_lines(part))


def send(run: Run, settings: Settings) -> Sent:
    """Send the plan that `changes.save_plan` stored. One poisoned record never stops the others.

    What no record can be written to (no right on a table) or an instance that stops answering ends
    the attempt there, and says so; the rest waits for the next run.
    Raises InterruptedRunError between two batches if the run was asked to stop.
    """
    sent = Sent()
    total = sum(of_table.records for of_table in changes.count_plan(run.store))
    done = 0
    for part in changes.iterate_plan(run.store, settings.batch_size):
        run.pause_point()
        batch = _by_record([c for c in part if c.table not in sent.closed_tables])
        done += len(_by_record(part))
        if batch and not _send_batch(run, batch, settings, sent):
            sent.messages.append(
                _("The instance stopped answering while writing; the rest waits for the next run")
            )
            break
        run.progress("write_back", part[0].table, done, total)
    _judge(run, settings, sent)
    counts = {k: v for k, v in asdict(sent).items() if isinstance(v, int)}
    _log.info("written", run_id=run.run_id, **counts)
    return sent


Key = tuple[str, str]

TOO_MANY_FORBIDDEN = 3
"""From so many on, a batch in which a table refuses everything speaks of a right, not of them."""


def _by_record(planned: Sequence[Change]) -> dict[Key, list[Change]]:
    found: dict[Key, list[Change]] = {}
    for change in planned:
        found.setdefault((change.table, change.sys_id), []).append(change)
    return found


def _send_batch(
    run: Run, batch: Mapping[Key, Sequence[Change]], settings: Settings, sent: Sent
) -> bool:
    """Send one batch; answers whether the instance said anything to any record of it."""
    with run.store.transaction():
        _mark_all(run.store, run.run_id, batch, "sent")
    replies = run.instance.send_updates(
        [
            RecordUpdate(table, sys_id, {c.field: c.to_value for c in of_record})
            for (table, sys_id), of_record in batch.items()
        ]
    )
    answered = {(reply.table, reply.sys_id): reply for reply in replies}
    with run.store.transaction():
        _close_tables(run, batch, answered, sent)
        _take(run, batch, answered, settings, sent)
    return any(reply.status not in ("unknown", "unserviced") for reply in replies)


def _mark_all(store: Store, run_id: str, keys: Iterable[Key], status: str) -> None:
    tables: dict[str, list[str]] = {}
    for table, sys_id in keys:
        tables.setdefault(table, []).append(sys_id)
    for table, sys_ids in tables.items():
        changes.mark(store, run_id, table, sys_ids, status)


def _close_tables(
    run: Run, batch: Iterable[Key], answered: Mapping[Key, UpdateReply], sent: Sent
) -> None:
    """Where a table refuses every record for lack of a right, no record is to blame."""
    tables: dict[str, list[str]] = {}
    for key in batch:
        status = answered[key].status if key in answered else "unknown"
        tables.setdefault(key[0], []).append(status)
    for table, statuses in tables.items():
        if set(statuses) == {"forbidden"} and len(statuses) >= TOO_MANY_FORBIDDEN:
            sent.closed_tables.add(table)
            sent.messages.append(
                _(
                    "The integration user may not write {table}: give it the role, the records"
                    " wait for the next run"
                ).format(table=table)
            )
            _log.warning("forbidden", run_id=run.run_id, table=table)


def _take(
    run: Run,
    batch: Mapping[Key, Sequence[Change]],
    answered: Mapping[Key, UpdateReply],
    settings: Settings,
    sent: Sent,
) -> None:
    """Draw the consequences of a batch's replies; what stays `sent` is settled by the next run."""
    store, run_id = run.store, run.run_id
    written: list[Key] = []
    for key in batch:
        reply = answered.get(key)
        if reply is None or reply.status == "unknown":
            sent.failed += 1
        elif reply.status == "unserviced" or key[0] in sent.closed_tables:
            sent.failed += 1
            changes.mark(store, run_id, key[0], [key[1]], "failed", reply.detail)
        elif reply.status == "written":
            written.append(key)
        else:
            _refuse_record(run, key, reply, settings, sent)
    _mark_all(store, run_id, written, "confirmed")
    for key in written:
        _check_fields(run, batch[key], answered[key], sent)
    _take_seen(store, [answered[key] for key in written])
    sent.confirmed += len(written)


def _refuse_record(run: Run, key: Key, reply: UpdateReply, settings: Settings, sent: Sent) -> None:
    table, sys_id = key
    detail = reply.detail or reply.status
    changes.mark(run.store, run.run_id, table, [sys_id], "refused", detail)
    sent.failed += 1
    if changes.count_against(run.store, table, sys_id, "", detail, settings.set_aside_after):
        sent.set_aside += 1
        sent.messages.append(
            _("{table} {sys_id} was set aside: {reason}").format(
                table=table, sys_id=sys_id, reason=detail
            )
        )


def _check_fields(run: Run, of_record: Sequence[Change], reply: UpdateReply, sent: Sent) -> None:
    """A 200 is not proof: a field-level ACL or a read-only option answers 200 and the old value."""
    for change in of_record:
        if reply.values.get(change.field) != change.to_value:
            changes.mark_field(run.store, run.run_id, change, "kept", _kept())
            sent.refused += 1


def _kept() -> str:
    return _("the instance answered 200 and kept another value")


def _judge(run: Run, settings: Settings, sent: Sent) -> None:
    """Once a run: is it the column that is refused on the whole table, or this record's field?"""
    with run.store.transaction():
        for table in settings.tables:
            changes.forgive_written(run.store, run.run_id, table)
        for refused in changes.list_refused(run.store, run.run_id):
            if refused.is_of_column:
                _refuse_column(run, settings, sent, refused)
                continue
            for sys_id in refused.sys_ids:
                _count(run, settings, sent, refused.table, sys_id, refused.field)


def _refuse_column(run: Run, settings: Settings, sent: Sent, refused: Refused) -> None:
    sent.messages.append(
        _(
            "{field} on {table} was refused on every record ({n}): {reason}; check its write ACL"
            " and its read-only option"
        ).format(field=refused.field, table=refused.table, n=len(refused.sys_ids), reason=_kept())
    )
    _count(run, settings, sent, refused.table, "*", refused.field)


def _count(
    run: Run, settings: Settings, sent: Sent, table: str, sys_id: str, field_name: str
) -> None:
    if changes.count_against(
        run.store, table, sys_id, field_name, _kept(), settings.set_aside_after
    ):
        sent.set_aside += 1
        sent.messages.append(
            _(
                "{field} on {table} {sys_id} is no longer written; mend the cause, then run"
                " travesia sync --full"
            ).format(field=field_name, table=table, sys_id="" if sys_id == "*" else sys_id)
        )


def _take_seen(store: Store, replies: Sequence[UpdateReply]) -> None:
    tables: dict[str, list[dict[str, str]]] = {}
    for reply in replies:
        tables.setdefault(reply.table, []).append({**reply.values, "sys_id": reply.sys_id})
    for table, rows in tables.items():
        present = set(records.list_columns(store, table))
        own = [f.name for f in fields.RECORD_FIELDS if f.name in present]
        history.follow(store, table, rows)
        records.take_seen(store, table, [*VERSION_COLUMNS, *own], rows)
