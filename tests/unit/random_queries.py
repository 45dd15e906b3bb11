"""Random encoded queries, small tables and moments, made to hit what is hard.

Empties, garbage numbers, wildcards, quotes, accents, carets, and instants around changes of clock.
"""

from datetime import UTC, datetime

from hypothesis import strategies as st

from connector.encoded_query import Context, FieldType

TYPES: dict[str, FieldType] = {
    "name": FieldType.STRING,
    "notes": FieldType.JOURNAL,
    "count": FieldType.INTEGER,
    "score": FieldType.DECIMAL,
    "active": FieldType.BOOLEAN,
    "vip": FieldType.BOOLEAN,
    "opened_at": FieldType.DATETIME,
    "closed_at": FieldType.DATETIME,
    "due": FieldType.DATE,
    "owner": FieldType.REFERENCE,
    "took": FieldType.DURATION,
    # Stands for a dot-walk, whose SQL is more than a bare column.
    "owner.name": FieldType.STRING,
    "owner.level": FieldType.INTEGER,
}
FIELDS = tuple(TYPES)
Row = tuple[str | None, ...]

_TEXTS = [
    "a", "A", "ab", "Ab%", "a_b", "axb", "%", "_", "O'Neil", 'say "hi"', "back\\slash", "é", "É",
    "e\u0301", "ñ", "İ", "i", "ß", "ẞ", "ΟΔΟΣ", "οδος", "x^y", "^", " ", "  a", "ORDERBY", "NULL",
    "IN", "a,b", "@set", "😀", "a\nb", "10", "9", "me",
]  # fmt: skip
_NUMBERS = [
    "0", "-0", "1", "01", "1.0", "2.5", "2.50", "3", "10", "-2", "+4", "999999999999999999", "0.1",
    "1e3", "nan", "inf", "1_000", " 7", "7 ", "12abc", "1.", ".5", "٣", "7\n", "0x1F",
    "1234567890123456789", "--1", "1.2.3",
]  # fmt: skip
_MOMENTS = [
    "2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-03-28 23:00:00", "2026-03-29 22:00:00",
    "2026-10-24 22:00:00", "2026-10-25 00:30:00", "2026-10-25 01:00:00", "2026-10-25 23:00:00",
    "2026-11-20 12:00:00", "2026-11-20 11:59:59", "2026-11-19 23:00:00", "2026-11-01 00:00:00",
    "2026-10-31 23:00:00", "2025-12-31 23:00:00", "2026-09-06 04:00:00", "2026-09-06 03:59:59",
    "2024-02-29 12:00:00", "2026-11-16 00:00:00",
]  # fmt: skip
_DAYS = ["2026-03-29", "2026-10-25", "2026-11-20", "2026-11-19", "2024-02-29", "2026-01-01"]
_DURATIONS = ["1970-01-01 00:02:17", "1970-01-02 04:23:17", "1970-01-01 00:00:00"]
ZONES = ["UTC", "Europe/Madrid", "America/Santiago", "America/Havana", "Asia/Kolkata"]
NOWS = [
    datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (
    "2026-11-20 12:00:00", "2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-03-30 00:30:00",
    "2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-09-06 04:10:00", "2026-09-07 03:30:00",
    "2026-11-01 04:30:00", "2026-11-01 05:30:00", "2024-02-29 23:30:00", "2026-01-01 00:00:00",
    "2026-12-31 23:59:59", "2026-05-31 10:00:00",
    )
]  # fmt: skip

_STORED: dict[FieldType, list[str]] = {
    FieldType.STRING: _TEXTS,
    FieldType.JOURNAL: _TEXTS,
    FieldType.REFERENCE: ["me", "ME", "a", "b", "global", "a'"],
    FieldType.INTEGER: _NUMBERS,
    FieldType.DECIMAL: _NUMBERS,
    FieldType.BOOLEAN: ["true", "false", "1", "0", "TRUE", "yes"],
    FieldType.DATETIME: [*_MOMENTS, "garbage", "2026-11-20"],
    FieldType.DATE: [*_DAYS, "garbage", "2026-11-20 12:00:00"],
    FieldType.DURATION: [*_DURATIONS, "garbage"],
}
CALLS = [
    "now()", "nowDateTime()", "getUserID()", "daysAgo(1)", "daysAgoStart(0)", "daysAgoEnd(0)",
    "daysAgo(-1)", "daysAgoStart(26)", "hoursAgo(24)", "hoursAgoStart(1)", "hoursAgoEnd(0)",
    "minutesAgo(30)", "minutesAgoStart(30)", "minutesAgoEnd(0)", "weeksAgoStart(1)",
    "monthsAgo(1)", "monthsAgo(9)", "monthsAgoStart(1)", "monthsAgoEnd(-1)", "quartersAgo(1)",
    "quartersAgoStart(1)", "yearsAgo(1)", "yearsAgoEnd(1)", "beginningOfToday()",
    "endOfYesterday()", "beginningOfTomorrow()", "beginningOfThisWeek()", "endOfLastWeek()",
    "endOfNextWeek()", "beginningOfLastMonth()", "endOfThisMonth()", "beginningOfThisQuarter()",
    "endOfLastQuarter()", "endOfNextYear()", "beginningOfThisYear()",
    "dateGenerate('2026-03-29','02:30:00')", "dateGenerate('2026-10-25', 'end')",
    'dateGenerate("2026-09-06","start")', "getDurationDate('1 4:23:17')",
]  # fmt: skip
UNITS = ["minute", "hour", "dayofweek", "day", "week", "month", "quarter", "year"]


