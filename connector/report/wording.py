"""Numbers, dates and spans in the reader's language, and texts made safe to show.

The language is the one `_` speaks; formats come from Babel's CLDR data.
"""

import re
from datetime import date, datetime, timedelta

from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from connector.messages import _, current_language
from connector.report.figures import Period, Share

NOTHING = "–"
"""What stands where a figure cannot be had."""

LONGEST_TEXT = 160
"""Names come from the tool and from the organisation's mapping; a longer one is cut."""

# Control characters, and those that turn the direction of writing (Unicode TR #36, §2.1).
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def number(value: int) -> str:
    """12,345 or 12.345."""
    return format_decimal(value, locale=current_language())


def count(value: int | None) -> str:
    """A number; nothing for None, which is kept from sight or cannot be had."""
    return NOTHING if value is None else number(value)


def percent(ratio: float | None) -> str:
    """0.634 → 63.4 %; nothing for None. Never rounded up to a whole that it is not."""
    if ratio is None:
        return NOTHING
    shown = round(ratio, 3)
    if shown in (0.0, 1.0) and ratio != shown:
        shown = 0.999 if shown else 0.001
    return format_percent(shown, locale=current_language(), decimal_quantization=False)


def share(value: Share) -> str:
    """The ratio of a share, in percent."""
    return percent(value.ratio)


def duration(seconds: float | None) -> str:
    """3.2 days, 5 hours or 12 minutes: one unit, at most one decimal; nothing for None."""
    if seconds is None:
        return NOTHING
    for size, unit in ((_DAY, "day"), (_HOUR, "hour")):
        if seconds >= size:
            return _unit(round(seconds / size, 1), unit)
    return _unit(round(seconds / _MINUTE), "minute")


def _unit(value: float, unit: str) -> str:
    text = format_unit(
        value, f"duration-{unit}", length="long", format="#,##0.#", locale=current_language()
    )
    return text.replace(" ", "\u00a0")


def day(value: date) -> str:
    """20 Nov: a day whose year is plain from the context."""
    return format_skeleton("MMMd", value, locale=current_language())


A_YEAR = timedelta(days=364)
"""From so long a span on its first day and its last could be read as the same one."""


def day_within(value: date, first: date, last: date) -> str:
    """20 Nov; with its year where other days that are told beside it are of another year's Nov."""
    return dated(value) if max(last, value) - min(first, value) >= A_YEAR else day(value)


def month(value: date) -> str:
    """Nov 2026."""
    return format_skeleton("yMMM", value, locale=current_language())


def full_day(value: date) -> str:
    """November 20, 2026."""
    return format_date(value, "long", locale=current_language())


def dated(value: date) -> str:
    """Nov 20, 2026: a day and its year where there is little room."""
    return format_date(value, "medium", locale=current_language())


def instant(moment: datetime | None, period: Period) -> str:
    """An instant on the clocks of the report's time zone; nothing for None."""
    if moment is None:
        return NOTHING
    local = period.local(moment)
    return f"{format_date(local.date(), 'medium', locale=current_language())}, {local:%H:%M}"


def is_whole_days(period: Period) -> bool:
    """Whether the period begins and ends at midnight in its time zone."""
    midnight = (0, 0, 0)
    ends = (period.local(period.start), period.local(period.end))
    return all((end.hour, end.minute, end.second) == midnight for end in ends)


def last_day(period: Period) -> date:
    """The last day that the period touches."""
    return period.local(period.end - timedelta(seconds=1)).date()


def span(period: Period) -> str:
    """1–31 October 2026; with the hours where the period does not begin and end at midnight."""
    if not is_whole_days(period):
        return f"{instant(period.start, period)} – {instant(period.end, period)}"
    first, last = period.local(period.start).date(), last_day(period)
    if first == last:
        return full_day(first)
    text = format_interval(first, last, "yMMMMd", locale=current_language())
    return text.replace("\u2009", "\u00a0")


def clean(text: str) -> str:
    """A name without control or direction characters, cut to a length that a table can hold."""
    plain = _UNSAFE.sub(" ", text).strip()
    return plain if len(plain) <= LONGEST_TEXT else plain[: LONGEST_TEXT - 1] + "…"


LONGEST_CELL = 600
"""A cell may hold several names (reasons, what went wrong); a longer one is cut."""


def harmless(text: str) -> str:
    """A finished cell without control or direction characters, whatever stands in it."""
    plain = _UNSAFE.sub(" ", text)
    return plain if len(plain) <= LONGEST_CELL else plain[: LONGEST_CELL - 1] + "…"


def of(value: Share) -> str:
    """63.4 % of 1,234: a share with what it is a share of."""
    if value.ratio is None:
        return NOTHING
    return _("{percent} of {n}").format(percent=share(value), n=number(value.whole))
