"""The instance's records: load, read, insert, update, delete, with what the platform does beside.

Owns the bookkeeping of a write: sys_mod_count, sys_updated_on/by, numbers, defaults, journal
entries, sys_audit per changed field, sys_audit_delete. Unknown columns are dropped silently, as
the platform does. Refuses a second record with the same sys_id and a change of the dictionary that
cannot be.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from connector.messages import _
from connector.sandbox import configuration
from connector.sandbox.catalogue import (
    CONFIGURATION_TABLES,
    DICTIONARY_TABLES,
    Catalogue,
    Record,
    Table,
    build,
)
from connector.sandbox.clock import VirtualClock
from connector.sandbox.engine import Engine, SandboxError, quoted
from connector.sandbox.first_rows import first_rows, with_platform_tables
from connector.sandbox.refusals import DuplicateKeyError
from connector.sandbox.schema import Schema
from connector.timestamps import parse_instance

_AUTOMATIC = frozenset(
    {
        "sys_id",
        "sys_created_on",
        "sys_created_by",
        "sys_updated_on",
        "sys_updated_by",
        "sys_mod_count",
    }
)
"""Columns that the instance fills; what a caller sends for them is dropped."""

_STARTING = {"active": "true", "inactive": "false", "language": "en"}
"""What a new record starts with where it has such a column and the caller said nothing."""

_FIRST_STATE = "1"
"""New or Open: where every task class starts."""


class Database:
    """One instance's records in one file. `schema` is needed only where the file is new."""

    def __init__(
        self, path: Path, schema: Schema | None = None, clock: VirtualClock | None = None
    ) -> None:
        self.engine = Engine(path)
        self.label_version = 0
        self._next_number: dict[str, int] = {}
        self._select_one: dict[str, str] = {}
        self.catalogue: Catalogue = {}
        self._is_ready = False
        self.is_new = not self.engine.meta("created")
        self.clock = clock or self._stored_clock()
        if self.is_new:
            self._create(schema)
        else:
            self.refresh()
        self._is_ready = True

    # ── opening ──────────────────────────────────────────────────────────────────────────────

    def _stored_clock(self) -> VirtualClock:
        if not (stored := self.engine.meta("clock")):
            return VirtualClock(datetime.now(UTC))
        state = json.loads(stored)
        return VirtualClock(parse_instance(state["now"]), frozen=state["frozen"])

    def _create(self, schema: Schema | None) -> None:
        if schema is None:
            raise SandboxError(_("A new sandbox needs a schema"))
        schema = with_platform_tables(schema)
        rows = {table: records for table, records in first_rows(schema)}
        self.catalogue = build(
            _complete(rows["sys_db_object"], ("name", "label", "super_class")),
            _complete(rows["sys_dictionary"], schema.tables["sys_dictionary"].columns),
            rows["sys_number"],
        )
        with self.transaction():
            self.engine.ensure_tables(self.catalogue)
            for table, records in rows.items():
                self.load(table, records)
            for name, definition in schema.tables.items():
                self.engine.set_meta(f"list.{name}", json.dumps(definition.list))
            self.engine.set_meta("created", self.clock.text())

    def refresh(self) -> None:
        """Read the catalogue again from the dictionary rows, and follow it physically."""
        objects, dictionary, numbers = (
            self.engine.records(f"SELECT * FROM {quoted(t)} ORDER BY rowid")
            for t in DICTIONARY_TABLES
        )
        self.catalogue = build(objects, dictionary, numbers)
        self._select_one.clear()
        self.engine.ensure_tables(self.catalogue)
        self.label_version += 1

    def close(self) -> None:
        """Keep the clock's place and close the file."""
        with self.transaction():
            pass
        self.engine.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. The clock's place is kept with every commit, so it never goes back."""
        try:
            with self.engine.transaction():
                yield
                if self.engine.is_outermost:
                    state = {"now": self.clock.text(), "frozen": self.clock.frozen}
                    self.engine.set_meta("clock", json.dumps(state))
        except BaseException:
            if self._is_ready:
                self.refresh()
            raise

    # ── reading ──────────────────────────────────────────────────────────────────────────────

    def table(self, name: str) -> Table:
        """The table of that name. Raises KeyError."""
        return self.catalogue[name]

    def get(self, table: Table, sys_id: str) -> Record | None:
        """The record with the columns of `table`, or None where it has none of that id."""
        if table.name not in self._select_one:
            columns = ", ".join(quoted(name) for name in table.column_names)
            sql = f"SELECT {columns} FROM {quoted(table.physical)} WHERE sys_id = ?"
            only = class_condition(table)
            self._select_one[table.name] = f"{sql} AND {only}" if only else sql
        found = self.engine.rows(self._select_one[table.name], (sys_id, *_class_values(table)))
        return dict(zip(table.column_names, found[0], strict=True)) if found else None

    def exists(self, table: Table, sys_id: str) -> bool:
        """Whether `table` has a record of that id."""
        return self.get(table, sys_id) is not None

    # ── raw loading ──────────────────────────────────────────────────────────────────────────

    def load(self, table: str, records: Iterable[Mapping[str, str]]) -> int:
        """Put records in as they are: given sys_ fields kept, no numbers, no audit.

        Returns how many. Raises SandboxError for an unknown table or column and for a sys_id twice.
        """
        target = self.catalogue.get(table)
        if target is None:
            raise SandboxError(_("Table {table} does not exist").format(table=table))
        columns = list(dict.fromkeys((*target.column_names, "sys_class_name")))
        rows = [self._raw_row(target, columns, record) for record in records]
        try:
            with self.transaction():
                self.engine.insert_many(target.physical, columns, rows)
        except sqlite3.IntegrityError as error:
            raise SandboxError(
                _("Table {table} was given a sys_id that it already has").format(table=table)
            ) from error
        if table in CONFIGURATION_TABLES and self._is_ready:
            self.refresh()
        return len(rows)

    def _raw_row(
        self, table: Table, columns: Sequence[str], record: Mapping[str, str]
    ) -> list[str]:
        if unknown := record.keys() - table.columns.keys() - {"sys_class_name"}:
            raise SandboxError(
                _("Table {table} has no column {column}").format(
                    table=table.name, column=min(unknown)
                )
            )
        created = record.get("sys_created_on") or self.clock.text()
        author = record.get("sys_created_by") or "system"
        full = {
            "sys_class_name": table.name,
            "sys_created_by": author,
            "sys_updated_on": created,
            "sys_updated_by": author,
            "sys_mod_count": "0",
            **record,
            "sys_created_on": created,
            "sys_id": record.get("sys_id") or uuid4().hex,
        }
        return [full.get(column, "") for column in columns]

    # ── writing ──────────────────────────────────────────────────────────────────────────────

    def insert(self, table: Table, values: Mapping[str, str], user: str) -> Record:
        """A new record as `user`; a sys_id given is kept. Returns all its columns.

        Raises DuplicateKeyError, RefusedError.
        """
        table = self._class_of(table, values)
        now = self.clock.text()
        record = dict.fromkeys(table.column_names, "")
        record |= self._starting(table, user, now)
        record |= {k: v for k, v in self._known(table, values).items() if k not in table.journals}
        record |= {
            "sys_id": values.get("sys_id") or uuid4().hex,
            "sys_class_name": table.name,
            "sys_created_on": now,
            "sys_created_by": user,
            "sys_updated_on": now,
            "sys_updated_by": user,
            "sys_mod_count": "0",
        }
        with self.transaction():
            configuration.check(self.catalogue, table, record)
            self._number(table, record)
            try:
                self.engine.insert_many(table.physical, tuple(record), [tuple(record.values())])
            except sqlite3.IntegrityError as error:
                raise DuplicateKeyError(table.name, record["sys_id"]) from error
            self._journal(table, record["sys_id"], values, user)
            for companion, rows in configuration.companions(self.catalogue, table, record):
                self.load(companion, rows)
            self._follow(table)
        return {
            name: record[name] for name in self.catalogue[table.name].column_names if name in record
        }

    def update(
        self,
        table: Table,
        sys_id: str,
        values: Mapping[str, str],
        user: str,
        before: Record | None = None,
    ) -> Record | None:
        """Change what differs; returns the record, None where there is none of that id.

        Nothing differs: nothing is written and `before` (read here where not given) comes back.
        """
        record = before or self.get(table, sys_id)
        if record is None:
            return None
        known = self._known(table, values)
        changed = {
            name: value
            for name, value in known.items()
            if record[name] != value and name not in table.journals
        }
        notes = any(known.get(name) for name in table.journals)
        if not changed and not notes:
            return record
        before = record
        record = record | changed
        record["sys_mod_count"] = str(int(record["sys_mod_count"] or 0) + 1)
        record["sys_updated_on"] = self.clock.text()
        record["sys_updated_by"] = user
        with self.transaction():
            self._write(table, record, (*changed, *_TOUCHED))
            self._audit(table, before, record, changed)
            self._journal(table, sys_id, values, user)
            self._follow(table)
        return record

    def delete(self, table: Table, sys_id: str, user: str) -> bool:
        """Remove a record and leave its sys_audit_delete row. False: no such record."""
        record = self.get(table, sys_id)
        if record is None:
            return False
        owner = self.catalogue.get(record.get("sys_class_name", ""), table)
        with self.transaction():
            self.engine.execute(
                f"DELETE FROM {quoted(table.physical)} WHERE sys_id = ?",
                (sys_id,),
            )
            gone = {
                "tablename": owner.name,
                "documentkey": sys_id,
                "display_value": record.get(owner.display, sys_id),
                "sys_created_by": user,
            }
            self.load("sys_audit_delete", [gone])
            configuration.forget(self.engine, self.catalogue, table, record)
            self._follow(table)
        return True

    # ── what belongs to a write ──────────────────────────────────────────────────────────────

    def _class_of(self, table: Table, values: Mapping[str, str]) -> Table:
        """POST to a base table with sys_class_name makes a record of that class."""
        wanted = values.get("sys_class_name", "")
        return self.catalogue[wanted] if wanted in table.classes else table

    def _known(self, table: Table, values: Mapping[str, str]) -> Record:
        """What of `values` the table has and a caller may set, in the platform's own spelling."""
        known = {k: v for k, v in values.items() if k in table.columns and k not in _AUTOMATIC}
        if known.get("sys_class_name", table.name) not in self.catalogue[table.physical].classes:
            del known["sys_class_name"]
        for name in known.keys() & table.booleans:
            known[name] = _BOOLEANS.get(known[name].strip().lower(), known[name])
        return known

    def _starting(self, table: Table, user: str, now: str) -> Record:
        """Defaults: the dictionary's, then the platform's."""
        starting = {c.name: c.default for c in table.columns.values() if c.default}
        starting |= _STARTING
        if table.physical == "task":
            starting["state"] = _FIRST_STATE
            starting |= {"opened_at": now, "opened_by": self.user_id(user)}
        return {name: value for name, value in starting.items() if name in table.columns}

    def user_id(self, user_name: str) -> str:
        """The sys_id of a user, '' if there is none of that name."""
        rows = self.engine.rows("SELECT sys_id FROM sys_user WHERE user_name = ?", (user_name,))
        return rows[0][0] if rows else ""

    def _number(self, table: Table, record: Record) -> None:
        if not table.prefix or record.get("number"):
            return
        if table.prefix not in self._next_number:
            highest = self.engine.rows(
                f"SELECT max(number) FROM {quoted(table.physical)} WHERE number LIKE ?",
                (f"{table.prefix}" + "_" * table.digits,),
            )[0][0]
            digits = (highest or "")[len(table.prefix) :]
            self._next_number[table.prefix] = int(digits) if digits.isdigit() else 10000
        self._next_number[table.prefix] += 1
        record["number"] = f"{table.prefix}{self._next_number[table.prefix]:0{table.digits}d}"

    def _write(self, table: Table, record: Record, columns: Sequence[str]) -> None:
        sets = ", ".join(f"{quoted(column)} = ?" for column in columns)
        self.engine.execute(
            f"UPDATE {quoted(table.physical)} SET {sets} WHERE sys_id = ?",
            (*(record[column] for column in columns), record["sys_id"]),
        )

    def _audit(
        self, table: Table, before: Record, after: Record, changed: Mapping[str, str]
    ) -> None:
        owner = self.catalogue.get(after.get("sys_class_name", ""), table)
        if not owner.is_audited or not changed:
            return
        count = after["sys_mod_count"]
        moment, user = after["sys_updated_on"], after["sys_updated_by"]
        stamp = (user, count, moment, user, moment, user, "0", "sys_audit")
        self.engine.insert_many(
            "sys_audit",
            _AUDIT_COLUMNS,
            [
                (_ordered_id(), owner.name, after["sys_id"], name, before[name], value, *stamp)
                for name, value in changed.items()
            ],
        )

    def _journal(self, table: Table, sys_id: str, values: Mapping[str, str], user: str) -> None:
        entries = [
            {
                "name": table.name,
                "element": name,
                "element_id": sys_id,
                "value": values[name],
                "sys_created_by": user,
            }
            for name in table.journals
            if values.get(name)
        ]
        if entries:
            self.load("sys_journal_field", entries)

    def _follow(self, table: Table) -> None:
        """Let a change of the dictionary or of a label take effect."""
        if table.name in DICTIONARY_TABLES:
            self.refresh()
        elif table.name in CONFIGURATION_TABLES:
            self.label_version += 1


