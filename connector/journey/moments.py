"""A moment of truth over all records of a table, as SQL for DuckDB.

1. `seen_query`: what is asked of each record: conditions as booleans, instants as texts.
2. `verdict_sql`: over that, which evidence comes first inside the window, and so the polarity.

What one record's moment becomes is a pure function of (record, mapping, now): nothing here knows
earlier verdicts. `moment_proofs.tell` says the same for one record, in Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlglot import exp

from connector.encoded_query import Context
from connector.journey.compiler import ASLEEP, FIELDS, compile_on, field_column
from connector.journey.conditions import empty_sets, parse_condition
from connector.journey.measures import instant
from connector.journey.model import Mapping
from connector.journey.moment_model import END, START, WORDS, YEARS, Evidence, Moment, Window
from connector.journey.scope import Catalogue, UnavailableError, select_fields
from connector.messages import _, current_language
from connector.timestamps import format_instance

PLACES = 64
"""Pieces of evidence that one moment may have: an instant and a place make one number."""


@dataclass(frozen=True)
class OffMoment:
    """A moment that this instance cannot decide, with the reason as a sentence."""

    moment_id: str
    table: str
    reason: str


def usable(moment: Moment, table: str, catalogue: Catalogue) -> Moment | OffMoment:
    """The moment without what this instance does not give, or why it is off."""
    if reason := _beginning_fault(moment, table, catalogue):
        return OffMoment(moment.id, table, reason)
    kept: list[Evidence] = []
    for one in moment.evidence:
        fault = _evidence_fault(one, table, catalogue)
        if fault and not one.optional:
            return OffMoment(moment.id, table, fault)
        if not fault:
            kept.append(one)
    if not kept:
        return OffMoment(moment.id, table, _("no evidence can be read"))
    return replace(moment, evidence=tuple(kept))


def _beginning_fault(moment: Moment, table: str, catalogue: Catalogue) -> str:
    """Why it cannot be told whether the moment began and when it ends; "" if it can."""
    if moment.off:
        return moment.off.in_(current_language())
    if not catalogue.has_table(table):
        return _("the table {table} is not read").format(table=table)
    for when in (moment.when, *(window.when for window in moment.windows)):
        if fault := _fault(when, table, catalogue):
            return fault
    for names in (moment.starts, *(w.start for w in moment.windows if w.start)):
        if not _given(names, table, catalogue):
            return _missing(names[0], table, catalogue)
    return ""


def off_moments(mapping: Mapping, table: str, catalogue: Catalogue) -> list[OffMoment]:
    """The moments of one table that are off on what can be read."""
    found = [usable(moment, table, catalogue) for moment in mapping.moments_of(table)]
    return [one for one in found if isinstance(one, OffMoment)]


def _fault(when: str, table: str, catalogue: Catalogue) -> str:
    fault = compile_on(parse_condition(when, catalogue.sets), table, catalogue, _ANY_TIME)
    if fault == ASLEEP:
        return _("the set {names} is empty").format(
            names=", ".join(empty_sets(when, catalogue.sets))
        )
    return fault if isinstance(fault, str) else ""


def _evidence_fault(one: Evidence, table: str, catalogue: Catalogue) -> str:
    is_dated = any(name in WORDS for name in one.at)
    if not is_dated and not _given(one.fields, table, catalogue):
        return _missing(one.fields[0], table, catalogue)
    return _fault(one.when, table, catalogue)


def _given(names: Sequence[str], table: str, catalogue: Catalogue) -> list[str]:
    return [name for name in names if catalogue.gives(table, name)]


def _missing(name: str, table: str, catalogue: Catalogue) -> str:
    try:
        catalogue.type_of(table, name)
    except UnavailableError as error:
        return error.reason
    return ""


# --- what is asked --------------------------------------------------------------------------------


def seen_query(moment: Moment, table: str, catalogue: Catalogue, context: Context) -> exp.Select:
    """One row per record of `table`: `sys_id` and what `verdict_sql` needs.

    `potential`, `w0`, `w1`, … whether a window is its own, `e0`, … whether evidence holds, `known`:
    nothing that speaks against it is unknown; `starts`, `b0`, … where a window begins, `a0`, …
    when evidence happened, as text. The moment must be a `usable` one.
    """
    tests = {"potential": moment.when}
    tests |= {f"w{n}": window.when for n, window in enumerate(moment.windows)}
    tests |= {f"e{n}": one.when for n, one in enumerate(moment.evidence)}
    instants = {"starts": moment.starts}
    instants |= {f"b{n}": window.start for n, window in enumerate(moment.windows)}
    instants |= {f"a{n}": one.fields for n, one in enumerate(moment.evidence)}
    read = {name: _given(names, table, catalogue) for name, names in instants.items()}
    against = [one.when for one in moment.evidence if one.polarity == "negative"]
    asked = _fields((*tests.values(), *against), catalogue)
    inner = select_fields(
        catalogue, table, [*asked, *(f for names in read.values() for f in names)], context
    )
    return exp.select(
        field_column("sys_id"),
        *(
            exp.alias_(_test(when, table, catalogue, context), name, copy=False)
            for name, when in tests.items()
        ),
        exp.alias_(_known(_fields(against, catalogue)), "known"),
        *(exp.alias_(_first_filled(names), name, copy=False) for name, names in read.items()),
        copy=False,
    ).from_(inner.subquery(FIELDS, copy=False), copy=False)


def _fields(conditions: Sequence[str], catalogue: Catalogue) -> list[str]:
    queries = [parse_condition(when, catalogue.sets) for when in conditions]
    return sorted({name for query in queries for name in query.fields})


def _test(when: str, table: str, catalogue: Catalogue, context: Context) -> exp.Condition:
    compiled = compile_on(parse_condition(when, catalogue.sets), table, catalogue, context)
    return exp.false() if isinstance(compiled, str) else compiled


def _known(names: Sequence[str]) -> exp.Condition:
    tests = [exp.Not(this=exp.Is(this=field_column(n), expression=exp.null())) for n in names]
    return exp.and_(*tests) if tests else exp.true()


def _first_filled(names: Sequence[str]) -> exp.Condition:
    """The first text that is an instant; NULL for none."""
    ifs = [exp.If(this=_is_instant(name), true=field_column(name)) for name in names]
    return exp.Case(ifs=ifs) if ifs else exp.cast(exp.null(), exp.DType.VARCHAR)


def _is_instant(name: str) -> exp.Condition:
    """Written year first, of `YEARS`, a day of the calendar: the engine also reads `infinity`."""
    shape = exp.Like(this=field_column(name), expression=exp.Literal.string("____-__-__%"))
    unknown = exp.Is(this=instant(field_column(name)), expression=exp.null())
    first, last = (exp.Literal.string(year) for year in YEARS)
    years = exp.and_(field_column(name) >= first, field_column(name) < last, copy=False)
    return exp.and_(shape, years, exp.Not(this=unknown), copy=False)


_ANY_TIME = Context(datetime(2026, 1, 1, tzinfo=UTC))


# --- what becomes of it ---------------------------------------------------------------------------


def verdict_sql(moment: Moment, seen: str, context: Context) -> str:
    """SELECT sys_id, polarity, started_at, window_ends_at, decided_at, evidence, weight.

    `seen` is the SQL of `seen_query`. One row for each record that has the moment at `context.now`.
    Evidence becomes one number made of its instant and its place: the least is the first.
    """
    now = f"TIMESTAMP '{format_instance(context.now)}'"
    places = range(len(moment.evidence))
    instants = ", ".join(f"{_instant(one, n)} AS at{n}" for n, one in enumerate(moment.evidence))
    keys = ", ".join(_key(n) for n in places)
    firsts = "".join(f" WHEN k{n} THEN {{{n}}}" for n in places)

    def chosen(*given: object) -> str:
        return f"CASE best{firsts.format(*given)} END"

    polarity = chosen(*(f"'{one.polarity}'" for one in moment.evidence))
    over = f"window_ends_at <= {now}"
    return (
        f"WITH seen AS ({seen}), timed AS ("
        f"SELECT *, TRY_CAST(starts AS TIMESTAMP) - INTERVAL {moment.lead_days} DAY AS started_at"
        " FROM seen WHERE potential"
        f"), ended AS (SELECT *, CASE WHEN ends IS NOT NULL THEN greatest(ends, started_at) END"
        f" AS window_ends_at FROM (SELECT *, {_end(moment, context.time_zone)} AS ends FROM timed)"
        f" WHERE started_at <= {now}"
        f"), dated AS (SELECT *, {instants} FROM ended"
        f"), keyed AS (SELECT *, {keys} FROM (SELECT *,"
        f" least(coalesce(window_ends_at, {now}), {now}) AS until FROM dated)"
        f"), judged AS (SELECT *, least({', '.join(f'k{n}' for n in places)}, NULL) AS best"
        " FROM keyed)"
        f" SELECT sys_id, coalesce({polarity}, CASE WHEN {over} THEN 'neutral' ELSE 'open' END)"
        " AS polarity, started_at, window_ends_at,"
        f" coalesce({chosen(*(f'at{n}' for n in places))},"
        f" CASE WHEN {over} THEN window_ends_at END) AS decided_at,"
        f" coalesce({chosen(*(repr(one.code) for one in moment.evidence))}, '') AS evidence,"
        f" coalesce({chosen(*(one.weight for one in moment.evidence))}, {moment.weight})::INTEGER"
        " AS weight FROM judged"
    )


def _instant(one: Evidence, place: int) -> str:
    """When evidence happened, NULL where it did not, or not at a known time."""
    field = f"TRY_CAST(a{place} AS TIMESTAMP)"
    words = {START: "started_at", END: "window_ends_at"}
    tried = ", ".join([field, *(words[name] for name in one.at if name in WORDS)])
    holds = f"e{place} AND known" if one.is_absence else f"e{place}"
    return f"CASE WHEN {holds} THEN coalesce({tried}, NULL) END"


def _key(place: int) -> str:
    """Earlier is less; on the same instant what stands first, so the negative, then the neutral."""
    number = f"floor(epoch(at{place}))::BIGINT * {PLACES} + {place}"
    return f"CASE WHEN at{place} BETWEEN started_at AND until THEN {number} END AS k{place}"


def _end(moment: Moment, zone: str) -> str:
    ifs = " ".join(
        f"WHEN w{n} THEN {_length(_base(n, bool(w.start)), w, zone)}"
        for n, w in enumerate(moment.windows)
    )
    return f"CASE {ifs} ELSE started_at END"


def _base(place: int, is_given: bool) -> str:
    """Where a window begins; a day without a time is over when it ends."""
    if not is_given:
        return "started_at"
    whole = f"CASE WHEN length(b{place}) = 10 THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END"
    return f"TRY_CAST(b{place} AS TIMESTAMP) + {whole}"


def _length(base: str, window: Window, zone: str) -> str:
    begin = f"({base} + INTERVAL {window.days} DAY + INTERVAL {window.minutes} MINUTE)"
    return _after_working_days(begin, window.working_days, zone) if window.working_days else begin


_MONDAY = "DATE '1969-12-29'"


def _after_working_days(begin: str, days: int, zone: str) -> str:
    """The end, in `zone`, of the n-th working day (Monday to Friday) after the day of `begin`."""
    day = f"(timezone('{zone}', timezone('UTC', {begin}))::DATE - {_MONDAY} + 1)"
    number = f"({day} // 7 * 5 + least({day} % 7, 5) + {days - 1})"
    last = f"({_MONDAY} + CAST({number} // 5 * 7 + {number} % 5 + 1 AS INTEGER))::TIMESTAMP"
    return f"timezone('UTC', timezone('{zone}', {last}))"
