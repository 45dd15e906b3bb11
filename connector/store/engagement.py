"""Scores and states of relationships: computed from the ledger's TEMP TABLEs, saved, read again.

Whatever says where a relationship stands is computed anew from its evidence, day by day over the
window, so a store that ran every night and one that was filled just now agree. Relationships go
through in parts: memory does not grow with their number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from connector.store import relationship_plans
from connector.store.database import Row, Store

PART = 250
"""Relationships whose days are in memory at once."""

MONTH = 30
"""Days over which "since last month" looks back."""

HEAVIEST = 5

TELLING = 0.05
"""Fewer points than these would be shown as none."""


@dataclass(frozen=True)
class Formulas:
    """The SQL of the formulas (`journey.engagement_formula`), and the days that they are for."""

    day_sums: str
    scored: str
    walk: str
    dimensions: str
    points: str
    step_scores: str
    ring: str
    steps: tuple[str, ...]
    first_step: str
    today: int
    first_day: int
    confidence_k: float
    ageing: str


def compute(store: Store, formulas: Formulas) -> None:
    """TEMP TABLEs `engagement_next`, `engagement_change_next`, `ring_next` from the ledger."""
    for table in ("engagement", "engagement_change"):
        store.execute(f"CREATE OR REPLACE TEMP TABLE {table}_next AS FROM {table} LIMIT 0")
    store.execute("CREATE OR REPLACE TEMP TABLE ring_next AS FROM ring LIMIT 0")
    sum_days(store, formulas)
    days = range(formulas.first_day, formulas.today + 1)
    for part in parts(store):
        score_days(store, formulas, part, days)
        _compute_part(store, formulas, part)


def sum_days(store: Store, formulas: Formulas) -> None:
    """TEMP TABLE `day_sum`: the ledger by relationship and day."""
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE day_sum AS {formulas.day_sums}", steps=list(formulas.steps)
    )


def parts(store: Store) -> Iterator[tuple[int, int]]:
    """The numbers of the relationships, a few hundred at a time."""
    last = int(store.value("SELECT coalesce(max(no), 0) FROM party"))
    for low in range(1, last + 1, PART):
        yield low, min(low + PART - 1, last)


def score_days(
    store: Store, formulas: Formulas, part: tuple[int, int], days: Sequence[int]
) -> None:
    """TEMP TABLE `scored`: these days of these relationships, and those with evidence."""
    store.execute(
        f"CREATE OR REPLACE TEMP TABLE scored AS {formulas.scored}",
        days=list(days),
        low=part[0],
        high=part[1],
    )


def _compute_part(store: Store, formulas: Formulas, part: tuple[int, int]) -> None:
    store.execute(f"CREATE OR REPLACE TEMP TABLE walked AS {formulas.walk}")
    store.execute(
        "CREATE OR REPLACE TEMP TABLE of_part AS SELECT m.no, d.line, d.step, d.day,"
        " sum(d.weight) AS weight, sum(d.records) AS records"
        " FROM ledger d JOIN member m USING (relation) WHERE m.no BETWEEN $low AND $high"
        " GROUP BY ALL",
        low=part[0],
        high=part[1],
    )
    store.execute(_POINT, today=formulas.today, month=MONTH)
    store.execute(f"CREATE OR REPLACE TEMP TABLE points AS {formulas.points}")
    store.execute(_REASONS, heaviest=HEAVIEST)
    store.execute(
        "CREATE OR REPLACE TEMP TABLE in_step AS SELECT no, map_from_entries(list((step,"
        " CASE WHEN t.step IS NULL THEN score END) ORDER BY s.step)) AS steps"
        f" FROM ({formulas.step_scores}) s LEFT JOIN small_step t USING (no, step) GROUP BY no",
        steps=list(formulas.steps),
    )
    store.execute(
        _RING.format(ring=formulas.ring),
        **({"first": formulas.first_step} if "$first" in formulas.ring else {}),
    )
    _tell(store, formulas)
    store.execute(_CHANGE)


def _tell(store: Store, formulas: Formulas) -> None:
    """Where each relationship of the part stands today, since when, and what moved it."""
    today = formulas.today
    store.execute(_PAST, today=today, month=MONTH)
    store.execute(_SINCE)
    store.execute(_MOVED, today=today, month=MONTH, heaviest=HEAVIEST, ageing=formulas.ageing)
    store.execute(_TOLD, today=today)
    store.execute(
        _NEXT.format(dimensions=formulas.dimensions), today=today, k=formulas.confidence_k
    )


_DAY = "(DATE '1970-01-01' + {}::INTEGER)"

# The days whose reasons are asked for: today, a month ago, and every day on which a state changed.
_POINT = """
CREATE OR REPLACE TEMP TABLE point AS
SELECT no, day, state, score, from_state FROM (
    SELECT *, lag(state) OVER (PARTITION BY no ORDER BY day) AS from_state FROM walked
) WHERE day IN ($today, $today - $month) OR state <> from_state
"""

_REASONS = """
CREATE OR REPLACE TEMP TABLE reason AS
SELECT p.no, p.day, list(struct_pack(line := l.id, records := p.records, points := p.points)
    ORDER BY abs(p.points) DESC, l.id)[:$heaviest] AS reasons
