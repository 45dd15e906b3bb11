"""Time at the edge: aware UTC inside, the tool's strings only here.

ServiceNow stores and returns `YYYY-MM-DD HH:MM:SS` in UTC with no zone mark, second precision
(Table API with `sysparm_display_value=false`).
"""

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from connector.messages import _

INSTANCE_FORMAT = "%Y-%m-%d %H:%M:%S"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""No record is older: the tools count their time from here."""
_SINCE = re.compile(r"^(\d{1,6})\s*([mhdw])$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_instance(text: str) -> datetime:
    """`2026-11-01 08:30:00` → aware UTC. Raises ValueError on anything else."""
    return datetime.strptime(text, INSTANCE_FORMAT).replace(tzinfo=UTC)


def format_instance(moment: datetime) -> str:
    """Aware UTC → `2026-11-01 08:30:00`, as the tool stores it. Fractions of a second are cut."""
    return moment.astimezone(UTC).strftime(INSTANCE_FORMAT)


def parse_http_date(text: str) -> datetime:
    """A `Date` header (RFC 9110 §5.6.7) → aware UTC. Raises ValueError."""
    moment = parsedate_to_datetime(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_day(text: str, zone: str = "UTC") -> datetime:
    """A user's date (`2026-11-01`) or instant (`2026-11-01T08:00`, with or without offset) → UTC.

    Without an offset it is read in `zone`. Raises ValueError with a sentence for the user.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            _("{text!r} is not a date; write it like 2026-11-01 or 2026-11-01T08:00").format(
                text=text
            )
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC)


def parse_since(text: str, now: datetime, zone: str = "UTC") -> datetime:
    """`90m`, `2h`, `3d`, `1w` before `now`, or a date → aware UTC, 1970-01-01 or later.

    Raises ValueError with a sentence for the user; OverflowError beyond the years 1 to 9999.
    """
    moment = _since(text, now, zone)
    if moment < EARLIEST:
        raise ValueError(_("{text!r} is too far back; give 1970-01-01 or later").format(text=text))
    return moment


def _since(text: str, now: datetime, zone: str) -> datetime:
    if match := _SINCE.match(text.strip()):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    return parse_day(text, zone)


def midnight(day: date, zone: str) -> datetime:
    """The first instant of `day` in `zone`, as aware UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
