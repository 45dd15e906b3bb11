"""What one record's values make of a moment, told slowly in Python: the proof of its examples.

`moments.py` says the same as SQL over all records; tests hold the two against each other.
"""

import sqlite3
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlglot import exp

from connector.encoded_query import Context, Query, register_sqlite
from connector.journey.compiler import FIELDS, condition_sql
from connector.journey.examples import default_of, types_of
from connector.journey.moment_model import END, START, YEARS, Evidence, Moment, Polarity, Window

Holds = Callable[[str], bool]
"""Whether an encoded query of the moment holds for the record."""

_EVERYTHING = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What became of a moment. `ends` is None while its window has no end yet."""

    polarity: Polarity
    starts: datetime
    ends: datetime | None
    decided: datetime | None
    evidence: str


def tell(moment: Moment, values: Dict[str, str], holds: Holds, context: Context) -> Told | None:
    """The moment of a record with these values at `context.now`; None if it has none."""
    starts = _first(moment.starts, values, timedelta(days=-moment.lead_days))
    if starts is None or starts > context.now or not holds(moment.when):
        return None
    ends = _end(moment.windows, values, holds, starts, context.time_zone)
    ends = max(ends, starts) if ends else None
    found = [
        (at, place, one)
        for place, one in enumerate(moment.evidence)
        if holds(one.when) and (at := _at(one, values, starts, ends)) is not None
        if starts <= at <= min(ends or _EVERYTHING, context.now)
    ]
    if found:
        at, _place, one = min(found, key=lambda each: each[:2])
        return Told(one.polarity, starts, ends, at, one.code)
    is_over = ends is not None and ends <= context.now
    return Told("neutral" if is_over else "open", starts, ends, ends if is_over else None, "")


def instant_of(text: str) -> datetime | None:
    """A stored instant (UTC), a day being its midnight; None for anything else.

    Outside `YEARS` it is none: no calendar holds the working days after the last of all days.
    """
    try:
        is_one = text[4:5] == text[7:8] == "-" and YEARS[0] <= text < YEARS[1]
        return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC) if is_one else None
    except ValueError:
        return None


def _first(
    names: Sequence[str], values: Dict[str, str], shift: timedelta = timedelta()
) -> datetime | None:
    found = (instant_of(values.get(name, "")) for name in names)
    first = next((at for at in found if at), None)
    return first + shift if first else None


def _at(
    one: Evidence, values: Dict[str, str], starts: datetime, ends: datetime | None
) -> datetime | None:
    for name in one.at:
        word = {START: starts, END: ends}.get(name) if name in (START, END) else None
        found = word if name in (START, END) else instant_of(values.get(name, ""))
        if found:
            return found
    return None


def _end(
    windows: Sequence[Window],
    values: Dict[str, str],
    holds: Holds,
    starts: datetime,
    zone: str,
) -> datetime | None:
    window = next((one for one in windows if holds(one.when)), None)
    if window is None:
        return starts
    begin = _begin(window, values) if window.start else starts
    if begin is None:
        return None
    begin += timedelta(days=window.days, minutes=window.minutes)
    return after_working_days(begin, window.working_days, zone) if window.working_days else begin


def _begin(window: Window, values: Dict[str, str]) -> datetime | None:
    """A day without a time is over when it ends."""
    for name in window.start:
        text = values.get(name, "")
        if begin := instant_of(text):
            return begin + timedelta(days=1) if len(text) == len("2026-01-31") else begin
    return None


def after_working_days(begin: datetime, days: int, zone: str) -> datetime:
    """The end, in `zone`, of the n-th working day (Monday to Friday) after the day of `begin`."""
    day: date = begin.astimezone(ZoneInfo(zone)).date()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return midnight.astimezone(UTC)


def prove(
    moment: Moment, table: str, queries: Dict[str, Query], context: Context
) -> list[Told | None]:
    """What each example comes to. `queries`: each encoded query of the moment, parsed.

    Raises EncodedQueryError, sqlite3.Error.
    """
    fields = sorted({name for query in queries.values() for name in query.fields})
    types = types_of(table, list(queries.values()))
    tests = [condition_sql(query, types.__getitem__, context) for query in queries.values()]
    values = [exp.alias_(exp.Placeholder(), name, quoted=True) for name in fields]
    inner = exp.select(*(values or [exp.alias_(exp.Placeholder(), "none")]))
    query = exp.select(*tests, copy=False).from_(inner.subquery(FIELDS, copy=False), copy=False)
    sql = query.sql(dialect="sqlite", copy=False)
    with closing(sqlite3.connect(":memory:")) as connection:
        register_sqlite(connection)
        found = []
        for example in moment.examples:
            row = [example.values.get(name, default_of(table, name)) for name in fields] or [""]
            answers = connection.execute(sql, row).fetchone()
            holds = dict(zip(queries, map(bool, answers), strict=True))
            found.append(tell(moment, example.values, holds.__getitem__, context))
        return found
