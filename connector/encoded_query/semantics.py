"""The normative table of what each operator means: docs/mappings.md is generated from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connector.encoded_query.moments import CALLS, RELATIVE_UNITS


@dataclass(frozen=True)
class SemanticsRow:
    """One row: how it is written, for which types, what it means, what it does with empties."""

    operators: tuple[str, ...]  # canonical names, as in Condition.operator
    forms: tuple[str, ...]
    types: str
    meaning: str
    empties: str


_NEVER = "an empty column never matches"

_ROWS = (
    SemanticsRow(
        ("=",), ("state=1", "caller_id=", "caller_id=NULL"), "all",
        "equal, as the column's type compares; without a value (or `NULL`): is empty",
        "matches them only without a value",
    ),
    SemanticsRow(
        ("!=",), ("state!=6", "caller_id!="), "all",
        "not equal; without a value (or `NULL`): is not empty",
        "does **not** match them, except on a boolean: `active!=true` finds false and empty",
    ),
    SemanticsRow(
        (">", ">=", "<", "<="), ("priority<=2", "opened_at>=2026-11-01 00:00:00"),
        "all but boolean", "ordered as the type compares", _NEVER,
    ),
    SemanticsRow(
        ("IN",), ("stateIN1,2,3", "cat_itemIN@onboarding_items"), "all",
        "equal to one of the values; `@name` is a named set of the mapping; blanks around a value "
        "and empty values do not count; an empty list matches nothing", _NEVER,
    ),
    SemanticsRow(
        ("NOT IN",), ("stateNOT IN6,7,8",), "all", "equal to none of the values",
        "does not match them, except on a boolean",
    ),
    SemanticsRow(
        ("LIKE",), ("short_descriptionLIKEvpn", "short_descriptionCONTAINSvpn",
                    "short_description*vpn"),
        "all, on the stored text",
        "contains the text; without a value: has any text", _NEVER,
    ),
    SemanticsRow(
        ("NOT LIKE",), ("short_descriptionNOT LIKEvpn", "short_descriptionDOES NOT CONTAINvpn",
                        "short_description!*vpn"),
        "all, on the stored text", "has a text that does not contain the value", _NEVER,
    ),
    SemanticsRow(
        ("STARTSWITH", "ENDSWITH"), ("numberSTARTSWITHINC", "emailENDSWITH.org", "email%.org"),
        "all, on the stored text",
        "begins or ends with the text; without a value: has any text", _NEVER,
    ),
    SemanticsRow(
        ("ISEMPTY", "EMPTYSTRING"), ("assigned_toISEMPTY", "assigned_toEMPTYSTRING"), "all",
        "has no value of its type", "matches them",
    ),
    SemanticsRow(
        ("ISNOTEMPTY",), ("assigned_toISNOTEMPTY",), "all", "has a value of its type", _NEVER,
    ),
    SemanticsRow(("ANYTHING",), ("stateANYTHING",), "all", "always true", "matches them"),
    SemanticsRow(
        ("BETWEEN",), ("reassignment_countBETWEEN1@3",), "all but boolean",
        "from the first value to the second, both included", _NEVER,
    ),
    SemanticsRow(
        ("ON",), ("opened_atONToday@javascript:gs.daysAgoStart(0)@javascript:gs.daysAgoEnd(0)",
                  "opened_atON2026-11-01"),
        "datetime, date",
        "from start to end, both included (the label says nothing); or the whole of one day in "
        "the time zone", _NEVER,
    ),
    SemanticsRow(
        ("NOTON",),
        ("opened_atNOTONToday@javascript:gs.daysAgoStart(0)@javascript:gs.daysAgoEnd(0)",),
        "datetime, date", "has a value outside that stretch", _NEVER,
    ),
    SemanticsRow(
        ("RELATIVEGT", "RELATIVEGE", "RELATIVELT", "RELATIVELE"),
        ("sys_created_onRELATIVEGT@hour@ago@4", "due_dateRELATIVELE@dayofweek@ahead@7"),
        "datetime, date",
        "after, at or after, before, at or before the moment that many units ago or ahead; from "
        "a day up the wall clock stays the same", _NEVER,
    ),
    SemanticsRow(
        ("RELATIVEEE",), ("sys_created_onRELATIVEEE@dayofweek@ago@1",), "datetime, date",
        "within the whole unit (that hour, that day, …) that holds the moment", _NEVER,
    ),
    SemanticsRow(
        ("SAMEAS",), ("opened_bySAMEAScaller_id",), "all",
        "equal to another column: as numbers, booleans or dates where both are, else as text",
        "both columns need a value",
    ),
    SemanticsRow(
        ("NSAMEAS",), ("opened_byNSAMEAScaller_id",), "all",
        "different from another column", "both columns need a value",
    ),
    SemanticsRow(
        ("GT_FIELD", "GT_OR_EQUALS_FIELD", "LT_FIELD", "LT_OR_EQUALS_FIELD"),
        ("reassignment_countGT_FIELDreopen_count", "resolved_atLT_OR_EQUALS_FIELDdue_date"), "all",
        "ordered against another column", "both columns need a value",
    ),
    SemanticsRow(
        ("DYNAMIC",), ("assigned_toDYNAMIC90d1921e5f510100a9ad2572f2b477fe",), "reference",
        "is the user who asks; of the dynamic values only “Me” is known", _NEVER,
    ),
)  # fmt: skip

_TYPES = (
    ("string, journal", "text without case; accents count; `%` and `_` are ordinary characters",
     "nothing is garbage"),
    ("integer, decimal", "numbers: 10 is greater than 3, 2.0 equals 2",
     "anything but digits with a sign and one point (`12abc`, `1e3`, `nan`) is empty"),
    ("boolean", "`true` or `1`, `false` or `0`", "anything else is empty"),
    ("datetime", "`YYYY-MM-DD HH:MM:SS` in UTC, as text; a day alone is its midnight",
     "compared as it stands"),
    ("date", "`YYYY-MM-DD`, as text; an instant is the day it falls on in the time zone",
     "compared as it stands"),
    ("duration", "`1970-01-02 04:23:17` (28 h 23 min 17 s), as text; a query may give seconds",
     "compared as it stands"),
    ("reference", "the sys_id, with case", "nothing is garbage"),
)  # fmt: skip

_GRAMMAR = """\
- `a=1^b=2` both; `a=1^b=2^ORc=3` is a and (b or c): `^OR` belongs to the condition before it;
  `^NQ` begins a second full filter, and either may match.
