"""The formulas of engagement, as SQL over sums of evidence. Pure, no I/O.

For the lines of a relationship, each with a day, a value v from -1 to +1 and a weight w:

    decay       d = 0.5 ** (age in days / half-life)             0 <= age < window
    dimension   D = sum(w d v) / (sum(w d) + k)                  thin evidence stays near neutral
    score       E = 50 + 50 * sum(W D) / sum(W)                  over dimensions with evidence
    confidence  n / (n + confidence_k), with n = sum(w d)

Days are calendar days in UTC, so that the score of a day is the same whenever it is asked for.
Scores are rounded to six digits: sums of the same numbers in another order are the same score.
"""

from collections.abc import Mapping, Sequence

from connector.journey.engagement_model import (
    DORMANT,
    NOT_ENOUGH,
    NOT_YET,
    Engagement,
    Formula,
)


def decay_sql(formula: Formula, age: str) -> str:
    """The weight that is left after `age` days."""
    return f"pow(0.5, ({age}) / {formula.half_life_days}.0)"


def _score_sql(engagement: Engagement, dimensions: Sequence[int]) -> str:
    """E over some dimensions, from a0, n0, a1, n1 …: sums of w·d·v and of w·d. NULL without any."""
    formula, weights = engagement.formula, engagement.dimensions
    above = " + ".join(
        f"CASE WHEN n{j} > 0 THEN {weights[j].weight} * a{j} / (n{j} + {formula.k}) ELSE 0 END"
        for j in dimensions
    )
    below = " + ".join(
        f"CASE WHEN n{j} > 0 THEN {weights[j].weight} ELSE 0 END" for j in dimensions
    )
    return f"round(50 + 50 * ({above}) / nullif({below}, 0), 6)"


def score_columns(engagement: Engagement) -> str:
    """`uncapped`, `provider`, `customer` (scores) and `evidence` (n) from the sums."""
    every = range(len(engagement.dimensions))
    sides = {
        side: [j for j in every if engagement.dimensions[j].side == side]
        for side in ("provider", "customer")
    }
    parts = [f"{_score_sql(engagement, [*every])} AS uncapped"]
    parts += [
        f"{_score_sql(engagement, of_side) if of_side else 'NULL::DOUBLE'} AS {side}"
        for side, of_side in sides.items()
    ]
    total = " + ".join(f"n{j}" for j in every)
    return ", ".join([*parts, f"round({total}, 6) AS evidence"])


def dimension_scores(engagement: Engagement) -> str:
    """A MAP of each dimension with evidence → its score from 0 to 100."""
    k = engagement.formula.k
    entries = ", ".join(
        f"{{'key': '{one.id}', 'value': round(50 + 50 * a{j} / (n{j} + {k}), 6),"
        f" 'is_there': n{j} > 0}}"
        for j, one in enumerate(engagement.dimensions)
    )
    return (
        f"map_from_entries([(x.key, x.value) for x in [{entries}] if x.is_there])"
        "::MAP(VARCHAR, DOUBLE)"
    )


def band_sql(engagement: Engagement) -> str:
    """The scored state of a `score` and the dimensions' sums, best first."""
    names = [one.id for one in engagement.dimensions]
    whens = []
    for state in engagement.scored[:-1]:
        needs = " OR ".join(f"a{names.index(name)} > 0" for name in state.needs)
        also = f" AND ({needs})" if needs else ""
        whens.append(f"WHEN score >= {state.at_least}{also} THEN '{state.id}'")
    return f"CASE {' '.join(whens)} ELSE '{engagement.scored[-1].id}' END"


def raw_state_sql(engagement: Engagement) -> str:
    """The state of a day by itself, before hysteresis.

    Silence is read by how it began: a relationship that was well is dormant, one that was not is
    as it was left, for silence does not heal.
    """
    formula = engagement.formula
    return (
        f"CASE WHEN last_contact IS NULL THEN '{NOT_YET}'"
        f" WHEN day - last_contact >= {formula.window_days} THEN"
        f" CASE WHEN left_evidence < {formula.minimum_evidence} THEN '{NOT_ENOUGH}'"
        f" WHEN left_score >= {formula.dormant_from} THEN '{DORMANT}' ELSE left_band END"
        f" WHEN coalesce(evidence, 0) < {formula.minimum_evidence} THEN '{NOT_ENOUGH}'"
        " ELSE band END"
    )


