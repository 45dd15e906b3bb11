"""What Travesía needs of an ITSM tool: one small Protocol, spoken in the words of the Table API.

Values are strings as the tool sends them: "" is empty, a missing key is unknown (hidden by an ACL).
Every method may raise `connector.errors.InstanceError` and its kinds; retries happen inside.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

Record = dict[str, str]


@dataclass(frozen=True)
class Cursor:
    """Where extraction of a table stands: everything up to (`updated_on`, `sys_id`) was read."""

    updated_on: str = ""
    sys_id: str = ""


@dataclass(frozen=True)
class Page:
    """One answer of a list call. `cursor` is the last key on it; `hidden` rows an ACL kept back."""

    records: Sequence[Mapping[str, str]]
    cursor: Cursor
    hidden: int = 0
    comes_once: bool = False
    """Whether its keys were held to rise within a part: no other page of the read has them."""


@dataclass(frozen=True)
class Shard:
    """A part of a table: sys_ids from `low` to below `high` ("" = open), those up to `after` read.

    The parts of a table cover every sys_id there can be, whatever it looks like.
    """

    low: str
    high: str
    after: str = ""


@dataclass(frozen=True)
class Column:
    """One column as the tool's dictionary has it, inherited columns under the asking table.

    `type` is the tool's own (`string`, `integer`, `boolean`, `glide_date_time`, `reference`, …).
    """

    table: str
    element: str
    type: str
    label: str = ""
    reference: str = ""
    is_choice: bool = False


@dataclass(frozen=True)
class Choice:
    """One choice value of a column, in one language."""

    table: str
    element: str
    value: str
    label: str
    language: str


@dataclass(frozen=True)
class RecordUpdate:
    """Wanted values of one record."""

    table: str
    sys_id: str
    values: Mapping[str, str]


WriteStatus = Literal[
    "written", "unserviced", "rejected", "forbidden", "gone", "inserted", "unknown"
]


@dataclass(frozen=True)
class UpdateReply:
    """What became of one update.

    `written` = the tool answered 2xx and `values` is what it now holds (check each field!);
    `unserviced` = not looked at, send again; `rejected`/`forbidden`/`gone` = no, with `detail`;
    `inserted` = an import made a new record where it should only update: stop everything;
    `unknown` = the answer was lost: read before anything else.
    """

    table: str
    sys_id: str
    status: WriteStatus
    values: Mapping[str, str]
    detail: str = ""
    milliseconds: float | None = None
    """What the write cost, by the instance's count or the clock; None where it is not known."""
    was_skipped: bool = False
    """Whether the instance left it undone at least once for lack of time: smaller batches, then."""


@dataclass(frozen=True)
class Count:
    """How many records a query finds, hidden ones included, and what tells their versions.

    `newest` is the newest `sys_updated_on`, `saves` the sum of `sys_mod_count` (None: not told).
    """

    records: int
    newest: str = ""
    saves: int | None = None


@dataclass(frozen=True)
class Attachment:
    """A file on a record."""

    sys_id: str
    file_name: str
    content_type: str
    size: int


