"""A slow, independent reading of docs/mappings.md's semantics, to hold the SQL compiler against.

It walks the parsed tree record by record in plain Python. With the compiler it shares the parser
and the names of the types, and nothing else: no evaluation, no calendar, no regular expression.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connector.encoded_query import Condition, Context, FieldType, Query

Record = Mapping[str, str | None]
Types = Mapping[str, FieldType]
Key = float | str | bool

NUMERIC = {FieldType.INTEGER, FieldType.DECIMAL}
CASELESS = {FieldType.STRING, FieldType.JOURNAL}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BINARY: dict[str, Callable[[Key, Key], bool]] = {
    "=": lambda a, b: a == b,
    ">": lambda a, b: a > b,  # type: ignore[operator]  # both keys are of one kind
    ">=": lambda a, b: a >= b,  # type: ignore[operator]
    "<": lambda a, b: a < b,  # type: ignore[operator]
    "<=": lambda a, b: a <= b,  # type: ignore[operator]
}
FIELDS = {
    "SAMEAS": "=",
    "GT_FIELD": ">",
    "LT_FIELD": "<",
    "GT_OR_EQUALS_FIELD": ">=",
    "LT_OR_EQUALS_FIELD": "<=",
}


class UnusableError(Exception):
    """The value cannot be a value of the column's type."""


def matches(query: Query, record: Record, types: Types, context: Context, mode: str) -> bool:
    """Does the record match? `mode` is the compiler's on_unknown, "ignore" or "no_rows"."""
    unknown = {f for f in query.fields if f not in types}
    if unknown and mode == "no_rows":
        return False
    return any(
        all(_group(group, record, types, context, unknown) for group in branch)
        for branch in query.branches
    )


def _group(
    group: tuple[Condition, ...], record: Record, types: Types, context: Context, unknown: set[str]
) -> bool:
    kept = [
        c
        for c in group
        if c.field not in unknown
        and not (c.operator in (*FIELDS, "NSAMEAS") and c.value in unknown)
    ]
    return not kept or any(_holds(c, record, types, context) for c in kept)


def _holds(c: Condition, record: Record, types: Types, context: Context) -> bool:
    try:
        return Test(c, record, types, context).holds()
    except UnusableError:
        return False


