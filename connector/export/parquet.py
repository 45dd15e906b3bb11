"""Everything the store holds as Parquet files, one a table: for histories, notebooks, Spark.

Left out unless it is asked for: who people are, and what they wrote.
"""

from collections.abc import Sequence
from pathlib import Path

from connector.export.files import whole_file
from connector.store import exports
from connector.store.database import Store

PEOPLE = ("sys_user",)
"""Tables about persons."""
TEXTS = frozenset(
    {
        *("short_description", "description", "comments", "work_notes", "close_notes"),
        *("u_summary", "u_promise", "u_journey_override_reason", "string_value"),
        *("u_journey_why", "reason", "justification"),
    }
)
"""Columns in which somebody writes."""
NAMES = frozenset({"user", "user_name", "sys_created_by", "sys_updated_by", "watch_list"})
"""Columns that name a person in plain words, or may."""
_OURS = frozenset({"migration", "instance", "cursor", "change", "set_aside", "sweep"})
"""The connector's own bookkeeping: no use to anybody else."""


def write_parquet(store: Store, folder: Path, *, with_people: bool = False) -> list[Path]:
    """Write a file for each table into `folder`; answers their paths.

    With `with_people`, texts and the table of users too. Raises ConnectorError if the folder cannot
    be written, StoreError.
    """
    paths = []
    for (schema, table), columns in exports.columns_of(store).items():
        chosen = _chosen(schema, table, columns, with_people=with_people)
        if not chosen:
            continue
        path = folder / f"{'record' if schema == 'current' else 'journey'}.{table}.parquet"
        with whole_file(path) as draft:
            exports.write_parquet(store, schema, table, chosen, draft)
        paths.append(path)
    return paths


def _chosen(schema: str, table: str, columns: Sequence[str], *, with_people: bool) -> list[str]:
    if schema == "main" and table in _OURS:
        return []
    if schema == "current" and table in PEOPLE and not with_people:
        return []
    kept = [column for column in columns if not column.startswith("_")]
    return kept if with_people else [column for column in kept if column not in TEXTS | NAMES]