class Instance(Protocol):
    """One installation of an ITSM tool."""

    url: str

    def now(self) -> datetime:
        """The instance's own clock (its `Date` header), aware UTC."""
        ...

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        """Those of `names` that exist → the name of the table they extend ("" for none)."""
        ...

    def list_columns(self, tables: Sequence[str]) -> list[Column]:
        """The columns of existing tables, inherited ones included."""
        ...

    def list_choices(self, tables: Sequence[str]) -> list[Choice]:
        """The choice values of tables, inherited ones included (active ones only)."""
        ...

    def list_pages(
        self, table: str, fields: Sequence[str], after: Cursor, until: datetime, where: str = ""
    ) -> Iterator[Page]:
        """Pages in key order (`sys_updated_on`, `sys_id`), strictly after `after` up to `until`."""
        ...

    def list_records(
        self, table: str, fields: Sequence[str], query: str = "", limit: int | None = None
    ) -> Iterator[Record]:
        """Records of a query in sys_id order, paged inside (small lists, sweeps of keys)."""
        ...

    def read_records(
        self, table: str, sys_ids: Sequence[str], fields: Sequence[str]
    ) -> list[Record]:
        """Those of the records that exist and may be read."""
        ...

    def count_records(self, table: str, query: str = "") -> Count:
        """How many records a query finds, without reading them."""
        ...

    def identity(self) -> str:
        """What the installation says it is, beside its address; "" where it may not be asked."""
        ...

    def send_updates(self, updates: Sequence[RecordUpdate]) -> list[UpdateReply]:
        """Send one batch (the caller cuts them: `write_back.batch_size`); one reply per update.

        Repeats only what was unserviced or failed for a passing reason; a batch whose answer was
        lost comes back as `unknown`. Never raises for a single record.
        """
        ...

    def import_updates(
        self, updates: Sequence[RecordUpdate], *, may_insert: bool = False
    ) -> list[UpdateReply]:
        """The same quietly, by the staging tables of the written tables: no business rule runs.

        Each update carries all of our columns: an import clears what its row leaves out.
        With `may_insert` a row under the very sys_id is made where there is none (our own table).
        The values of a reply are what the record was seen to hold afterwards.
        """
        ...

    def create_record(self, table: str, values: Mapping[str, str]) -> Record:
        """Create; pass a `sys_id` of your choosing to make it repeatable."""
        ...

    def create_records(self, table: str, records: Sequence[Mapping[str, str]]) -> list[UpdateReply]:
        """Create several, each under the `sys_id` it carries; one reply per record."""
        ...

    def update_record(self, table: str, sys_id: str, values: Mapping[str, str]) -> Record:
        """Update one record, answering all it now holds."""
        ...

    def list_attachments(self, table: str, sys_id: str) -> list[Attachment]:
        """The files on a record."""
        ...

    def read_attachment(self, sys_id: str) -> bytes:
        """The bytes of a file."""
        ...

    def add_attachment(
        self, table: str, sys_id: str, file_name: str, content_type: str, content: bytes
    ) -> Attachment:
        """Put a file on a record."""
        ...

    def delete_attachment(self, sys_id: str) -> None:
        """Remove a file (only ever one of ours)."""
        ...


class ErasableInstance(Instance, Protocol):
    """An instance from which records of ours may be taken out: provisioning's removal alone."""

    def delete_records(self, table: str, sys_ids: Sequence[str]) -> list[UpdateReply]:
        """Delete several; one reply each, `gone` where there was none."""
        ...


@runtime_checkable
class ShardedInstance(Protocol):
    """An instance of which a large table may be read in parts, by several workers at once."""

    @property
    def workers(self) -> int:
        """How many requests it takes at once."""
        ...

    def list_shards(self, table: str, until: datetime, where: str = "") -> list[Shard]:
        """The parts to read a table in, one a worker; [] where one worker reads. Asks nothing."""
        ...

    def list_shard_pages(
        self,
        table: str,
        fields: Sequence[str],
        shard: Shard,
        until: datetime,
        where: str,
        cancelled: threading.Event,
    ) -> Iterator[Page]:
        """Pages of a part in order of `sys_id`, after `shard.after`; records changed up to `until`.

        Cursors carry the `sys_id` only. May be called from several threads at once; `cancelled`
        ends waits as well (InterruptedRunError).
        """
        ...


InvalidQueryMode = Literal["ignored", "no_rows", "forbidden"]
"""What the tool does with a condition on a column that does not exist."""


PagingRight = Literal["ok", "refused", "ignored"]
"""What becomes of a list filtered and sorted by `sys_updated_on` and `sys_id`."""


@dataclass(frozen=True)
class Probe:
    """What a few harmless questions told. None = could not be learned (hidden from the account)."""

    user: str
    time_zone: str | None
    reads_utc: bool | None
    """Whether plain times in a query are read as UTC, as ours are."""
    invalid_query: InvalidQueryMode


class ProbedInstance(Instance, Protocol):
    """An instance that can be asked about itself (`travesia check`)."""

    def probe(self) -> Probe:
        """Who we are there, in which time zone, and how it treats impossible queries."""
        ...

    def probe_paging(self, table: str) -> PagingRight:
        """Whether the account may filter and sort a table as paging does."""
        ...
