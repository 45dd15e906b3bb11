"""Relative dates and the whitelist of `javascript:gs.…` calls, evaluated without any javascript.

Days, weeks, months, quarters and years are those of the reader's time zone, and a week begins on
Monday (platform documentation, "Values for date/time fields"); minutes and hours are elapsed time.
Everything is aware UTC in and out.
"""

import calendar
import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.encoded_query.model import Context
from connector.messages import _
from connector.timestamps import format_instance

PREFIX = "javascript:"
_SECOND = timedelta(seconds=1)
_CALL = re.compile(r"javascript:\s*gs\.(\w+)\(([^()]*)\)\s*;?\s*")
_ARGUMENT = re.compile(r"\s*(?:(-?[0-9]{1,6})|'([^']*)'|\"([^\"]*)\")\s*")
_AGO = re.compile(r"(minute|hour|day|week|month|quarter|year)sAgo(Start|End)?")
_PERIOD = re.compile(r"(beginning|end)Of(Last|This|Next)(Week|Month|Quarter|Year)")
_DAY = re.compile(r"(beginning|end)Of(Yesterday|Today|Tomorrow)")
_OFFSETS = {"Last": -1, "Yesterday": -1, "This": 0, "Today": 0, "Next": 1, "Tomorrow": 1}
_ELAPSED = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_RELATIVE = re.compile(r"@(\w+)@(ago|ahead)@([0-9]{1,6})")
_DURATION = re.compile(r"([0-9]{1,6}) ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})")

# As the condition builder writes them; a day is "dayofweek" there.
RELATIVE_UNITS = {
    "minute": "minute",
    "hour": "hour",
    "dayofweek": "day",
    "day": "day",
    "week": "week",
    "month": "month",
    "quarter": "quarter",
    "year": "year",
}


@dataclass(frozen=True)
class Span:
    """A stretch of time, both ends included (second precision)."""

    start: datetime
    end: datetime


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Wall clock → UTC: the first of two, and a wall time that was skipped counts as if it ran."""
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _add_months(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    last = calendar.monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last))


def _add_wall(wall: datetime, unit: str, count: int) -> datetime:
    if unit in _MONTHS:
        return _add_months(wall, _MONTHS[unit] * count)
    return wall + timedelta(days=count * (7 if unit == "week" else 1))


def shift(moment: datetime, unit: str, count: int, zone: ZoneInfo) -> datetime:
    """`moment` moved by `count` units; from a day up the wall clock stays the same."""
    if unit in _ELAPSED:
        return moment + _ELAPSED[unit] * count
    return _instant(_add_wall(_wall(moment, zone), unit, count), zone)


def _first_of(wall: datetime, unit: str) -> datetime:
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return midnight - timedelta(days=midnight.weekday())
    if unit in _MONTHS:
        size = _MONTHS[unit]
        return midnight.replace(day=1, month=(wall.month - 1) // size * size + 1)
    return midnight


def span(moment: datetime, unit: str, zone: ZoneInfo) -> Span:
    """The minute, hour, day, week (from Monday), month, quarter or year that holds `moment`."""
    wall = _wall(moment, zone)
    if unit in _ELAPSED:
        within = timedelta(seconds=wall.second, microseconds=wall.microsecond)
        if unit == "hour":
            within += timedelta(minutes=wall.minute)
        start = moment.astimezone(UTC) - within
        return Span(start, start + _ELAPSED[unit] - _SECOND)
    first = _first_of(wall, unit)
    return Span(_instant(first, zone), _instant(_add_wall(first, unit, 1), zone) - _SECOND)


def day_span(day: date, zone: ZoneInfo) -> Span:
    """The whole of `day` in `zone`."""
    first = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall clock, placed just below
    return Span(_instant(first, zone), _instant(first + timedelta(days=1), zone) - _SECOND)


def parse_relative(text: str) -> tuple[str, int]:
    """`@hour@ago@3` → ("hour", -3). Raises ValueError with a sentence for the user."""
    match = _RELATIVE.fullmatch(text)
    if not match or match[1] not in RELATIVE_UNITS:
        raise ValueError(
            _("a relative date is written like @dayofweek@ago@7, with one of: {units}").format(
                units=", ".join(RELATIVE_UNITS)
            )
        )
    return RELATIVE_UNITS[match[1]], int(match[3]) * (-1 if match[2] == "ago" else 1)


def relative_span(text: str, context: Context) -> tuple[datetime, Span]:
    """The moment `@unit@ago|ahead@n` names, and the whole unit that holds it. Raises ValueError."""
    unit, count = parse_relative(text)
    zone = ZoneInfo(context.time_zone)
    try:
        moment = shift(context.now, unit, count, zone)
        return moment, span(moment, unit, zone)
    except (OverflowError, ValueError) as error:
        raise ValueError(_("this date is outside the calendar")) from error


# --- javascript:gs.… -------------------------------------------------------------------------

_Value = datetime | str
_Call = Callable[[Context], _Value]


def _edge(which: str, unit: str, count: int) -> _Call:
    def call(context: Context) -> datetime:
        zone = ZoneInfo(context.time_zone)
        moment = shift(context.now, unit, count, zone)
        if not which:
            return moment
        whole = span(moment, unit, zone)
        return whole.start if which in ("Start", "beginning") else whole.end

    return call


def _date_generate(day: str, part: str) -> _Call:
    """`dateGenerate('2026-11-01', 'start' | 'end' | '08:30:00')`, in the reader's zone."""
    times = {"start": "00:00:00", "end": "23:59:59"}
    text = f"{day} {times.get(part, part)}"
    wall = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - wall clock, placed below

    def call(context: Context) -> datetime:
        zone = ZoneInfo(context.time_zone)
        if part in times:
            whole = day_span(wall.date(), zone)
            return whole.start if part == "start" else whole.end
        return _instant(wall, zone)

    return call


