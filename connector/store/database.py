"""The store file: the only place that opens DuckDB. Opening, migrating, transactions, snapshot.

One writer at a time (see `lock.py`); readers use the snapshot published at the end of each run.
Every DuckDB error leaves as a StoreError.
"""

import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Self

import duckdb
import msgspec

from connector.errors import StoreError
from connector.messages import _
from connector.store.troubles import (
    discard,
    first_line,
    full_disk,
    is_disk_full,
    opening_error,
    out_of_room,
)
from connector.wording import os_reason

Row = dict[str, Any]

BYTES_AT_ONCE = 2 * 1024 * 1024
"""What is handed to DuckDB in one piece at most: its text is in memory beside the rows, and twice
as much as a buffer of DuckDB's."""

CHECKPOINT_MB = 16
"""How large DuckDB's log may grow before it is worked into the file: its default. 64 spared a first
read some processor time, and cost a first sync 14 MB (`python -m benchmarks.memory`)."""

READERS_MB = 160
"""What whoever reads the snapshot may use at least: a report joins more at once than a run does."""

MB_PER_THREAD = 128
"""Every thread holds buffers of its own, so a store that may use little has one thread."""

MOST_THREADS = 4

_NEVER = "1TB"
"""More than is ever written between two checkpoints."""

_RESHAPING = ("CREATE TABLE current.", "ALTER TABLE current.", "DROP TABLE current.")


class Store:
    """An open store. `read` and `execute` take SQL with `$name` parameters."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self._connection = connection
        self._depth = 0
        self.shapes: dict[str, list[str]] = {}
        """Tables of records → their columns, for `records.list_columns`; {} = not read yet."""
        self.facts: dict[str, int] = {}
        """TEMP TABLEs of facts → the texts they hold, for `classifications.compute_fact`."""

    def read(self, sql: str, **params: Any) -> list[Row]:
        """The rows of a query, as dictionaries. Raises StoreError."""
        with self._errors():
            result = self._connection.execute(sql, params or None)
            names = [column[0] for column in result.description]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def value(self, sql: str, **params: Any) -> Any:
        """The first column of the first row, None if there is none."""
        with self._errors():
            rows = self._connection.execute(sql, params or None).fetchall()
            return rows[0][0] if rows else None

    def execute(self, sql: str, **params: Any) -> None:
        """Run a statement that answers nothing. Raises StoreError."""
        if sql.startswith(_RESHAPING):
            self.shapes.clear()
        with self._errors():
            # Fetched to the end: DuckDB 2 refuses further work while a result is unfinished.
            self._connection.execute(sql, params or None).fetchall()

    @contextmanager
    def given(
        self, name: str, rows: "Sequence[Mapping[str, Any]] | Packed", types: Mapping[str, str]
    ) -> Iterator[None]:
        """Make `rows` readable as TEMP TABLE `name` for a while. `types`: column → SQL type.

        A key that a row lacks is NULL.
        """
        columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
        self.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
        self.pour(f"INSERT INTO {name} SELECT * FROM", rows, types)
        yield
        # Not after an error: its transaction takes the table back, and refuses any statement.
        self.execute(f"DROP TABLE {name}")

    def pour(
        self,
        insert: str,
        rows: "Sequence[Mapping[str, Any]] | Packed",
        types: Mapping[str, str],
        **params: Any,
    ) -> int:
        """Run `insert` (an INSERT … SELECT … FROM) over `rows`; answers how many it put in.

        They travel as JSON that DuckDB reads like a file: a data frame library would carry them no
        faster, and weigh more than all the rest of a run.
        """
        shape = ", ".join(f"'{column}': '{kind}'" for column, kind in types.items())
        count = 0
        packed = rows if isinstance(rows, Packed) else pack(rows)
        for text in packed.texts:
            with readable(text, self.path.parent) as path:
                count += self.value(
                    f"{insert} read_json('{path}', format = 'array', columns = {{{shape}}},"
                    f" maximum_object_size = {len(text)})",
                    **params,
                )
        return count

    @contextmanager
    def scratching(self) -> Iterator[None]:
        """For steps that write nothing but TEMP TABLEs: they are not pressed while they are made.

        DuckDB 2 compresses all TEMP TABLEs anew, on one core, whenever so much was written to them
        that a checkpoint of a file would be due. The file itself has nothing to write meanwhile.
        """
        self.execute(f"SET checkpoint_threshold = '{_NEVER}'")
        try:
            yield
        finally:
            self.execute(f"SET checkpoint_threshold = '{CHECKPOINT_MB}MB'")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a transaction inside another joins it."""
        if self._depth:
            yield
            return
        self._depth = 1
        self.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._rollback()
            raise
        else:
            self.execute("COMMIT")
        finally:
            self._depth = 0

    def _rollback(self) -> None:
        self.shapes.clear()
        try:
            self._connection.rollback()
        except duckdb.Error:
            # A failed statement may have ended the transaction already; nothing was committed.
            return

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            raise out_of_room(self.path) from error
        except duckdb.Error as error:
            if is_disk_full(error):
                raise full_disk(self.path) from error
            raise StoreError(
                _("The store {path} refused an operation: {reason}").format(
                    path=self.path, reason=first_line(error)
                )
            ) from error

    def close(self) -> None:
        """Write everything to the file and let it go."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def open_store(path: Path, memory_limit_mb: int = 112) -> Store:
    """Open (or create) the store and bring its schema up to date.

    Raises StoreError if the file is damaged, out of reach, no store of ours, or of a newer version;
    RunInProgressError if another process writes it.
    """
    is_new = not path.exists()
    was_cut_off = _wal_path(path).exists()
    store = Store(path, _connect(path, memory_limit_mb, read_only=False))
    try:
        if was_cut_off:
            # What a killed run had committed is in memory now, and would stay there.
            store.execute("CHECKPOINT")
        _migrate(store, is_new=is_new)
    except BaseException:
        store.close()
        raise
    return store


def _wal_path(path: Path) -> Path:
    """DuckDB's own log of what was committed and is not in the file yet."""
    return path.with_name(path.name + ".wal")