- `^ORDERBYcol`, `^ORDERBYDESCcol` anywhere, the first is the primary; empties come first going up
  and last going down. `^EQ` and empty pieces are ignored. An empty query matches everything.
- `^^` in a value is one `^`. Column names and operators keep their case; nothing is trimmed but
  the values of a list.
- NULL and the empty text are the same. No condition is ever unknown: it holds or it does not.
- Refused with its position: `JOIN`, `RLQUERY`, `DATEPART`, `MORETHAN`, `LESSTHAN`, `VALCHANGES`,
  `CHANGESFROM`, `CHANGESTO`, `INSTANCEOF`, `MATCH_PAT`, `MATCH_RGX`, `IN_HIERARCHY`, and a value
  that its column's type cannot hold (`state=abc` on an integer)."""

_TIMES = """\
- Plain dates are UTC. Relative dates and `javascript:gs.…` calls are reckoned in the configured
  time zone; a week begins on Monday; minutes and hours are elapsed time. A wall time that happens
  twice is the first of the two; one that is skipped counts as if the clock had run on.
- Units of a relative date: {units}.
- `gs.now()` is today's date, so its midnight in a datetime column; `gs.nowDateTime()` is now.
- Calls that are evaluated, and no others: {calls}."""


def semantics_rows() -> tuple[SemanticsRow, ...]:
    """Every operator that can be honoured, in the order of the documentation."""
    return _ROWS


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def semantics_markdown() -> str:
    """Grammar, types, operators and dates as Markdown, for docs/mappings.md."""
    operators = (
        (_code(r.operators), "<br>".join(f"`{form}`" for form in r.forms), r.types, r.meaning,
         r.empties)
        for r in semantics_rows()
    )  # fmt: skip
    times = _TIMES.format(units=_code(RELATIVE_UNITS), calls=_code(CALLS))
    return "\n\n".join(
        (
            "### How a query reads",
            _GRAMMAR,
            "### How each type compares",
            _table(("type", "compares as", "garbage in the column"), _TYPES),
            "### What each operator means",
            _table(("operator", "written", "types", "meaning", "empty columns"), operators),
            "### Dates and calls",
            times,
        )
    )