_TOUCHED = ("sys_mod_count", "sys_updated_on", "sys_updated_by")
_BOOLEANS = {"1": "true", "0": "false", "yes": "true", "no": "false"} | {
    word: word for word in ("true", "false")
}
_AUDIT_COLUMNS = (
    "sys_id",
    "tablename",
    "documentkey",
    "fieldname",
    "oldvalue",
    "newvalue",
    "user",
    "record_checkpoint",
    "sys_created_on",
    "sys_created_by",
    "sys_updated_on",
    "sys_updated_by",
    "sys_mod_count",
    "sys_class_name",
)


def _ordered_id() -> str:
    """A sys_id that grows: rows written in masses stay together in the index."""
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


def class_condition(table: Table, alias: str = "") -> str:
    """SQL that keeps the records of `table` within its physical table; '' where all are."""
    if table.is_root:
        return ""
    prefix = f"{alias}." if alias else ""
    return f"{prefix}sys_class_name IN ({', '.join('?' * len(table.classes))})"


def _class_values(table: Table) -> tuple[str, ...]:
    return () if table.is_root else table.classes


def _complete(rows: list[Record], columns: Iterable[str]) -> list[Record]:
    """The rows with every column present, as they will read once stored."""
    empty = dict.fromkeys(columns, "")
    return [empty | row for row in rows]
