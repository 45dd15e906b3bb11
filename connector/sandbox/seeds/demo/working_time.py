"""The demo organisation's working calendar: Monday to Friday, 08:00 to 18:00 in Madrid.

Owns working-time arithmetic for generated histories. Instants in and out are aware UTC.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Madrid")
OPENS, CLOSES = time(8), time(18)
_HOLIDAYS = frozenset(
    [(1, 1), (1, 6), (5, 1), (8, 15), (10, 12), (11, 1), (12, 6), (12, 8), (12, 25)]
)
"""Fixed national holidays of Spain, as (month, day)."""


@cache
def is_working_day(day: date) -> bool:
    """Whether the offices open on that day."""
    return day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS


def opening(moment: datetime) -> datetime:
    """`moment` if the offices are open, else the next opening."""
    return _opening(moment.astimezone(ZONE)).astimezone(UTC)


def plus(moment: datetime, hours: float) -> datetime:
    """`hours` working hours after `moment`, in whole seconds."""
    local = _opening(moment.astimezone(ZONE))
    left = timedelta(seconds=round(hours * 3600))
    while local + left > _at(local.date(), CLOSES):
        left -= _at(local.date(), CLOSES) - local
        local = _opening(_at(local.date() + timedelta(days=1), OPENS))
    return (local + left).astimezone(UTC)


def hours_between(start: datetime, end: datetime) -> float:
    """Working hours from `start` to `end`; 0 if `end` is not later."""
    local, last = _opening(start.astimezone(ZONE)), end.astimezone(ZONE)
    total = timedelta()
    while local.date() < last.date():
        total += _at(local.date(), CLOSES) - local
        local = _opening(_at(local.date() + timedelta(days=1), OPENS))
    until = min(last, _at(local.date(), CLOSES))
    return (total + max(until - local, timedelta())).total_seconds() / 3600


def arrivals(
    begins: datetime, ends: datetime, count: int, chance: random.Random
) -> Iterator[datetime]:
    """`count` instants within working days, Mondays and mornings heavier, August lighter."""
    days = []
    weights = []
    day = begins.date() + timedelta(days=1)
    while day < ends.date():
        if is_working_day(day):
            days.append(day)
            holiday = 0.55 if day.month == 8 else 1.0
            weights.append((1.45, 1.1, 1.0, 1.0, 0.8)[day.weekday()] * holiday)
        day += timedelta(days=1)
    for chosen in chance.choices(days, weights, k=count):
        hour = chance.choices(range(8, 18), (9, 14, 13, 11, 9, 5, 5, 8, 7, 4))[0]
        at = datetime(chosen.year, chosen.month, chosen.day, hour, tzinfo=ZONE)
        yield (at + timedelta(seconds=chance.randrange(3600))).astimezone(UTC)


def _opening(local: datetime) -> datetime:
    if is_working_day(local.date()) and local.time() < CLOSES:
        return max(local, _at(local.date(), OPENS))
    day = local.date() + timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return _at(day, OPENS)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZONE)
