"""What an export reads: every placed record with its events, in parts, as TEMP TABLEs.

Works on a snapshot as well as on the store: nothing is kept. Columns that may hold texts or people
are never read here; which columns they are is said by the caller.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from connector.store.database import Row, Store
from connector.store.records import name

PART = 2_000
"""Records that are in memory at once."""

_RECORDS = """
CREATE OR REPLACE TEMP TABLE export_record (
    record_no BIGINT, table_name VARCHAR, sys_id VARCHAR, number VARCHAR, touchpoint VARCHAR,
    step VARCHAR, band VARCHAR, outcome VARCHAR, phase VARCHAR, value VARCHAR, rule_id VARCHAR,
    priority VARCHAR, category VARCHAR, opened_at VARCHAR, closed_at VARCHAR, customer VARCHAR,
    service VARCHAR, parents VARCHAR[]
)
"""
_EVENTS = """
CREATE OR REPLACE TEMP TABLE export_event (
    record_no BIGINT, happened_at TIMESTAMP, kind VARCHAR, activity VARCHAR, detail VARCHAR,
    source VARCHAR, cause VARCHAR, dwell_seconds BIGINT
)
"""


def begin(store: Store) -> None:
    """Start over with no records and no events."""
    store.execute(_RECORDS)
    store.execute(_EVENTS)


def has_table(store: Store, table: str, schema: str = "main") -> bool:
    """Whether the store has such a table."""
    found = store.value(
        "SELECT count(*) FROM information_schema.tables"
        " WHERE table_schema = $schema AND table_name = $table",
        schema=schema,
        table=table,
    )
    return bool(found)


def add_records(
    store: Store,
    table: str,
    journey: str,
    query: str,
    first_of: Mapping[str, Sequence[str]],
    parents: Sequence[str],
) -> int:
    """Add the placed records of one table. Answers how many there are.

    `query` answers sys_id and fields under their own names; `first_of` says for each of our columns
    which of those fields may fill it, the first non-empty one counts; `parents` are fields that
    hold a parent's sys_id. Records that are left out of the figures are left out here.
    """
    columns = ", ".join(f"{_first(fields)} AS {name(ours)}" for ours, fields in first_of.items())
    kin = ", ".join(f"nullif(a.{_field(field)}, '')" for field in parents)
    before = int(store.value("SELECT count(*) FROM export_record"))
    store.execute(
        "INSERT INTO export_record BY NAME SELECT"
        " $before + row_number() OVER (ORDER BY c.sys_id) AS record_no, c.table_name, c.sys_id,"
        " c.touchpoint, coalesce(c.steps[$journey], '') AS step, c.band, c.outcome, c.phase,"
        f" c.value, c.rule_id, {columns},"
        f" list_filter([{kin}]::VARCHAR[], lambda one: one IS NOT NULL) AS parents"
        f" FROM classification c JOIN ({query}) a USING (sys_id)"
        " WHERE c.table_name = $table AND c.touchpoint <> ''",
        table=table,
        journey=journey,
        before=before,
    )
    return int(store.value("SELECT count(*) FROM export_record")) - before


def _first(fields: Sequence[str]) -> str:
    parts = [f"nullif(a.{_field(field)}, '')" for field in fields]
    return f"coalesce({', '.join([*parts, chr(39) * 2])})"


def _field(dotted: str) -> str:
    return '"' + dotted.replace('"', '""') + '"'


def add_steps(store: Store, journey: str) -> None:
    """Every step that a record came to, with how long it stood in the one before."""
    store.execute(
        "INSERT INTO export_event BY NAME SELECT r.record_no, t.happened_at, 'step' AS kind,"
        " t.to_step AS activity, t.rule_id AS detail, t.source, t.cause, t.dwell_seconds"
        " FROM transition t JOIN export_record r USING (table_name, sys_id)"
        " WHERE t.journey = $journey",
        journey=journey,
    )


def add_contacts(store: Store) -> None:
    """Every public comment and work note that is known: when, never what."""
    if not has_table(store, "sys_journal_field", "current"):
        return
    store.execute(
        "INSERT INTO export_event BY NAME SELECT r.record_no,"
        " TRY_CAST(j.sys_created_on AS TIMESTAMP) AS happened_at, 'entry' AS kind,"
        " j.element AS activity, 'audit' AS source"
        ' FROM "current".sys_journal_field j'
        " JOIN export_record r ON r.table_name = j.name AND r.sys_id = j.element_id"
        " WHERE j.element IN ('comments', 'work_notes')"
        " AND TRY_CAST(j.sys_created_on AS TIMESTAMP) IS NOT NULL"
    )


def add_moments(store: Store) -> None:
    """Every moment of truth that was decided."""
    if not has_table(store, "moment"):
        return
    store.execute(
        "INSERT INTO export_event BY NAME SELECT r.record_no, m.decided_at AS happened_at,"
        " 'moment' AS kind, m.moment_id AS activity, m.polarity AS detail"
        " FROM moment m JOIN export_record r USING (table_name, sys_id)"
        " WHERE m.polarity IN ('positive', 'negative') AND m.decided_at IS NOT NULL"
    )


def iterate(store: Store) -> Iterator[tuple[list[Row], dict[int, list[Row]]]]:
    """The records in order, in parts, each part with its events by record, in order of time."""
    last = int(store.value("SELECT coalesce(max(record_no), 0) FROM export_record"))
    for first in range(1, last + 1, PART):
        span = {"first": first, "last": first + PART - 1}
        records = store.read(
            "SELECT * FROM export_record WHERE record_no BETWEEN $first AND $last ORDER BY 1",
            **span,
        )
        events: dict[int, list[Row]] = {}
        for event in store.read(
            "SELECT * FROM export_event WHERE record_no BETWEEN $first AND $last"
            " ORDER BY record_no, happened_at, kind, activity",
            **span,
        ):
            events.setdefault(event["record_no"], []).append(event)
        yield records, events


def groups(store: Store, column: str) -> list[str]:
    """The customers, or the services, that the records name, in order."""
    rows = store.read(
        f"SELECT DISTINCT {name(column)} AS one FROM export_record"
        f" WHERE {name(column)} <> '' ORDER BY 1"
    )
    return [row["one"] for row in rows]


def tables_of(store: Store, parents: Sequence[str]) -> dict[str, str]:
    """Of these sys_ids, those of exported records → their table."""
    rows = store.read(
        "SELECT sys_id, any_value(table_name) AS table_name FROM export_record"
        " WHERE list_contains($ids, sys_id) GROUP BY 1",
        ids=list(parents),
    )
    return {row["sys_id"]: row["table_name"] for row in rows}


def write_parquet(store: Store, schema: str, table: str, columns: Sequence[str], to: Path) -> None:
    """Write some columns of a table, in the order of its key, as one Parquet file."""
    chosen = ", ".join(name(column) for column in columns)
    place = str(to).replace("'", "''")
    store.execute(
        f"COPY (SELECT {chosen} FROM {name(schema)}.{name(table)}) TO '{place}'"
        " (FORMAT parquet, COMPRESSION zstd)"
    )


def columns_of(store: Store) -> dict[tuple[str, str], list[str]]:
    """(schema, table) → its columns in order: records at rest, and what was made of them."""
    rows = store.read(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " WHERE table_schema IN ('current', 'main') AND table_catalog = current_database()"
        " ORDER BY 1, 2, ordinal_position"
    )
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        found.setdefault((row["table_schema"], row["table_name"]), []).append(row["column_name"])
    return found
