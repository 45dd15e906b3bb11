"""The value of a condition, brought to the form in which its column's type is stored."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from connector.encoded_query import moments
from connector.encoded_query.model import Context, FieldType
from connector.messages import _
from connector.timestamps import format_instance, parse_instance

NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL)
DATES = (FieldType.DATETIME, FieldType.DATE)
NUMBER_SHAPE = r"[+-]?[0-9]{1,18}([.][0-9]{1,18})?"
"""What counts as a number, in a column and in a query alike; anything else is empty or refused."""
BOOLEANS = {"true": ("true", "1"), "false": ("false", "0")}
"""The stored texts of a boolean; anything else is empty."""

_SECONDS = re.compile(r"[0-9]{1,10}")


def as_operand(text: str, kind: FieldType, context: Context) -> str:
    """The literal or `javascript:` call as stored text of a column of this type.

    '' only comes back for '' and for `gs.getUserID()` when nobody is logged in. Raises ValueError
    with a sentence for the user.
    """
    value = moments.evaluate(text, context) if text.startswith(moments.PREFIX) else text
    if isinstance(value, datetime):
        return instant_text(value, kind, context)
    return _literal(value, kind) if value else ""


def instant_text(moment: datetime, kind: FieldType, context: Context) -> str:
    """A date column holds the reader's day; every other type the UTC instant."""
    if kind is FieldType.DATE:
        return moment.astimezone(ZoneInfo(context.time_zone)).strftime("%Y-%m-%d")
    return _literal(format_instance(moment), kind)


def _literal(text: str, kind: FieldType) -> str:
    if kind in NUMBERS:
        if not re.fullmatch(NUMBER_SHAPE, text):
            raise ValueError(_("{text!r} is not a number").format(text=text))
    elif kind in DATES:
        return _date_text(text, kind)
    elif kind is FieldType.DURATION:
        return _duration_text(text)
    elif kind is FieldType.BOOLEAN:
        return _boolean_text(text)
    return text


def _boolean_text(text: str) -> str:
    for name, spellings in BOOLEANS.items():
        if text in spellings:
            return name
    raise ValueError(_("{text!r} is neither true nor false").format(text=text))


def _date_text(text: str, kind: FieldType) -> str:
    """A day alone stands for its midnight, in UTC like every plain literal."""
    whole = text if len(text) > 10 else f"{text} 00:00:00"
    try:
        canonical = format_instance(parse_instance(whole))
    except ValueError:
        raise ValueError(
            _("{text!r} is not a date; write it like 2026-11-01 08:30:00").format(text=text)
        ) from None
    return canonical[:10] if kind is FieldType.DATE else canonical


def _duration_text(text: str) -> str:
    if _SECONDS.fullmatch(text):
        return moments.duration_text(int(text))
    try:
        return format_instance(parse_instance(text))
    except ValueError:
        raise ValueError(
            _("{text!r} is not a duration; write seconds, or 1970-01-01 00:30:00").format(text=text)
        ) from None


def list_items(text: str, kind: FieldType, context: Context) -> list[str]:
    """The values of an IN list; empty ones, and blanks around one, do not count."""
    items = (as_operand(part, kind, context) for part in split_list(text))
    return [item for item in items if item]


def split_list(text: str) -> list[str]:
    """The parts of an IN list; a call (whose arguments have commas) is only found alone."""
    parts = [text] if text.startswith(moments.PREFIX) else text.split(",")
    return [part.strip() for part in parts]


def on_bounds(text: str, kind: FieldType, context: Context) -> tuple[str, str]:
    """First and last value of `label@start@end`, or of a bare day in the reader's zone."""
    parts = text.split("@")
    if len(parts) == 3:
        return as_operand(parts[1], kind, context), as_operand(parts[2], kind, context)
    day = parse_instance(f"{_date_text(text, FieldType.DATE)} 00:00:00").date()
    whole = moments.day_span(day, ZoneInfo(context.time_zone))
    return instant_text(whole.start, kind, context), instant_text(whole.end, kind, context)
