"""Names, keys and paths of the Table API, checked before they go into a path or a query.

Refuses records without a usable key: they could be neither paged nor written.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from operator import lt
from urllib.parse import quote

from connector.errors import IncompleteResponseError, InstanceError
from connector.itsm.base import Cursor, Shard
from connector.messages import _
from connector.timestamps import parse_instance

PLAIN_VALUES = {"sysparm_display_value": "false", "sysparm_exclude_reference_link": "true"}
"""Values as stored, references as bare sys_ids (servicenow-api.md §1.5)."""

_ID = re.compile(r"[0-9A-Za-z_.\-]{1,64}")
_HEX = re.compile(r"[0-9a-f]{32}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")


def table_path(table: str, sys_id: str = "") -> str:
    """The path of a table, or of one of its records. Raises InstanceError on an impossible name."""
    if not _NAME.fullmatch(table):
        raise InstanceError(_("{table!r} is not a table name; check it").format(table=table))
    path = f"/api/now/table/{table}"
    return f"{path}/{quote(checked_id(sys_id), safe='')}" if sys_id else path


def is_id(sys_id: str) -> bool:
    """Whether it can be a sys_id: mostly 32 hex digits, but `global` and the like occur."""
    return bool(_ID.fullmatch(sys_id))


def is_moment(moment: str) -> bool:
    """Whether it is a time as the tool stores it."""
    return bool(_MOMENT.fullmatch(moment))


def checked_id(sys_id: str) -> str:
    """The sys_id itself. Raises InstanceError if it cannot be one."""
    if not is_id(sys_id):
        raise InstanceError(_("{sys_id!r} is not a sys_id").format(sys_id=sys_id[:70]))
    return sys_id


def checked_cursor(cursor: Cursor) -> Cursor:
    """The cursor itself. Raises InstanceError if it is no key of a record."""
    try:
        if cursor.updated_on:
            parse_instance(cursor.updated_on)
    except ValueError:
        text = _("The stored cursor {moment!r} is no time; read the table again with --full")
        raise InstanceError(text.format(moment=cursor.updated_on)) from None
    if cursor.sys_id:
        checked_id(cursor.sys_id)
    return cursor


def cursor_of(record: Mapping[str, str]) -> Cursor:
    """The key of a record."""
    return Cursor(record.get("sys_updated_on", ""), record["sys_id"])


def check_keys(table: str, ids: Sequence[str], moments: Sequence[str] | None) -> bool:
    """Refuse a page on which a record has no usable key; `moments` None: they were not asked for.

    Answers whether all sys_ids are of the usual shape, whose order `check_ids` knows. Raises
    InstanceError.
    """
    is_usual = _are_hex(ids)
    if not (is_usual or _all_match(_ID, ids)):
        raise _unusable(table, "sys_id")
    if moments is not None and not _are_moments(moments):
        raise _unusable(table, "sys_updated_on")
    return is_usual


def _are_hex(ids: Sequence[str]) -> bool:
    """Whether all are 32 hex digits, lower case. Every page comes by: no loop in Python."""
    if set(map(len, ids)) - {32}:
        return False
    text = "".join(ids)
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def _are_moments(moments: Sequence[str]) -> bool:
    """Whether all are times as the tool stores them (`is_moment`). No loop in Python either."""
    count, text = len(moments), "".join(moments)
    if set(map(len, moments)) - {19} or not text.isascii():
        return False
    marks = all(text[at::19] == mark * count for at, mark in _MARKS)
    digits = text.encode().translate(None, b"- :")
    return marks and len(digits) == 14 * count and (digits.isdigit() or not count)


_MARKS = ((4, "-"), (7, "-"), (10, " "), (13, ":"), (16, ":"))


def _all_match(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    """Whether every value has the shape, at one look at all of them."""
    text = "\n".join([*values, ""])
    whole = re.compile(f"(?:{pattern.pattern}\n)*")
    return text.count("\n") == len(values) and whole.fullmatch(text) is not None


def _unusable(table: str, column: str) -> InstanceError:
    text = _(
        "Table {table} has records whose {column} is hidden or unusable; let the account read it"
    )
    return InstanceError(text.format(table=table, column=column), path=table_path(table))


def check_order(
    table: str, seconds: list[str], after: Cursor, end: str, *, with_low: bool = True
) -> None:
    """Refuse records outside the seconds from `after` to `end`, or out of order.

    Raises InstanceError for later ones: an instance that drops a condition it does not let the
    account use (§1.3), or reads our times in another zone (§1.8), shows itself so. Raises
    IncompleteResponseError for earlier ones: a row may come once more while others move (§1.7).
    """
    low = after.updated_on
    if seconds[-1] > end:
        text = _(
            "Table {table} came back with changes after the asked {end}; set the account's time "
            "zone to GMT and let it query sys_updated_on and sys_id"
        )
        raise InstanceError(text.format(table=table, end=end), path=table_path(table))
    starts_well = seconds[0] >= low if with_low else seconds[0] > low
    if not starts_well or seconds != sorted(seconds):
        raise _misplaced(table, after)


def check_ids(table: str, ids: Sequence[str], asked: Shard) -> None:
    """Refuse records outside the asked sys_ids, twice, or out of order.

    Only keys of the usual shape are held against each other: where the instance sorts others
    (`global`) depends on its database. Raises IncompleteResponseError.
    """
    if not (_fit(ids, asked) or _fit([one for one in ids if _HEX.fullmatch(one)], asked)):
        raise _misplaced(table, Cursor("", asked.after or asked.low))


def _misplaced(table: str, after: Cursor) -> IncompleteResponseError:
    text = _(
        "Table {table} came back with rows from before {cursor}, twice or out of order; run again,"
        " and if it stays, set the account's time zone to GMT and let it query sys_updated_on and"
        " sys_id"
    )
    place = " ".join(part for part in (after.updated_on, after.sys_id) if part) or "0"
    return IncompleteResponseError(
        text.format(table=table, cursor=place), path=table_path(table), is_whole=True
    )


def _fit(ids: Sequence[str], asked: Shard) -> bool:
    """Whether they lie within the asked part and ascend, each once."""
    if not ids:
        return True
    starts_well = asked.low <= ids[0] and asked.after < ids[0]
    ends_well = not asked.high or ids[-1] < asked.high
    return starts_well and ends_well and all(map(lt, ids, islice(ids, 1, None)))


MOST_STEPS = 10_000
"""Pages in a row of which nothing shows: 50 million hidden records, or a count that is made up."""


def check_steps(table: str, steps: int) -> None:
    """Refuse to step over hidden pages for ever. Raises InstanceError."""
    if steps > MOST_STEPS:
        text = _(
            "Table {table} counts records without end and shows none; let the account read it, or"
            " take it out of [extract] tables"
        )
        raise InstanceError(text.format(table=table), path=table_path(table))


def check_progress(table: str, before: Cursor, after: Cursor) -> None:
    """Refuse a cursor that stands still. Raises InstanceError."""
    if before == after:
        text = _("Table {table} keeps answering with the same record; its paging cannot go on")
        raise InstanceError(text.format(table=table), path=table_path(table))
