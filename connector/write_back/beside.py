"""Mode `table`: a record's journey stands in a row of `u_journey`; nothing on the record moves.

The rest of the step speaks of records and their fields as ever. Here, at the edge, a record's
update becomes its row's, and a reply of the row the record's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector.itsm.base import Instance, Record, RecordUpdate, UpdateReply
from connector.journey.fields import RECORD_FIELDS, STEWARD_FIELDS
from connector.journey.own_tables import ROW_NUMBER, ROW_RECORD, ROW_TABLE, ROW_TASK
from connector.journey.rows import TABLE, row_id

OWN = tuple(field.name for field in (*RECORD_FIELDS, *STEWARD_FIELDS))
"""Our columns, which a row has in the record's stead."""


def about(update: RecordUpdate, number: str, *, is_task: bool) -> dict[str, str]:
    """What a row says of its record."""
    told = {ROW_NUMBER: number, ROW_TABLE: update.table, ROW_RECORD: update.sys_id}
    return {**told, **({ROW_TASK: update.sys_id} if is_task else {})}


def send_rows(
    instance: Instance,
    updates: Sequence[RecordUpdate],
    told: Mapping[str, Mapping[str, str]],
    via: str,
) -> list[UpdateReply]:
    """Send the rows of records; one reply per record. `told` is `about` by the record's sys_id.

    Whether a row is there is asked first: one request more a batch, and none is made twice.
    """
    rows = {row_id(one.table, one.sys_id): one for one in updates}
    replies = _import(instance, rows, told) if via == "import_set" else _send(instance, rows, told)
    return [_of_record(rows[reply.sys_id], reply) for reply in replies]


def _send(
    instance: Instance, rows: Mapping[str, RecordUpdate], told: Mapping[str, Mapping[str, str]]
) -> list[UpdateReply]:
    there = {row["sys_id"] for row in instance.read_records(TABLE, list(rows), ["sys_id"])}
    new = [
        {"sys_id": key, **told[one.sys_id], **one.values}
        for key, one in rows.items()
        if key not in there
    ]
    old = [RecordUpdate(TABLE, key, one.values) for key, one in rows.items() if key in there]
    made = instance.create_records(TABLE, new) if new else []
    return [*made, *(instance.send_updates(old) if old else [])]


def _import(
    instance: Instance, rows: Mapping[str, RecordUpdate], told: Mapping[str, Mapping[str, str]]
) -> list[UpdateReply]:
    whole = [
        RecordUpdate(TABLE, key, {**{ROW_TASK: ""}, **told[one.sys_id], **one.values})
        for key, one in rows.items()
    ]
    return instance.import_updates(whole, may_insert=True)


def _of_record(update: RecordUpdate, reply: UpdateReply) -> UpdateReply:
    """The row's version says nothing of the record's: only our columns go on."""
    values = {name: value for name, value in reply.values.items() if name in OWN}
    return replace(reply, table=update.table, sys_id=update.sys_id, values=values)


def read_records(
    instance: Instance, table: str, sys_ids: Sequence[str], columns: Sequence[str]
) -> list[Record]:
    """Records as they are now, our columns from their rows; without a row these are empty."""
    own = [name for name in columns if name in OWN]
    found = instance.read_records(table, sys_ids, [name for name in columns if name not in OWN])
    keys = {row_id(table, record["sys_id"]): record["sys_id"] for record in found}
    rows = {
        keys[row["sys_id"]]: {name: row[name] for name in own if name in row}
        for row in (instance.read_records(TABLE, list(keys), ["sys_id", *own]) if keys else [])
    }
    empty = dict.fromkeys(own, "")
    return [{**record, **rows.get(record["sys_id"], empty)} for record in found]
