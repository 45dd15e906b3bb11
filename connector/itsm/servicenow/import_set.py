"""Quiet writes: rows of staging tables, transformed onto the records without business rules.

One row a record, each with its own answer, packed into batches (servicenow-api.md §2, §3): the
answer of `insertMultiple` names no record. An answer does not hold the values, and a row that
finds no record would make one. So the records are looked up before and read again after.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector.itsm.base import Record, RecordUpdate, UpdateReply
from connector.itsm.servicenow.batch import Outcome, item_of, send_batch
from connector.itsm.servicenow.decode import decode_result, printable, text
from connector.itsm.servicenow.keys import checked_id, table_path
from connector.itsm.servicenow.session import Session
from connector.itsm.staging import TARGET, staging_of
from connector.messages import _

VERSION = ("sys_id", "sys_updated_on", "sys_mod_count")
_UPDATED = frozenset({"updated", "ignored", "skipped"})
"""`ignored` and `skipped` are also said of a row that changes nothing: the record tells."""

Read = Callable[[str, Sequence[str], Sequence[str]], list[Record]]
"""`read_records` of the instance: table, sys_ids, columns."""


@dataclass(frozen=True)
class ImportItem:
    """One row of a staging table."""

    table: str
    sys_id: str
    values: dict[str, str]
    may_insert: bool = False

    def as_request(self, item_id: str) -> dict[str, Any]:
        """The row as the Batch API wants it."""
        staging = table_path(staging_of(self.table)).rpartition("/")[2]
        row = {TARGET: self.sys_id, **self.values}
        return item_of(item_id, "POST", f"/api/now/import/{staging}", row)

    def outcome(self, body: bytes) -> Outcome:
        """What the transformation did. Raises BadBody."""
        found = decode_result(body)
        results = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        for one in results:
            status, detail = self._judged(one)
            if status != "written":
                return status, {}, detail
        if not results:
            return "rejected", {}, _("no transform map took the row")
        return "written", {}, ""

    def _judged(self, result: Mapping[str, Any]) -> tuple[Any, str]:
        status, sys_id = text(result.get("status")), text(result.get("sys_id"))
        shown = text(result.get("display_value")) or sys_id
        if status == "inserted" and self.may_insert and sys_id == self.sys_id:
            return "written", ""
        if status == "inserted" or (status == "updated" and sys_id not in ("", self.sys_id)):
            return "inserted", shown
        if status in _UPDATED:
            return "written", ""
        said = printable(text(result.get("error_message")) or text(result.get("status_message")))
        return "rejected", said or status or _("the answer has no status")


def send_import(
    session: Session, updates: Sequence[RecordUpdate], read: Read, *, may_insert: bool = False
) -> list[UpdateReply]:
    """Send rows for all, read the records again; one reply per update, in order.

    With `may_insert` a row makes the record that it does not find, under the sys_id it says.
    Raises InstanceError only where the instance refuses the whole, or cannot be read.
    """
    there = None if may_insert else _existing(updates, read)
    items = [
        ImportItem(update.table, checked_id(update.sys_id), dict(update.values), may_insert)
        for update in updates
        if there is None or (update.table, update.sys_id) in there
    ]
    replies = {(one.table, one.sys_id): one for one in send_batch(session, items)}
    held = _read_again(updates, replies, read)
    return [_settled(update, replies, held) for update in updates]


def _existing(updates: Sequence[RecordUpdate], read: Read) -> set[tuple[str, str]]:
    """A row for a record that is gone would make a new one."""
    return {
        (table, row["sys_id"])
        for table, of_table in _by_table(updates).items()
        for row in read(table, [update.sys_id for update in of_table], ["sys_id"])
    }


def _by_table(updates: Sequence[RecordUpdate]) -> dict[str, list[RecordUpdate]]:
    tables: dict[str, list[RecordUpdate]] = {}
    for update in updates:
        tables.setdefault(update.table, []).append(update)
    return tables


Replies = Mapping[tuple[str, str], UpdateReply]


def _read_again(
    updates: Sequence[RecordUpdate], replies: Replies, read: Read
) -> dict[tuple[str, str], Record]:
    held: dict[tuple[str, str], Record] = {}
    for table, of_table in _by_table(updates).items():
        written = [
            update.sys_id
            for update in of_table
            if (reply := replies.get((table, update.sys_id))) and reply.status == "written"
        ]
        columns = dict.fromkeys((*VERSION, *(name for one in of_table for name in one.values)))
        for row in read(table, written, list(columns)) if written else []:
            held[table, row["sys_id"]] = row
    return held


def _settled(
    update: RecordUpdate, replies: Replies, held: Mapping[tuple[str, str], Record]
) -> UpdateReply:
    key = (update.table, update.sys_id)
    reply = replies.get(key)
    if reply is None:
        said = _("the record is no longer there, or hidden")
        return UpdateReply(*key, "gone", {}, said)
    if reply.status != "written":
        return reply
    if key not in held:
        return replace(reply, status="unknown")
    return replace(reply, values=held[key])
