"""What a batch's replies mean: each field is looked at, for a 200 is not proof.

A field-level ACL or a read-only option answers 200 and the old value (servicenow-api.md §7.4).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from connector import log
from connector.context import Run
from connector.errors import InstanceError
from connector.itsm.base import UpdateReply
from connector.journey import fields
from connector.messages import _
from connector.store import changes, history, records, set_aside
from connector.store.changes import Change
from connector.store.database import Store
from connector.write_back.sent import Sent
from connector.write_back.settings import Settings
from connector.write_back.verdicts import kept, refuse_record

Key = tuple[str, str]
Batch = Mapping[Key, Sequence[Change]]
"""(table, sys_id) → the changes of that record."""

VERSION_COLUMNS = ("sys_updated_on", "sys_mod_count")
TOO_MANY_FORBIDDEN = 3
"""From so many on, a batch in which a table refuses everything speaks of a right, not of them."""

_log = log.get("write_back")


def take(
    run: Run,
    batch: Batch,
    replies: Sequence[UpdateReply],
    settings: Settings,
    now: datetime,
    sent: Sent,
) -> None:
    """Draw the consequences, in one transaction; what stays `sent` is settled by the next run.

    Raises InstanceError if an import created a record instead of updating one.
    """
    answered = {(reply.table, reply.sys_id): reply for reply in replies}
    with run.store.transaction():
        _close_tables(run, batch, answered, sent)
        written: list[Key] = []
        for key in batch:
            reply = answered.get(key)
            if reply is not None and reply.status == "written":
                written.append(key)
            else:
                _take_failure(run, key, reply, settings, now, sent)
        _take_written(run, batch, written, answered, settings.place, sent)
    _refuse_inserts(run, replies)


def _take_failure(
    run: Run,
    key: Key,
    reply: UpdateReply | None,
    settings: Settings,
    now: datetime,
    sent: Sent,
) -> None:
    if reply is None or reply.status in ("unknown", "inserted"):
        sent.failed += 1
    elif reply.status == "unserviced" or key[0] in sent.closed_tables:
        sent.failed += 1
        changes.mark(run.store, run.run_id, key[0], [key[1]], "failed", reply.detail)
    else:
        refuse_record(run, key, reply, settings, now, sent)


def _take_written(
    run: Run,
    batch: Batch,
    written: Sequence[Key],
    answered: Mapping[Key, UpdateReply],
    place: str,
    sent: Sent,
) -> None:
    for table, sys_ids in _by_table(written).items():
        changes.mark(run.store, run.run_id, table, sys_ids, "confirmed", place)
        of_table = [answered[table, sys_id] for sys_id in sys_ids]
        _note_concurrent(run.store, table, of_table, sent)
        _take_seen(run.store, table, of_table)
    for key in written:
        _check_fields(run, batch[key], answered[key], sent)
    sent.confirmed += len(written)


def _by_table(keys: Iterable[Key]) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for table, sys_id in keys:
        tables.setdefault(table, []).append(sys_id)
    return tables


def _close_tables(
    run: Run, batch: Iterable[Key], answered: Mapping[Key, UpdateReply], sent: Sent
) -> None:
    """Where a table refuses every record for lack of a right, no record is to blame."""
    for table, sys_ids in _by_table(batch).items():
        replies = [answered.get((table, sys_id)) for sys_id in sys_ids]
        statuses = {reply.status if reply else "unknown" for reply in replies}
        if table in sent.closed_tables or statuses != {"forbidden"}:
            continue
        if len(sys_ids) >= TOO_MANY_FORBIDDEN:
            sent.closed_tables.add(table)
            sent.messages.append(
                _(
                    "The integration user may not write {table}: give it the role, the records"
                    " wait for the next run"
                ).format(table=table)
            )
            _log.warning("forbidden", run_id=run.run_id, table=table)


def _note_concurrent(store: Store, table: str, replies: Sequence[UpdateReply], sent: Sent) -> None:
    """A write raises `sys_mod_count` by one, one that changes nothing by none: more is somebody
    else's (§7.5), or a rule's that saved again."""
    seen = changes.read_mod_counts(store, table, [reply.sys_id for reply in replies])
    for reply in replies:
        before, after = seen.get(reply.sys_id), _number(reply.values.get("sys_mod_count"))
        if before is not None and after is not None and after > before + 1:
            sent.concurrent += 1
            sent.crossed.setdefault(table, []).append(reply.sys_id)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _take_seen(store: Store, table: str, replies: Sequence[UpdateReply]) -> None:
    rows = [{**reply.values, "sys_id": reply.sys_id} for reply in replies]
    present = set(records.list_columns(store, table))
    own = [f.name for f in fields.RECORD_FIELDS if f.name in present]
    history.follow(store, table, rows)
    records.take_seen(store, table, [*VERSION_COLUMNS, *own], rows)


def _check_fields(run: Run, of_record: Sequence[Change], reply: UpdateReply, sent: Sent) -> None:
    for change in of_record:
        if reply.values.get(change.field) != change.to_value:
            changes.mark_field(run.store, run.run_id, change, "kept", kept())
            sent.refused += 1


def _refuse_inserts(run: Run, replies: Sequence[UpdateReply]) -> None:
    """An import that creates tickets must never run again by itself, not even tomorrow."""
    made = [reply for reply in replies if reply.status == "inserted"]
    if not made:
        return
    table = made[0].table
    reason = _(
        "The import into {table} created records ({n}) instead of updating ({detail}); writing"
        " stopped: delete them, run travesia provision, then travesia sync --full"
    ).format(table=table, n=len(made), detail=made[0].detail)
    with run.store.transaction():
        set_aside.set_table_aside(run.store, table, reason)
    _log.error("import_created", run_id=run.run_id, table=table, records=len(made))
    raise InstanceError(reason)
