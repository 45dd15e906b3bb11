"""Scores of the past against what came after: over the ledger's TEMP TABLEs."""

from collections.abc import Sequence
from math import isnan

from connector.store.database import Row, Store


def use_places(store: Store) -> None:
    """TEMP TABLE `classified`: where records stood at the end of the last run."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE classified AS SELECT table_name, sys_id, rule_id, touchpoint,"
        " steps FROM classification"
    )


def span_of(store: Store) -> tuple[int, int] | None:
    """The first and the last day of the ledger, None if it is empty."""
    row = store.read("SELECT min(day) AS first, max(day) AS last FROM ledger")[0]
    return (row["first"], row["last"]) if row["first"] is not None else None


def begin(store: Store) -> None:
    """TEMP TABLE `told`, empty: what the score said of a relationship on a day."""
    store.execute(
        "CREATE OR REPLACE TEMP TABLE told (no INTEGER, day INTEGER, score DOUBLE, evidence DOUBLE)"
    )


def tell(store: Store) -> None:
    """Take over the asked days of the TEMP TABLE `scored`."""
    store.execute(
        "INSERT INTO told SELECT no, day, score, evidence FROM scored"
        " WHERE is_asked AND score IS NOT NULL"
    )


def take_results(store: Store, query: str, began: str) -> None:
    """TEMP TABLE `sla_day`: agreed times that are over, by the day on which they began.

    `query` answers sys_id, `met`, `breached` and the instant `began` of records that are tied.
    """
    column = '"' + began.replace('"', '""') + '"'
    store.execute(
        "CREATE OR REPLACE TEMP TABLE sla_day AS SELECT m.no,"
        f" date_diff('day', DATE '1970-01-01', TRY_CAST(q.{column} AS DATE)) AS day,"
        " count(*) AS results, count(*) FILTER (q.breached) AS missed"
        f" FROM ({query}) q JOIN tie t USING (sys_id) JOIN member m USING (relation)"
        f" WHERE (q.met OR q.breached) AND q.{column} <> '' GROUP BY ALL"
    )


def hold_against(
    store: Store, lines: tuple[int, int], days: tuple[int, int], at_least: int, evidence: float
) -> None:
    """TEMP TABLE `held`: relationship and day, with the share missed after it and before it.

    After: of the agreed times that began in the `days[0]` days from it on. Before: of those that
    ended in the `days[1]` days up to it (`lines`: met, missed), which is all that was known then.
    Only where there are `at_least` results on both sides, and enough `evidence` for a score.
    """
    store.execute(
        "CREATE OR REPLACE TEMP TABLE known_before AS"
        " SELECT t.no, t.day, sum(d.records) AS results,"
        " coalesce(sum(d.records) FILTER (d.line = $breached), 0) AS missed"
        " FROM told t JOIN member m USING (no) JOIN ledger d ON d.relation = m.relation"
        " AND d.line IN ($met, $breached) AND d.day < t.day AND d.day >= t.day - $before"
        " WHERE t.evidence >= $evidence GROUP BY ALL",
        met=lines[0],
        breached=lines[1],
        before=days[1],
        evidence=evidence,
    )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE held AS SELECT t.no, t.day, t.score,"
        " b.missed / b.results AS before, sum(s.missed)::BIGINT AS missed_after,"
        " sum(s.results)::BIGINT AS results_after, missed_after / results_after AS after"
        " FROM told t JOIN known_before b USING (no, day) JOIN sla_day s ON s.no = t.no"
        " AND s.day >= t.day AND s.day < t.day + $ahead WHERE b.results >= $at_least"
        " GROUP BY t.no, t.day, t.score, b.missed, b.results"
        " HAVING sum(s.results) >= $at_least",
        ahead=days[0],
        at_least=at_least,
    )


def quartiles(store: Store, column: str, *, is_descending: bool) -> list[Row]:
    """Relationship-months in four parts by a column of `held`, worst first: what came after."""
    order = "DESC" if is_descending else "ASC"
    return store.read(
        "SELECT quarter, count(*) AS months, sum(missed_after) / sum(results_after) AS missed"
        f" FROM (SELECT *, ntile(4) OVER (ORDER BY {column} {order}, no, day) AS quarter FROM held)"
        " GROUP BY quarter ORDER BY quarter"
    )


def rank_correlation(store: Store, column: str) -> float | None:
    """Spearman's, of a column of `held` with the share missed after; None if it cannot be told."""
    found = store.value(
        "SELECT corr(x, y) FROM (SELECT"
        f" rank() OVER (ORDER BY {column}) + (count(*) OVER (PARTITION BY {column}) - 1) / 2 AS x,"
        " rank() OVER (ORDER BY after) + (count(*) OVER (PARTITION BY after) - 1) / 2 AS y"
        " FROM held)"
    )
    return None if found is None or isnan(found) else float(found)


def percentiles(store: Store, shares: Sequence[float], evidence: float) -> list[float]:
    """Of all scores that were told on enough evidence."""
    found = store.value(
        "SELECT quantile_cont(score, $shares::DOUBLE[]) FROM told WHERE evidence >= $evidence",
        shares=list(shares),
        evidence=evidence,
    )
    return list(found or [])


def by_month(store: Store) -> list[Row]:
    """Each month apart: relationships, share missed after, and the two correlations (or NaN)."""
    return store.read(
        "WITH ranked AS (SELECT *, rank() OVER (PARTITION BY day ORDER BY score) AS x,"
        " rank() OVER (PARTITION BY day ORDER BY before) AS b,"
        " rank() OVER (PARTITION BY day ORDER BY after) AS y FROM held)"
        " SELECT DATE '1970-01-01' + day AS month, count(*) AS relationships,"
        " sum(missed_after) / sum(results_after) AS missed, corr(x, y) AS correlation,"
        " corr(b, y) AS sla_correlation FROM ranked GROUP BY day ORDER BY day"
    )


def counts(store: Store) -> Row:
    """How much was held against what came."""
    return store.read("SELECT count(*) AS months, count(DISTINCT no) AS relationships FROM held")[0]
