"""A small store filled by hand, with the sandbox's tables as the dictionary."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from connector.classify import ClassifyResult, classify
from connector.journey.mapping import load_mapping
from connector.journey.model import FieldInfo, Schema
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.requirements import requirements
from connector.sandbox.schema import load_schema
from connector.store import records
from connector.store.database import Row, Store, open_store

TABLES = (
    "incident",
    "sc_request",
    "sc_req_item",
    "sc_task",
    "sysapproval_approver",
    "task_sla",
    "asmt_assessment_instance",
)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday
SYSTEM = {
    "sys_id": "GUID",
    "sys_created_on": "glide_date_time",
    "sys_created_by": "string",
    "sys_updated_on": "glide_date_time",
    "sys_mod_count": "integer",
}
Record = Mapping[str, str | None]


@cache
def shipped() -> JourneyMapping:
    return load_mapping()


@cache
def schema() -> Schema:
    found: dict[tuple[str, str], FieldInfo] = {}
    tables = load_schema().tables
    for table in tables.values():
        for name, column in table.columns.items():
            found[table.name, name] = FieldInfo(column.type, column.reference)
        for name, kind in SYSTEM.items():
            found.setdefault((table.name, name), FieldInfo(kind))
    return found


@cache
def all_tables() -> tuple[str, ...]:
    """Every table with rules that the sandbox has."""
    names = {table for rule in shipped().rules for table in rule.tables}
    return tuple(table for table in shipped().tables if table in names & _tables_of_schema())


def _tables_of_schema() -> set[str]:
    return {table for table, _column in schema()}


@cache
def wanted(tables: tuple[str, ...] = TABLES) -> dict[str, tuple[str, ...]]:
    """Every table that the shipped mapping reads for `tables` → its columns."""
    return requirements(shipped(), tables, schema())


@cache
def _empty_store(tables: tuple[str, ...]) -> bytes:
    """A store file with all tables, made once."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.duckdb"
        with open_store(file) as store:
            for table, columns in wanted(tables).items():
                records.ensure_table(store, table, columns)
        return file.read_bytes()


class Kit:
    """A store with records put in by hand. A column left out is empty, None is unknown."""

    def __init__(
        self,
        path: Path,
        mapping: JourneyMapping | None = None,
        tables: tuple[str, ...] = TABLES,
    ) -> None:
        file = path / "journey.duckdb"
        file.write_bytes(_empty_store(tables))
        self.store: Store = open_store(file)
        self.mapping = mapping or shipped()
        self.columns = wanted(tables)

    def put(self, table: str, *rows: Record) -> None:
        """Insert records; `_inputs_updated_on` follows `sys_updated_on` unless given."""
        columns = ["_inputs_updated_on", *self.columns[table]]
        empty = dict.fromkeys(columns, "")
        filled = [{**empty, "_inputs_updated_on": r.get("sys_updated_on", ""), **r} for r in rows]
        unknown = {key for row in filled for key in row} - set(columns)
        assert not unknown, unknown
        with self.store.given("page", filled, records.texts(columns)):
            self.store.execute(f'INSERT INTO current."{table}" BY NAME FROM page')

    def empty(self) -> None:
        """Take all records out again."""
        for table in self.columns:
            self.store.execute(f'DELETE FROM current."{table}"')

    def classify(self, now: datetime = NOW, run_id: str = "r1") -> ClassifyResult:
        return classify(self.store, self.mapping, schema(), now, run_id, "Europe/Madrid")

    def placed(self, sys_id: str) -> Row:
        """The row of `classified` of a record."""
        rows = self.store.read("SELECT * FROM classified WHERE sys_id = $id", id=sys_id)
        assert len(rows) == 1
        return rows[0]

    def rule(self, sys_id: str) -> str:
        return str(self.placed(sys_id)["rule_id"])

    def standing(self, sys_id: str, journey: str = "travesia") -> Row:
        rows = self.store.read(
            "SELECT * FROM standing_next WHERE sys_id = $id AND journey = $journey",
            id=sys_id,
            journey=journey,
        )
        assert len(rows) == 1
        return rows[0]

    def finish(self, run_id: str, high_mark: datetime) -> None:
        """A run that ended well, up to `high_mark`."""
        self.store.execute(
            "INSERT INTO run (run_id, kind, started_at, high_mark, outcome)"
            " VALUES ($id, 'sync', $at, $at, 'succeeded')",
            id=run_id,
            at=high_mark.replace(tzinfo=None),
        )

    def rows(self) -> list[Row]:
        return self.store.read("SELECT * FROM classified ORDER BY table_name, sys_id")
