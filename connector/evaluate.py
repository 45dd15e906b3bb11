"""Ask the records at rest: any conditions, columns, dot-walks and facts of a table, set-based.

What a step needs to know of records beyond their columns is computed here, once a run: every
aggregate goes into a TEMP TABLE of its own first; whoever asks for the same fact again finds it.
All aggregates and joins in one statement would each hold their buffers at once: what a statement
needs grows with the number of facts, however few the records.
"""

import hashlib
from collections.abc import Mapping, Sequence

from sqlglot import exp

from connector.encoded_query import Context
from connector.journey.compiler import asked_query
from connector.journey.scope import FACT_ALIAS, Catalogue
from connector.store import classifications
from connector.store.database import Store


def ask(
    store: Store,
    catalogue: Catalogue,
    context: Context,
    table: str,
    conditions: Mapping[str, str],
    fields: Sequence[str] = (),
) -> str:
    """A SELECT in DuckDB's SQL: `sys_id`, each condition as a boolean, each field as text.

    Names as in `connector.journey.compiler.asked_query`; facts are computed on the way. Valid until
    the records change or `forget` is called. Raises StoreError, EncodedQueryError.
    """
    return with_facts_first(store, asked_query(table, catalogue, context, conditions, fields)).sql(
        dialect="duckdb"
    )


def with_facts_first(store: Store, query: exp.Select) -> exp.Select:
    """Compute each fact that `query` joins into a TEMP TABLE of its own, and join those."""
    facts = [one for one in query.find_all(exp.Subquery) if FACT_ALIAS.match(one.alias)]
    for subquery in facts:
        text = subquery.this.sql(dialect="duckdb")
        name = "fact_" + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        classifications.compute_fact(store, name, text)
        subquery.replace(exp.to_table(name).as_(subquery.alias))
    return query


def forget(store: Store) -> None:
    """Drop the facts: the records changed, or nobody will ask again."""
    classifications.drop_facts(store)
