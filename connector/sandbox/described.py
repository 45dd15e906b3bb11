"""How an instance knows itself: its catalogue, read from its own rows, and what it remembers of it.

Owns when a change of a row in the dictionary takes effect. Refuses nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connector.sandbox.catalogue import (
    ACCESS_TABLES,
    DESCRIBES,
    LABEL_TABLES,
    Catalogue,
    Record,
    Table,
    build,
    with_column,
)
from connector.sandbox.engine import Engine, quoted


class Described:
    """The catalogue over an engine, and what was read from rows that describe."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.catalogue: Catalogue = {}
        self.select_one: dict[str, str] = {}
        self.choice_lists: dict[tuple[str, str, str], dict[str, str]] = {}
        self.access_rules: Mapping[tuple[str, str], tuple[Any, ...]] | None = None
        self.access_of: dict[str, Any] = {}
        self._closed_tables: frozenset[str] | None = None
        self._postponed: set[str] | None = None

    def refresh(self) -> None:
        """Read the catalogue again from the dictionary rows, and follow it physically."""
        objects, dictionary, numbers = (
            self.engine.records(
                f"SELECT {', '.join(quoted(c) for c in columns)} FROM {quoted(t)} ORDER BY rowid"
            )
            for t, columns in DESCRIBES.items()
        )
        self.catalogue = build(objects, dictionary, numbers)
        self.select_one.clear()
        self.choice_lists.clear()
        self._closed_tables = None
        self.forget_access()
        self.engine.ensure_tables(self.catalogue)

    def forget_access(self) -> None:
        """Roles or rules have changed: they are read anew when next asked for."""
        self.access_rules = None
        self.access_of.clear()

    def closed_tables(self) -> frozenset[str]:
        """Tables that web services may not reach: sys_db_object.ws_access is false."""
        if self._closed_tables is None:
            # A folder made before there was the column has none.
            has_column = "ws_access" in self.catalogue["sys_db_object"].columns
            sql = "SELECT name FROM sys_db_object WHERE ws_access = 'false'"
            rows = self.engine.rows(sql) if has_column else []
            self._closed_tables = frozenset(row[0] for row in rows)
        return self._closed_tables

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let many changes of the dictionary take effect at once, at the end."""
        self._postponed = set()
        try:
            yield
            names = self._postponed
        finally:
            self._postponed = None
        for name in names:
            self.follow(self.catalogue[name])

    def grow(self, record: Record) -> bool:
        """Take one new column in without reading the dictionary anew; whether that could be."""
        owner = self.catalogue.get(record["name"])
        if self._postponed is not None or owner is None:
            return False
        grown = with_column(self.catalogue, record)
        if grown is None or not self.engine.ensure_column(owner.physical, record["element"]):
            return False
        self.catalogue = grown
        self.select_one.clear()
        self.choice_lists.clear()
        return True

    def follow(self, table: Table) -> None:
        """Let a change of the dictionary take effect."""
        if self._postponed is not None:
            self._postponed.add(table.name)
            return
        if table.name in LABEL_TABLES:
            self.choice_lists.clear()
        if table.name in ACCESS_TABLES:
            self.forget_access()
        if table.name in DESCRIBES:
            self.refresh()
