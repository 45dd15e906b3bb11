"""Many writes in one request: the Batch API (servicenow-api.md §2).

One batch is no transaction: each item has its own status. What was not served, or failed for a
passing reason, goes again; an item whose answer was lost ends as `unknown`, never as a guess.
"""

import base64
import binascii
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import msgspec

from connector.errors import InstanceError
from connector.itsm.base import Record, RecordUpdate, UpdateReply, WriteStatus
from connector.itsm.servicenow.decode import (
    BadBody,
    decode_object,
    decode_record,
    encode,
    error_detail,
    printable,
    whole_number,
)
from connector.itsm.servicenow.gate import JSON, Request
from connector.itsm.servicenow.keys import PLAIN_VALUES, table_path
from connector.itsm.servicenow.session import Session
from connector.messages import _

BATCH_PATH = "/api/now/v1/batch"
_PASSING = frozenset({202, 401, 408, 429, 499})
"""Statuses below 500 that may pass; each item can meet them as a call of its own would.

A 401 within a good batch is a token that died under way, and no record's fault: the next round logs
in anew, or is refused as a whole.
"""

_NO: dict[int, WriteStatus] = {403: "forbidden", 404: "gone"}

Outcome = tuple[WriteStatus, Record, str]
"""What the body of a 2xx says of an item: its status, the values it now has, a detail."""


class BatchItem(Protocol):
    """One request of a batch, about one record."""

    @property
    def table(self) -> str:
        """The table of the record."""
        ...

    @property
    def sys_id(self) -> str:
        """Its key."""
        ...

    def as_request(self, item_id: str) -> dict[str, Any]:
        """The item as the Batch API wants it."""
        ...

    def outcome(self, body: bytes) -> Outcome:
        """What a 2xx says. Raises BadBody."""
        ...


def item_of(item_id: str, method: str, url: str, values: Mapping[str, str]) -> dict[str, Any]:
    """A request with a JSON body, inside a batch. Headers of its answer are not wanted."""
    return {
        "id": item_id,
        "method": method,
        "url": url,
        "headers": [{"name": n, "value": JSON} for n in ("Content-Type", "Accept")],
        "exclude_response_headers": True,
        "body": base64.b64encode(encode(dict(values))).decode(),
    }


@dataclass(frozen=True)
class Item:
    """One write of a batch: PATCH on a record, or POST of one whose sys_id we chose."""

    method: Literal["PATCH", "POST"]
    table: str
    sys_id: str
    values: dict[str, str]

    def as_request(self, item_id: str) -> dict[str, Any]:
        """The item as the Batch API wants it. The reply is asked to be slim, to be checked."""
        wanted = dict.fromkeys(("sys_id", "sys_mod_count", "sys_updated_on", *self.values))
        query = urlencode({"sysparm_fields": ",".join(wanted), **PLAIN_VALUES}, safe=",")
        path = table_path(self.table, self.sys_id if self.method == "PATCH" else "")
        return item_of(item_id, self.method, f"{path}?{query}", self.values)

    def outcome(self, body: bytes) -> Outcome:
        """Written, and what the record now holds. Raises BadBody, also where it is another's."""
        record = decode_record(body)
        if record.get("sys_id", self.sys_id) != self.sys_id:
            raise BadBody("another record")
        return "written", record, ""


@dataclass(frozen=True)
class DeleteItem:
    """One record to delete."""

    table: str
    sys_id: str

    def as_request(self, item_id: str) -> dict[str, Any]:
        """The item as the Batch API wants it."""
        return item_of(item_id, "DELETE", table_path(self.table, self.sys_id), {})

    def outcome(self, body: bytes) -> Outcome:  # noqa: ARG002 - protocol; a 204 has no body
        """Gone, which is what was wanted."""
        return "written", {}, ""


def update_item(update: RecordUpdate) -> Item:
    """A RecordUpdate as a batch item."""
    return Item("PATCH", update.table, update.sys_id, dict(update.values))


class _Serviced(msgspec.Struct):
    id: str | int
    status_code: int
    body: str | None = None
    execution_time: float | None = None
    """Milliseconds, by the instance's own count."""
    error_message: str | None = None


class _Answer(msgspec.Struct):
    serviced_requests: list[_Serviced] = msgspec.field(default_factory=list)
    unserviced_requests: list[str | int] = msgspec.field(default_factory=list)


