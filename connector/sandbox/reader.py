"""Who looks at a page: person, rights, language, view; labels and links in their language."""

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from babel.numbers import format_decimal

from connector.messages import LANGUAGES, translate
from connector.sandbox.access import Access
from connector.sandbox.answers import Request
from connector.sandbox.catalogue import Column, Record, Table
from connector.sandbox.database import class_condition
from connector.sandbox.display import Labels
from connector.sandbox.engine import quoted
from connector.sandbox.instance import Instance
from connector.sandbox.labels import Titles
from connector.sandbox.layout import Layouts, View
from connector.sandbox.listing import Walk
from connector.sandbox.people import NOBODY, Person
from connector.sandbox.rights import access_of

JOURNEY_PREFIX = "u_journey_"
"""Columns so named have a section of their own on forms and a mark on lists."""

_COLOUR = re.compile(r"background-color:\s*(#[0-9a-fA-F]{3,8}|[a-z]{3,20})\s*(?:;|$)")
"""What of a field style is taken: a page lets no other style in."""


@dataclass(frozen=True)
class Cell:
    """One value as a page shows it; `colour` is a CSS colour or ''."""

    text: str
    url: str = ""
    kind: str = ""
    colour: str = ""


class Reader:
    """Texts, labels, links and rights of the person who looks."""

    def __init__(self, instance: Instance, request: Request, person: Person = NOBODY) -> None:
        self.instance = instance
        self.person = person
        self.parameters = request.parameters
        self._path = request.path
        self.language = _language(instance, request, person)
        self.titles = Titles(instance.database, self.language)
        self.labels = Labels(instance.database, self.language)
        self.layouts = Layouts(instance.database)
        self.clock = instance.clock.text()
        self.seed = instance.seed

    @cached_property
    def access(self) -> Access:
        """What the person may do."""
        return access_of(self.instance, self.person.user)

    @cached_property
    def name(self) -> str:
        """The person's name, '' for nobody."""
        id_ = self.instance.database.user_id(self.person.user) if self.person.user else ""
        return self.labels.names("sys_user", [id_]).get(id_, self.person.user)

    @cached_property
    def view(self) -> View | None:
        """The view asked for, None for the default one."""
        return self.layouts.view(self.parameters.get("sysparm_view", ""))

    def text(self, english: str) -> str:
        """A sentence of the pages, from the one message catalogue."""
        return translate(english, self.language)

    def translated(self, table: str, element: str, value: str) -> str:
        """What sys_translated says of a name in the reader's language, else the name."""
        if "sys_translated" not in self.instance.database.catalogue:
            return value
        rows = self.instance.database.engine.rows(
            "SELECT label FROM sys_translated "
            "WHERE name = ? AND element = ? AND value = ? AND language = ?",
            (table, element, value, self.language),
        )
        return rows[0][0] if rows else value

    def number(self, value: int) -> str:
        """12,345 or 12.345."""
        return format_decimal(value, locale=self.language)

    # ── links ────────────────────────────────────────────────────────────────────────────────

    def url(self, path: str, **parameters: str) -> str:
        """A link that keeps the language."""
        return f"{path}?{urlencode({**parameters, 'lang': self.language})}"

    def in_language(self, language: str) -> str:
        """The same page in another language."""
        return f"{self._path}?{urlencode({**self.parameters, 'lang': language})}"

    def here(self, **parameters: str) -> str:
        """The same page with other parameters; an empty one is left out."""
        wanted = {**self.parameters, "lang": self.language, **parameters}
        return f"{self._path}?{urlencode({k: v for k, v in wanted.items() if v})}"

    def form_url(self, table: str, sys_id: str) -> str:
        """The form of a record, in the view that is looked at."""
        view = {"sysparm_view": self.view.name} if self.view else {}
        return self.url(f"/{table}.do", sys_id=sys_id, **view)

    def views(self, table: Table) -> list[dict[str, object]]:
        """The views to choose from, the default one first; none where there is no other."""
        found = [
            ("", self.text("Default view")),
            *(
                (view.name, self.translated("sys_ui_view", "title", view.title or view.name))
                for view in self.layouts.views_of(table)
            ),
        ]
        now = self.view.name if self.view else ""
        return [
            {
                "title": title,
                "url": self.here(sysparm_view=name, sysparm_offset=""),
                "is_on": name == now,
            }
            for name, title in found
            if len(found) > 1
        ]

    # ── values ───────────────────────────────────────────────────────────────────────────────

    def count(self, table: Table) -> int:
        """How many records the table has."""
        only = class_condition(table)
        rows = self.instance.database.engine.rows(
            f"SELECT count(*) FROM {quoted(table.physical)}" + (f" WHERE {only}" if only else ""),
            () if table.is_root else table.classes,
        )
        return int(rows[0][0])

    def may_read(self, table: Table, path: str) -> bool:
        """Whether the person may see this field, at the end of a dot-walk too."""
        place = Walk(self.instance.database.catalogue, table).place(path)
        return self.access.may_on_page("read", place.table, place.column.name)

    def title(self, table: Table, path: str) -> str:
        """The label of a field; of a dot-walk that of its end, as the platform shows it."""
        place = Walk(self.instance.database.catalogue, table).place(path)
        return self.titles.column(place.table, place.column.name)

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
        colour = self._colour(table, column.name, value) if value else ""
        kind = "state" if colour or (column.has_choices and is_state) else column.internal_type
        return Cell(text, kind=kind, colour=colour)

    def walked(self, table: Table, path: str, value: str) -> Cell:
        """The cell of a field path."""
        place = Walk(self.instance.database.catalogue, table).place(path)
        return self.cell(place.table, place.column, value)

    def cells(self, table: Table, record: Record, columns: list[str]) -> list[Cell]:
        """The cells of one record, one per field path."""
        return [self.walked(table, name, record[name]) for name in columns]

    def _colour(self, table: Table, element: str, value: str) -> str:
        """The colour that sys_ui_style gives this value."""
        styles = self._styles
        found = (styles.get((base, element, value), "") for base in table.lineage)
        return next((colour for colour in found if colour), "")

    @cached_property
    def _styles(self) -> dict[tuple[str, str, str], str]:
        if "sys_ui_style" not in self.instance.database.catalogue:
            return {}
        rows = self.instance.database.engine.rows(
            "SELECT name, element, value, style FROM sys_ui_style"
        )
        matched = ((row[:3], _COLOUR.search(row[3])) for row in rows)
        return {(key[0], key[1], key[2]): found[1] for key, found in matched if found}


def _language(instance: Instance, request: Request, person: Person) -> str:
    """What the link says, else what the person prefers, else English."""
    asked = request.parameters.get("lang", "")
    if not asked and person.user:
        rows = instance.database.engine.rows(
            "SELECT preferred_language FROM sys_user WHERE user_name = ?", (person.user,)
        )
        asked = rows[0][0] if rows else ""
    return asked if asked in LANGUAGES else "en"


def journey_columns(table: Table) -> list[str]:
    """The table's own journey columns, in dictionary order."""
    return [name for name in table.column_names if name.startswith(JOURNEY_PREFIX)]
