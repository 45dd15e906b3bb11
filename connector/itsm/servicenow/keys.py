"""Names, keys and paths of the Table API, checked before they go into a path or a query.

Refuses records without a usable key: they could be neither paged nor written.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

from connector.errors import InstanceError
from connector.itsm.base import Cursor, Record, Shard
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


def cursor_of(record: Record) -> Cursor:
    """The key of a record."""
    return Cursor(record.get("sys_updated_on", ""), record["sys_id"])


def check_keys(table: str, records: Sequence[Record], *, with_time: bool) -> None:
    """Refuse a page on which a record has no usable key. Raises InstanceError."""
    if not _all_match(_ID, [record.get("sys_id", "") for record in records]):
        raise _unusable(table, "sys_id")
    if with_time and not _all_match(_MOMENT, [r.get("sys_updated_on", "") for r in records]):
        raise _unusable(table, "sys_updated_on")


def _all_match(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    """Whether every value has the shape. One look at all of them: it is done for every record."""
    text = "\n".join([*values, ""])
    whole = re.compile(f"(?:{pattern.pattern}\n)*")
    return text.count("\n") == len(values) and whole.fullmatch(text) is not None


def _unusable(table: str, column: str) -> InstanceError:
    text = _(
        "Table {table} has records whose {column} is hidden or unusable; let the account read it"
    )
    return InstanceError(text.format(table=table, column=column), path=table_path(table))


def check_order(
    table: str, records: Sequence[Record], low: str, high: str, *, with_low: bool
) -> None:
    """Refuse records outside the seconds asked for, or out of order. Raises InstanceError.

    An instance that drops a condition or an order it does not let the account use (§1.3), or reads
    our times in another zone (§1.8), shows itself so.
    """
    seconds = [record["sys_updated_on"] for record in records]
    starts_well = seconds[0] >= low if with_low else seconds[0] > low
    if starts_well and seconds[-1] <= high and seconds == sorted(seconds):
        return
    text = _(
        "Table {table} came back outside the asked times or out of order; set the account's time "
        "zone to GMT and let it query sys_updated_on and sys_id"
    )
    raise InstanceError(text.format(table=table), path=table_path(table))


def check_ids(table: str, records: Sequence[Record], asked: Shard) -> None:
    """Refuse records outside the asked sys_ids, twice, or out of order. Raises InstanceError.

    Only keys of the usual shape are held against each other: where the instance sorts others
    (`global`) depends on its database.
    """
    ids = [record["sys_id"] for record in records]
    if not _all_match(_HEX, ids):
        ids = [sys_id for sys_id in ids if _HEX.fullmatch(sys_id)]
    if not ids or (_is_within(ids, asked) and ids == sorted(set(ids))):
        return
    text = _(
        "Table {table} came back outside the asked keys, twice or out of order; let the account"
        " query sys_id"
    )
    raise InstanceError(text.format(table=table), path=table_path(table))


def _is_within(ids: Sequence[str], asked: Shard) -> bool:
    starts_well = asked.low <= ids[0] and asked.after < ids[0]
    return starts_well and (not asked.high or ids[-1] < asked.high)


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