# --- a relationship's days ------------------------------------------------------------------------


def rolled_sql(engagement: Engagement, sums: str, days: str, today: int) -> str:
    """One row per asked day of a relationship: its sums over the window that ends there.

    `sums` has no, day, a0, n0, a1, n1 … (weighed as of `today`), contacts, severe, answered;
    `days` has no, day, is_asked. Days with evidence that nobody asked for come along.
    """
    window, every = engagement.formula.window_days, range(len(engagement.dimensions))
    back = f"pow(0.5, (day - {today}) / {engagement.formula.half_life_days}.0)"
    of_window = ", ".join(
        f"coalesce(sum({name}{j}) OVER span, 0) * {back} AS {name}{j}"
        for j in every
        for name in ("a", "n")
    )
    return f"""
SELECT no, day, is_asked, {of_window},
    max(severe) OVER span AS last_severe, max(answered) OVER so_far AS last_answer,
    max(CASE WHEN contacts > 0 THEN day END) OVER so_far AS last_contact,
    coalesce(sum(contacts) OVER so_far, 0) AS contacts_so_far,
    coalesce(sum(contacts) OVER span, 0) AS contacts, coalesce(contacts > 0, false) AS is_contact
FROM ({days}) LEFT JOIN {sums} USING (no, day)
WINDOW span AS (PARTITION BY no ORDER BY day RANGE BETWEEN {window - 1} PRECEDING AND CURRENT ROW),
    so_far AS (PARTITION BY no ORDER BY day ROWS UNBOUNDED PRECEDING)
"""


def scored_sql(engagement: Engagement, rolled: str) -> str:
    """`rolled` with scores, sides, evidence, the day's own state and how long it has held."""
    cap = engagement.formula.cap
    left = "last_value(CASE WHEN is_contact THEN {} END IGNORE NULLS) OVER so_far"
    return f"""
WITH scored AS (SELECT *, {score_columns(engagement)} FROM ({rolled})
), capped AS (
    SELECT *, last_severe IS NOT NULL AND coalesce(last_answer < last_severe, true)
        AND uncapped > {cap} AS is_capped,
        CASE WHEN is_capped THEN {cap}::DOUBLE ELSE uncapped END AS score
    FROM scored
), banded AS (SELECT *, {band_sql(engagement)} AS band FROM capped
), left_as AS (
    SELECT *, {left.format("score")} AS left_score, {left.format("evidence")} AS left_evidence,
        {left.format("band")} AS left_band
    FROM banded WINDOW so_far AS (PARTITION BY no ORDER BY day ROWS UNBOUNDED PRECEDING)
), judged AS (SELECT *, {raw_state_sql(engagement)} AS raw FROM left_as
), numbered AS (
    SELECT *, coalesce(raw <> lag(raw) OVER by_day OR day <> lag(day) OVER by_day + 1, true)
        AS is_new
    FROM judged WINDOW by_day AS (PARTITION BY no ORDER BY day)
), runs AS (
    SELECT *, sum(is_new::INT) OVER (PARTITION BY no ORDER BY day ROWS UNBOUNDED PRECEDING) AS run
    FROM numbered
)
SELECT * EXCLUDE (is_new, run, uncapped, left_score, left_evidence, left_band, last_severe,
        last_answer, is_contact),
    row_number() OVER (PARTITION BY no, run ORDER BY day) AS streak
FROM runs
"""


