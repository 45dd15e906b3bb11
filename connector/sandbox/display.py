"""Display values: choice labels, names of referenced records, dates in the reader's zone.

A label comes from the nearest table of the lineage that has a choice list for the column, as on
the platform; where a language lacks one, the English stands in.
"""

from collections.abc import Iterable
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from connector.messages import _n, speaking
from connector.sandbox.catalogue import Column, Table
from connector.sandbox.database import Database
from connector.sandbox.engine import quoted
from connector.timestamps import INSTANCE_FORMAT, format_instance, parse_instance

_EPOCH = parse_instance("1970-01-01 00:00:00")
_CHUNK = 500
_DEEPEST = 3  # a display column that is a reference shows that record's display column, and so on


class Labels:
    """Display values in one language and time zone, read once and remembered."""

    def __init__(self, database: Database, language: str = "en", time_zone: str = "UTC") -> None:
        self._database = database
        self._language = language
        self._zone = None if time_zone in ("", "UTC", "GMT") else ZoneInfo(time_zone)
        self._names: dict[str, dict[str, str]] = {}

    def shown(self, table: Table, column: Column, value: str) -> str:
        """What a person reads for a stored value."""
        if not value:
            return ""
        if column.internal_type == "reference":
            return self.names(column.reference, [value]).get(value, "")
        if column.internal_type in _FORMATS:
            return _FORMATS[column.internal_type](self, column, value)
        return self.choices(table, column.name).get(value, value) if column.has_choices else value

    def stored(self, table: Table, name: str, value: str) -> str:
        """What a displayed value stands for: a choice, a named record, a local time; else itself.

        The other way round of `shown`, for bare parameters and sysparm_input_display_value.
        """
        column = table.columns.get(name)
        if column is None or not value:
            return value
        if column.internal_type == "reference":
            return self._id_of(column.reference, value)
        if column.internal_type in ("glide_date_time", "due_date"):
            return self._instant(value)
        return self._choice_of(table, column, value)

    def _choice_of(self, table: Table, column: Column, value: str) -> str:
        choices = self.choices(table, column.name) if column.has_choices else {}
        if value in choices:
            return value
        return {label.lower(): key for key, label in choices.items()}.get(value.lower(), value)

    def _id_of(self, table: str, value: str) -> str:
        target = self._database.catalogue.get(table)
        if target is None or self._database.exists(target, value):
            return value
        rows = self._database.engine.rows(
            f"SELECT sys_id FROM {quoted(target.physical)} WHERE {quoted(target.display)} = ?",
            (value,),
        )
        return rows[0][0] if rows else value

    def _instant(self, value: str) -> str:
        try:
            local = parse_instance(value).replace(tzinfo=self._zone or UTC)
        except ValueError:
            return value
        return format_instance(local.astimezone(UTC))

    # ── choices ──────────────────────────────────────────────────────────────────────────────

    def choices(self, table: Table, column: str) -> dict[str, str]:
        """Value → label, in sequence."""
        memory = self._database.choice_lists  # forgotten with every change of a choice
        key = (table.name, column, self._language)
        if key not in memory:
            memory[key] = self._read_choices(table, column)
        return memory[key]

    def _read_choices(self, table: Table, column: str) -> dict[str, str]:
        for name in table.lineage:
            rows = self._database.engine.rows(
                "SELECT value, label, language FROM sys_choice "
                "WHERE name = ? AND element = ? AND inactive != 'true' "
                "ORDER BY CAST(sequence AS INTEGER), rowid",
                (name, column),
            )
            if rows:
                labels = {value: label for value, label, language in rows if language == "en"}
                return labels | {v: label for v, label, lang in rows if lang == self._language}
        return {}

    # ── references ───────────────────────────────────────────────────────────────────────────

    def names(self, table: str, ids: Iterable[str], depth: int = 1) -> dict[str, str]:
        """sys_id → display value; an id without a record is absent."""
        known = self._names.setdefault(table, {})
        target = self._database.catalogue.get(table)
        missing = sorted({i for i in ids if i and i not in known})
        if target is not None and missing:
            known |= self._read_names(target, missing, depth)
        return known

    def _read_names(self, target: Table, ids: list[str], depth: int) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            marks = ", ".join("?" * len(chunk))
            found |= dict(
                self._database.engine.rows(
                    f"SELECT sys_id, {quoted(target.display)} FROM {quoted(target.physical)} "
                    f"WHERE sys_id IN ({marks})",
                    chunk,
                )  # type: ignore[arg-type]  # two columns were selected
            )
        inner = target.references.get(target.display)
        if inner and depth < _DEEPEST:
            texts = self.names(inner, found.values(), depth + 1)
            return {key: texts.get(value, value) for key, value in found.items()}
        return found

    # ── formats ──────────────────────────────────────────────────────────────────────────────

    def _moment(self, _column: Column, value: str) -> str:
        if self._zone is None:
            return value
        try:
            return parse_instance(value).astimezone(self._zone).strftime(INSTANCE_FORMAT)
        except ValueError:
            return value

    def _list(self, column: Column, value: str) -> str:
        ids = value.split(",")
        names = self.names(column.reference, ids)
        return ", ".join(names.get(i, i) for i in ids)

    def _journal(self, _column: Column, _value: str) -> str:
        return ""

    def _duration(self, _column: Column, value: str) -> str:
        try:
            return _duration_text(parse_instance(value) - _EPOCH, self._language)
        except ValueError:
            return value


_FORMATS = {
    "glide_date_time": Labels._moment,
    "due_date": Labels._moment,
    "glide_duration": Labels._duration,
    "glide_list": Labels._list,
    "journal_input": Labels._journal,
}


def _duration_text(length: timedelta, language: str) -> str:
    """`2 Hours 5 Minutes`; seconds only where there is nothing larger."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    with speaking(language):
        words = [
            f"{days} {_n('Day', 'Days', days)}" if days else "",
            f"{hours} {_n('Hour', 'Hours', hours)}" if hours else "",
            f"{minutes} {_n('Minute', 'Minutes', minutes)}" if minutes else "",
        ]
        return " ".join(filter(None, words)) or f"{seconds} {_n('Second', 'Seconds', seconds)}"
