"""The trust ledger: what the records say of each relationship, as dated lines.

Compiles the opinions of mappings/engagement.toml to questions about the records (`evaluate.ask`)
and hands the answers to the store. Results are TEMP TABLEs; nothing is saved.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from connector.encoded_query import Context
from connector.evaluate import ask
from connector.journey import engagement_formula as formula
from connector.journey.engagement import (
    FIRST_RING,
    asked_of,
    fields_of,
    late_steps,
    line_rows,
    numbers,
)
from connector.journey.engagement_model import AGEING, OWN_PLACE, Engagement, Relationship
from connector.journey.model import Mapping
from connector.journey.scope import Catalogue, UnavailableError
from connector.store import ledger
from connector.store.database import Store
from connector.store.engagement import MONTH, Formulas
from connector.store.ledger import OWN_STEP, Span, Tied

MOMENTS = ("moment_now", "moment")
"""Decided moments of truth: as the run at hand finds them, else as the last one left them."""


@dataclass(frozen=True)
class Asked:
    """What a ledger is made from: the mapping, its journey, what can be read, and as of when."""

    mapping: Mapping
    engagement: Engagement
    journey: str
    catalogue: Catalogue
    context: Context

    @property
    def now(self) -> datetime:
        """The instant up to which evidence counts."""
        return self.context.now


def build_ledger(store: Store, asked: Asked, *, is_whole: bool = False) -> None:
    """Fill the ledger's tables. `is_whole` takes all that the records tell, however old.

    Otherwise so much as scores and states of the last window can depend on: three windows. The
    records must have been classified on this connection. Raises StoreError.
    """
    ledger.begin(store, line_rows(asked.mapping, asked.engagement, asked.journey))
    span = _span(asked, is_whole=is_whole)
    for relationship in _in_order(asked.engagement, asked.catalogue):
        tied = _tied(asked, relationship)
        query = ask(
            store,
            asked.catalogue,
            asked.context,
            relationship.table,
            {_name(id_): when for id_, when, _at in asked_of(asked.engagement, tied.table)},
            _fields(asked, relationship),
        )
        ledger.take(store, tied, query, span, asked.journey)
    moments = {
        numbers(asked.engagement)[line.id]: (line.moment, line.polarity)
        for line in asked.engagement.lines
        if line.moment
    }
    if moments:
        ledger.take_moments(store, _moments(store), moments, span)


def _span(asked: Asked, *, is_whole: bool) -> Span:
    window = timedelta(days=asked.engagement.formula.window_days)
    return Span(
        since=None if is_whole else asked.now - 3 * window,
        until=asked.now,
        window_from=asked.now - window,
        first_ring=FIRST_RING,
        sponsor_weight=asked.engagement.formula.sponsor_weight,
    )


def _in_order(engagement: Engagement, catalogue: Catalogue) -> list[Relationship]:
    """Those whose tables are held; what follows another record comes after all that do not."""
    held = [one for one in engagement.relationships if catalogue.has_table(one.table)]
    return sorted(held, key=lambda one: bool(one.via))


def _tied(asked: Asked, one: Relationship) -> Tied:
    number = numbers(asked.engagement)
    touchpoint = asked.mapping.touchpoints.get(one.touchpoint)
    step = touchpoint.steps.get(asked.journey, "") if touchpoint else ""
    return Tied(
        table=one.table,
        via=one.via,
        customer=_references(asked, one.table, one.customer),
        service=_references(asked, one.table, one.service),
        service_fallback=_references(asked, one.table, one.service_fallback),
        service_table=one.service_table if asked.catalogue.has_table(one.service_table) else "",
        person=one.person,
        sponsor=one.sponsor,
        given=tuple(
            (number[id_], _name(id_), at)
            for id_, _when, at in asked_of(asked.engagement, one.table)
        ),
        step=OWN_STEP if one.touchpoint == OWN_PLACE else step,
    )


def _name(id_: str) -> str:
    """The name of a condition: no column is called so."""
    return f"is {id_}"


def _references(asked: Asked, table: str, fields: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each field with the table that it refers to, "" where it is plain or not known."""
    return tuple((field, _reference(asked.catalogue, table, field)) for field in fields)


def _reference(catalogue: Catalogue, table: str, field: str) -> str:
    try:
        return catalogue.info(*catalogue.walk(table, field)[-1]).reference
    except UnavailableError:
        return ""


def _fields(asked: Asked, one: Relationship) -> list[str]:
    """What the evidence of a table is read from, once each."""
    found = list(fields_of(one))
    for _id, _when, at in asked_of(asked.engagement, one.table):
        found += at
    return list(dict.fromkeys(found))


def _moments(store: Store) -> str:
    is_there = "SELECT count(*) FROM duckdb_views() WHERE view_name = $name"
    return next((name for name in MOMENTS if store.value(is_there, name=name)), MOMENTS[-1])


def formulas_of(asked: Asked) -> Formulas:
    """The SQL of a mapping's formulas, as of the ledger's day."""
    opinions: Engagement = asked.engagement
    today = day_number(asked.now)
    first_day = today - opinions.formula.window_days + 1
    first_step, steps = late_steps(asked.mapping, asked.journey)
    return Formulas(
        day_sums=formula.day_sums_sql(opinions, today),
        scored=formula.scored_days_sql(opinions, today),
        walk=formula.walk_sql(opinions, "scored", first_day),
        dimensions=formula.dimension_scores(opinions),
        points=formula.points_sql(opinions, MONTH),
        step_scores=formula.step_scores_sql(opinions, today),
        ring=formula.ring_sql(opinions, numbers(opinions), first_day),
        steps=steps,
        first_step=first_step,
        today=today,
        first_day=first_day,
        confidence_k=opinions.formula.confidence_k,
        ageing=AGEING,
    )


def day_number(moment: datetime) -> int:
    """The calendar day in UTC, as days since 1970-01-01."""
    return moment.astimezone(UTC).toordinal() - date(1970, 1, 1).toordinal()
