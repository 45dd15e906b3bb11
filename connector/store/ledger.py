"""The trust ledger in the store: whose evidence, of which kind, on which day. TEMP TABLEs only.

`tie` says to which relationship a record belongs, `ledger` sums its lines by day, `seen` tells
people apart (as hashes, for the length of a run): nothing of a person leaves it but counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.store.database import Store
from connector.store.records import name
from connector.store.runs import naive

OWN_STEP = "*"

_LINE = {
    "line": "BIGINT",
    "id": "VARCHAR",
    "dimension": "BIGINT",
    "value": "DOUBLE",
    "weight": "DOUBLE",
    "step": "VARCHAR",
    "is_severe": "BOOLEAN",
    "answers": "BOOLEAN",
}
"""What SQL knows of a line of the ledger."""


@dataclass(frozen=True)
class Tied:
    """How the answers about records of one table become evidence.

    `customer`, `service` and `service_fallback` are (field, table that it refers to) pairs; `given`
    is (number, condition's name, columns of its instant). Services that are no member of
    `service_table` ("" = any) do not count. `step` is where its evidence counts: a step, OWN_STEP
    for that of the record, "" for that of the record that `via` leads to.
    """

    table: str
    via: tuple[str, ...]
    customer: tuple[tuple[str, str], ...]
    service: tuple[tuple[str, str], ...]
    service_fallback: tuple[tuple[str, str], ...]
    service_table: str
    person: tuple[str, ...]
    sponsor: tuple[str, ...]
    given: tuple[tuple[int, str, tuple[str, ...]], ...]
    step: str


@dataclass(frozen=True)
class Span:
    """From when evidence is taken (None = all of it), until when, and the window for people."""

    since: datetime | None
    until: datetime
    window_from: datetime
    first_ring: int
    """Numbers from here on are ring evidence: taken however old it is."""
    sponsor_weight: float


def begin(store: Store, lines: Sequence[Mapping[str, Any]]) -> None:
    """Start over with empty tables; `lines` as `journey.engagement.line_rows` gives them.

    `no_evidence` are the records that rules leave out of the figures. One that no rule knows is
    evidence all the same: that its place is unknown does not undo what happened.
    """
    store.execute(
        "CREATE OR REPLACE TEMP TABLE tie (sys_id VARCHAR, relation UBIGINT, person UBIGINT,"
        " is_sponsor BOOLEAN, step VARCHAR)"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE ledger (relation UBIGINT, line INTEGER, step VARCHAR,"
        " day INTEGER, weight DOUBLE, records BIGINT)"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE relation (relation UBIGINT, customer_table VARCHAR,"
        " customer VARCHAR, service_table VARCHAR, service VARCHAR, records BIGINT,"
        " fallback BIGINT)"
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE seen (relation UBIGINT, step VARCHAR, person UBIGINT,"
        " is_in_window BOOLEAN, is_scored BOOLEAN)"
    )
    store.execute("CREATE OR REPLACE TEMP TABLE nobodys (table_name VARCHAR, records BIGINT)")
    store.execute(
        "CREATE OR REPLACE TEMP TABLE no_evidence AS SELECT table_name, sys_id FROM classified"
        " WHERE touchpoint = '' AND rule_id <> 'unclassified'"
    )
    with store.given("given_lines", lines, _LINE):
        store.execute("CREATE OR REPLACE TEMP TABLE line AS FROM given_lines")


def take(store: Store, tied: Tied, query: str, span: Span, journey: str) -> None:
    """Bring the records of one table in, and what is tied to them.

    `query` answers its conditions and fields. Ignored records stay out.
    """
    source = _tied_by_another(tied) if tied.via else _tied_by_itself(tied)
    # The answers first: what they join and what the evidence joins is not held at once.
    services = "".join(
        f", {_service(field, table, tied.service_table)} AS {_named(field)}"
        for field, table in tied.service
    )
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE q AS SELECT *{services} FROM ({query}) WHERE sys_id NOT IN"
        " (SELECT sys_id FROM no_evidence WHERE table_name = $table)",
        table=tied.table,
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE evidence AS"
        " SELECT * EXCLUDE (given), [x for x in given if"
        " x.happened IS NOT NULL AND x.happened <= $until AND (x.line >= $first_ring"
        " OR $since::TIMESTAMP IS NULL OR x.happened > $since)] AS given"
        f" FROM ({source})",
        until=naive(span.until),
        since=naive(span.since) if span.since else None,
        first_ring=span.first_ring,
        **({"table": tied.table, "journey": journey} if tied.step == OWN_STEP else {}),
    )
    store.execute("DROP TABLE q")
    if not tied.via:
        _take_relations(store, tied.table, span)
    store.execute(
        "INSERT INTO tie SELECT sys_id, relation, person, is_sponsor, step FROM evidence"
        " WHERE relation IS NOT NULL"
    )
    _take_lines(store, span)
    store.execute("DROP TABLE evidence")


def take_moments(
    store: Store, table: str, moments: Mapping[int, tuple[str, str]], span: Span
) -> None:
    """Bring decided moments of truth in. `moments`: line → (moment id, polarity)."""
    wanted = " OR ".join(
        f"(m.moment_id = '{moment}' AND m.polarity = '{polarity}')"
        for moment, polarity in sorted(set(moments.values()))
    )
    number = " ".join(
        f"WHEN m.moment_id = '{moment}' AND m.polarity = '{polarity}' THEN {line}"
        for line, (moment, polarity) in moments.items()
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE evidence AS"
        " SELECT t.relation, t.person, t.is_sponsor, t.step,"
        f" [{{'line': CASE {number} END, 'happened': m.decided_at}}] AS given"
        f" FROM {table} m JOIN tie t ON t.sys_id = m.sys_id"
        f" WHERE ({wanted}) AND m.decided_at <= $until"
        " AND ($since::TIMESTAMP IS NULL OR m.decided_at > $since)",
        until=naive(span.until),
        since=naive(span.since) if span.since else None,
    )
    _take_lines(store, span)
    store.execute("DROP TABLE evidence")


def _first(fields: Sequence[str]) -> str:
    """The first of these fields that is filled."""
    parts = ", ".join(f"nullif({_column(field)}, '')" for field in fields)
    return f"coalesce({parts}, NULL)" if parts else "NULL::VARCHAR"


def _given(tied: Tied) -> str:
    """What a record gives, as a list of (line, instant)."""
    return ", ".join(
        f"CASE WHEN {_column(condition)} THEN"
        f" {{'line': {number}, 'happened': coalesce({_instants(columns)}, NULL)}} END"
        for number, condition, columns in tied.given
    )


def _instants(columns: Sequence[str]) -> str:
    return ", ".join(f"TRY_CAST({_column(column)} AS TIMESTAMP)" for column in columns)


def _person(tied: Tied) -> str:
    return f"hash({_first(tied.person)})" if tied.person else "NULL::UBIGINT"


def _sponsor(tied: Tied) -> str:
    parts = [f"coalesce({_column(field)} = 'true', false)" for field in tied.sponsor]
    return " OR ".join(parts) or "false"


def _step(tied: Tied) -> str:
    if tied.step != OWN_STEP:
        return _quoted(tied.step) if tied.step else "NULL::VARCHAR"
    return (
        "(SELECT any_value(c.steps[$journey]) FROM classified c"
        " WHERE c.table_name = $table AND c.sys_id = q.sys_id)"
    )


def _named(field: str) -> str:
    """The service that a field names, if it counts: a column of `q`."""
    return _column(f"service {field}")


def _service(field: str, refers_to: str, service_table: str) -> str:
    value = f"nullif({_column(field)}, '')"
    if not service_table or refers_to == service_table:
        return value
    return (
        f"CASE WHEN {_column(field)} IN (SELECT sys_id FROM current.{name(service_table)})"
        f" THEN {value} END"
    )


def _table_of(values: Sequence[tuple[str, str]]) -> str:
    """The table that the first filled one of (value, table) pairs refers to."""
    whens = " ".join(f"WHEN {value} IS NOT NULL THEN {_quoted(table)}" for value, table in values)
    return f"CASE {whens} ELSE '' END" if whens else "''"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _column(field: str) -> str:
    """A column, dot-walk, fact or condition, as `evaluate.ask` names it."""
    return '"' + field.replace('"', '""') + '"'


def _tied_by_itself(tied: Tied) -> str:
    """The evidence of records that name customer and service themselves."""
    customer = [(f"nullif({_column(field)}, '')", table) for field, table in tied.customer]
    named = [(_named(field), tied.service_table or table) for field, table in tied.service]
    stand_in = [(f"nullif({_column(field)}, '')", table) for field, table in tied.service_fallback]
    services = [value for value, _table in (*named, *stand_in)]
    is_named = " OR ".join(f"({value}) IS NOT NULL" for value, _table in named) or "false"
    return (
        "SELECT sys_id, CASE WHEN customer IS NOT NULL THEN hash(customer, service) END"
        " AS relation, * EXCLUDE (sys_id) FROM (SELECT sys_id,"
        f" {_first([field for field, _table in tied.customer])} AS customer,"
        f" {_table_of(customer)} AS customer_table,"
        f" coalesce({', '.join([*services, _quoted('')])}) AS service,"
        f" {_table_of([*named, *stand_in])} AS service_table,"
        f" NOT ({is_named}) AS is_fallback,"
        f" {_person(tied)} AS person, {_sponsor(tied)} AS is_sponsor,"
        f" {_step(tied)} AS step, [{_given(tied)}] AS given FROM q)"
    )


def _tied_by_another(tied: Tied) -> str:
    """The evidence of records whose relationship is that of the record that `via` leads to.

    So are its people: who approves may be of any department, and made a small one look large.
    """
    return (
        "SELECT own.sys_id, t.relation, t.person,"
        " own.is_sponsor OR t.is_sponsor AS is_sponsor, coalesce(own.step, t.step) AS step,"
        f" own.given FROM (SELECT sys_id, {_first(tied.via)} AS via,"
        f" {_sponsor(tied)} AS is_sponsor, {_step(tied)} AS step, [{_given(tied)}] AS given"
        " FROM q) own JOIN tie t ON t.sys_id = own.via"
    )


def _take_relations(store: Store, table: str, span: Span) -> None:
    store.execute(
        "INSERT INTO relation SELECT relation, any_value(customer_table), any_value(customer),"
        " any_value(service_table), any_value(service), count(*) FILTER (is_in_window),"
        " count(*) FILTER (is_in_window AND is_fallback)"
        " FROM (SELECT *, coalesce(list_max([x.happened for x in given]) > $from, false)"
        " AS is_in_window FROM evidence) WHERE relation IS NOT NULL GROUP BY relation",
        **{"from": naive(span.window_from)},
    )
    store.execute(
        "INSERT INTO nobodys SELECT $table, count(*) FROM evidence"
        " WHERE relation IS NULL AND len(given) > 0",
        table=table,
    )


def _take_lines(store: Store, span: Span) -> None:
    store.execute(
        "INSERT INTO ledger SELECT e.relation, e.g.line, coalesce(l.step, e.step),"
        " date_diff('day', DATE '1970-01-01', e.g.happened::DATE) AS day,"
        " sum(CASE WHEN e.is_sponsor THEN $sponsor ELSE 1.0 END), count(*)"
        " FROM (SELECT relation, is_sponsor, step, unnest(given) AS g FROM evidence"
        " WHERE relation IS NOT NULL) e JOIN line l ON l.line = e.g.line GROUP BY ALL",
        sponsor=span.sponsor_weight,
    )
    store.execute(
        "INSERT INTO seen SELECT e.relation, coalesce(l.step, e.step) AS step, e.person,"
        " bool_or(e.g.happened > $from), bool_or(e.g.happened > $from AND l.dimension >= 0"
        " AND l.weight > 0) FROM (SELECT relation, step, person, unnest(given) AS g"
        " FROM evidence WHERE relation IS NOT NULL AND person IS NOT NULL) e"
        " JOIN line l ON l.line = e.g.line GROUP BY ALL",
        **{"from": naive(span.window_from)},
    )