class Test:
    """One condition against one record."""

    __test__ = False  # not a test class of pytest

    def __init__(self, c: Condition, record: Record, types: Types, context: Context) -> None:
        self.c, self.record, self.types, self.context = c, record, types, context
        self.kind = types[c.field]
        self.text = record.get(c.field) or ""
        self.key = key(self.text, self.kind)

    def holds(self) -> bool:
        operator, value = self.c.operator, self.c.value
        if operator in ("ISEMPTY", "EMPTYSTRING") or (operator, value) == ("=", ""):
            return self.key is None
        if operator == "ISNOTEMPTY" or (operator, value) == ("!=", ""):
            return self.key is not None
        if operator == "ANYTHING":
            return True
        if operator in FIELDS or operator == "NSAMEAS":
            return self.against_field(operator, value)
        if operator in ("LIKE", "NOT LIKE", "STARTSWITH", "ENDSWITH"):
            return self.by_text(operator, value)
        return self.by_value(operator, value)

    def against_field(self, operator: str, other: str) -> bool:
        first, second = self.text, self.record.get(other) or ""
        kinds = {self.kind, self.types[other]}
        if self.key is None or key(second, self.types[other]) is None:
            return False
        if len(kinds) == 1 or kinds == NUMERIC:
            a, b = self.key, key(second, self.types[other])
        elif kinds == {FieldType.DATE, FieldType.DATETIME}:
            a, b = first[:10], second[:10]
        else:
            a, b = caseless(first), caseless(second)
        assert b is not None
        same = BINARY["="](a, b)
        return not same if operator == "NSAMEAS" else BINARY[FIELDS[operator]](a, b)

    def by_text(self, operator: str, value: str) -> bool:
        if not self.text:
            return False
        wanted = caseless(self.operand(value, FieldType.STRING) if value else "")
        text = caseless(self.text)
        nobody = bool(value) and not wanted
        if operator == "STARTSWITH":
            return not nobody and text[: len(wanted)] == wanted
        if operator == "ENDSWITH":
            return not nobody and text[len(text) - len(wanted) :] == wanted
        found = not nobody and wanted in text
        return found if operator == "LIKE" else not found

    def by_value(self, operator: str, value: str) -> bool:
        """NOT forms: the value must be there and not match, save on booleans."""
        positive = {"!=": "=", "NOT IN": "IN", "NOTON": "ON"}.get(operator, operator)
        found = self.positive(positive, value)
        if positive == operator:
            return found
        empties_too = self.kind is FieldType.BOOLEAN and value != ""
        return not found and (self.key is not None or empties_too)

    def positive(self, operator: str, value: str) -> bool:
        if operator == "IN":
            parts = [value] if value.startswith("javascript:") else value.split(",")
            wanted = [self.wanted(part.strip()) for part in parts if part.strip()]
            return self.key is not None and self.key in [w for w in wanted if w is not None]
        if operator == "DYNAMIC":
            return self.compares("=", self.wanted("javascript:gs.getUserID()"))
        if operator in ("ON", "BETWEEN") or operator.startswith("RELATIVE"):
            return self.in_range(operator, value)
        if operator != "=" and self.kind is FieldType.BOOLEAN:
            raise UnusableError
        return self.compares(operator, self.wanted(value))

    def compares(self, sign: str, wanted: Key | None) -> bool:
        return self.key is not None and wanted is not None and BINARY[sign](self.key, wanted)

    def in_range(self, operator: str, value: str) -> bool:
        if operator == "BETWEEN":
            if self.kind is FieldType.BOOLEAN:
                raise UnusableError
            low, high = map(self.wanted, value.split("@"))
            return self.compares(">=", low) and self.compares("<=", high)
        if self.kind not in (FieldType.DATETIME, FieldType.DATE):
            raise UnusableError
        if operator == "ON":
            start, end = self.on_bounds(value.split("@"))
            return self.compares(">=", start) and self.compares("<=", end)
        return self.relative(operator[-2:], value.split("@")[1:])

    def on_bounds(self, parts: list[str]) -> tuple[Key | None, Key | None]:
        if len(parts) == 3:
            return self.wanted(parts[1]), self.wanted(parts[2])
        zone = ZoneInfo(self.context.time_zone)
        day = datetime.strptime(parts[0][:10], "%Y-%m-%d").replace(tzinfo=UTC)
        target = (day.year, day.month, day.day)
        first, last = edges(target, PARTS["day"], zone, day)
        return self.stored(first), self.stored(last)

    def relative(self, sign: str, parts: list[str]) -> bool:
        unit, direction, count = parts
        unit = {"dayofweek": "day"}.get(unit, unit)
        zone = ZoneInfo(self.context.time_zone)
        offset = -int(count) if direction == "ago" else int(count)
        moment = moved(self.context.now, unit, offset, zone)
        if sign == "EE":
            start, end = whole(moment, unit, zone)
            return self.compares(">=", self.stored(start)) and self.compares("<=", self.stored(end))
        symbol = {"GT": ">", "GE": ">=", "LT": "<", "LE": "<="}[sign]
        return self.compares(symbol, self.stored(moment))

    def wanted(self, text: str) -> Key | None:
        if not text:
            return None
        return key(self.operand(text, self.kind), self.kind)

    def operand(self, text: str, kind: FieldType) -> str:
        if not text.startswith("javascript:"):
            return literal(text, kind)
        value = call(text, self.context)
        if isinstance(value, str):
            return literal(value, kind) if value else ""
        return self.stored_text(value, kind)

    def stored(self, moment: datetime) -> str:
        return self.stored_text(moment, self.kind)

    def stored_text(self, moment: datetime, kind: FieldType) -> str:
        if kind is FieldType.DATE:
            return str(moment.astimezone(ZoneInfo(self.context.time_zone)).date())
        return literal(str(moment.astimezone(UTC))[:19], kind)


# --- values ------------------------------------------------------------------------------------


def number(text: str) -> float | None:
    """Digits, one optional sign and one optional point with digits on both sides."""
    bare = text[1:] if text[:1] in ("+", "-") else text
    parts = bare.split(".")
    fine = all(p and p.isascii() and p.isdigit() and len(p) <= 18 for p in parts)
    return float(text) if fine and len(parts) <= 2 else None


def caseless(text: str) -> str:
    return "".join("i" if c == "\u0130" else c.lower() for c in text)


def key(text: str, kind: FieldType) -> Key | None:
    """What the stored text compares as; None is empty."""
    if not text:
        return None
    if kind in NUMERIC:
        return number(text)
    if kind is FieldType.BOOLEAN:
        return {"true": True, "1": True, "false": False, "0": False}.get(text)
    return caseless(text) if kind in CASELESS else text


def literal(text: str, kind: FieldType) -> str:
    """A query's value as stored text; raises UnusableError."""
    if kind in NUMERIC and number(text) is None:
        raise UnusableError
    if kind is FieldType.BOOLEAN and key(text, kind) is None:
        raise UnusableError
    if kind is FieldType.DURATION and text.isascii() and text.isdigit() and len(text) <= 10:
        return str(EPOCH + timedelta(seconds=int(text)))[:19]
    if kind in (FieldType.DATETIME, FieldType.DATE, FieldType.DURATION):
        return moment_text(text, kind)
    return text


