"""Reading lists by key, never by offset: nothing is lost while records move (servicenow-api §1.7).

Two query shapes: the later seconds, then, where one second does not fit a page, the rest of that
second by `sys_id`. Nothing is taken for the end on its looks: a short or empty page (the limit is
applied before ACLs, and a cancelled query may just send less) is held against the instance's own
count of the window, and rows that never show are reported as hidden.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connector.encoded_query import and_to_every_branch
from connector.errors import IncompleteResponseError, InstanceError
from connector.itsm.base import Cursor, Page, Record, Shard
from connector.itsm.servicenow.decode import QUOTA_PHRASE, decode_records
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.keys import (
    PLAIN_VALUES,
    check_ids,
    check_keys,
    check_order,
    check_progress,
    check_steps,
    checked_cursor,
    cursor_of,
    table_path,
)
from connector.itsm.servicenow.page_size import PageSize
from connector.itsm.servicenow.session import Session
from connector.timestamps import format_instance

_TRIMMED_SHARE = 8
"""A full page gives back its last second where that is at most this part of it (see `_later`)."""


@dataclass(frozen=True)
class _Found:
    """What one look at a window brought. `total` is the window's count, where it was asked."""

    records: list[Record]
    asked: int
    total: int | None = None
    offset: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.records) >= self.asked

    @property
    def missing(self) -> int:
        """Rows of the window that did not come, where it is known that they should have."""
        if self.total is None or (self.is_full and not self.offset):
            return 0
        return max(0, self.total - len(self.records))

    @property
    def is_last(self) -> bool:
        """Whether it is proven that nothing can follow."""
        return self.total is not None and not self.is_full and self.missing == 0


class _Tally:
    """Counts what a window still owes, from the first short page on; the rest is hidden."""

    def __init__(self) -> None:
        self.owed: int | None = None

    def look(self, found: _Found) -> None:
        """Open the account at the first short page, and write off what came since."""
        if self.owed is not None:
            self.owed -= len(found.records)
        elif found.missing:
            self.owed = found.missing

    @property
    def hidden(self) -> int:
        return max(0, self.owed or 0)


