"""One ServiceNow instance as the rest of Travesía sees it: `connector.itsm.base.Instance`.

Pages and batches go straight through our session; small calls to the dictionary through pysnow on
that same session. Refuses names and keys that could not be the tool's own.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.errors import InstanceError
from connector.itsm.base import (
    Attachment,
    Choice,
    Column,
    Count,
    Cursor,
    Page,
    PagingRight,
    Probe,
    Record,
    RecordUpdate,
    Shard,
    UpdateReply,
)
from connector.itsm.servicenow import aggregate, attachments, dictionary, probing, sharding
from connector.itsm.servicenow.batch import DeleteItem, Item, send_batch, update_item
from connector.itsm.servicenow.decode import decode_record, decode_records, encode
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.import_set import send_import
from connector.itsm.servicenow.keys import PLAIN_VALUES, checked_id, is_id, table_path
from connector.itsm.servicenow.page_size import PageSize
from connector.itsm.servicenow.pages import Scan
from connector.itsm.servicenow.session import Session, Sleep
from connector.itsm.servicenow.settings import Connection
from connector.messages import _

IDS_PER_REQUEST = 150
"""33 bytes each: well below the 10,000 characters that a query string may have (§1.2)."""


class ServiceNow:
    """A connected instance. Nothing is sent before the first call."""

    def __init__(self, session: Session, page_size: int, workers: int = 1) -> None:
        self._session = session
        self._page_size = page_size
        self.workers = workers
        self._sizes: dict[str, PageSize] = {}
        self.url = session.url

    def __repr__(self) -> str:
        return f"ServiceNow({self.url!r})"

    def now(self) -> datetime:
        """The instance's own clock, by the Date header of a small call."""
        params = {"sysparm_limit": "1", "sysparm_fields": "sys_id", "sysparm_no_count": "true"}
        answer = self._session.call(Request("GET", table_path("sys_user"), params), decode_records)
        if answer.date is None:
            raise InstanceError(
                _("The instance sends no Date header; a proxy in between may take it away")
            )
        return answer.date

    def probe(self) -> Probe:
        """Who we are there, in which time zone, and how it treats impossible queries."""
        return probing.probe(self._session)

    def probe_paging(self, table: str) -> PagingRight:
        """Whether the account may filter and sort a table as paging does."""
        return probing.probe_paging(self._session, table)

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        """Those of `names` that exist → the name of the table they extend ("" for none)."""
        return dictionary.list_tables(self._session, names)

    def list_columns(self, tables: Sequence[str]) -> list[Column]:
        """The columns of existing tables, inherited ones included."""
        return dictionary.list_columns(self._session, tables)

    def list_choices(self, tables: Sequence[str]) -> list[Choice]:
        """The active choice values of tables in both languages, inherited ones included."""
        return dictionary.list_choices(self._session, tables)

    def list_pages(
        self, table: str, fields: Sequence[str], after: Cursor, until: datetime, where: str = ""
    ) -> Iterator[Page]:
        """Pages in key order, strictly after `after` up to `until`; see pages.py."""
        return self._scan(table, fields, where).by_update(after, until)

    def list_shards(self, table: str, until: datetime, where: str = "") -> list[Shard]:  # noqa: ARG002  # all tables alike
        """One part for each worker; [] where one worker reads. See sharding.py."""
        table_path(table)
        return sharding.cut(self.workers)

    def list_shard_pages(
        self,
        table: str,
        fields: Sequence[str],
        shard: Shard,
        until: datetime,
        where: str,
        cancelled: threading.Event,
    ) -> Iterator[Page]:
        """Pages of a part in order of `sys_id`."""
        return self._scan(table, fields, where, cancelled).by_shard(shard, until)

    def list_records(
        self, table: str, fields: Sequence[str], query: str = "", limit: int | None = None
    ) -> Iterator[Record]:
        """Records of a query in sys_id order, paged inside."""
        return self._scan(table, fields, query).by_id(limit)

    def read_records(
        self, table: str, sys_ids: Sequence[str], fields: Sequence[str]
    ) -> list[Record]:
        """Those of the records that exist and may be read."""
        found: list[Record] = []
        wanted = list(dict.fromkeys(checked_id(sys_id) for sys_id in sys_ids))
        for start in range(0, len(wanted), IDS_PER_REQUEST):
            some = wanted[start : start + IDS_PER_REQUEST]
            found += self._scan(table, fields, f"sys_idIN{','.join(some)}").by_id(len(some))
        return found

    def count_records(self, table: str, query: str = "") -> Count:
        """How many records a query finds, by the Aggregate API."""
        return aggregate.count_records(self._session, table, query)

    def identity(self) -> str:
        """The instance's own name and id, where its properties may be read."""
        return probing.identity(self._session)

    def send_updates(self, updates: Sequence[RecordUpdate]) -> list[UpdateReply]:
        """Send one batch of PATCHes; one reply per update, in order. See batch.py."""
        good = [update for update in updates if is_id(update.sys_id)]
        replies = iter(send_batch(self._session, [update_item(update) for update in good]))
        return [next(replies) if is_id(update.sys_id) else _not_an_id(update) for update in updates]

    def import_updates(
        self, updates: Sequence[RecordUpdate], *, may_insert: bool = False
    ) -> list[UpdateReply]:
        """Send rows of the staging tables, without business rules. See import_set.py."""
        return send_import(self._session, updates, self.read_records, may_insert=may_insert)

    def create_records(self, table: str, records: Sequence[Mapping[str, str]]) -> list[UpdateReply]:
        """Create several at once, each under the `sys_id` it carries; one reply per record."""
        items = [Item("POST", table, checked_id(r["sys_id"]), dict(r)) for r in records]
        return self._own_work(table, items, send_batch(self._session, items))

    def _own_work(
        self, table: str, items: Sequence[Item], replies: Sequence[UpdateReply]
    ) -> list[UpdateReply]:
        """A record that stands already as we wanted it was made by an attempt whose answer was
        lost: to be told that its sys_id is taken is no refusal (§1.1)."""
        refused = {reply.sys_id for reply in replies if reply.status == "rejected"}
        refused |= {reply.sys_id for reply in replies if reply.status == "forbidden"}
        if not refused:
            return list(replies)
        names = list(dict.fromkeys(name for item in items for name in item.values))
        try:
            held = {row["sys_id"]: row for row in self.read_records(table, sorted(refused), names)}
        except InstanceError:
            return list(replies)  # it cannot be told now; the caller's next look will
        wanted = {item.sys_id: item.values for item in items}
        return [
            replace(reply, status="written", values=held[reply.sys_id], detail="")
            if reply.sys_id in held and _holds(held[reply.sys_id], wanted[reply.sys_id])
            else reply
            for reply in replies
        ]

    def delete_records(self, table: str, sys_ids: Sequence[str]) -> list[UpdateReply]:
        """Delete several at once; one reply each, `gone` where there was none."""
        return send_batch(self._session, [DeleteItem(table, checked_id(one)) for one in sys_ids])

    def create_record(self, table: str, values: Mapping[str, str]) -> Record:
        """Create; with a `sys_id` of your choosing it may be repeated.

        Raises InstanceError, also where a record of that sys_id stands already with other values.
        """
        sys_id = values.get("sys_id", "")
        request = Request(
            "POST",
            table_path(table),
            PLAIN_VALUES,
            encode(dict(values)),
            is_repeatable=bool(sys_id),
        )
        try:
            return self._session.call(request, decode_record).value
        except InstanceError:
            # Perhaps an earlier attempt did it and its answer was lost: the record tells (§1.1).
            found = self.read_records(table, [sys_id], list(values)) if sys_id else []
            if found and _holds(found[0], values):
                return found[0]
            raise

    def update_record(self, table: str, sys_id: str, values: Mapping[str, str]) -> Record:
        """Update one record, answering all it now holds."""
        path = table_path(table, checked_id(sys_id))
        request = Request("PATCH", path, PLAIN_VALUES, encode(dict(values)))
        return self._session.call(request, decode_record).value

    def list_attachments(self, table: str, sys_id: str) -> list[Attachment]:
        """The files on a record."""
        return attachments.list_attachments(self._session, table, sys_id)

    def read_attachment(self, sys_id: str) -> bytes:
        """The bytes of a file."""
        return attachments.read_attachment(self._session, sys_id)

    def add_attachment(
        self, table: str, sys_id: str, file_name: str, content_type: str, content: bytes
    ) -> Attachment:
        """Put a file on a record; never repeated, as it could end up there twice."""
        target = attachments.Target(table, sys_id, file_name, content_type)
        return attachments.add_attachment(self._session, target, content)

    def delete_attachment(self, sys_id: str) -> None:
        """Remove a file; one that is gone already is fine."""
        attachments.delete_attachment(self._session, sys_id)

    def _scan(
        self,
        table: str,
        fields: Sequence[str],
        where: str,
        cancelled: threading.Event | None = None,
    ) -> Scan:
        size = self._sizes.setdefault(table, PageSize(self._page_size))
        session = self._session.until(cancelled) if cancelled else self._session
        return Scan(session, table, fields, where, size)


def _holds(record: Record, values: Mapping[str, str]) -> bool:
    return all(record.get(name, "") == value for name, value in values.items())


def _not_an_id(update: RecordUpdate) -> UpdateReply:
    return UpdateReply(update.table, update.sys_id, "rejected", {}, _("This is not a sys_id"))


def connect(
    settings: Connection, stop: threading.Event | None = None, sleep: Sleep | None = None
) -> ServiceNow:
    """An instance by its settings. `stop` ends waits; `sleep` replaces them (tests).

    Raises ConfigError with every problem of the settings; sends nothing yet.
    """
    return ServiceNow(Session(settings, stop, sleep), settings.page_size, settings.workers)
