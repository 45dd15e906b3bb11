"""Ask the records at rest: any conditions, columns, dot-walks and facts of a table, set-based.

What a step needs to know of records beyond their columns is computed here, once a run: every
aggregate goes into a TEMP TABLE of its own first; whoever asks for the same fact again finds it.
All aggregates and joins in one statement would each hold their buffers at once: what a statement
needs grows with the number of facts, however few the records.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

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
    query = asked_query(table, catalogue, context, conditions, fields)
    return with_facts_first(store, query).sql(dialect="duckdb", copy=False)


def with_facts_first(store: Store, query: exp.Select) -> exp.Select:
    """Compute each fact that `query` joins into a TEMP TABLE of its own, and join those.

    A statement holds what all its joins need at once. Where that is too much, the facts and what
    dot-walks lead to are joined to each other beforehand, one at a time, and read in one join.
    """
    for select in reversed(list(_selects(query))):  # from the inside out
        joins = [one for one in select.args.get("joins") or [] if _is_fact(one.alias_or_name)]
        needed = len(joins) * _JOIN
        for join in joins:
            table, size = _kept(store, join.this.this.sql(dialect="duckdb", copy=False))
            join.set("this", exp.to_table(table).as_(join.alias_or_name))
            needed += size * _BYTES
        if len(joins) > 1 and needed > classifications.room(store) * _SHARE:
            _join_before(store, select, joins)
    return query


def _selects(query: exp.Expr) -> Iterator[exp.Select]:
    """`query` and those that it reads from. A condition asks one for keys at most, and no facts."""
    if isinstance(query, exp.Select):
        yield query
        sources = [query.args.get("from_"), *(query.args.get("joins") or [])]
        for source in sources:
            if source:
                yield from _selects(source.this)
    elif isinstance(query, exp.Union):
        yield from _selects(query.left)
        yield from _selects(query.right)
    elif isinstance(query, exp.Subquery):
        yield from _selects(query.this)


_BYTES = 60
"""What one text of a fact takes in a join, more or less: measured with DuckDB 1.4 and 2."""
_JOIN = 8_000_000
"""What a join holds at the least, however few the records."""
_SHARE = 0.25
"""How much of the memory the facts of one statement may take."""


def _is_fact(alias: str) -> bool:
    return bool(FACT_ALIAS.match(alias))


def _kept(store: Store, text: str) -> tuple[str, int]:
    """The TEMP TABLE with the answer of a query, computed unless it is there, and its texts."""
    name = "fact_" + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return name, classifications.compute_fact(store, name, text)


def _join_before(store: Store, select: exp.Select, facts: Sequence[exp.Join]) -> None:
    """Leave `select` one join: of a TEMP TABLE with every column that its joins give."""
    whole = facts[0].this.name
    for join in facts[1:]:
        both = f"FROM {whole} FULL JOIN {join.this.name} USING (record)"
        whole, _size = _kept(store, both)
    walks = [one for one in select.args["joins"] if one not in facts]
    if walks:
        walked = _walked(store, select, walks)
        whole, _size = _kept(store, f"FROM {walked} LEFT JOIN {whole} USING (record)")
    alias = facts[0].alias_or_name
    names = {one.alias_or_name for one in walks}
    for column in select.find_all(exp.Column):
        if column.table in names:
            column.set("this", exp.to_identifier(f"{column.table}.{column.name}", quoted=True))
        if column.table in names or _is_fact(column.table):
            column.set("table", exp.to_identifier(alias))
    facts[0].set("this", exp.to_table(whole).as_(alias))
    facts[0].set("on", exp.column("record", table=alias).eq(exp.column("sys_id", table="r")))
    select.set("joins", [facts[0]])


def _walked(store: Store, select: exp.Select, walks: Sequence[exp.Join]) -> str:
    """A TEMP TABLE of what dot-walks lead to: `record`, and `alias.column` for each column."""
    names = {one.alias_or_name for one in walks}
    used = {(c.table, c.name) for c in select.find_all(exp.Column) if c.table in names}
    columns = ", ".join(f'{t}."{c}" AS "{t}.{c}"' for t, c in sorted(used))
    joins = " ".join(one.sql(dialect="duckdb") for one in walks)
    records = select.args["from_"].sql(dialect="duckdb")
    return _kept(store, f"SELECT r.sys_id AS record, {columns} {records} {joins}")[0]


def forget(store: Store) -> None:
    """Drop the facts: the records changed, or nobody will ask again."""
    classifications.drop_facts(store)
