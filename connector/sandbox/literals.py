"""How an instance reads plain date-time literals in a query: as UTC, or in the caller's zone.

Both are told of real instances (servicenow-api.md §1.8); which one a release does, a client finds
out by a probe. `javascript:` expressions are always in the caller's zone, and not touched here.
"""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Literal
from zoneinfo import ZoneInfo

from connector.timestamps import format_instance

DateLiterals = Literal["utc", "user_zone"]

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
_CONDITION = re.compile(r"(?<!\^)\^(?!\^)")


def as_utc(text: str, time_zone: str, reading: DateLiterals) -> str:
    """The query with its literals in UTC, as the tables hold them."""
    if reading == "utc" or time_zone == "UTC":
        return text
    read = partial(_read, ZoneInfo(time_zone))
    parts = _CONDITION.split(text)
    return "^".join(p if "javascript:" in p else _MOMENT.sub(read, p) for p in parts)


def _read(zone: ZoneInfo, match: re.Match[str]) -> str:
    try:
        wall = datetime.fromisoformat(match[0]).replace(tzinfo=zone)
    except ValueError:  # no such day
        return match[0]
    return format_instance(wall.astimezone(UTC))
