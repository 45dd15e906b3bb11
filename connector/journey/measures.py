"""Measures of a record's own columns: SQL expressions over stored texts.

Calendar days are those of the configured time zone; working days are Monday to Friday.
"""

from collections.abc import Callable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from sqlglot import exp

from connector.encoded_query import Context
from connector.timestamps import format_instance

Values = Mapping[str, exp.Expression]
Measure = Callable[[Values, Context], exp.Expression]
"""Stored texts by field name → a number; NULL where they do not give one."""


def instant(text: exp.Expression) -> exp.Expression:
    """A stored text as a timestamp, NULL for anything else."""
    return exp.TryCast(this=text.copy(), to=exp.DataType.build("TIMESTAMP"))


def _seconds(start: exp.Expression, end: exp.Expression) -> exp.Expression:
    return exp.TimestampDiff(this=end, expression=start, unit=exp.var("SECOND"))


def number(name: str) -> Measure:
    """The column as a number."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        return exp.TryCast(this=values[name].copy(), to=exp.DataType.build("DOUBLE"))

    return measure


def _now(context: Context) -> exp.Expression:
    return instant(exp.Literal.string(format_instance(context.now)))


def elapsed_percent(values: Values, context: Context) -> exp.Expression:
    """Share of the agreed time that has passed: wall-clock time less pauses.

    `planned_end_time` moves with every pause that ended, so pauses come off both sides; during a
    pause the clock stands at its beginning.
    """
    paused = exp.EQ(this=values["stage"].copy(), expression=exp.Literal.string("paused"))
    ends = [instant(values["end_time"]), _now(context)]
    stop = exp.Case(
        ifs=[exp.If(this=paused, true=instant(values["pause_time"]))],
        default=exp.Coalesce(this=ends[0], expressions=ends[1:]),
    )
    epoch = instant(exp.Literal.string("1970-01-01 00:00:00"))
    pauses = exp.Coalesce(
        this=_seconds(epoch, instant(values["pause_duration"])),
        expressions=[exp.Literal.number(0)],
    )
    start = instant(values["start_time"])
    passed = exp.paren(_seconds(start, stop) - pauses)
    agreed = exp.paren(_seconds(start, instant(values["planned_end_time"])) - pauses.copy())
    percent = exp.Div(
        this=exp.paren(passed * 100.0),
        expression=exp.Nullif(this=agreed, expression=exp.Literal.number(0)),
    )
    return exp.Round(this=percent, decimals=exp.Literal.number(1))


def days_between(start: str, end: str) -> Measure:
    """Whole days (24 hours) from one instant to another; negative if the second is earlier."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        seconds = _seconds(instant(values[start]), instant(values[end]))
        return exp.Floor(this=exp.Div(this=seconds, expression=exp.Literal.number("86400.0")))

    return measure


_MONDAY = "1969-12-29"


def _weekdays_before(day: exp.Expression) -> exp.Expression:
    """Mondays to Fridays from a Monday long ago up to, and not with, that day's number."""
    weeks = exp.IntDiv(this=day, expression=exp.Literal.number(7))
    rest = exp.Least(
        this=exp.Mod(this=day.copy(), expression=exp.Literal.number(7)),
        expressions=[exp.Literal.number(5)],
    )
    return weeks * 5 + rest


def _day_number(moment: exp.Expression, zone: str) -> exp.Expression:
    """Days since that Monday, of the calendar day in `zone`."""
    utc = exp.AtTimeZone(this=moment, zone=exp.Literal.string("UTC"))
    local = exp.AtTimeZone(this=utc, zone=exp.Literal.string(zone))
    return exp.DateDiff(
        this=exp.cast(local, "DATE"),
        expression=exp.cast(exp.Literal.string(_MONDAY), "DATE"),
        unit=exp.var("DAY"),
    )


def working_days_since(name: str) -> Measure:
    """Working days (Monday to Friday, in the configured time zone) that have begun since then."""

    def measure(values: Values, context: Context) -> exp.Expression:
        then = _weekdays_before(_day_number(instant(values[name]), context.time_zone))
        today = context.now.astimezone(ZoneInfo(context.time_zone)).date()
        weeks, weekday = divmod((today - date.fromisoformat(_MONDAY)).days, 7)
        return exp.Literal.number(weeks * 5 + min(weekday, 5)) - exp.paren(then)

    return measure