class Scan:
    """One list, being read. The page size outlives it: what one table taught serves the next."""

    def __init__(
        self, session: Session, table: str, fields: Sequence[str], where: str, size: PageSize
    ) -> None:
        self._session = session
        self._table = table
        self._path = table_path(table)
        self._fields = ("sys_id", *fields)
        self._where = where
        self._size = size
        self._is_timed = False
        self._count_next = True
        self._hidden = 0

    def by_update(
        self, after: Cursor, until: datetime, *, is_small: bool = False
    ) -> Iterator[Page]:
        """Pages in order of (`sys_updated_on`, `sys_id`), strictly after `after`, up to `until`.

        Rows that an ACL hides are reported once, on a last page without records. `is_small`: all of
        it likely fits a page, so counting it along spares a look.
        """
        self._is_timed = True
        self._fields = ("sys_updated_on", *self._fields)
        # A first read would count the whole table; a nightly one counts a few rows.
        self._count_next = is_small or bool(after.updated_on)
        last, end = checked_cursor(after), format_instance(until)
        if after.sys_id:
            for records in self._second(after, _Tally()):
                last = cursor_of(records[-1])
                yield Page(records, last)
        for records in self._later(after, end):
            last = cursor_of(records[-1])
            yield Page(records, last)
            del records  # one page in memory, not the last one beside the next
        if self._hidden:
            yield Page((), last, self._hidden)

    def by_id(self, limit: int | None = None) -> Iterator[Record]:
        """Records in order of `sys_id`, at most `limit`."""
        last, left = Cursor(), limit
        while left is None or left > 0:
            condition = f"sys_id>{last.sys_id}" if last.sys_id else ""
            found = self._look(condition, "^ORDERBYsys_id", left)
            if not found.records:
                break
            check_ids(self._table, found.records, Shard("", "", last.sys_id))
            after = Cursor("", found.records[-1]["sys_id"])
            check_progress(self._table, last, after)
            last = after
            yield from found.records
            left = None if left is None else left - len(found.records)
            if found.is_last:
                break

    def by_shard(self, shard: Shard, until: datetime) -> Iterator[Page]:
        """Pages of a part in order of `sys_id`, those after `shard.after`, changed up to `until`.

        Rows that an ACL hides are reported once, on a last page without records.
        """
        self._is_timed = True
        self._fields = ("sys_updated_on", *self._fields)
        tally, last, left = _Tally(), checked_cursor(Cursor("", shard.after)), 0
        while True:
            rest = replace(shard, after=last.sys_id)
            found = self._look(_within(rest, format_instance(until)), "^ORDERBYsys_id")
            tally.look(found)
            if not found.records:
                break
            check_ids(self._table, found.records, rest)
            check_progress(self._table, last, Cursor("", found.records[-1]["sys_id"]))
            last = Cursor("", found.records[-1]["sys_id"])
            left = (left if found.total is None else found.total) - len(found.records)
            # A page that will likely be the last brings the count along, which spares a look.
            self._count_next = left <= self._size.current
            is_last = found.is_last
            yield Page(found.records, last)
            del found
            if is_last:
                break
        if tally.hidden:
            yield Page((), last, tally.hidden)

    def count(self, until: datetime) -> int | None:
        """How many records changed up to `until`; 0 where the instance does not say.

        None where the instance cancels the count: then they are very many.
        """
        query = _filtered(self._where, _between("", format_instance(until), False))
        request = self._request(query, 1, 0, with_count=True)
        try:
            return self._session.call(request, decode_records, _give_up).total or 0
        except IncompleteResponseError as error:
            if QUOTA_PHRASE in error.detail:
                return None
            raise

    def _later(self, after: Cursor, end: str) -> Iterator[list[Record]]:
        """All seconds after `after`'s (with it, where no sys_id was reached in it).

        A full page ends somewhere within a second. Where that second is a small part of the page
        it is given back, and comes again with the next page, which spares a request; else the
        rest of it is drained first.
        """
        tally, last, with_low = _Tally(), after, not after.sys_id
        while last.updated_on < end or (with_low and last.updated_on == end):
            found = self._look(
                _between(last.updated_on, end, with_low), "^ORDERBYsys_updated_on^ORDERBYsys_id"
            )
            tally.look(found)
            if not found.records:
                break
            check_order(self._table, found.records, last.updated_on, end, with_low=with_low)
            give_back = found.is_full and tally.owed is None
            kept = _whole_seconds(found.records) if give_back else found.records
            last, with_low = cursor_of(kept[-1]), False
            is_last, is_cut = found.is_last, len(kept) == len(found.records)
            del found
            yield kept
            del kept
            if is_last:
                break
            if is_cut:
                yield from self._second(last, tally)
        self._hidden += tally.hidden

    def _second(self, after: Cursor, outer: _Tally) -> Iterator[list[Record]]:
        """The rest of `after`'s own second."""
        tally, last = outer if outer.owed is not None else _Tally(), after
        moment = after.updated_on
        while True:
            self._count_next = True  # a second is small: counting it along spares a look
            found = self._look(f"sys_updated_on={moment}^sys_id>{last.sys_id}", "^ORDERBYsys_id")
            tally.look(found)
            if not found.records:
                break
            check_order(self._table, found.records, moment, moment, with_low=True)
            check_progress(self._table, last, cursor_of(found.records[-1]))
            last = cursor_of(found.records[-1])
            yield found.records
            if found.is_last:
                break
        if tally is not outer:
            self._hidden += tally.hidden

    def _look(self, condition: str, order: str, at_most: int | None = None) -> _Found:
        """The first rows of a window that show; where they fall short, with the window's count."""
        query = _filtered(self._where, condition)
        found = self._fetch(query + order, at_most, with_count=self._count_next)
        self._count_next = False
        if found.is_full:
            return found
        if found.total is None:
            found = _Found(found.records, found.asked, self._count(query))
        return found if found.records or not found.total else self._again(query + order, found)

    def _again(self, query: str, empty: _Found) -> _Found:
        """Ask once more: a cancelled query may have sent nothing (§1.6); an ACL stays as it is."""
        again = self._fetch(query, empty.asked)
        if again.records:
            return _Found(again.records, again.asked, empty.total)
        return self._step(query, empty)

    def _step(self, query: str, empty: _Found) -> _Found:
        """Go by offset over a page of which an ACL hid every row: there is no key to go on from."""
        offset, total = empty.asked, empty.total or 0
        steps = 0
        while offset < total:
            steps += 1
            check_steps(self._table, steps)
            found = self._fetch(query, offset=offset, with_count=True)
            gone = total - (total if found.total is None else found.total)
            if gone > 0:
                # Rows left the window since (somebody saved them): what lies behind moved up, and
                # some of it may stand below the offset now.
                offset, total = max(0, offset - gone), total - gone
                continue
            if found.records:
                return _Found(found.records, found.asked, total, offset)
            offset += found.asked
        return _Found([], empty.asked, total)

    def _fetch(
        self, query: str, at_most: int | None = None, *, offset: int = 0, with_count: bool = False
    ) -> _Found:
        asked = 0

        def request() -> Request:
            nonlocal asked
            asked = min(self._size.current, at_most or self._size.current)
            return self._request(query, asked, offset, with_count=with_count)

        answer = self._session.call(request, decode_records, self._size.shrink)
        check_keys(self._table, answer.value, with_time=self._is_timed)
        if len(answer.value) >= asked:
            self._size.learn(asked, answer.seconds)
        return _Found(answer.value, asked, answer.total if with_count else None, offset)

    def _count(self, query: str) -> int | None:
        return self._session.call(self._request(query, 1, 0, with_count=True), decode_records).total

    def _request(self, query: str, limit: int, offset: int, *, with_count: bool) -> Request:
        params = {
            "sysparm_query": query,
            "sysparm_fields": ",".join(dict.fromkeys(self._fields)),
            "sysparm_limit": str(limit),
            "sysparm_suppress_pagination_header": "true",
            **PLAIN_VALUES,
        }
        if offset:
            params["sysparm_offset"] = str(offset)
        if not with_count:
            params["sysparm_no_count"] = "true"
        return Request("GET", self._path, params)


