"""A store that holds whatever any fact reads, and a look at the facts of its records."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.encoded_query import Context
from connector.journey.facts import FACTS
from connector.journey.model import Rule, Text
from connector.journey.requirements import requirements
from connector.journey.scope import Catalogue, catalogue_of, select_fields
from connector.store import records
from connector.store.classifications import held_columns
from connector.store.database import open_store
from tests.journey_kit import NOW, Kit, schema, shipped

KNOWN = {table for table, _column in schema()}
"""Tables that the sandbox has; some facts are also of tables that only old instances have."""

TABLES = tuple(
    sorted({t for f in FACTS for t in (*f.tables, f.source) if t in KNOWN} | {"contract_sla"})
)


@cache
def everything() -> Mapping[str, tuple[str, ...]]:
    """The tables and columns that the facts read, all of them."""
    rules = tuple(
        Rule(f"r{n}-{table}", (table,), f"{fact.name}ISNOTEMPTY", "email", Text("", ""), {})
        for n, fact in enumerate(FACTS)
        for table in fact.tables
        if table in KNOWN
    )
    asking = replace(shipped(), rules=(*rules, *shipped().rules))
    return requirements(asking, TABLES, schema())


@cache
def _empty_store() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "facts.duckdb"
        with open_store(file) as store:
            for table, columns in everything().items():
                records.ensure_table(store, table, columns)
        return file.read_bytes()


class FactsKit(Kit):
    """A `Kit` with every table that some fact reads."""

    def __init__(self, path: Path) -> None:
        file = path / "facts.duckdb"
        file.write_bytes(_empty_store())
        self.store = open_store(file)
        self.mapping = shipped()
        self.columns = dict(everything())
        self._queries: dict[tuple[str, tuple[str, ...], Context], str] = {}

    def catalogue(self) -> Catalogue:
        return catalogue_of(self.mapping, schema(), held_columns(self.store))

    def all_values(
        self, table: str, *fields: str, now: datetime = NOW, zone: str = "UTC"
    ) -> dict[str, dict[str, str | None]]:
        """sys_id → the asked fields of every record of `table`."""
        rows = self.store.read(self._query(table, fields, Context(now, zone)))
        assert len({row["sys_id"] for row in rows}) == len(rows)
        return {row.pop("sys_id"): row for row in rows}

    def _query(self, table: str, fields: tuple[str, ...], context: Context) -> str:
        """The SQL of the fields, made once: that takes longer than asking."""
        key = (table, fields, context)
        if key not in self._queries:
            query = select_fields(self.catalogue(), table, fields, context)
            self._queries[key] = query.sql(dialect="duckdb")
        return self._queries[key]

    def values(
        self, table: str, sys_id: str, *fields: str, now: datetime = NOW, zone: str = "UTC"
    ) -> list[str | None]:
        """The asked fields of one record."""
        found = self.all_values(table, *fields, now=now, zone=zone)[sys_id]
        return [found[field] for field in fields]