@dataclass
class _Batch:
    """The state of one batch: final replies, and what waits for (another) answer."""

    items: Sequence[BatchItem]
    replies: dict[int, UpdateReply] = field(default_factory=dict)
    last: dict[int, UpdateReply] = field(default_factory=dict)
    answered: bool = False
    progressed: bool = False
    clock: Callable[[], float] = time.monotonic
    asked_at: float = 0.0
    skipped: set[int] = field(default_factory=set)
    """What was left unserviced at least once."""
    milliseconds: dict[int, float] = field(default_factory=dict)
    """What each item cost: its own time, or its part of the round's where that is more."""

    @property
    def pending(self) -> list[int]:
        return [n for n in range(len(self.items)) if n not in self.replies]

    def request(self) -> Request:
        """What is pending, as one call. Repeatable: PATCHes of absolute values, POSTs by sys_id."""
        self.asked_at = self.clock()
        body = {
            "batch_request_id": "travesia",
            "rest_requests": [self.items[n].as_request(str(n)) for n in self.pending],
        }
        return Request("POST", BATCH_PATH, body=encode(body), is_repeatable=True)

    def absorb(self, body: bytes) -> bool:
        """Take in an answer; True when nothing is pending. Raises BadBody."""
        found = decode_object(body)  # an error key, cut JSON
        try:
            answer = msgspec.convert(found, _Answer)
        except msgspec.ValidationError:
            raise BadBody("no batch answer") from None
        self.answered, before = True, len(self.pending)
        for skipped in answer.unserviced_requests:
            self._put(str(skipped), "unserviced", _("not served in time"), is_final=False)
        self._note_cost(answer)
        for serviced in self._told_once(answer):
            self._take(serviced)
        self.progressed = len(self.pending) < before
        return not self.pending

    def failed(self, _error: InstanceError) -> bool:
        """Told of each failed round: True if items were settled in it; then it goes on at once."""
        if not self.answered:
            self.last.clear()  # what went out in this round may have been written
        progressed, self.progressed, self.answered = self.progressed, False, False
        return progressed

    def _told_once(self, answer: _Answer) -> Iterator[_Serviced]:
        """The answers to what was asked in this round; two that disagree prove nothing."""
        asked = set(self.pending)
        by_number: dict[int, list[_Serviced]] = {}
        for serviced in answer.serviced_requests:
            if (n := self._number(str(serviced.id))) in asked and n is not None:
                by_number.setdefault(n, []).append(serviced)
        for n, told in by_number.items():
            if any(
                (one.status_code, one.body) != (told[0].status_code, told[0].body) for one in told
            ):
                self._put(str(n), "unknown", _("two answers that disagree"), is_final=False)
            else:
                yield told[0]

    def _note_cost(self, answer: _Answer) -> None:
        served = max(1, len(answer.serviced_requests))
        share = 1000 * (self.clock() - self.asked_at) / served
        for item in answer.serviced_requests:
            if (n := self._number(str(item.id))) is not None:
                self.milliseconds[n] = max(share, item.execution_time or 0.0)
        numbers = (self._number(str(one)) for one in answer.unserviced_requests)
        self.skipped |= {n for n in numbers if n is not None}

    def _number(self, item_id: str) -> int | None:
        """The position of an item; None for an answer to nothing we asked."""
        number = whole_number(item_id)
        return number if number is not None and number < len(self.items) else None

    def _take(self, serviced: _Serviced) -> None:
        body, status = _unpacked(serviced.body), serviced.status_code
        said = error_detail(body) or printable(serviced.error_message or "")
        detail = said or f"HTTP {status}"
        if 200 <= status < 300 and status != 202:
            try:
                self._take_good(str(serviced.id), body)
            except BadBody:
                # It may have been written: to send it again does no harm, to guess would.
                self._put(str(serviced.id), "unknown", detail, is_final=False)
        elif status >= 500 or status in _PASSING:
            self._put(str(serviced.id), "unknown", detail, is_final=False)
        else:
            self._put(str(serviced.id), _NO.get(status, "rejected"), detail)

    def _take_good(self, item_id: str, body: bytes) -> None:
        if (n := self._number(item_id)) is not None:
            status, values, detail = self.items[n].outcome(body)
            self._put(item_id, status, detail, values)

    def _put(
        self,
        item_id: str,
        status: WriteStatus,
        detail: str = "",
        values: Record | None = None,
        *,
        is_final: bool = True,
    ) -> None:
        if (n := self._number(item_id)) is None:
            return
        item = self.items[n]
        reply = UpdateReply(item.table, item.sys_id, status, values or {}, detail[:300])
        (self.replies if is_final else self.last)[n] = reply

    def result(self, lost: str) -> list[UpdateReply]:
        """One reply per item, in order; what never answered is unknown."""
        replies = (
            self.replies.get(n)
            or self.last.get(n)
            or UpdateReply(item.table, item.sys_id, "unknown", {}, lost)
            for n, item in enumerate(self.items)
        )
        return [
            replace(one, milliseconds=self.milliseconds.get(n), was_skipped=n in self.skipped)
            for n, one in enumerate(replies)
        ]


def _unpacked(body: str | None) -> bytes:
    try:
        return base64.b64decode(body or "", validate=True)
    except (binascii.Error, ValueError):
        return b""


class _StillPending(BadBody):
    """Not an error of the answer: some items want another round."""


def send_batch(session: Session, items: Sequence[BatchItem]) -> list[UpdateReply]:
    """Send all, as often as the settings allow; one reply per item, in order.

    Raises InstanceError only where the whole batch was refused for good (login, no such API),
    InterruptedRunError if the run was asked to stop.
    """
    batch = _Batch(items)
    if not items:
        return []

    def absorb(body: bytes) -> None:
        if not batch.absorb(body):
            raise _StillPending("pending")

    try:
        session.call(batch.request, absorb, batch.failed)
    except InstanceError as error:
        if not error.retryable:
            raise
        return batch.result(str(error)[:300])
    return batch.result("")