FROM points p JOIN line l USING (line) WHERE p.points <> 0 GROUP BY p.no, p.day
"""

_RING = f"""
INSERT INTO ring_next
SELECT p.sys_id, {_DAY.format("r.proposed_day")}, r.evidence, NULL
FROM ({{ring}}) r JOIN party p USING (no)
"""

# Few joins in each statement: what one needs of memory grows with them, however few the rows.
_PAST = """
CREATE OR REPLACE TEMP TABLE past AS
SELECT no, any_value(state) FILTER (day = $today) AS state,
    any_value(state) FILTER (day = $today - $month) AS month_state,
    any_value(score) FILTER (day = $today - $month) AS month_score
FROM walked GROUP BY no HAVING bool_or(day = $today)
"""

_SINCE = """
CREATE OR REPLACE TEMP TABLE since AS
SELECT w.no, max(w.day) + 1 AS day FROM walked w JOIN past n USING (no)
WHERE w.state <> n.state GROUP BY w.no
"""

# New evidence by its lines; what the older has lost or gained beside it is one line, the last.
_MOVED = f"""
CREATE OR REPLACE TEMP TABLE moved AS
WITH fresh AS (
    SELECT p.no, l.id, p.fresh_records AS records, p.fresh_points AS points
    FROM points p JOIN line l USING (line) WHERE p.day = $today AND abs(p.fresh_points) >= {TELLING}
), aged AS (
    SELECT no, round(sum(CASE WHEN day = $today THEN points - fresh_points ELSE -points END), 6)
        AS points
    FROM points WHERE day IN ($today, $today - $month) GROUP BY no
), heaviest AS (
    SELECT no, list(struct_pack(line := id, records := records, points := points)
        ORDER BY abs(points) DESC, id)[:$heaviest] AS moves
    FROM fresh GROUP BY no
)
SELECT no, list_concat(coalesce(h.moves, []), CASE WHEN abs(a.points) >= {TELLING}
    THEN [struct_pack(line := $ageing::VARCHAR, records := 0::BIGINT, points := a.points)]
    ELSE [] END) AS moves
FROM aged a LEFT JOIN heaviest h USING (no)
"""

_TOLD = """
CREATE OR REPLACE TEMP TABLE told AS
SELECT n.*, since.day AS since, r.reasons, v.moves
FROM past n LEFT JOIN since USING (no) LEFT JOIN moved v USING (no)
LEFT JOIN (SELECT no, reasons FROM reason WHERE day = $today) r USING (no)
"""

_NEXT = f"""
INSERT INTO engagement_next BY NAME
SELECT p.sys_id, p.customer_table, p.customer, p.customer_name, p.service_table, p.service,
    p.service_name, {_DAY.format("s.day")} AS as_of, n.state, {_DAY.format("n.since")} AS since,
    s.score, s.provider, s.customer AS customer_side, {{dimensions}} AS dimensions,
    coalesce(t.steps, MAP {{{{}}}}) AS steps, coalesce(s.evidence, 0) AS evidence,
    coalesce(s.evidence, 0) / (coalesce(s.evidence, 0) + $k) AS confidence,
    p.people, p.smaller, coalesce(p.fallback / nullif(p.records, 0), 0) AS fallback_share,
    s.contacts::INTEGER AS contacts, {_DAY.format("s.last_contact")} AS last_contact,
    coalesce(s.is_capped, false) AS is_capped, n.month_score, n.month_state,
    coalesce(n.reasons, []) AS reasons, coalesce(n.moves, []) AS moves
FROM scored s JOIN party p USING (no) JOIN told n ON n.no = s.no LEFT JOIN in_step t ON t.no = s.no
WHERE s.day = $today
"""

_CHANGE = f"""
INSERT INTO engagement_change_next
SELECT p.sys_id, {_DAY.format("c.day")}, c.from_state, c.state, c.score, coalesce(r.reasons, [])
FROM point c JOIN party p USING (no) LEFT JOIN reason r ON r.no = c.no AND r.day = c.day
WHERE c.state <> c.from_state
"""


# --- saving ---------------------------------------------------------------------------------------


def save(store: Store, too_small: int, nobodys: int) -> None:
    """Keep what `compute` found, in one transaction. A ring once proposed keeps its date."""
    with store.transaction():
        for table in ("engagement", "engagement_change"):
            store.execute(f"DELETE FROM {table}")
            store.execute(f"INSERT INTO {table} BY NAME FROM {table}_next")
        propose_rings(store, "ring_next")
        store.execute("DELETE FROM engagement_left_out")
        store.execute(
            "INSERT INTO engagement_left_out VALUES ($too_small, $nobodys)",
            too_small=too_small,
            nobodys=nobodys,
        )


def propose_rings(store: Store, table: str) -> None:
    """Take the proposals of a table over; where one is known, the earlier one stands."""
    store.execute(
        f"INSERT INTO ring FROM {table} ON CONFLICT DO UPDATE SET"
        " evidence = CASE WHEN ring.proposed_on <= excluded.proposed_on THEN ring.evidence"
        " ELSE excluded.evidence END,"
        " proposed_on = least(ring.proposed_on, excluded.proposed_on)"
    )


def confirm_ring(store: Store, sys_id: str, day: date) -> None:
    """A person says that the relationship is established since that day.

    What was last seen in the tool is older than this word: it no longer counts.
    """
    store.execute(
        "INSERT INTO ring VALUES ($id, NULL, '', $day)"
        " ON CONFLICT DO UPDATE SET confirmed_on = excluded.confirmed_on",
        id=sys_id,
        day=day,
    )
    store.execute("UPDATE engagement_seen SET ring_confirmed = NULL WHERE sys_id = $id", id=sys_id)


# --- reading --------------------------------------------------------------------------------------

_WITH_RING = """
SELECT e.*, r.proposed_on AS ring_proposed, coalesce(r.evidence, '') AS ring_evidence,
    coalesce(s.ring_confirmed, r.confirmed_on) AS ring_confirmed,
    r.confirmed_on AS ring_said, s.ring_confirmed AS ring_seen,
    coalesce(s.has_owner, false) AS has_owner, coalesce(s.has_next_step, false) AS has_next_step,
    s.due