def moment_text(text: str, kind: FieldType) -> str:
    padded = text + " 00:00:00" if len(text) <= 10 and kind is not FieldType.DURATION else text
    try:
        moment = datetime.strptime(padded, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise UnusableError from None
    return str(moment)[: 10 if kind is FieldType.DATE else 19]


# --- calendar: found by searching the seconds, not by arithmetic on them --------------------------

PARTS: dict[str, Callable[[datetime], tuple[int, ...]]] = {
    "day": lambda d: (d.year, d.month, d.day),
    "week": lambda d: tuple((d - timedelta(days=d.isoweekday() - 1)).timetuple()[:3]),
    "month": lambda d: (d.year, d.month),
    "quarter": lambda d: (d.year, (d.month + 2) // 3),
    "year": lambda d: (d.year,),
}


def first_second(
    reached: Callable[[datetime], bool], around: datetime, days: int = 800
) -> datetime:
    """The first second at which `reached` is true; it must stay true from there."""
    low, high = around - timedelta(days=days), around + timedelta(days=days)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def edges(
    target: tuple[int, ...],
    part: Callable[[datetime], tuple[int, ...]],
    zone: ZoneInfo,
    around: datetime,
) -> tuple[datetime, datetime]:
    """First and last second whose local date belongs to `target`."""
    around = around.astimezone(UTC).replace(microsecond=0)

    def local(second: datetime) -> tuple[int, ...]:
        return part(second.astimezone(zone).replace(tzinfo=None))

    first = first_second(lambda second: local(second) >= target, around)
    return first, first_second(lambda second: local(second) > target, around) - timedelta(seconds=1)


def whole(moment: datetime, unit: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if unit in ("minute", "hour"):
        second = moment.astimezone(UTC).replace(microsecond=0)
        while second.astimezone(zone).second or (unit == "hour" and second.astimezone(zone).minute):
            second -= timedelta(seconds=second.astimezone(zone).second or 60)
        return second, second + timedelta(**{f"{unit}s": 1}) - timedelta(seconds=1)
    target = PARTS[unit](moment.astimezone(zone).replace(tzinfo=None))
    return edges(target, PARTS[unit], zone, moment)


def placed(wall: datetime, zone: ZoneInfo) -> datetime:
    """A wall time in UTC: the first that shows it, else as if the clock had run on."""
    guess = wall.replace(tzinfo=UTC)
    before = (guess - timedelta(days=1)).astimezone(zone).utcoffset()
    after = (guess + timedelta(days=1)).astimezone(zone).utcoffset()
    assert before is not None
    assert after is not None
    for offset in (before, after):
        if (guess - offset).astimezone(zone).replace(tzinfo=None) == wall:
            return guess - offset
    return guess - before


def moved(moment: datetime, unit: str, count: int, zone: ZoneInfo) -> datetime:
    if unit in ("minute", "hour"):
        return moment + timedelta(**{f"{unit}s": count})
    wall = moment.astimezone(zone).replace(tzinfo=None)
    if unit in ("day", "week"):
        return placed(wall + timedelta(**{f"{unit}s": count}), zone)
    step = 1 if count > 0 else -1
    year, month = wall.year, wall.month
    for _month in range(abs(count) * {"month": 1, "quarter": 3, "year": 12}[unit]):
        month += step
        if month in (0, 13):
            year, month = year + step, 12 if month == 0 else 1
    day = wall.day
    while True:
        try:
            return placed(wall.replace(year=year, month=month, day=day), zone)
        except ValueError:
            day -= 1


# --- javascript ----------------------------------------------------------------------------------


def call(text: str, context: Context) -> datetime | str:
    name, _open, rest = text.removeprefix("javascript:").strip().removeprefix("gs.").partition("(")
    inside = rest.rpartition(")")[0]
    arguments = [part.strip().strip("'\"") for part in inside.split(",")] if inside else []
    zone = ZoneInfo(context.time_zone)
    if name == "getUserID":
        return context.user_id
    if name == "nowDateTime":
        return context.now
    if name == "now":
        return whole(context.now, "day", zone)[0]
    if name == "getDurationDate":
        days, _space, clock = arguments[0].partition(" ")
        hours, minutes, seconds = map(int, clock.split(":"))
        length = timedelta(days=int(days), hours=hours, minutes=minutes, seconds=seconds)
        return str(EPOCH + length)[:19]
    if name == "dateGenerate":
        return generated(arguments[0], arguments[1], zone)
    return named(name, arguments, context, zone)


def generated(day: str, part: str, zone: ZoneInfo) -> datetime:
    wall = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    if part in ("start", "end"):
        bounds = edges((wall.year, wall.month, wall.day), PARTS["day"], zone, wall)
        return bounds[part == "end"]
    hours, minutes, seconds = map(int, part.split(":"))
    return placed(wall.replace(tzinfo=None, hour=hours, minute=minutes, second=seconds), zone)


def named(name: str, arguments: list[str], context: Context, zone: ZoneInfo) -> datetime:
    if "Ago" in name:
        unit, _ago, edge = name.partition("sAgo")
        moment = moved(context.now, unit, -int(arguments[0]), zone)
        return whole(moment, unit, zone)[edge == "End"] if edge else moment
    edge, _of, period = name.partition("Of")
    if period in ("Yesterday", "Today", "Tomorrow"):
        when, unit = {"Yesterday": -1, "Today": 0, "Tomorrow": 1}[period], "day"
    else:
        when, unit = {"Last": -1, "This": 0, "Next": 1}[period[:4]], period[4:].lower()
    return whole(moved(context.now, unit, when, zone), unit, zone)[edge == "end"]
