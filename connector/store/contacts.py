"""Contacts that came from a file: they lie among the records of their table, and are told apart."""

from collections.abc import Mapping, Sequence

from connector.store import records
from connector.store.database import Store
from connector.store.records import name


def names_of(store: Store, table: str) -> dict[str, list[str]]:
    """Name → the sys_ids that bear it, of a table at rest; {} where it is not read."""
    if "name" not in records.list_columns(store, table):
        return {}
    rows = store.read(
        f"SELECT name, list(sys_id ORDER BY sys_id) AS ids FROM current.{name(table)}"
        " WHERE name <> '' GROUP BY name"
    )
    return {row["name"]: row["ids"] for row in rows}


def list_lines(store: Store, table: str, columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """The contacts that came from a file, by sys_id."""
    if not records.list_columns(store, table):
        return {}
    quoted = ", ".join(name(column) for column in columns)
    rows = store.read(
        f"SELECT sys_id, {quoted} FROM current.{name(table)}"
        " WHERE sys_id IN (SELECT sys_id FROM contact_line)"
    )
    return {row.pop("sys_id"): row for row in rows}


def count_lines(store: Store) -> int:
    """How many contacts came from a file."""
    return int(store.value("SELECT count(*) FROM contact_line"))


def replace_lines(
    store: Store, table: str, fresh: Sequence[Mapping[str, str]], keep: Sequence[str], run_id: str
) -> None:
    """Land what is new or changed, drop what is not in `keep`; call it in a transaction."""
    store.execute(
        f"DELETE FROM current.{name(table)} WHERE sys_id IN (SELECT sys_id FROM contact_line)"
        " AND NOT list_contains($keep, sys_id)",
        keep=["", *keep],
    )
    store.execute("DELETE FROM contact_line")
    store.execute(
        "INSERT INTO contact_line SELECT unnest($keep::VARCHAR[])",
        keep=list(keep),
    )
    if fresh:
        records.land(store, table, list(fresh[0]), fresh, run_id)