def _escaped(text: str) -> str:
    return text.replace("^", "^^")


@st.composite
def _values(draw: st.DrawFn, kind: FieldType) -> str:
    where = draw(st.integers(0, 9))
    if where == 0:
        return draw(st.sampled_from(_TEXTS))
    if where <= 2:
        return f"javascript:gs.{draw(st.sampled_from(CALLS))}"
    if kind is FieldType.DURATION and where == 3:
        return draw(st.sampled_from(["137", "102197", "0"]))
    if kind is FieldType.DATETIME and where == 3:
        return draw(st.sampled_from(_DAYS))
    return draw(st.sampled_from(_STORED[kind]))


@st.composite
def _conditions(draw: st.DrawFn) -> str:
    field = draw(st.sampled_from([*FIELDS, "unknown"]))
    kind = TYPES.get(field, FieldType.STRING)
    value = _values(kind)
    family = draw(st.integers(0, 7))
    if family <= 2:
        sign = draw(st.sampled_from(["=", "!=", ">", ">=", "<", "<="]))
        return f"{field}{sign}{_escaped(draw(value))}"
    if family == 3:
        operator = draw(st.sampled_from(["IN", "NOT IN"]))
        return f"{field}{operator}{_escaped(','.join(draw(st.lists(value, max_size=3))))}"
    if family == 4:
        words = ["LIKE", "NOT LIKE", "STARTSWITH", "ENDSWITH", "*", "!*", "%", "DOES NOT CONTAIN"]
        piece = draw(st.one_of(value, st.text("aAb%_'é ΣσİI1", max_size=2)))
        return f"{field}{draw(st.sampled_from(words))}{_escaped(piece)}"
    if family == 5:
        words = ["ISEMPTY", "ISNOTEMPTY", "EMPTYSTRING", "ANYTHING", "=", "!=", "IN", "LIKE"]
        return (
            f"{field}{draw(st.sampled_from([*words, 'DYNAMIC90d1921e5f510100a9ad2572f2b477fe']))}"
        )
    if family == 6:
        words = ["SAMEAS", "NSAMEAS", "GT_FIELD", "LT_FIELD", "GT_OR_EQUALS_FIELD"]
        other = draw(st.sampled_from([*FIELDS, "unknown"]))
        return f"{field}{draw(st.sampled_from([*words, 'LT_OR_EQUALS_FIELD']))}{other}"
    return f"{field}{draw(_stretches(kind))}"


@st.composite
def _stretches(draw: st.DrawFn, kind: FieldType) -> str:
    value = _values(kind).map(_escaped)
    which = draw(st.integers(0, 3))
    if which == 0:
        return f"BETWEEN{draw(value)}@{draw(value)}"
    if which == 1:
        return f"{draw(st.sampled_from(['ON', 'NOTON']))}label@{draw(value)}@{draw(value)}"
    if which == 2:
        return f"{draw(st.sampled_from(['ON', 'NOTON']))}{draw(st.sampled_from(_DAYS))}"
    sign = draw(st.sampled_from(["GT", "GE", "LT", "LE", "EE"]))
    direction = draw(st.sampled_from(["ago", "ahead"]))
    return f"RELATIVE{sign}@{draw(st.sampled_from(UNITS))}@{direction}@{draw(st.integers(0, 14))}"


@st.composite
def _queries(draw: st.DrawFn) -> str:
    text = draw(_conditions())
    for condition in draw(st.lists(_conditions(), max_size=4)):
        text += draw(st.sampled_from(["^", "^", "^OR", "^NQ"])) + condition
    for field in draw(st.lists(st.sampled_from([*FIELDS, "unknown"]), max_size=2, unique=True)):
        text += draw(st.sampled_from(["^ORDERBY", "^ORDERBYDESC"])) + field
    return text


ROWS = st.lists(
    st.tuples(
        *(
            st.one_of(st.sampled_from(_STORED[kind]), st.sampled_from(["", None]))
            for kind in TYPES.values()
        )
    ),
    max_size=8,
)
CONTEXTS = st.builds(
    Context,
    st.sampled_from(NOWS),
    st.sampled_from(ZONES),
    st.sampled_from(["me", "", "a'"]),
)


QUERIES = _queries()