FROM {table} e LEFT JOIN {ring} r USING (sys_id) LEFT JOIN engagement_seen s USING (sys_id)
ORDER BY e.customer_name, e.service_name, e.sys_id
"""


def read_relationships(store: Store) -> list[Row]:
    """Every relationship as of the last run, with its ring and what people wrote in the tool."""
    return store.read(_WITH_RING.format(table="engagement", ring="ring"))


def read_names(store: Store, sys_ids: Sequence[str]) -> list[Row]:
    """Customer and service of these relationships, as far as they are known."""
    return store.read(
        "SELECT sys_id, customer, customer_name, service_name FROM engagement"
        " WHERE list_contains($ids, sys_id) ORDER BY sys_id",
        ids=list(sys_ids),
    )


def read_next(store: Store) -> list[Row]:
    """The same, as computed on this connection; nothing of it needs to be saved."""
    ring = (
        "(SELECT sys_id, min(proposed_on) AS proposed_on, coalesce(arg_min(evidence, proposed_on),"
        " '') AS evidence, max(confirmed_on) AS confirmed_on"
        " FROM (FROM ring UNION ALL FROM ring_next) GROUP BY sys_id)"
    )
    return store.read(_WITH_RING.format(table="engagement_next", ring=ring))


def read_changes(store: Store) -> list[Row]:
    """Every change of state in the window, newest first."""
    return store.read("SELECT * FROM engagement_change ORDER BY changed_on DESC, sys_id")


def read_left_out(store: Store) -> Row:
    """What is in no relationship that may be shown."""
    rows = store.read("SELECT too_small, nobodys FROM engagement_left_out")
    return rows[0] if rows else {"too_small": 0, "nobodys": 0}


# --- what people wrote in the tool ----------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What people wrote into one of our rows: dates as the tool has them, "" for none. No texts.

    `ring_confirmed` is None where the tool hides the column from us. `step_mark` tells one next
    step from another without its words.
    """

    sys_id: str
    ring_confirmed: str | None
    has_owner: bool
    has_next_step: bool
    due: str
    step_mark: str = ""


_SEEN = {
    "sys_id": "VARCHAR",
    "ring_confirmed": "VARCHAR",
    "has_owner": "BOOLEAN",
    "has_next_step": "BOOLEAN",
    "due": "VARCHAR",
    "step_mark": "VARCHAR",
}


def save_seen(store: Store, rows: Sequence[Seen], at: datetime) -> None:
    """Replace what was last seen by what was seen `at` this instant; what differs is appended to
    the history of plans. A ring that somebody emptied in the tool is no longer confirmed, whoever
    had confirmed it; a hidden one stays as it was seen last."""
    given = store.given("seen_rows", [asdict(row) for row in rows], _SEEN)
    with store.transaction(), given:
        store.execute(_LOOKED)
        store.execute(
            "UPDATE ring SET confirmed_on = NULL FROM looked l"
            " WHERE ring.sys_id = l.sys_id AND l.is_emptied"
        )
        store.execute("DELETE FROM engagement_seen")
        store.execute(
            "INSERT INTO engagement_seen SELECT * EXCLUDE (is_emptied, step_mark) FROM looked"
        )
        relationship_plans.append(store, at)
        store.execute("DROP TABLE looked")


_LOOKED = """
CREATE OR REPLACE TEMP TABLE looked AS
SELECT n.sys_id, CASE WHEN n.ring_confirmed IS NULL THEN o.ring_confirmed
        ELSE TRY_CAST(nullif(n.ring_confirmed, '') AS DATE) END AS ring_confirmed,
    n.has_owner, n.has_next_step, TRY_CAST(nullif(n.due, '') AS DATE) AS due,
    n.ring_confirmed = '' AND o.ring_confirmed IS NOT NULL AS is_emptied, n.step_mark
FROM seen_rows n LEFT JOIN engagement_seen o USING (sys_id)
"""
