"""Who looks at a page: language, labels, links; what every page shares."""

from dataclasses import dataclass
from urllib.parse import urlencode

from babel.numbers import format_decimal

from connector.messages import translate
from connector.sandbox.answers import Request
from connector.sandbox.catalogue import Column, Record, Table
from connector.sandbox.database import class_condition
from connector.sandbox.display import Labels
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Instance
from connector.sandbox.labels import Titles

JOURNEY_PREFIX = "u_journey_"
"""Columns so named have a section of their own on forms and a mark on lists."""


@dataclass(frozen=True)
class Cell:
    """One value as a page shows it."""

    text: str
    url: str = ""
    kind: str = ""


class Reader:
    """Texts, labels and links in the reader's language."""

    def __init__(self, instance: Instance, request: Request, language: str) -> None:
        self.instance = instance
        self.language = language
        self.titles = Titles(instance.database, language)
        self.labels = Labels(instance.database, language)
        self.clock = instance.clock.text()
        self.seed = instance.seed
        self._request = request

    def text(self, english: str) -> str:
        """A sentence of the pages, from the one message catalogue."""
        return translate(english, self.language)

    def number(self, value: int) -> str:
        """12,345 or 12.345."""
        return format_decimal(value, locale=self.language)

    def url(self, path: str, **parameters: str) -> str:
        """A link that keeps the language."""
        return f"{path}?{urlencode({**parameters, 'lang': self.language})}"

    def in_language(self, language: str) -> str:
        """The same page in another language."""
        parameters = {**self._request.parameters, "lang": language}
        return f"{self._request.path}?{urlencode(parameters)}"

    def form_url(self, table: str, sys_id: str) -> str:
        """The form of a record."""
        return self.url(f"/{table}.do", sys_id=sys_id)

    def count(self, table: Table) -> int:
        """How many records the table has."""
        only = class_condition(table)
        rows = self.instance.database.engine.rows(
            f"SELECT count(*) FROM {quoted(table.physical)}" + (f" WHERE {only}" if only else ""),
            () if table.is_root else table.classes,
        )
        return int(rows[0][0])

    def cell(self, table: Table, column: Column, value: str) -> Cell:
        """A stored value as this reader sees it; a reference leads to its form."""
        text = self.labels.shown(table, column, value)
        if value and column.internal_type == "reference":
            return Cell(text or value, self.form_url(column.reference, value), "reference")
        if column.internal_type == "boolean" and value in ("true", "false"):
            return Cell(self.text("Yes") if value == "true" else self.text("No"), kind="boolean")
        if column.internal_type == "glide_date_time":
            text = text.removesuffix(":00")
        is_state = column.name.endswith(("state", "stage")) or column.name.startswith(
            JOURNEY_PREFIX
        )
        kind = "state" if column.has_choices and is_state else column.internal_type
        return Cell(text, kind=kind)

    def cells(self, table: Table, record: Record, columns: list[str]) -> list[Cell]:
        """The cells of one record, one per column."""
        return [self.cell(table, table.columns[name], record[name]) for name in columns]


def journey_columns(table: Table) -> list[str]:
    """The table's own journey columns, in dictionary order."""
    return [name for name in table.column_names if name.startswith(JOURNEY_PREFIX)]
