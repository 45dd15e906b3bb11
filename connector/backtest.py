"""What the score would have predicted on the organisation's own past. Computes, saves nothing.

For the first day of each month: the score of every relationship as its evidence stood then, and the
share of agreed times missed in the 30 days after. Beside it, honestly, the plain share of agreed
times missed before: if that predicts as well, the score explains but does not foresee.

Only figures over many relationships are answered, so small ones need not be rolled up here.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isnan

from connector.encoded_query import Context
from connector.evaluate import ask
from connector.journey.engagement import numbers
from connector.journey.model import Mapping, Schema
from connector.journey.scope import catalogue_of
from connector.ledger import Asked, build_ledger, day_number, formulas_of
from connector.store import backtests, classifications, engagement, parties
from connector.store.database import Row, Store

AHEAD = 30
"""Days from the first of a month on: agreed times that began in them are counted."""

BEFORE = 90
"""Days before it, for the plain share of agreed times missed."""

FIRST = 30
"""Days of evidence before the first month that is looked at."""

AT_LEAST = 5
"""Results of agreed times that a relationship must have on both sides to be counted."""

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Quarter:
    """A quarter of the relationship-months, and the share of agreed times missed after."""

    months: int
    missed: float


@dataclass(frozen=True)
class Month:
    """One month apart: its relationships, what they missed, and how well each rank foresaw it."""

    month: date
    relationships: int
    missed: float
    correlation: float | None
    sla_correlation: float | None


@dataclass(frozen=True)
class Backtest:
    """How the score held against what came after. Quarters: worst first. Shares from 0 to 1.

    Correlations are Spearman's with the share missed: a score that foresees is near -1, and the
    plain share of agreed times missed before near +1.
    """

    relationships: int
    relationship_months: int
    percentiles: dict[str, float]
    by_score: tuple[Quarter, ...]
    by_sla: tuple[Quarter, ...]
    score_correlation: float | None
    sla_correlation: float | None
    months: tuple[Month, ...]


def backtest(
    store: Store, mapping: Mapping, schema: Schema, now: datetime, journey: str, time_zone: str
) -> Backtest | None:
    """Hold the scores of the past against what came after; None without engagement or evidence.

    Works on the records as they are known today: each line has its own instant, but a record that
    changed later is known as it is now. Raises StoreError.
    """
    if mapping.engagement is None:
        return None
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    asked = Asked(mapping, mapping.engagement, journey, catalogue, Context(now, time_zone))
    backtests.use_places(store)
    build_ledger(store, asked, is_whole=True)
    parties.group(store, 0)
    _take_results(store, asked)
    span = backtests.span_of(store)
    days = month_days(span[0] + FIRST, min(span[1], day_number(now)) - AHEAD) if span else []
    _tell(store, asked, days)
    number = numbers(mapping.engagement)
    lines = (number[mapping.engagement.sla.met], number[mapping.engagement.sla.breached])
    enough = mapping.engagement.formula.minimum_evidence
    backtests.hold_against(store, lines, (AHEAD, BEFORE), AT_LEAST, enough)
    return _found(store, enough)


def _take_results(store: Store, asked: Asked) -> None:
    """The agreed times that are over, of the table of the two lines."""
    sla = asked.engagement.sla
    lines = {line.id: line for line in asked.engagement.lines}
    conditions = {"met": lines[sla.met].when, "breached": lines[sla.breached].when}
    table = lines[sla.met].tables[0]
    query = ask(store, asked.catalogue, asked.context, table, conditions, [sla.began])
    backtests.take_results(store, query, sla.began)


def month_days(first: int, last: int) -> list[int]:
    """The first day of every month in between, as days since 1970-01-01."""
    day = date.fromordinal(first + _EPOCH)
    found = []
    while day.toordinal() - _EPOCH <= last:
        if day.day == 1:
            found.append(day.toordinal() - _EPOCH)
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return found


_EPOCH = date(1970, 1, 1).toordinal()


def _tell(store: Store, asked: Asked, days: list[int]) -> None:
    formulas = formulas_of(asked)
    backtests.begin(store)
    engagement.sum_days(store, formulas)
    for part in engagement.parts(store):
        engagement.score_days(store, formulas, part, days)
        backtests.tell(store)


def _found(store: Store, enough: float) -> Backtest | None:
    counts = backtests.counts(store)
    if not counts["months"]:
        return None
    shares = backtests.percentiles(store, SHARES, enough)
    return Backtest(
        relationships=counts["relationships"],
        relationship_months=counts["months"],
        percentiles={f"p{round(100 * s)}": v for s, v in zip(SHARES, shares, strict=True)},
        by_score=_quarters(store, "score", is_descending=False),
        by_sla=_quarters(store, "before", is_descending=True),
        score_correlation=backtests.rank_correlation(store, "score"),
        sla_correlation=backtests.rank_correlation(store, "before"),
        months=tuple(_month(row) for row in backtests.by_month(store)),
    )


def _quarters(store: Store, column: str, *, is_descending: bool) -> tuple[Quarter, ...]:
    rows = backtests.quartiles(store, column, is_descending=is_descending)
    return tuple(Quarter(row["months"], row["missed"]) for row in rows)


def _month(row: Row) -> Month:
    correlations = {
        name: None if row[name] is None or isnan(row[name]) else float(row[name])
        for name in ("correlation", "sla_correlation")
    }
    return Month(row["month"], row["relationships"], row["missed"], **correlations)
