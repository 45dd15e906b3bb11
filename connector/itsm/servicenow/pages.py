"""Reading lists by key, never by offset: nothing is lost while records move (servicenow-api §1.7).

Two query shapes: the later seconds, then, where one second does not fit a page, the rest of that
second by `sys_id`. Nothing is taken for the end on its looks: a short or empty page (the limit is
applied before ACLs, and a cancelled query may just send less) is held against the instance's own
count of the window, and rows that never show are reported as hidden.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import cast

from connector.errors import InstanceError
from connector.itsm.base import Cursor, Page, Record, Shard
from connector.itsm.servicenow.aggregate import count_records
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
from connector.itsm.servicenow.rows import Shape, shape_of
from connector.itsm.servicenow.session import Session
from connector.itsm.servicenow.windows import (
    Check,
    Found,
    Keys,
    Rows,
    Tally,
    between,
    filtered,
    whole_seconds,
    within,
)
from connector.messages import _
from connector.timestamps import format_instance


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
        self._shape: Shape | None = None
        self._count_next = True
        self._hidden = 0
        self._is_usual = False
        """Whether the keys of the page that was read last rise by a known order."""
        self._may_uncount = False
        """Whether a count may be left out of the first look at a part that takes too long."""

    def by_update(self, after: Cursor, until: datetime) -> Iterator[Page]:
        """Pages in order of (`sys_updated_on`, `sys_id`), strictly after `after`, up to `until`.

        Rows that an ACL hides are reported once, on a last page without records.
        """
        self._ask_for_times()
        # A first read would count the whole table; a nightly one counts a few rows.
        self._count_next = bool(after.updated_on)
        last, end = checked_cursor(after), format_instance(until)
        if after.sys_id:
            for records in self._second(after, Tally()):
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
            check = self._in_part(Shard("", "", last.sys_id))
            found = self._look(condition, "^ORDERBYsys_id", check, left)
            if not found.records:
                break
            after = Cursor("", found.records[-1]["sys_id"])
            check_progress(self._table, last, after)
            last = after
            yield from cast("Sequence[Record]", found.records)
            left = None if left is None else left - len(found.records)
            if found.is_last:
                break

    def by_shard(self, shard: Shard, until: datetime) -> Iterator[Page]:
        """Pages of a part in order of `sys_id`, those after `shard.after`, changed up to `until`.

        Rows that an ACL hides are reported once, on a last page without records.
        """
        self._ask_for_times()
        tally, last, left = Tally(), checked_cursor(Cursor("", shard.after)), None
        self._may_uncount = True
        while True:
            rest = replace(shard, after=last.sys_id)
            condition = within(rest, format_instance(until))
            found = self._look(condition, "^ORDERBYsys_id", self._in_part(rest))
            tally.look(found)
            if not found.records:
                break
            check_progress(self._table, last, Cursor("", found.records[-1]["sys_id"]))
            last = Cursor("", found.records[-1]["sys_id"])
            left = found.total if found.total is not None else left
            left = None if left is None else left - len(found.records)
            # A page that will likely be the last brings the count along, which spares a look.
            self._count_next = left is not None and left <= self._size.current
            is_last = found.is_last
            yield Page(found.records, last, comes_once=self._is_usual)
            del found
            if is_last:
                break
        if tally.hidden:
            yield Page((), last, tally.hidden)

    def _ask_for_times(self) -> None:
        """Every column once, as rows: these lists are long, and looked at once."""
        self._fields = tuple(dict.fromkeys(("sys_updated_on", *self._fields)))
        self._shape = shape_of(self._fields)

    def _in_part(self, part: Shard) -> Check:
        return lambda keys: check_ids(self._table, keys.ids, part)

    def _in_time(self, after: Cursor, end: str, *, with_low: bool) -> Check:
        return lambda keys: check_order(
            self._table, keys.seconds or [], after, end, with_low=with_low
        )

    def _later(self, after: Cursor, end: str) -> Iterator[Rows]:
        """All seconds after `after`'s (with it, where no sys_id was reached in it).

        A full page ends somewhere within a second. Where that second is a small part of the page
        it is given back, and comes again with the next page, which spares a request; else the
        rest of it is drained first.
        """
        tally, last, with_low = Tally(), after, not after.sys_id
        while last.updated_on < end or (with_low and last.updated_on == end):
            found = self._look(
                between(last.updated_on, end, with_low),
                "^ORDERBYsys_updated_on^ORDERBYsys_id",
                self._in_time(last, end, with_low=with_low),
            )
            tally.look(found)
            if not found.records:
                break
            give_back = found.is_full and tally.owed is None
            kept = whole_seconds(found.records) if give_back else found.records
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

    def _second(self, after: Cursor, outer: Tally) -> Iterator[Rows]:
        """The rest of `after`'s own second."""
        tally, last = outer if outer.owed is not None else Tally(), after
        moment = after.updated_on
        while True:
            self._count_next = True  # a second is small: counting it along spares a look
            found = self._look(
                f"sys_updated_on={moment}^sys_id>{last.sys_id}",
                "^ORDERBYsys_id",
                self._in_time(last, moment, with_low=True),
            )
            tally.look(found)
            if not found.records:
                break
            check_progress(self._table, last, cursor_of(found.records[-1]))
            last = cursor_of(found.records[-1])
            yield found.records
            if found.is_last:
                break
        if tally is not outer:
            self._hidden += tally.hidden

    def _look(self, condition: str, order: str, check: Check, at_most: int | None = None) -> Found:
        """The first rows of a window that show; where they fall short, with the window's count."""
        query = filtered(self._where, condition)
        fetch = partial(self._fetch, query + order, check)
        found = fetch(at_most, with_count=self._count_next)
        self._count_next = False
        if found.is_full:
            return found
        if found.total is None:
            found = Found(found.records, found.asked, self._count(query))
        return found if found.records or not found.total else self._again(fetch, found)

    def _again(self, fetch: Callable[..., Found], empty: Found) -> Found:
        """Ask once more: a cancelled query may have sent nothing (§1.6); an ACL stays as it is."""
        again = fetch(empty.asked)
        if again.records:
            return Found(again.records, again.asked, empty.total)
        return self._step(fetch, empty)

    def _step(self, fetch: Callable[..., Found], empty: Found) -> Found:
        """Go by offset over a page of which an ACL hid every row: there is no key to go on from."""
        offset, total = empty.asked, empty.total or 0
        steps = 0
        while offset < total:
            steps += 1
            check_steps(self._table, steps)
            found = fetch(offset=offset, with_count=True)
            gone = total - (total if found.total is None else found.total)
            if gone > 0:
                # Rows left the window since (somebody saved them): what lies behind moved up, and
                # some of it may stand below the offset now.
                offset, total = max(0, offset - gone), total - gone
                continue
            if found.records:
                return Found(found.records, found.asked, total, offset)
            offset += found.asked
        return Found([], empty.asked, total)

    def _fetch(
        self,
        query: str,
        check: Check,
        at_most: int | None = None,
        *,
        offset: int = 0,
        with_count: bool = False,
    ) -> Found:
        asked, is_counted = 0, with_count

        def request() -> Request:
            nonlocal asked
            asked = min(self._size.current, at_most or self._size.current)
            return self._request(query, asked, offset, with_count=is_counted)

        def adapt(error: InstanceError) -> bool:
            nonlocal is_counted
            if is_counted and self._may_uncount and QUOTA_PHRASE in error.detail:
                # Counting so many may be what takes a minute: the rows alone, before fewer rows.
                is_counted = self._may_uncount = False
                return True
            return self._size.shrink(error)

        answer = self._session.call(request, partial(self._decoded, check), adapt)
        if len(answer.value) >= asked:
            self._size.learn(asked, answer.seconds)
        return Found(answer.value, asked, answer.total if is_counted else None, offset)

    def _decoded(self, check: Check, body: bytes) -> Rows:
        """The rows of an answer, their keys checked: a misplaced row is a failed answer, too."""
        if self._shape is None:
            records = decode_records(body)
            rows: Rows = records
            keys = Keys([record.get("sys_id", "") for record in records], None)
        else:
            rows = found = self._shape.decode(body)
            ids, seconds = (self._shape.column(found, c) for c in ("sys_id", "sys_updated_on"))
            keys = Keys(ids, seconds)
        self._is_usual = check_keys(self._table, keys.ids, keys.seconds)
        if rows:
            check(keys)
        return rows

    def _count(self, query: str) -> int:
        """How many the window has; of the Aggregate API where a proxy takes the header away."""
        request = self._request(query, 1, 0, with_count=True)
        total = self._session.call(request, decode_records).total
        if total is not None:
            return total
        try:
            return count_records(self._session, self._table, query).records
        except InstanceError as error:
            text = _(
                "Table {table} came without X-Total-Count and refuses to count, so nobody can tell"
                " whether all records came; let whatever stands before the instance pass that"
                " header, or let the account use the Aggregate API"
            )
            raise InstanceError(text.format(table=self._table), path=self._path) from error

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
