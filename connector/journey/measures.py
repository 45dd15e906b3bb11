"""Measures of a record's own columns: SQL expressions over stored texts.

Calendar days are those of the configured time zone; working days are Monday to Friday. Garbage
counts as nothing: no text makes a measure fail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlglot import exp

from connector.encoded_query import Context
from connector.timestamps import format_instance

Values = Mapping[str, exp.Expression]
Measure = Callable[[Values, Context], exp.Expression]
"""Stored texts by field name → a number, text or truth; NULL where they do not give one."""


@dataclass(frozen=True)
class Measured:
    """A measure with the fields that it reads."""

    measure: Measure
    reads: tuple[str, ...]


def instant(text: exp.Expression) -> exp.Expression:
    """A stored text as a timestamp of the years 1 to 9999, NULL for anything else.

    The engine also reads `infinity` and years that no difference can hold.
    """
    read = exp.TryCast(this=text.copy(), to=exp.DataType.build(exp.DType.TIMESTAMP))
    first, last = (
        exp.cast(exp.Literal.string(end), exp.DType.TIMESTAMP)
        for end in ("0001-01-01 00:00:00", "9999-12-31 23:59:59")
    )
    return exp.Case(
        ifs=[exp.If(this=exp.Between(this=read, low=first, high=last), true=read.copy())]
    )


def _seconds(start: exp.Expression, end: exp.Expression) -> exp.Expression:
    return exp.TimestampDiff(this=end, expression=start, unit=exp.var("SECOND"))


def number(name: str) -> Measure:
    """The column as a number."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        return _number(values[name])

    return measure


def _number(text: exp.Expression) -> exp.Expression:
    """Digits with a sign and one point, up to a size whose sums cannot overflow."""
    shape = exp.RegexpLike(this=text.copy(), expression=exp.Literal.string(_NUMBER))
    cast = exp.TryCast(this=text.copy(), to=exp.DataType.build(exp.DType.DOUBLE))
    return exp.Case(ifs=[exp.If(this=shape, true=cast)])


_NUMBER = r"^[-+]?[0-9]{1,15}(\.[0-9]{1,15})?$"


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


def days_between(start: str, end: str) -> Measured:
    """Whole days (24 hours) from one instant to another; negative if the second is earlier."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        seconds = _seconds(instant(values[start]), instant(values[end]))
        days = exp.Floor(this=exp.Div(this=seconds, expression=exp.Literal.number("86400.0")))
        return exp.cast(days, exp.DType.BIGINT)

    return Measured(measure, (start, end))


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
        this=exp.cast(local, exp.DType.DATE),
        expression=exp.cast(exp.Literal.string(_MONDAY), exp.DType.DATE),
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


# --- instants -------------------------------------------------------------------------------------


def first_known(*names: str) -> Measured:
    """The first of these instants that is there, in stored form."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        found = [stored(instant(values[name])) for name in names]
        return exp.Coalesce(this=found[0], expressions=found[1:]) if found[1:] else found[0]

    return Measured(measure, names)


def stored(moment: exp.Expression) -> exp.Expression:
    """A timestamp as the tool writes it: `YYYY-MM-DD HH:MM:SS`."""
    whole = exp.TimestampTrunc(this=moment, unit=exp.var("SECOND"))
    return exp.cast(whole, exp.DType.VARCHAR, copy=False)


def latest_of(*names: str) -> Measured:
    """The last of these instants, in stored form."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        nothing = exp.Literal.string("")
        found = [
            exp.Coalesce(this=stored(instant(values[name])), expressions=[nothing.copy()])
            for name in names
        ]
        return exp.Greatest(this=found[0], expressions=found[1:])

    return Measured(measure, names)


def minutes_between(start: str, end: str) -> Measured:
    """Minutes from one instant to another, with one decimal; negative if the second is earlier."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        seconds = _seconds(instant(values[start]), instant(values[end]))
        minutes = exp.Div(this=seconds, expression=exp.Literal.number("60.0"))
        return exp.Round(this=minutes, decimals=exp.Literal.number(1))

    return Measured(measure, (start, end))


def within_days(start: str, end: str, days: int) -> Measured:
    """Whether the second instant lies from the first up to that many days (of 24 hours) after."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        seconds = _seconds(instant(values[start]), instant(values[end]))
        low, high = exp.Literal.number(0), exp.Literal.number(days * 86400)
        inside = exp.Between(this=seconds, low=low, high=high)
        return exp.Coalesce(this=inside, expressions=[exp.false()])

    return Measured(measure, (start, end))


def working_days_between(start: str, end: str) -> Measured:
    """Working days (Monday to Friday, in the configured time zone) that began in between."""

    def measure(values: Values, context: Context) -> exp.Expression:
        first, last = (
            _weekdays_before(_day_number(instant(values[name]), context.time_zone))
            for name in (start, end)
        )
        return exp.paren(last) - exp.paren(first)

    return Measured(measure, (start, end))


def days_until(name: str, sign: int = 1) -> Measured:
    """Calendar days from today to a date; with sign -1, from the date to today."""

    def measure(values: Values, context: Context) -> exp.Expression:
        today = context.now.astimezone(ZoneInfo(context.time_zone)).date().isoformat()
        day = exp.cast(instant(values[name]), exp.DType.DATE)
        this_day = exp.cast(exp.Literal.string(today), exp.DType.DATE)
        days = exp.DateDiff(this=day, expression=this_day, unit=exp.var("DAY"))
        return days * sign

    return Measured(measure, (name,))


# --- numbers and choices --------------------------------------------------------------------------


def spare_of(elapsed: Measured) -> Measured:
    """What is left of a hundred percent."""

    def measure(values: Values, context: Context) -> exp.Expression:
        left = exp.Literal.number(100) - exp.paren(elapsed.measure(values, context))
        return exp.Round(this=left, decimals=exp.Literal.number(1))

    return Measured(measure, elapsed.reads)


def share_of_scale(value: str, lowest: str, highest: str) -> Measured:
    """Where a number stands on its scale, 0 to 1; nothing outside it or without one."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        number_, low, high = (_number(values[name]) for name in (value, lowest, highest))
        width = exp.Nullif(this=exp.paren(high - low), expression=exp.Literal.number(0))
        share = exp.Div(this=exp.paren(number_ - low.copy()), expression=width)
        inside = exp.Between(this=share, low=exp.Literal.number(0), high=exp.Literal.number(1))
        return exp.Case(ifs=[exp.If(this=inside, true=share.copy())])

    return Measured(measure, (value, lowest, highest))


def first_counted(choices: Mapping[str, str]) -> Measured:
    """The word of the first of these counts that is more than zero: count's name → word."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        ifs = [
            exp.If(this=_number(values[name]) > 0, true=exp.Literal.string(word))
            for name, word in choices.items()
        ]
        return exp.Case(ifs=ifs, default=exp.Literal.string(""))

    return Measured(measure, tuple(choices))


def word_of(name: str, words: Mapping[str, tuple[str, ...]], default: str) -> Measured:
    """The word under which a value is listed: word → values, without case; else the default."""

    def measure(values: Values, _context: Context) -> exp.Expression:
        value = exp.Lower(this=values[name].copy())
        ifs = [
            exp.If(
                this=exp.In(this=value.copy(), expressions=[exp.Literal.string(v) for v in listed]),
                true=exp.Literal.string(word),
            )
            for word, listed in words.items()
        ]
        return exp.Case(ifs=ifs, default=exp.Literal.string(default))

    return Measured(measure, (name,))


def as_it_stands(name: str) -> Measured:
    """The stored text."""
    return Measured(lambda values, _context: values[name].copy(), (name,))
