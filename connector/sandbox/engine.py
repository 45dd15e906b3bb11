"""The sandbox's SQLite file: connection, one writer at a time, transactions, physical tables.

Owns the file and the shape of the physical tables: one per hierarchy (`task` holds every task
class), every column TEXT and never NULL, so that NULL and '' cannot differ. Knows nothing of
records' meaning.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from connector.encoded_query import register_sqlite
from connector.errors import ConnectorError
from connector.messages import _
from connector.sandbox.catalogue import Catalogue

_LINKS = (
    "number",
    "user_name",
    "documentkey",
    "element_id",
    "table_sys_id",
    "task",
    "sysapproval",
    "task_id",
    "request",
    "request_item",
    "parent",
)
"""Columns by which forms and dot-walks look for records: each has an index where it exists."""


class SandboxError(ConnectorError):
    """The sandbox cannot start or a seed does not fit its tables."""


def quoted(name: str) -> str:
    """An SQL identifier. Names come from the catalogue, which lets only plain ones in."""
    return f'"{name}"'


class Engine:
    """One SQLite file in WAL mode, used through one connection under one lock."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self._columns: dict[str, set[str]] = {}
        self._indexes: set[str] = set()
        try:
            self.connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, cached_statements=512
            )
            self._prepare()
        except sqlite3.Error as error:
            raise SandboxError(
                _(
                    "{path} is not a usable sandbox database ({reason}); remove it to start anew"
                ).format(path=path.name, reason=error)
            ) from error

    def _prepare(self) -> None:
        register_sqlite(self.connection)
        # synchronous=OFF: a killed process loses nothing in WAL mode, only a dying machine does.
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-32000"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS _sandbox_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
        )
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS _sandbox_content (sys_id TEXT PRIMARY KEY, data BLOB)"
        )

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        with self.lock:
            self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an inner one is a savepoint of the outer."""
        with self.lock:
            name = f"level{self._depth}"
            self.connection.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                self._undo(name)
                raise
            self._depth -= 1
            self.connection.execute(f"RELEASE {name}" if self._depth else "COMMIT")

    @property
    def is_outermost(self) -> bool:
        """Whether the transaction that is open has no other around it."""
        return self._depth <= 1

    def _undo(self, name: str) -> None:
        self._columns.clear()
        self._indexes.clear()
        if self._depth:
            self.connection.execute(f"ROLLBACK TO {name}")
            self.connection.execute(f"RELEASE {name}")
        else:
            self.connection.execute("ROLLBACK")

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run one statement."""
        self.connection.execute(sql, values)

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[str, ...]]:
        """Every row of a SELECT."""
        with self.lock:
            return self.connection.execute(sql, values).fetchall()

    def records(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, str]]:
        """Every row of a SELECT, by column name; NULL (from a join) as ''."""
        with self.lock:
            cursor = self.connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [
                {n: "" if v is None else v for n, v in zip(names, row, strict=True)}
                for row in cursor
            ]

    def insert_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> None:
        """Insert rows of one physical table. Raises sqlite3.IntegrityError on a sys_id twice."""
        names = ", ".join(quoted(column) for column in columns)
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {quoted(table)} ({names}) VALUES ({marks})"
        self.connection.executemany(sql, rows)

    def meta(self, name: str) -> str:
        """A value the sandbox keeps for itself, '' if never set."""
        rows = self.rows("SELECT value FROM _sandbox_meta WHERE name = ?", (name,))
        return rows[0][0] if rows else ""

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value of the sandbox's own."""
        self.execute("INSERT OR REPLACE INTO _sandbox_meta VALUES (?, ?)", (name, value))

    # ── physical tables ──────────────────────────────────────────────────────────────────────

    def ensure_tables(self, catalogue: Catalogue) -> None:
        """Create what the catalogue has and the file lacks: tables, columns, indexes."""
        for physical, wanted in _wanted(catalogue).items():
            present = self._present(physical)
            if not present:
                self._create(physical, wanted)
            for column in sorted(wanted - present) if present else ():
                self._add_column(physical, column)
            self._columns[physical] = present | wanted
            self._index(physical, wanted, len(catalogue[physical].classes) > 1)

    def ensure_column(self, physical: str, column: str) -> bool:
        """Add one column to a table that is there. False where it takes `ensure_tables`."""
        present = self._present(physical)
        if not present or column in _LINKS:
            return False
        if column not in present:
            self._add_column(physical, column)
            present.add(column)
        return True

    def _add_column(self, physical: str, column: str) -> None:
        self.execute(
            f"ALTER TABLE {quoted(physical)} ADD COLUMN {quoted(column)} TEXT NOT NULL DEFAULT ''"
        )

    def _present(self, table: str) -> set[str]:
        if table not in self._columns:
            rows = self.rows(f"PRAGMA table_info({quoted(table)})")
            self._columns[table] = {row[1] for row in rows}
        return self._columns[table]

    def _create(self, table: str, columns: set[str]) -> None:
        others = sorted(columns - {"sys_id"})
        body = ", ".join(f"{quoted(c)} TEXT NOT NULL DEFAULT ''" for c in others)
        self.execute(f"CREATE TABLE {quoted(table)} (sys_id TEXT PRIMARY KEY, {body})")

    def _index(self, table: str, columns: set[str], is_hierarchy: bool) -> None:
        wanted = {column: quoted(column) for column in _LINKS if column in columns}
        if table != "sys_audit":  # written six rows a change, never paged by key
            wanted["cursor"] = "sys_updated_on, sys_id"
        if is_hierarchy:
            wanted["class"] = "sys_class_name, sys_updated_on, sys_id"
        for column, over in wanted.items():
            name = f"{table}_by_{column}"
            if name not in self._indexes:
                self.execute(
                    f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {quoted(table)} ({over})"
                )
                self._indexes.add(name)

    def drop_table(self, table: str) -> None:
        """Remove a physical table and its records."""
        self.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
        self._columns.pop(table, None)
        self._indexes = {name for name in self._indexes if not name.startswith(f"{table}_by_")}


def _wanted(catalogue: Catalogue) -> Mapping[str, set[str]]:
    """Physical table → its columns: the union over all classes of the hierarchy."""
    wanted: dict[str, set[str]] = {}
    for table in catalogue.values():
        columns = wanted.setdefault(
            table.physical,
            {"sys_class_name", "sys_created_on", "sys_created_by", "sys_updated_on"}
            | {"sys_updated_by", "sys_mod_count", "sys_id"},
        )
        columns.update(table.columns)
    return wanted
