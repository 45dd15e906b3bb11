"""Rows as one Parquet file, without a store: what a report's figures become for other tools.

Here because only the store's floor opens DuckDB. Everything is in memory but the file itself.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from connector.store.database import Store

_SETTINGS: dict[str, Any] = {
    # One thread: the rows stay in their order, and equal rows give equal bytes.
    "threads": 1,
    "memory_limit": "96MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def parquet_of(
    rows: Sequence[Mapping[str, Any]], types: Mapping[str, str], instants: Sequence[str] = ()
) -> bytes:
    """The rows in their order. `types`: column → SQL type; a key that a row lacks is NULL.

    Columns named in `instants` come as seconds since 1970 (DOUBLE) and leave as instants in UTC.
    Raises StoreError.
    """
    chosen = ", ".join(
        f'to_timestamp("{column}") AS "{column}"' if column in instants else f'"{column}"'
        for column in types
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        to = str(path).replace("'", "''")
        store = Store(path, duckdb.connect(":memory:", config=_SETTINGS))
        with store, store.given("rows", rows, types):
            store.execute(
                f"COPY (SELECT {chosen} FROM rows) TO '{to}' (FORMAT parquet, COMPRESSION zstd)"
            )
        return path.read_bytes()
