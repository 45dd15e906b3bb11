"""The demo in a store of this process, as a full sync would leave it, without instance or HTTP."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from connector.journey.requirements import requirements
from connector.sandbox.schema import load_schema
from connector.sandbox.seeds.demo import generate
from connector.store import records
from connector.store.database import Store, open_store
from tests.journey_kit import schema, shipped

Rows = Mapping[str, Sequence[Mapping[str, str]]]
SANDBOX = load_schema()


@cache
def demo_rows(now: datetime) -> Rows:
    """Every record of the demo as it stands at `now`, by table."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for table, batch in generate(now):
        rows[table] += batch
    return rows


def ruled_tables() -> tuple[str, ...]:
    """The tables of the sandbox whose records the shipped mapping places."""
    mapping = shipped()
    return tuple(t for t in mapping.tables if t in SANDBOX.tables and mapping.rules_of(t))


def wanted_columns(tables: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Everything that must be read to place the records of these tables."""
    return requirements(shipped(), tables, schema())


def demo_store(path: Path, now: datetime) -> Store:
    """A new store that holds the demo at `now`, nothing placed yet."""
    store = open_store(path, memory_limit_mb=512)
    rows = demo_rows(now)
    for table, columns in wanted_columns(ruled_tables()).items():
        records.ensure_table(store, table, columns)
        if table in SANDBOX.tables:
            family = [row for name in SANDBOX.descendants(table) for row in rows.get(name, ())]
            put(store, table, columns, family)
    return store


def put(
    store: Store, table: str, columns: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> None:
    """Put records into a table that is there; what a record lacks of `columns` is empty."""
    names = ("_inputs_updated_on", *columns)
    empty = dict.fromkeys(names, "")
    filled = [{**empty, "_inputs_updated_on": row["sys_updated_on"], **row} for row in rows]
    with store.given("page", filled, records.texts(names)):
        store.execute(f'INSERT INTO current."{table}" BY NAME FROM page')