def walk_sql(engagement: Engagement, scored: str, first_day: int) -> str:
    """The states with hysteresis, day after day from `first_day`: no, day, state, score, evidence.

    A state changes when the day's own state has held for some days in a row, or when the score lies
    so far past the cut between the two that nobody would doubt it.
    """
    terms = engagement.formula
    points = terms.hysteresis_points
    in_a_row = (
        f"CASE WHEN m.raw = '{NOT_ENOUGH}' THEN {terms.thin_days} ELSE {terms.hysteresis_days} END"
    )
    floor = _by_state(engagement, [state.at_least for state in engagement.scored])
    tops: list[float | None] = [None, *(state.at_least for state in engagement.scored[:-1])]
    top = _by_state(engagement, tops)
    return f"""
WITH RECURSIVE marked AS (
    SELECT no, day, raw, score, evidence, streak, {floor.format("raw")} AS floor,
        {top.format("raw")} AS top
    FROM {scored} WHERE day >= {first_day}
), walk AS (
    SELECT no, day, raw AS state, score, evidence FROM marked WHERE day = {first_day}
    UNION ALL
    SELECT m.no, m.day, CASE
        WHEN m.raw = w.state OR m.streak >= {in_a_row} THEN m.raw
        WHEN m.floor > {floor.format("w.state")} AND m.score >= m.floor + {points} THEN m.raw
        WHEN m.floor < {floor.format("w.state")} AND m.score < m.top - {points} THEN m.raw
        ELSE w.state END, m.score, m.evidence
    FROM walk w JOIN marked m ON m.no = w.no AND m.day = w.day + 1
)
SELECT * FROM walk
"""


def _by_state(engagement: Engagement, values: Sequence[float | None]) -> str:
    """A CASE that gives a number for each scored state, NULL for the others."""
    pairs = zip(engagement.scored, values, strict=True)
    whens = " ".join(f"WHEN '{s.id}' THEN {v}" for s, v in pairs if v is not None)
    return f"CASE {{}} {whens} END" if whens else "NULL"


# --- from the ledger to days, and from days to reasons --------------------------------------------


def day_sums_sql(engagement: Engagement, today: int) -> str:
    """The lines of relationships by day: no, day, a0, n0, …, contacts, severe, answered.

    Over TEMP TABLEs `ledger`, `member`, `line`; contacts count in the steps `$steps` only.
    """
    sums = ", ".join(
        f"coalesce(sum(w * value) FILTER (dimension = {j}), 0) AS a{j},"
        f" coalesce(sum(w) FILTER (dimension = {j}), 0) AS n{j}"
        for j in range(len(engagement.dimensions))
    )
    weight = decay_sql(engagement.formula, f"{today} - d.day")
    return f"""
SELECT no, day, {sums},
    coalesce(sum(records) FILTER (line = 0 AND list_contains($steps, step)), 0)::INTEGER
        AS contacts,
    max(CASE WHEN is_severe THEN day END) AS severe, max(CASE WHEN answers THEN day END) AS answered
FROM (
    SELECT m.no, d.day, d.line, d.step, d.records, l.dimension, l.value, l.is_severe, l.answers,
        d.weight * l.weight * {weight} AS w
    FROM ledger d JOIN member m USING (relation) JOIN line l USING (line)
) GROUP BY no, day
"""


def scored_days_sql(engagement: Engagement, today: int) -> str:
    """The days `$days` of the relationships `$low` to `$high`, and those with evidence, scored."""
    days = f"""
SELECT no, day, bool_or(is_asked) AS is_asked FROM (
    SELECT no, day, false AS is_asked FROM day_sum
    UNION ALL SELECT p.no, d.day, true FROM party p, (SELECT unnest($days::INTEGER[]) AS day) d
) WHERE no BETWEEN $low AND $high AND day <= {today} GROUP BY no, day
"""
    return scored_sql(engagement, rolled_sql(engagement, "day_sum", days, today))


