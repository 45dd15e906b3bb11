"""The instance's records: load, read, insert, update, delete, with what the platform does beside.

Owns what a write does beside (shapes of it: `bookkeeping`): sys_mod_count, sys_updated_on/by,
numbers, defaults, journal entries, sys_audit per changed field, sys_audit_delete. Unknown columns
are dropped silently, as the platform does. Refuses a second record with the same sys_id and a
change of the dictionary that cannot be.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connector.messages import _
from connector.sandbox import configuration
from connector.sandbox.bookkeeping import (
    AUDIT_COLUMNS,
    TOUCHED,
    audit_rows,
    journal_entries,
    raw_row,
    settable,
    stamp,
    starting,
)
from connector.sandbox.catalogue import Record, Table, build
from connector.sandbox.clock import VirtualClock
from connector.sandbox.described import Described
from connector.sandbox.engine import Engine, SandboxError, quoted
from connector.sandbox.first_rows import first_rows, with_platform_tables
from connector.sandbox.refusals import DuplicateKeyError
from connector.sandbox.schema import Schema
from connector.timestamps import parse_instance


class Database(Described):
    """One instance's records in one file. `schema` is needed only where the file is new."""

    def __init__(
        self, path: Path, schema: Schema | None = None, clock: VirtualClock | None = None
    ) -> None:
        super().__init__(Engine(path))
        self._next_number: dict[str, int] = {}
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
        if table.name not in self.select_one:
            columns = ", ".join(quoted(name) for name in table.column_names)
            sql = f"SELECT {columns} FROM {quoted(table.physical)} WHERE sys_id = ?"
            only = class_condition(table)
            self.select_one[table.name] = f"{sql} AND {only}" if only else sql
        found = self.engine.rows(self.select_one[table.name], (sys_id, *_class_values(table)))
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
        now = self.clock.text()
        rows = [raw_row(target, columns, record, now) for record in records]
        try:
            with self.transaction():
                self.engine.insert_many(target.physical, columns, rows)
        except sqlite3.IntegrityError as error:
            raise SandboxError(
                _("Table {table} was given a sys_id that it already has").format(table=table)
            ) from error
        if self._is_ready:
            self.follow(target)
        return len(rows)

    # ── writing ──────────────────────────────────────────────────────────────────────────────

    def insert(self, table: Table, values: Mapping[str, str], user: str) -> Record:
        """A new record as `user`; a sys_id given is kept. Returns all its columns.

        Raises DuplicateKeyError, RefusedError.
        """
        table = self._class_of(table, values)
        now = self.clock.text()
        record = dict.fromkeys(table.column_names, "")
        record |= starting(table, self.user_id(user), now)
        record |= {k: v for k, v in self._known(table, values).items() if k not in table.journals}
        record |= stamp(table.name, values.get("sys_id", ""), user, now)
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
            if table.name != "sys_dictionary" or not self.grow(record):
                self.follow(table)
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
        *,
        audited: bool = True,
    ) -> Record | None:
        """Change what differs; returns the record, None where there is none of that id.

        Nothing differs: nothing is written and `before` (read here where not given) comes back.
        Not `audited`: no sys_audit rows, whatever the table says.
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
            self.write(table, sys_id, {name: record[name] for name in (*changed, *TOUCHED)})
            if audited:
                self._audit(table, before, record, changed)
            owner = self.catalogue.get(record.get("sys_class_name", ""), table)
            self._journal(owner, sys_id, values, user)
            self.follow(table)
        return record

    def delete(self, table: Table, sys_id: str, user: str) -> bool:
        """Remove a record and leave its sys_audit_delete row. False: no such record."""
        record = self.get(table, sys_id)
        if record is None:
            return False
        owner = self.catalogue.get(record.get("sys_class_name", ""), table)
        with self.transaction():
            self._remove(table, sys_id)
            gone = {
                "tablename": owner.name,
                "documentkey": sys_id,
                "display_value": record.get(owner.display, sys_id),
                "sys_created_by": user,
            }
            self.load("sys_audit_delete", [gone])
            configuration.forget(self.engine, self.catalogue, table, record)
            self.follow(table)
        return True

    # ── what belongs to a write ──────────────────────────────────────────────────────────────

    def _class_of(self, table: Table, values: Mapping[str, str]) -> Table:
        """POST to a base table with sys_class_name makes a record of that class."""
        wanted = values.get("sys_class_name", "")
        return self.catalogue[wanted] if wanted in table.classes else table

    def _known(self, table: Table, values: Mapping[str, str]) -> Record:
        return settable(table, values, self.catalogue[table.physical].classes)

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

    def write(self, table: Table, sys_id: str, values: Mapping[str, str]) -> None:
        """Set these columns and do nothing beside: what machinery writes."""
        sets = ", ".join(f"{quoted(column)} = ?" for column in values)
        self.engine.execute(
            f"UPDATE {quoted(table.physical)} SET {sets} WHERE sys_id = ?",
            (*values.values(), sys_id),
        )

    def _remove(self, table: Table, sys_id: str) -> None:
        """The record and its attachments; their bytes go too."""
        self.engine.execute(f"DELETE FROM {quoted(table.physical)} WHERE sys_id = ?", (sys_id,))
        self.engine.execute("DELETE FROM sys_attachment WHERE table_sys_id = ?", (sys_id,))
        self.engine.execute(
            "DELETE FROM _sandbox_content WHERE sys_id NOT IN (SELECT sys_id FROM sys_attachment)"
        )

    def _audit(
        self, table: Table, before: Record, after: Record, changed: Mapping[str, str]
    ) -> None:
        owner = self.catalogue.get(after.get("sys_class_name", ""), table)
        if not owner.is_audited or not changed:
            return
        self.engine.insert_many(
            "sys_audit", AUDIT_COLUMNS, audit_rows(owner.name, before, after, changed)
        )

    def _journal(self, table: Table, sys_id: str, values: Mapping[str, str], user: str) -> None:
        if entries := journal_entries(table, sys_id, values, user):
            self.load("sys_journal_field", entries)


def class_condition(table: Table) -> str:
    """SQL that keeps the records of `table` within its physical table; '' where all are."""
    return "" if table.is_root else f"sys_class_name IN ({', '.join('?' * len(table.classes))})"


def _class_values(table: Table) -> tuple[str, ...]:
    return () if table.is_root else table.classes


def _complete(rows: list[Record], columns: Iterable[str]) -> list[Record]:
    """The rows with every column present, as they will read once stored."""
    empty = dict.fromkeys(columns, "")
    return [empty | row for row in rows]
