"""How the rules cover the records: hits, and what the unclassified have in common. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from connector.store.database import Row, Store
from connector.store.records import list_columns, name

_UNCLASSIFIED = "k.rule_id = 'unclassified'"


@dataclass(frozen=True)
class Shared:
    """Records of a table with the same values: all of them, and those that are unclassified."""

    values: tuple[str, ...]
    unclassified: int
    records: int


def hits(store: Store) -> list[Row]:
    """Per table and rule: table_name, rule_id, records, low (of them low in confidence)."""
    return store.read(
        "SELECT table_name, rule_id, count(*) AS records,"
        " count(*) FILTER (confidence = 'low') AS low"
        " FROM classification GROUP BY ALL ORDER BY table_name, records DESC, rule_id"
    )


def placed_in(store: Store, journey: str) -> dict[str, int]:
    """Step of a journey → how many records stand in it."""
    rows = store.read(
        "SELECT steps[$journey] AS step, count(*) AS n FROM classification"
        " WHERE step IS NOT NULL GROUP BY 1",
        journey=journey,
    )
    return {row["step"]: row["n"] for row in rows}


def choice_columns(store: Store, table: str) -> set[str]:
    """The columns of a table that have a choice list."""
    rows = store.read("SELECT DISTINCT element FROM choice WHERE table_name = $table", table=table)
    return {row["element"] for row in rows}


def choice_labels(store: Store, table: str, language: str) -> dict[tuple[str, str], str]:
    """(column, value) → its label."""
    rows = store.read(
        "SELECT element, value, label FROM choice WHERE table_name = $table AND language = $lang",
        table=table,
        lang=language,
    )
    return {(row["element"], row["value"]): row["label"] for row in rows}


def names_of(store: Store, table: str, sys_ids: Sequence[str]) -> dict[str, str]:
    """sys_id → the name of the thing, where it is read and has one."""
    if "name" not in list_columns(store, table):
        return {}
    rows = store.read(
        f"SELECT sys_id, name FROM current.{name(table)}"
        " WHERE list_contains($ids, sys_id) AND name <> ''",
        ids=list(sys_ids),
    )
    return {row["sys_id"]: row["name"] for row in rows}


def shared_values(
    store: Store, table: str, columns: Sequence[str], least: int, limit: int
) -> list[Shared]:
    """The combinations of values that `least` unclassified records or more share, largest first.

    A value that is unknown counts as none: such records are left out.
    """
    quoted = ", ".join(f"c.{name(column)}" for column in columns)
    known = " AND ".join(f"c.{name(column)} IS NOT NULL" for column in columns)
    rows = store.read(
        f"SELECT [{quoted}] AS vals, count(*) FILTER ({_UNCLASSIFIED}) AS unclassified,"
        f" count(*) AS records FROM current.{name(table)} c JOIN classification k"
        f" ON k.table_name = $table AND k.sys_id = c.sys_id WHERE {known}"
        f" GROUP BY {quoted} HAVING unclassified >= $least"
        " ORDER BY unclassified DESC, records, vals LIMIT $limit",
        table=table,
        least=least,
        limit=limit,
    )
    return [Shared(tuple(row["vals"]), row["unclassified"], row["records"]) for row in rows]


def overrides_per_rule(store: Store) -> dict[str, int]:
    """Rule id → how often stewards overruled what it decides; {} where none were ever read."""
    if not store.value(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'journey_override'"
    ):
        return {}
    rows = store.read("SELECT overruled, count(*) AS n FROM journey_override GROUP BY 1")
    return {row["overruled"]: row["n"] for row in rows}