def _duration(text: str) -> _Call:
    """`getDurationDate('1 2:30:00')`: days and time → the epoch-offset text of a duration."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise ValueError(text)
    days, hours, minutes, seconds = map(int, match.groups())
    value = duration_text(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
    return lambda _context: value


def duration_text(seconds: int) -> str:
    """Seconds → `1970-01-02 04:23:17`, as the tool stores a duration. Raises OverflowError."""
    return format_instance(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def _now(context: Context) -> datetime:
    return context.now.astimezone(UTC)


def _user(context: Context) -> str:
    return context.user_id


_FIXED: dict[str, _Call] = {
    "now": _edge("Start", "day", 0),  # documented as the current *date*, without a time
    "nowDateTime": _now,
    "getUserID": _user,
}
_AGO_UNITS = (*_ELAPSED, "day", "week", *_MONTHS)
CALLS = (
    *_FIXED,
    "dateGenerate",
    "getDurationDate",
    *(f"{unit}sAgo{edge}" for unit in _AGO_UNITS for edge in ("", "Start", "End")),
    *(f"{edge}Of{day}" for edge in ("beginning", "end")
      for day in ("Yesterday", "Today", "Tomorrow")),
    *(f"{edge}Of{when}{unit.title()}" for edge in ("beginning", "end")
      for when in ("Last", "This", "Next") for unit in ("week", *_MONTHS)),
)  # fmt: skip
"""The names of every `gs.` call that is evaluated."""


def _arguments(text: str) -> list[int | str] | None:
    if not text.strip():
        return []
    values: list[int | str] = []
    for part in text.split(","):
        match = _ARGUMENT.fullmatch(part)
        if not match:
            return None
        values.append(int(match[1]) if match[1] else match[2] or match[3] or "")
    return values


def _calendar_call(name: str, arguments: list[int | str]) -> _Call | None:
    match arguments:
        case [int() as count] if ago := _AGO.fullmatch(name):
            return _edge(ago[2] or "", ago[1], -count)
        case [] if period := _PERIOD.fullmatch(name):
            return _edge(period[1], period[3].lower(), _OFFSETS[period[2]])
        case [] if day := _DAY.fullmatch(name):
            return _edge(day[1], "day", _OFFSETS[day[2]])
    return None


def _find_call(name: str, arguments: list[int | str] | None) -> _Call | None:
    match arguments:
        case None:
            return None
        case [] if name in _FIXED:
            return _FIXED[name]
        case [str() as day, str() as part] if name == "dateGenerate":
            return _date_generate(day, part)
        case [str() as text] if name == "getDurationDate":
            return _duration(text)
    return _calendar_call(name, arguments)


def parse_call(text: str) -> _Call:
    """`javascript:gs.daysAgoStart(7)` → what to evaluate. Raises ValueError for anything else."""
    match = _CALL.fullmatch(text)
    if not match:
        raise ValueError(_("only javascript:gs.name(…) calls can be evaluated"))
    try:
        call = _find_call(match[1], _arguments(match[2]))
    except (ValueError, OverflowError):
        call = None
    if call:
        return call
    if match[1] in CALLS:
        raise ValueError(_("the arguments of gs.{name} cannot be read").format(name=match[1]))
    raise ValueError(_unknown_call(match[1]))


def _unknown_call(name: str) -> str:
    near = difflib.get_close_matches(name, CALLS, n=1)
    if near:
        return _("gs.{name} is not known here; did you mean gs.{near}?").format(
            name=name, near=near[0]
        )
    return _("gs.{name} is not known here; use a date or gs.daysAgoStart(n) and its kin").format(
        name=name
    )


def evaluate(text: str, context: Context) -> datetime | str:
    """The value of a whitelisted call: an instant, a user's sys_id or a duration's text.

    Raises ValueError with a sentence for the user.
    """
    call = parse_call(text)
    try:
        return call(context)
    except (OverflowError, ValueError) as error:
        raise ValueError(_("this date is outside the calendar")) from error
