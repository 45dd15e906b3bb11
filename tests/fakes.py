"""A fake instance in memory, for the steps' unit tests; flows use the sandbox over HTTP."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connector.errors import ForbiddenError
from connector.itsm.base import (
    Attachment,
    Choice,
    Column,
    Count,
    Cursor,
    Page,
    Record,
    RecordUpdate,
    UpdateReply,
)
from connector.timestamps import format_instance


def _holds(condition: str, row: Record) -> bool:
    """One `field=value`, `fieldINa,b`, `field<=value` or `field>value`."""
    name, operator, value = re.split(r"(<=|>|=|IN)", condition, maxsplit=1)
    found = row.get(name, "")
    if operator in ("<=", ">"):
        return found <= value if operator == "<=" else found > value
    return found in value.split(",") if operator == "IN" else found == value


class FakeInstance:
    """Tables of records; every write is kept in `sent`. `refuse` and `silent` make it unwilling."""

    url = "https://fake.example.invalid"

    def __init__(self, clock: datetime, tables: dict[str, list[Record]], page_size: int = 2):
        self.clock = clock
        self.tables = tables
        self.page_size = page_size
        self.sent: list[RecordUpdate] = []
        self.created: list[tuple[str, dict[str, str]]] = []
        self.read: list[tuple[str, Cursor]] = []
        self.refuse: set[str] = set()
        self.silent_fields: set[str] = set()
        self.stubborn: set[tuple[str, str]] = set()
        self.forbids = False
        self.lose_answers = False
        self.queries: list[tuple[str, str]] = []
        self.deleted: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self.counted: list[tuple[str, str]] = []
        self.uncountable: set[str] = set()
        self.uncounted: dict[str, int] = {}
        self.said_identity = ""
        self.imported: list[RecordUpdate] = []
        self.inserts: set[str] = set()
        self.crossed: set[str] = set()

    def now(self) -> datetime:
        return self.clock

    def list_tables(self, names: Sequence[str]) -> dict[str, str]:
        return {name: "" for name in names if name in self.tables}

    def list_columns(self, tables: Sequence[str]) -> list[Column]:
        return [
            Column(table, element, "string")
            for table in tables
            for element in sorted({key for record in self.tables[table] for key in record})
        ]

    def list_choices(self, tables: Sequence[str]) -> list[Choice]:  # noqa: ARG002 - protocol
        return []

    def list_pages(
        self,
        table: str,
        fields: Sequence[str],
        after: Cursor,
        until: datetime,
        where: str = "",  # noqa: ARG002 - protocol
    ) -> Iterator[Page]:
        self.read.append((table, after))
        rows = sorted(self.tables[table], key=lambda r: (r["sys_updated_on"], r["sys_id"]))
        rows = [
            row
            for row in rows
            if (row["sys_updated_on"], row["sys_id"]) > (after.updated_on, after.sys_id)
            and row["sys_updated_on"] <= format_instance(until)
        ]
        for start in range(0, len(rows), self.page_size):
            page = rows[start : start + self.page_size]
            last = page[-1]
            yield Page(
                [{k: v for k, v in row.items() if k in fields} for row in page],
                Cursor(last["sys_updated_on"], last["sys_id"]),
            )

    def list_records(
        self, table: str, fields: Sequence[str], query: str = "", limit: int | None = None
    ) -> Iterator[Record]:
        self.queries.append((table, query))
        if table == "sys_audit_delete":
            yield from (
                {"sys_id": f"a{i}", "documentkey": key}
                for i, (name, key) in enumerate(self.deleted)
                if f"tablename={name}" in query
            )
            return
        if table in self.hidden:
            raise ForbiddenError("no right", status=403)
        conditions = query.split("^") if query else []
        rows = [r for r in self.tables.get(table, []) if all(_holds(c, r) for c in conditions)]
        for row in rows[:limit]:
            yield {k: v for k, v in row.items() if k in fields}

    def read_records(
        self, table: str, sys_ids: Sequence[str], fields: Sequence[str]
    ) -> list[Record]:
        return [
            {k: v for k, v in row.items() if k in fields}
            for row in self.tables[table]
            if row["sys_id"] in sys_ids
        ]

    def count_records(self, table: str, query: str = "") -> Count:
        self.counted.append((table, query))
        if table in self.uncountable:
            raise ForbiddenError("no right", status=403)
        until = re.search(r"sys_updated_on<=([^^]*)", query)
        rows = [r for r in self.tables[table] if not until or r["sys_updated_on"] <= until[1]]
        return Count(
            len(rows) + self.uncounted.get(table, 0),
            max((row["sys_updated_on"] for row in rows), default=""),
            sum(int(row.get("sys_mod_count") or 0) for row in rows),
        )

    def identity(self) -> str:
        return self.said_identity

    def send_updates(self, updates: Sequence[RecordUpdate]) -> list[UpdateReply]:
        self.sent += updates
        return [self._update(update) for update in updates]

    def import_updates(
        self,
        updates: Sequence[RecordUpdate],
        *,
        may_insert: bool = False,  # noqa: ARG002 - protocol
    ) -> list[UpdateReply]:
        self.imported += updates
        return [
            UpdateReply(update.table, update.sys_id, "inserted", {}, "INC9")
            if update.sys_id in self.inserts
            else self._update(update)
            for update in updates
        ]

    def _update(self, update: RecordUpdate) -> UpdateReply:
        if self.forbids:
            return UpdateReply(update.table, update.sys_id, "forbidden", {}, "ACL")
        if update.sys_id in self.refuse:
            return UpdateReply(
                update.table, update.sys_id, "rejected", {}, "a business rule said no"
            )
        row = next(r for r in self.tables[update.table] if r["sys_id"] == update.sys_id)
        for key, value in update.values.items():
            if key not in self.silent_fields and (update.sys_id, key) not in self.stubborn:
                row[key] = value
        row["sys_updated_on"] = format_instance(self.clock)
        others = update.sys_id in self.crossed
        row["sys_mod_count"] = str(int(row["sys_mod_count"]) + 1 + others)
        if self.lose_answers:
            return UpdateReply(update.table, update.sys_id, "unknown", {})
        return UpdateReply(update.table, update.sys_id, "written", dict(row))

    def create_record(self, table: str, values: Mapping[str, str]) -> Record:
        self.tables.setdefault(table, []).append(dict(values))
        return dict(values)

    def create_records(self, table: str, records: Sequence[Mapping[str, str]]) -> list[UpdateReply]:
        self.created += [(table, dict(values)) for values in records]
        return [self._create(table, values) for values in records]

    def _create(self, table: str, values: Mapping[str, str]) -> UpdateReply:
        if values["sys_id"] in self.refuse:
            return UpdateReply(table, values["sys_id"], "rejected", {}, "a business rule said no")
        stamp = {"sys_updated_on": format_instance(self.clock), "sys_mod_count": "0"}
        self.create_record(table, {**stamp, **values})
        return UpdateReply(table, values["sys_id"], "written", dict(values))

    def update_record(self, table: str, sys_id: str, values: Mapping[str, str]) -> Record:
        row = next(r for r in self.tables[table] if r["sys_id"] == sys_id)
        row.update(values)
        return dict(row)

    def list_attachments(self, table: str, sys_id: str) -> list[Attachment]:  # noqa: ARG002 - protocol
        return []

    def read_attachment(self, sys_id: str) -> bytes:
        raise AssertionError(sys_id)

    def add_attachment(
        self, table: str, sys_id: str, file_name: str, content_type: str, content: bytes
    ) -> Attachment:
        raise AssertionError((table, sys_id, file_name, content_type, content))

    def delete_attachment(self, sys_id: str) -> None:
        raise AssertionError(sys_id)
