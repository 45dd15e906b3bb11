"""How a form or a list looks in a view, read from the records that the platform draws it from.

sys_ui_view names it; sys_ui_form → sys_ui_form_section → sys_ui_section → sys_ui_element make a
form, sys_ui_list → sys_ui_list_element a list, sys_ui_related_list → its entries what stands below
(servicenow-api.md §8.2). Of the tables that a record extends the nearest that has one decides.
What names a column that is not there is left out, as the platform does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connector.sandbox.catalogue import Table
from connector.sandbox.database import Database
from connector.sandbox.listing import Walk

DEFAULT = ("", "Default view", "default")
"""How records and links name the default view."""

ElementKind = Literal["field", "formatter", "split"]

_SPLITS = (".begin_split", ".split", ".end_split")


@dataclass(frozen=True)
class View:
    """A view by its record."""

    sys_id: str
    name: str
    title: str


@dataclass(frozen=True)
class Element:
    """What a section shows: a field path, a formatter's name, or a mark between columns."""

    kind: ElementKind
    name: str = ""


Block = tuple[tuple[Element, ...], ...]
"""Columns that stand side by side: one, or the two halves of a split."""


@dataclass(frozen=True)
class Section:
    """A part of a form."""

    caption: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class RelatedList:
    """Records of `table` that point here by `column`."""

    table: str
    column: str
    filter: str = ""
    order_by: str = ""


@dataclass(frozen=True)
class Layouts:
    """The layouts of one instance."""

    database: Database
    _views: dict[str, View] = field(default_factory=dict)

    def view(self, name: str) -> View | None:
        """The view of that name, None for the default one and for one that is not there."""
        if name in DEFAULT:
            return None
        found = self._rows("SELECT sys_id, name, title FROM sys_ui_view WHERE name = ?", name)
        return View(*found[0]) if found else None

    def views_of(self, table: Table) -> list[View]:
        """The views in which the table has a form or a list of its own, or inherits one."""
        marks = ", ".join("?" * len(table.lineage))
        rows = self._rows(
            "SELECT DISTINCT v.sys_id, v.name, v.title FROM sys_ui_view v JOIN ("
            f"SELECT view FROM sys_ui_section WHERE name IN ({marks}) UNION "
            f"SELECT view FROM sys_ui_list WHERE name IN ({marks}) AND parent = '') l "
            "ON l.view = v.sys_id WHERE v.name != '' AND v.hidden != 'true' ORDER BY v.title",
            *table.lineage,
            *table.lineage,
        )
        return [View(*row) for row in rows if row[1] not in DEFAULT]

    def _rows(self, sql: str, *values: str) -> list[tuple[str, ...]]:
        """A SELECT; nothing where the instance is older than its tables."""
        if "sys_ui_view" not in self.database.catalogue:
            return []
        return self.database.engine.rows(sql, values)

    # ── forms ────────────────────────────────────────────────────────────────────────────────

    def form(self, table: Table, view: View) -> list[Section]:
        """The sections of the nearest form of the table in this view."""
        for name in table.lineage:
            sections = self._rows(
                "SELECT s.sys_id, s.caption FROM sys_ui_form f "
                "JOIN sys_ui_form_section fs ON fs.sys_ui_form = f.sys_id "
                "JOIN sys_ui_section s ON s.sys_id = fs.sys_ui_section "
                "WHERE f.name = ? AND f.view = ? AND f.sys_user = '' "
                "ORDER BY CAST(fs.position AS INTEGER), fs.rowid",
                name,
                view.sys_id,
            ) or self._rows(
                "SELECT sys_id, caption FROM sys_ui_section "
                "WHERE name = ? AND view = ? ORDER BY rowid",
                name,
                view.sys_id,
            )
            if sections:
                return [self._section(table, *section) for section in sections]
        return []

    def _section(self, table: Table, sys_id: str, caption: str) -> Section:
        rows = self._rows(
            "SELECT e.element, e.type, coalesce(f.formatter, '') FROM sys_ui_element e "
            "LEFT JOIN sys_ui_formatter f ON f.sys_id = e.sys_ui_formatter "
            "WHERE e.sys_ui_section = ? ORDER BY CAST(e.position AS INTEGER), e.rowid",
            sys_id,
        )
        walk = Walk(self.database.catalogue, table)
        return Section(caption, tuple(_blocks(_elements(walk, rows))))

    # ── lists ────────────────────────────────────────────────────────────────────────────────

    def list_columns(self, table: Table, view: View, parent: str = "") -> list[str]:
        """The columns of the nearest list of the table in this view; as a related list of
        `parent` its own layout there, where it has one."""
        places = [(name, owner) for owner in dict.fromkeys((parent, "")) for name in table.lineage]
        walk = Walk(self.database.catalogue, table)
        for name, owner in places:
            rows = self._rows(
                "SELECT e.element FROM sys_ui_list l "
                "JOIN sys_ui_list_element e ON e.list_id = l.sys_id "
                "WHERE l.name = ? AND l.view = ? AND l.parent = ? AND l.sys_user = '' "
                "ORDER BY CAST(e.position AS INTEGER), e.rowid",
                name,
                view.sys_id,
                owner,
            )
            if columns := [column for (column,) in rows if walk.knows(column)]:
                return list(dict.fromkeys(columns))
        return []

    def related(self, table: Table, view: View) -> list[RelatedList]:
        """The related lists of the nearest table of the lineage that has some in this view."""
        for name in table.lineage:
            rows = self._rows(
                "SELECT e.related_list, e.filter, e.order_by FROM sys_ui_related_list l "
                "JOIN sys_ui_related_list_entry e ON e.list_id = l.sys_id "
                "WHERE l.name = ? AND l.view = ? AND l.sys_user = '' "
                "ORDER BY CAST(e.position AS INTEGER), e.rowid",
                name,
                view.sys_id,
            )
            if rows:
                return [*self._related(table, rows)]
        return []

    def _related(self, table: Table, rows: Sequence[tuple[str, ...]]) -> Iterator[RelatedList]:
        for text, condition, order in rows:
            name, _dot, column = text.removeprefix("REL:").partition(".")
            other = self.database.catalogue.get(name)
            if other and other.references.get(column) in table.lineage:
                yield RelatedList(name, column, condition, order)


def _elements(walk: Walk, rows: Sequence[tuple[str, ...]]) -> Iterator[Element]:
    for element, kind, formatter in rows:
        if kind == "formatter" or formatter:
            yield Element("formatter", (formatter or element).removesuffix(".xml"))
        elif element in _SPLITS:
            yield Element("split", element)
        elif walk.knows(element):
            yield Element("field", element)


def _blocks(elements: Iterator[Element]) -> Iterator[Block]:
    """Wide blocks, and between `.begin_split` and `.end_split` a column for every `.split`."""
    columns: list[list[Element]] = [[]]
    for element in elements:
        if element.kind != "split":
            columns[-1].append(element)
        elif element.name == ".split":
            columns.append([])
        else:
            yield from _block(columns)
            columns = [[]]
    yield from _block(columns)


def _block(columns: list[list[Element]]) -> Iterator[Block]:
    if any(columns):
        yield tuple(tuple(column) for column in columns)