def _filtered(where: str, condition: str) -> str:
    """`condition` added to every branch of the table's own filter: `^NQ` would escape it (§1.3)."""
    return and_to_every_branch(where, condition) if where else condition


def _between(low: str, high: str, with_low: bool) -> str:
    upper = f"sys_updated_on<={high}"
    if not low:
        return upper
    return f"sys_updated_on{'>=' if with_low else '>'}{low}^{upper}"


def _give_up(error: InstanceError) -> bool:
    """An Adapt: what the instance cancels once it cancels again, a minute later each time."""
    if QUOTA_PHRASE in error.detail:
        raise error
    return False


def _within(shard: Shard, until: str) -> str:
    low = f"sys_id>{shard.after}" if shard.after else f"sys_id>={shard.low}" if shard.low else ""
    high = f"sys_id<{shard.high}" if shard.high else ""
    return "^".join(part for part in (low, high, f"sys_updated_on<={until}") if part)


def _whole_seconds(records: list[Record]) -> list[Record]:
    """The page without its last second, where that is a small part of it; else all of it."""
    moment = records[-1]["sys_updated_on"]
    keep = len(records)
    while keep and records[keep - 1]["sys_updated_on"] == moment:
        keep -= 1
    is_small = (len(records) - keep) * _TRIMMED_SHARE <= len(records)
    return records[:keep] if keep and is_small else records