def points_sql(engagement: Engagement, fresh_days: int) -> str:
    """What each line adds to the score on each `point (no, day)`: no, day, line, records, points.

    The points of a day sum up to the score less 50 (before the cap). `fresh_points` of them come
    from the `fresh_records` of the last `fresh_days`. Over TEMP TABLE `of_part`.
    """
    terms, weights = engagement.formula, engagement.dimensions
    weight = f"[{', '.join(str(one.weight) for one in weights)}][dimension + 1]"
    decay = decay_sql(terms, "p.day - d.day")
    is_fresh = f"FILTER (d.day > p.day - {fresh_days})"
    points = f"50 * weight * {{}} * value / (of_dimension + {terms.k}) / total"
    return f"""
WITH weighed AS (
    SELECT p.no, p.day, d.line, l.dimension, any_value(l.value) AS value,
        sum(d.weight * l.weight * {decay}) AS n, sum(d.records)::BIGINT AS records,
        coalesce(sum(d.weight * l.weight * {decay}) {is_fresh}, 0) AS fresh,
        coalesce(sum(d.records) {is_fresh}, 0)::BIGINT AS fresh_records
    FROM point p JOIN of_part d ON d.no = p.no AND d.day <= p.day
        AND d.day > p.day - {terms.window_days}
    JOIN line l ON l.line = d.line WHERE l.dimension >= 0 AND l.weight > 0 GROUP BY ALL
), shared AS (
    SELECT *, sum(n) OVER (PARTITION BY no, day, dimension) AS of_dimension, {weight} AS weight
    FROM weighed
), totals AS (
    SELECT no, day, sum({weight}) AS total FROM (SELECT DISTINCT no, day, dimension FROM weighed)
    GROUP BY ALL
)
SELECT no, day, line, records, round({points.format("n")}, 6) AS points,
    fresh_records, round({points.format("fresh")}, 6) AS fresh_points
FROM shared JOIN totals USING (no, day)
"""


def step_scores_sql(engagement: Engagement, today: int) -> str:
    """The score from the lines of one step only: no, step, score. Over TEMP TABLE `of_part`."""
    sums = ", ".join(
        f"coalesce(sum(w * value) FILTER (dimension = {j}), 0) AS a{j},"
        f" coalesce(sum(w) FILTER (dimension = {j}), 0) AS n{j}"
        for j in range(len(engagement.dimensions))
    )
    weight = decay_sql(engagement.formula, f"{today} - d.day")
    return f"""
SELECT no, step, uncapped AS score FROM (
    SELECT *, {score_columns(engagement)} FROM (
        SELECT no, step, {sums} FROM (
            SELECT d.no, d.step, l.dimension, l.value, d.weight * l.weight * {weight} AS w
            FROM of_part d JOIN line l USING (line)
            WHERE l.dimension >= 0 AND d.day > {today - engagement.formula.window_days}
                AND list_contains($steps, d.step)
        ) GROUP BY no, step
    )
) WHERE uncapped IS NOT NULL
"""


def ring_sql(engagement: Engagement, numbers: Mapping[str, int], first_day: int) -> str:
    """When the ring was first proposed, and by what: no, proposed_day, evidence.

    Nothing proposes it while the relationship is at risk or broken, or fell silent so: evidence
    waits for the first day on which it is well (again). Over TEMP TABLEs `of_part`, `scored` and,
    for the state from `first_day` on, `walked`; `$first` is the step that establishes engagement.
    """
    unwell = [
        f"'{one.id}'"
        for one in engagement.scored
        if (one.at_least or 0) < engagement.formula.dormant_from
    ]
    is_well = f"state NOT IN ({', '.join(unwell)})" if unwell else "true"
    parts = ["SELECT NULL::INTEGER AS no, NULL::INTEGER AS day, NULL::VARCHAR AS evidence"]
    for one in engagement.ring:
        if one.tables:
            parts.append(f"SELECT no, day, '{one.id}' FROM of_part WHERE line = {numbers[one.id]}")
        if one.in_step:
            parts.append(f"SELECT no, day, '{one.id}' FROM of_part WHERE step = $first")
        if one.contacts:
            parts.append(
                f"SELECT no, day, '{one.id}' FROM scored"
                f" WHERE contacts_so_far >= {one.contacts} AND score >= {one.score}"
            )
    return f"""
WITH evidence AS (
    SELECT no, min(day) AS day, arg_min(evidence, (day, evidence)) AS evidence
    FROM ({" UNION ALL ".join(parts)}) WHERE no IS NOT NULL GROUP BY no
), stood AS (
    SELECT no, day, raw AS state FROM scored WHERE day < {first_day}
    UNION ALL SELECT no, day, state FROM walked
), known AS (
    SELECT no, day, coalesce(last_value(CASE WHEN state <> '{NOT_ENOUGH}' THEN state END
        IGNORE NULLS) OVER (PARTITION BY no ORDER BY day), '') AS state
    FROM stood
)
SELECT e.no, min(s.day) AS proposed_day, any_value(e.evidence) AS evidence
FROM evidence e JOIN known s ON s.no = e.no AND s.day >= e.day
WHERE {is_well} GROUP BY e.no
"""
