"""A form in a view of its own: its sections, from the layout's records, and its formatters."""

from dataclasses import dataclass

from connector.encoded_query import Context
from connector.sandbox import form_fields
from connector.sandbox.access import Operation
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.form_fields import Field
from connector.sandbox.instance import Instance
from connector.sandbox.layout import Block, Element, Section
from connector.sandbox.listing import fetch, matches, select
from connector.sandbox.reader import JOURNEY_PREFIX, Reader

PROCESS_FLOW = "process_flow"


@dataclass(frozen=True)
class Layout:
    """What a view shows of a record. `sections` are ready for the template."""

    sections: tuple[dict[str, object], ...]
    fields: tuple[Field, ...]


def sections(
    instance: Instance, reader: Reader, table: Table, record: Record, operation: Operation
) -> Layout | None:
    """The form of the view that is looked at; None for the default view, and where it has none."""
    found = reader.layouts.form(table, reader.view) if reader.view else []
    if not found:
        return None
    walked = _walked(instance, table, record, _paths(found))
    maker = _Maker(instance, reader, table, record | walked, operation)
    made = tuple(maker.section(section) for section in found)
    return Layout(made, tuple(maker.fields))


def _paths(found: list[Section]) -> list[str]:
    """The dot-walks that the form shows."""
    elements = (e for s in found for block in s.blocks for column in block for e in column)
    return [e.name for e in elements if e.kind == "field" and "." in e.name]


def _walked(instance: Instance, table: Table, record: Record, paths: list[str]) -> Record:
    if "sys_id" not in record or not paths:
        return dict.fromkeys(paths, "")
    context = Context(now=instance.clock.now())
    selection = select(instance.database, table, f"sys_id={record['sys_id']}", context)
    return fetch(instance.database, selection, tuple(dict.fromkeys(paths)), 1)[0]


class _Maker:
    """Makes the sections of one record, and remembers their fields."""

    def __init__(
        self,
        instance: Instance,
        reader: Reader,
        table: Table,
        record: Record,
        operation: Operation,
    ) -> None:
        self._instance = instance
        self._reader = reader
        self._table = table
        self._record = record
        self._operation = operation
        self.fields: list[Field] = []

    def section(self, section: Section) -> dict[str, object]:
        """A section for the template: blocks of columns of items.

        The platform shows sections but the first as tabs: here those in which nothing is typed, and
        that are not the journey's, open at a click.
        """
        caption = self._reader.translated("sys_ui_section", "caption", section.caption)
        names = {e.name for block in section.blocks for column in block for e in column}
        is_journey = f"{JOURNEY_PREFIX}step" in names
        before = len(self.fields)
        blocks = [self._block(block) for block in section.blocks]
        is_typed = any(field["input"] for field in self.fields[before:])
        return {
            "caption": caption,
            "blocks": blocks,
            "is_journey": is_journey,
            "is_open": is_journey or is_typed or not caption,
        }

    def _block(self, block: Block) -> list[list[dict[str, object]]]:
        columns = [[item for e in column for item in self._items(e)] for column in block]
        return [column for column in columns if column]

    def _items(self, element: Element) -> list[dict[str, object]]:
        if element.kind == "formatter":
            flow = self._flow() if element.name.endswith(PROCESS_FLOW) else []
            return [{"kind": "flow", "steps": flow}] if flow else []
        if not self._reader.may_read(self._table, element.name):
            return []
        field = self._field(element.name)
        self.fields.append(field)
        return [{"kind": "field", "field": field}]

    def _field(self, name: str) -> Field:
        if "." in name:
            return form_fields.shown(self._reader, self._table, name, self._record.get(name, ""))
        return form_fields.field(self._reader, self._table, self._record, name, self._operation)

    def _flow(self) -> list[dict[str, object]]:
        """The stations of the process flow; the one whose condition holds is where it stands."""
        rows = self._instance.database.engine.rows(
            "SELECT label, name, condition FROM sys_process_flow WHERE active != 'false' "
            f'AND "table" IN ({", ".join("?" * len(self._table.lineage))}) '
            'ORDER BY CAST("order" AS INTEGER), rowid',
            self._table.lineage,
        )
        held = [self._holds(condition) for _label, _name, condition in rows]
        now = held.index(True) if any(held) else -1
        translated = self._reader.translated
        return [
            {
                "label": translated("sys_process_flow", "label", label or name),
                "stand": "now" if place == now else "past" if place < now else "to come",
            }
            for place, (label, name, _condition) in enumerate(rows)
        ]

    def _holds(self, condition: str) -> bool:
        if not condition or "sys_id" not in self._record:
            return False
        context = Context(now=self._instance.clock.now())
        selection = select(self._instance.database, self._table, condition, context)
        return matches(self._instance.database, selection, self._record["sys_id"])
