"""Records → the shapes of the Table API: display values, reference links, field selection.

The four shapes of a field follow servicenow-api.md §1.5. A field that the table lacks is left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.sandbox.answers import Request
from connector.sandbox.catalogue import Record, Table
from connector.sandbox.database import Database
from connector.sandbox.display import Labels
from connector.sandbox.listing import Place, Walk

Cell = str | dict[str, str]
DisplayMode = Literal["false", "true", "all"]


@dataclass(frozen=True)
class Shape:
    """How the caller wants values."""

    display: DisplayMode
    links: bool
    base: str

    @property
    def is_plain(self) -> bool:
        """Bare strings everywhere: nothing to convert."""
        return self.display == "false" and not self.links


def shape_of(request: Request) -> Shape:
    """The shape that a request asks for."""
    asked = request.parameters.get("sysparm_display_value", "false").lower()
    display: DisplayMode = "all" if asked == "all" else "true" if asked == "true" else "false"
    return Shape(display, not request.flag("sysparm_exclude_reference_link"), request.base)


def wanted_fields(walk: Walk, request: Request) -> tuple[str, ...]:
    """The field paths to answer: those asked for that exist, else every column."""
    asked = request.parameters.get("sysparm_fields", "")
    if not asked and not walk.hidden:
        return walk.table.column_names
    names = dict.fromkeys(n.strip() for n in asked.split(",")) if asked else walk.table.columns
    return tuple(name for name in names if name and walk.knows(name))


def user_zone(database: Database, user: str) -> str:
    """The time zone of the user's record, UTC where it says none or an unknown one."""
    rows = database.engine.rows("SELECT time_zone FROM sys_user WHERE user_name = ?", (user,))
    name = rows[0][0] if rows else ""
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"


def render(
    database: Database, walk: Walk, records: Sequence[Record], request: Request
) -> list[dict[str, Cell]]:
    """The records in the shape asked for; their keys are field paths known to `walk`."""
    shape = shape_of(request)
    if shape.is_plain or not records:
        return list(records)  # type: ignore[arg-type]  # a record is a dict of plain cells
    labels = Labels(database, "en", user_zone(database, request.user))
    makers = {}
    for name in records[0]:
        place = walk.place(name)
        if place.column.internal_type == "reference" and shape.display != "false":
            labels.names(place.column.reference, {record[name] for record in records})
        makers[name] = _remembering(_maker(place, labels, shape))
    return [{name: makers[name](value) for name, value in record.items()} for record in records]


def _remembering(make: Callable[[str], Cell]) -> Callable[[str], Cell]:
    memory: dict[str, Cell] = {}

    def remembered(value: str) -> Cell:
        if value not in memory:
            memory[value] = make(value)
        return memory[value]

    return remembered


def _maker(place: Place, labels: Labels, shape: Shape) -> Callable[[str], Cell]:
    table, column = place.table, place.column
    if column.internal_type == "reference":
        return lambda value: _reference(table, place, labels, shape, value)
    if shape.display == "false":
        return lambda value: value
    if shape.display == "true":
        return lambda value: labels.shown(table, column, value)
    return lambda value: {"display_value": labels.shown(table, column, value), "value": value}


def _reference(table: Table, place: Place, labels: Labels, shape: Shape, value: str) -> Cell:
    if not value:
        return {"display_value": "", "value": ""} if shape.display == "all" else ""
    link = f"{shape.base}/api/now/table/{place.column.reference}/{value}"
    if shape.display == "false":
        return {"link": link, "value": value}
    text = labels.shown(table, place.column, value)
    if shape.display == "true":
        return {"display_value": text, "link": link} if shape.links else text
    cell = {"display_value": text, "value": value}
    return {**cell, "link": link} if shape.links else cell
