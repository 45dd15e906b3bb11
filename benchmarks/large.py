"""A store of a million records: the demo's year, copied, every copy some days older.

Records get keys of their own in every copy, and refer to each other within it; what they share
(people's departments, catalogue items, services) stays one. All of it is SQL over the store.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.config.settings import WriteBackSettings
from connector.itsm.base import (
    Choice,
    Column,
    Cursor,
    Page,
    Record,
    RecordUpdate,
    UpdateReply,
)
from connector.journey.fields import RECORD_FIELDS, STEWARD_FIELDS
from connector.sandbox.schema import load_schema
from connector.store import records
from connector.store.database import Store
from connector.timestamps import format_instance
from tests.demo_store import demo_store, ruled_tables
from tests.journey_kit import schema

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS_BETWEEN_COPIES = 6
MEMORY_MB = 512

SHARED = (
    *("sys_user_group", "cmn_department", "core_company", "sc_category", "sc_cat_item"),
    *("cmdb_ci_service", "customer_account", "asmt_metric", "kb_knowledge", "contract_sla"),
    *("sn_hr_core_service", "ast_contract", "pm_project"),
)
"""Tables that are not copied."""

WRITTEN = tuple(t for t in WriteBackSettings().tables if t in ruled_tables())


class QuietInstance:
    """An instance in memory that holds the demo's tables and answers only with what changed."""

    url = "https://large.example.invalid"

    def __init__(
        self, clock: datetime, changed: Mapping[str, Sequence[Record]] | None = None
    ) -> None:
        self._clock = clock
        self._changed = {
            table: {r["sys_id"]: r for r in rows} for table, rows in (changed or {}).items()
        }
        self.updates = 0

    def now(self) -> datetime:
        """Its clock stands still."""
        return self._clock

    def identity(self) -> str:
        """It says nothing of itself."""
        return ""

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        """Those of the sandbox."""
        known = load_schema().tables
        return {name: "" for name in names if name in known}

    def list_columns(self, tables: Sequence[str]) -> list[Column]:
        """The sandbox's, and ours on the tables that are written."""
        ours = [
            Column(table, field.name, "string")
            for table in tables
            if table in WRITTEN
            for field in (*RECORD_FIELDS, *STEWARD_FIELDS)
        ]
        return ours + [
            Column(table, element, info.type, reference=info.reference)
            for (table, element), info in schema().items()
            if table in tables
        ]

    def list_choices(self, tables: Sequence[str]) -> list[Choice]:  # noqa: ARG002 - protocol
        """None: nobody looks at a form."""
        return []

    def list_pages(
        self,
        table: str,
        fields: Sequence[str],
        after: Cursor,
        until: datetime,
        where: str = "",  # noqa: ARG002 - protocol
    ) -> Iterator[Page]:
        """What changed, in one page."""
        rows = [
            {name: row.get(name) or "" for name in fields}
            for row in self._changed.get(table, {}).values()
            if after.updated_on < row["sys_updated_on"] <= format_instance(until)
        ]
        if rows:
            last = max((row["sys_updated_on"], row["sys_id"]) for row in rows)
            yield Page(rows, Cursor(*last))

    def list_records(
        self,
        table: str,  # noqa: ARG002 - protocol
        fields: Sequence[str],  # noqa: ARG002 - protocol
        query: str = "",  # noqa: ARG002 - protocol
        limit: int | None = None,  # noqa: ARG002 - protocol
    ) -> Iterator[Record]:
        """Nothing new in journal and audit."""
        return iter(())

    def read_records(
        self, table: str, sys_ids: Sequence[str], fields: Sequence[str]
    ) -> list[Record]:
        """Those that changed."""
        held = self._changed.get(table, {})
        return [
            {name: held[sys_id].get(name, "") for name in fields}
            for sys_id in sys_ids
            if sys_id in held
        ]

    def send_updates(self, updates: Sequence[RecordUpdate]) -> list[UpdateReply]:
        """Every write is taken."""
        self.updates += len(updates)
        mark = {"sys_updated_on": format_instance(self._clock), "sys_mod_count": "1000"}
        return [
            UpdateReply(one.table, one.sys_id, "written", {**one.values, **mark}) for one in updates
        ]

    def __getattr__(self, name: str) -> Any:
        # Whether it can be read in parts is asked by looking: it cannot.
        raise AttributeError(f"a night does not call {name}")


def small_store(path: Path) -> None:
    """The demo as it stands, with the history of every record known."""
    with demo_store(path, NOW) as store:
        for table in WRITTEN:
            records.ensure_table(
                store, table, [field.name for field in (*RECORD_FIELDS, *STEWARD_FIELDS)]
            )
        note_history(store)


def note_history(store: Store) -> None:
    """As if journal and audit of every record had been read."""
    store.execute("DELETE FROM history_read")
    for source in ("sys_audit", "sys_journal_field"):
        for table in ruled_tables():
            store.execute(
                "INSERT INTO history_read SELECT $source, $table, sys_id, sys_updated_on,"
                f" sys_mod_count FROM current.{records.name(table)}",
                source=source,
                table=table,
            )


def grow(store: Store, wanted: int) -> int:
    """Copy the records at rest until `wanted` of them have rules. Answers how many have."""
    tables = [table for table in records.list_tables(store) if table not in SHARED]
    store.execute("CREATE OR REPLACE TEMP TABLE own_key (sys_id VARCHAR)")
    for table in tables:
        store.execute(f"INSERT INTO own_key SELECT sys_id FROM current.{records.name(table)}")
    copies = wanted // _placed(store)
    for table in tables:
        _copy(store, table, copies)
    store.execute("DROP TABLE own_key")
    note_history(store)
    store.execute("CHECKPOINT")
    return _placed(store)


def _placed(store: Store) -> int:
    return sum(
        store.value(f"SELECT count(*) FROM current.{records.name(table)}")
        for table in ruled_tables()
    )


def _copy(store: Store, table: str, copies: int) -> None:
    target = records.name(table)
    columns = records.list_columns(store, table)
    keys = [column for column in columns if _holds_keys(store, target, column)]
    inputs = _copied(table, "sys_updated_on", holds_keys=False)
    values = f"{inputs} AS _inputs_updated_on, " + ", ".join(
        f"{_copied(table, column, column in keys)} AS {records.name(column)}" for column in columns
    )
    store.execute(
        f"INSERT INTO current.{target} BY NAME SELECT {values}"
        f" FROM current.{target} r, range(1, $copies) c(n)",
        copies=copies,
    )


def _holds_keys(store: Store, target: str, column: str) -> bool:
    return bool(
        store.value(
            f"SELECT count(*) FROM current.{target} r SEMI JOIN own_key k"
            f" ON k.sys_id = r.{records.name(column)}"
        )
    )


def _copied(table: str, column: str, holds_keys: bool) -> str:
    quoted = f"r.{records.name(column)}"
    if holds_keys:
        return (
            f"CASE WHEN {quoted} IN (SELECT sys_id FROM own_key)"
            f" THEN md5({quoted} || c.n) ELSE {quoted} END"
        )
    info = schema().get((table, column))
    if info and info.type == "glide_date_time":
        moved = f"TRY_CAST({quoted} AS TIMESTAMP) - to_days(({DAYS_BETWEEN_COPIES} * c.n)::INTEGER)"
        return f"coalesce(strftime({moved}, '%Y-%m-%d %H:%M:%S'), {quoted})"
    return f"{quoted} || '-' || c.n" if column == "number" else quoted
