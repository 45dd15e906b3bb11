"""One staging row through its transform maps: find the target by its key, write what differs.

Driven by sys_transform_map and sys_transform_entry. A map whose `run_business_rules` is false
writes quietly (setWorkflow(false), fluent-import-sets page): no rule, no policy, no audit. Maps
write as the system does: rights on fields and rows of the target do not bind them.

Of a field map's choice action `ignore` and `reject` are imitated, for references and closed choice
lists; what `create` would make is stored as it came. There is no script engine: of scripts only the
one is understood that runs before and leaves out rows that would insert; a map with any other
active script answers an error.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from connector.sandbox import writing
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.database import class_condition
from connector.sandbox.display import Labels
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Instance
from connector.sandbox.refusals import RefusedError

_NO_INSERTS = re.compile(
    r"""^\s*if\s*\(\s*action\s*={2,3}\s*(["'])insert\1\s*\)\s*(?:\{\s*ignore\s*=\s*true\s*;?\s*\}|"""
    r"""ignore\s*=\s*true\s*;?)\s*;?\s*$"""
)


@dataclass(frozen=True)
class Outcome:
    """What one map made of a row; `status` is inserted, updated, ignored, skipped or error."""

    status: str
    map_name: str = ""
    map_id: str = ""
    table: str = ""
    sys_id: str = ""
    display_name: str = ""
    display_value: str = ""
    message: str = ""

    def told(self) -> dict[str, str]:
        """The result element of the API; what there is not, is left out."""
        said = {"transform_map": self.map_name, "table": self.table, "status": self.status}
        if self.sys_id:
            said |= {"display_name": self.display_name, "display_value": self.display_value}
            said["sys_id"] = self.sys_id
        if self.message:
            said["error_message" if self.status == "error" else "status_message"] = self.message
        return said


def transform(instance: Instance, staging: Table, row: Record, user: str) -> list[Outcome]:
    """One outcome per active map, in their order; one error where there is no map."""
    maps = instance.database.engine.records(
        "SELECT * FROM sys_transform_map WHERE source_table = ? AND active != 'false' "
        'ORDER BY CAST("order" AS INTEGER), name',
        (staging.name,),
    )
    if not maps:
        return [Outcome("error", message=f"No active transform map for {staging.name}")]
    return [_mapped(instance, chart, row, user) for chart in maps]


def _mapped(instance: Instance, chart: Record, row: Record, user: str) -> Outcome:
    entries = instance.database.engine.records(
        "SELECT * FROM sys_transform_entry WHERE map = ? ORDER BY rowid", (chart["sys_id"],)
    )
    target = instance.database.catalogue.get(chart["target_table"])
    if target is None:
        return _outcome(chart, "error", message=f"Invalid table {chart['target_table']}")
    scripts = _scripts(instance, chart)
    if what := _trouble(target, entries, scripts):
        return _outcome(chart, "error", message=f"{chart['name']}: {what}")
    try:
        return _Transform(instance, chart, target, entries, user, bool(scripts)).run(row)
    except RefusedError as error:
        return _outcome(chart, "error", message=error.detail)


def _scripts(instance: Instance, chart: Record) -> list[str]:
    """The active scripts of a map; a folder made before there was their table has none."""
    if "sys_transform_script" not in instance.database.catalogue:
        return []
    rows = instance.database.engine.rows(
        "SELECT script, \"when\" FROM sys_transform_script WHERE map = ? AND active != 'false' "
        'ORDER BY CAST("order" AS INTEGER), rowid',
        (chart["sys_id"],),
    )
    return [script if when in ("", "onBefore") else f"{when}: {script}" for script, when in rows]


def _trouble(target: Table, entries: Sequence[Record], scripts: Iterable[str]) -> str:
    """Why a map cannot work here, "" where it can."""
    wrong = [e["target_field"] for e in entries if e["target_field"] not in target.columns]
    if wrong:
        return f"no field {wrong[0]}"
    if not entries:
        return "no field maps"
    unknown = [script for script in scripts if not _NO_INSERTS.match(script)]
    return f"a script that is not understood here: {unknown[0][:80]}" if unknown else ""


def _outcome(
    chart: Record,
    status: str,
    target: Table | None = None,
    record: Record | None = None,
    message: str = "",
) -> Outcome:
    made = Outcome(status, chart["name"], chart["sys_id"], chart["target_table"], message=message)
    if target is None or record is None:
        return made
    return Outcome(
        status,
        made.map_name,
        made.map_id,
        target.name,
        record["sys_id"],
        target.display,
        record.get(target.display, ""),
        message,
    )


class _Transform:
    """One map, ready for rows."""

    def __init__(
        self,
        instance: Instance,
        chart: Record,
        target: Table,
        entries: Sequence[Record],
        user: str,
        never_inserts: bool = False,
    ) -> None:
        self._instance = instance
        self._chart = chart
        self._target = target
        self._entries = entries
        self._user = user
        self._is_quiet = chart["run_business_rules"] == "false"
        self._never_inserts = never_inserts

    def run(self, row: Record) -> Outcome:
        """Insert, update or leave alone. Raises RefusedError."""
        keys = {e["target_field"]: self._value(row, e) for e in self._keys()}
        if any(not value for value in keys.values()):
            if self._chart["create_new_record_on_empty_coalesce_fields"] != "true":
                return self._said("skipped", message="Coalesce field is empty")
            keys = {}
        values = self._values(row)
        before = self._found(keys)
        if before is None and self._never_inserts:
            return self._said("ignored", message="Row was ignored by a transform script")
        if before is None:
            made = writing.create(
                self._instance,
                self._target,
                values,
                self._user,
                quiet=self._is_quiet,
                secured=False,
            )
            return self._said("inserted", made)
        after = writing.update(
            self._instance,
            self._target,
            before,
            values,
            self._user,
            quiet=self._is_quiet,
            secured=False,
        )
        if after is before:
            return self._said("ignored", before, "No field values changed")
        return self._said("updated", after)

    def _said(self, status: str, record: Record | None = None, message: str = "") -> Outcome:
        return _outcome(self._chart, status, self._target, record, message)

    def _keys(self) -> list[Record]:
        return [entry for entry in self._entries if entry["coalesce"] == "true"]

    def _value(self, row: Record, entry: Record) -> str:
        return row.get(entry["source_field"], "")

    def _values(self, row: Record) -> Record:
        """Empty source fields leave the target alone unless the map copies them.

        Raises RefusedError where a field map rejects the row.
        """
        copies_empty = self._chart["copy_empty_fields"] == "true"
        return {
            e["target_field"]: value
            for e in self._entries
            if ((value := self._value(row, e)) or copies_empty) and self._is_taken(e, value)
        }

    def _is_taken(self, entry: Record, value: str) -> bool:
        """Whether the field map's choice action lets the value in."""
        action, name = entry.get("choice_action", ""), entry["target_field"]
        if action not in ("ignore", "reject") or not value or self._is_known(name, value):
            return True
        if action == "reject":
            raise RefusedError(f"{name}: no choice {value}; the row was rejected")
        return False

    def _is_known(self, name: str, value: str) -> bool:
        """Whether a reference leads somewhere, a closed list has the choice; all else is."""
        column, database = self._target.columns[name], self._instance.database
        if column.internal_type == "reference" and column.reference in database.catalogue:
            return database.exists(database.catalogue[column.reference], value)
        if column.is_closed_list:
            choices = Labels(database).choices(self._target, name)
            return not choices or value in choices
        return True

    def _found(self, keys: Record) -> Record | None:
        """The record that the coalesce fields name, letters' case aside; no key, no record."""
        if not keys:
            return None
        # Exactly first: that can use an index, and is nearly always the answer.
        found = self._first(keys, "") or self._first(keys, " COLLATE NOCASE")
        return self._instance.database.get(self._target, found) if found else None

    def _first(self, keys: Record, collation: str) -> str:
        target = self._target
        tests = [f"{quoted(name)} = ?{collation}" for name in keys]
        if only := class_condition(target):
            tests.append(only)
        rows = self._instance.database.engine.rows(
            f"SELECT sys_id FROM {quoted(target.physical)} WHERE {' AND '.join(tests)} LIMIT 1",
            (*keys.values(), *(target.classes if only else ())),
        )
        return rows[0][0] if rows else ""