def snapshot_path(path: Path) -> Path:
    """Where the copy for readers lies."""
    return path.with_name(path.stem + ".snapshot.duckdb")


def open_snapshot(path: Path, memory_limit_mb: int = READERS_MB) -> Store:
    """Open the copy for readers of the store at `path`. Raises StoreError if none exists yet."""
    snapshot = snapshot_path(path)
    if not snapshot.exists():
        raise StoreError(
            _("There is no finished run in {path} yet; run travesia sync first").format(path=path)
        )
    return Store(snapshot, _connect(snapshot, max(memory_limit_mb, READERS_MB), read_only=True))


def publish_snapshot(path: Path) -> None:
    """Copy the closed store for its readers, in one atomic step."""
    target = snapshot_path(path)
    draft = target.with_suffix(".draft")
    try:
        shutil.copyfile(path, draft)
        with draft.open("rb+") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        # Half a copy would take the room that the next attempt needs.
        discard(draft)
        raise StoreError(
            _("The snapshot {path} could not be written: {reason}").format(
                path=target, reason=os_reason(error)
            )
        ) from error


def _connect(path: Path, memory_limit_mb: int, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    settings: dict[str, Any] = {
        "memory_limit": f"{memory_limit_mb}MB",
        # Never by the number of the machine's cores: the same run takes the same memory everywhere.
        "threads": max(1, min(memory_limit_mb // MB_PER_THREAD, MOST_THREADS, os.cpu_count() or 1)),
        "async_threads": 1,
        "preserve_insertion_order": False,
        "temp_directory": str(path.with_name(path.name + ".tmp")),
        # A store is data: it never loads code or reaches the network.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # What is handed over is another text under the same path each time.
        "enable_external_file_cache": False,
        "checkpoint_threshold": f"{CHECKPOINT_MB}MB",
    }
    try:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), read_only=read_only, config=settings)
    except (duckdb.Error, OSError, UnicodeDecodeError) as error:
        raise opening_error(path, error) from error


_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Packed:
    """Rows as JSON arrays of at most BYTES_AT_ONCE, which weigh a third of what rows do."""

    texts: tuple[bytes, ...]
    count: int

    def __len__(self) -> int:
        return self.count


def pack(rows: Sequence[Mapping[str, Any]]) -> Packed:
    """Rows, ready for `Store.pour`: so another thread than the one that writes can make them so."""
    return Packed(tuple(_texts(rows, _rows_at_once(rows))), len(rows))


_SAMPLE = 64


def _rows_at_once(rows: Sequence[Mapping[str, Any]]) -> int:
    """About how many of these rows can be handed over at once, so that all pieces are alike."""
    sample = rows[:: max(1, len(rows) // _SAMPLE)]
    mean = len(_encoder.encode(sample)) / max(1, len(sample))
    pieces = max(1, math.ceil(1.05 * mean * len(rows) / BYTES_AT_ONCE))
    return max(1, math.ceil(len(rows) / pieces))


def _texts(rows: Sequence[Mapping[str, Any]], at_once: int) -> Iterator[bytes]:
    """The rows as JSON arrays, none larger than can be handed over at once."""
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        text = _encoder.encode(some)
        if len(text) > BYTES_AT_ONCE and len(some) > 1:
            del text
            yield from _texts(some, math.ceil(len(some) / 2))
        else:
            yield text


@contextmanager
def readable(text: bytes, folder: Path) -> Iterator[str]:
    """A path under which DuckDB reads `text` for a while.

    In memory where the system can (Linux), for it holds people's data; else a file beside the
    store that only we may read.
    """
    memory = getattr(os, "memfd_create", None)
    if memory is not None and _DESCRIPTORS.is_dir():
        with os.fdopen(memory("travesia"), "wb") as file:
            file.write(text)
            file.flush()
            yield str(_DESCRIPTORS / str(file.fileno()))
    else:
        with NamedTemporaryFile(dir=folder, prefix=".travesia-") as file:
            file.write(text)
            file.flush()
            yield file.name.replace("'", "''")


_DESCRIPTORS = Path("/proc/self/fd")


def _migrate(store: Store, *, is_new: bool) -> None:
    if not is_new:
        _refuse_foreign(store)
    store.execute(
        "CREATE TABLE IF NOT EXISTS migration"
        " (number INTEGER PRIMARY KEY, name VARCHAR,"
        " applied_at TIMESTAMP DEFAULT current_timestamp)"
    )
    done = {row["number"] for row in store.read("SELECT number FROM migration")}
    steps = _migrations()
    if done - {number for number, _name, _sql in steps}:
        raise StoreError(
            _(
                "The store {path} was written by a newer version of travesia (schema {number});"
                " upgrade travesia"
            ).format(path=store.path, number=max(done))
        )
    for number, name, sql in (step for step in steps if step[0] not in done):
        if not is_new:
            _back_up(store, number)
        with store.transaction():
            store.execute(sql)
            store.execute(
                "INSERT INTO migration (number, name) VALUES ($number, $name)",
                number=number,
                name=name,
            )


def _refuse_foreign(store: Store) -> None:
    """Somebody else's database is not made a store of ours. An empty one may be."""
    tables = store.value("SELECT count(*) FROM duckdb_tables() WHERE NOT internal")
    ours = store.value(
        "SELECT count(*) FROM duckdb_tables()"
        " WHERE schema_name = 'main' AND table_name = 'migration'"
    )
    if tables and not ours:
        raise StoreError(
            _(
                "{path} is a database of another program, no store of travesia; nothing was"
                " changed in it. Name another file in [store] path"
            ).format(path=store.path)
        )


def _back_up(store: Store, number: int) -> None:
    store.execute("CHECKPOINT")
    copy = store.path.with_name(f"{store.path.name}.before-{number:04d}")
    try:
        shutil.copyfile(store.path, copy)
    except OSError as error:
        discard(copy)
        raise StoreError(
            _("The backup {path} could not be written: {reason}").format(
                path=copy, reason=os_reason(error)
            )
        ) from error


def _migrations() -> list[tuple[int, str, str]]:
    folder = files("connector.store") / "migrations"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), name, (folder / name).read_text(encoding="utf-8")) for name in names]
