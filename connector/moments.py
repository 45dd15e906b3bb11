"""Step 2b: what became of the moments of truth.

1. For each moment and table: what is asked of every record becomes one SELECT (facts first).
2. What is new against the stored moments is taken over, moment by moment, each in its transaction.
3. The heaviest of each record is chosen, for the record in the tool.

A pure function of (latest records, mapping, now); reads `classified` only to leave out what the
figures leave out. A moment that cannot do without a record's history (journal, audit) is there only
for the records whose history is read and kept: nothing is told from what nobody looked at.
Without `save` the store stays as it was.
"""

from connector import log
from connector.encoded_query import Context
from connector.evaluate import forget, with_facts_first
from connector.journey.model import Mapping, Schema
from connector.journey.moment_fields import needed_sources
from connector.journey.moment_model import Moment
from connector.journey.moments import OffMoment, seen_query, usable, verdict_sql
from connector.journey.scope import Catalogue, catalogue_of
from connector.store import classifications
from connector.store import moments as stored
from connector.store.database import Store
from connector.store.records import has_rows

_log = log.get("moments")


def decide_moments(
    store: Store,
    mapping: Mapping,
    schema: Schema,
    context: Context,
    run_id: str,
    *,
    save: bool = True,
) -> dict[str, int]:
    """Decide every moment as of `context.now`, after `classify`. Answers polarity → how many.

    Leaves TEMP TABLE `record_moment` (the heaviest of each record). Repeats exactly; dies between
    two moments at worst. Raises StoreError.
    """
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    stored.begin(store)
    live = _live(store, mapping, catalogue)
    history = {one.table for one in mapping.history}
    at_hand = ""
    for table, moment in live:
        if table != at_hand:
            forget(store)  # every fact is a table of its own, and takes room
            at_hand = table
        with store.scratching():
            seen = with_facts_first(store, seen_query(moment, table, catalogue, context))
            stored.see(store, seen.sql(dialect="duckdb", copy=False))
        verdicts = verdict_sql(moment, "FROM moment_seen", context)
        needed = needed_sources(moment, table, mapping.sets) & history
        stored.take(store, table, moment.id, verdicts, needed, save=save)
    forget(store)
    stored.drop_others(store, {(table, moment.id) for table, moment in live}, save=save)
    stored.choose(store)
    counts = stored.counts_now(store)
    _log.info("moments", run_id=run_id, **{polarity: counts.get(polarity, 0) for polarity in _ALL})
    return counts


def stay(store: Store) -> None:
    """Leave the moments as the last run found them: the places of records stay, too."""
    stored.stay(store)


_ALL = ("positive", "negative", "neutral", "open")


def _live(store: Store, mapping: Mapping, catalogue: Catalogue) -> list[tuple[str, Moment]]:
    """The moments that can be decided here, table by table; those of empty tables are none."""
    tables = dict.fromkeys(table for moment in mapping.moments for table in moment.tables)
    found = [
        (table, usable(moment, table, catalogue))
        for table in tables
        if catalogue.has_table(table) and has_rows(store, table)
        for moment in mapping.moments_of(table)
    ]
    return [(table, one) for table, one in found if not isinstance(one, OffMoment)]
