"""Our own view: forms in sections, lists, related lists. Pure. The default view is never touched.

Tables and columns: servicenow-api.md §8.2; a section of one column is enough for all of them.
"""

from collections.abc import Iterator, Mapping, Sequence

from connector.journey import fields
from connector.journey.engagement_fields import COMPUTED, ENGAGEMENT_TABLE, PEOPLES
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.own_tables import (
    JOURNEY_TABLE,
    OWN_TABLES,
    ROW_NUMBER,
    ROW_TASK,
)
from connector.provision.flow import FORMATTED, formatter
from connector.provision.model import Artefact, artefact, stable_id

VIEW = "u_journey"
VIEW_ID = stable_id("sys_ui_view", VIEW)

_JOURNEY, _MORE, _BY_HAND = "Journey / Travesía", "More / Más", "Set by hand / Fijado a mano"
_PEOPLE, _DETAIL = "People / Personas", "Detail / Detalle"
_FOUR = (fields.STEP, fields.TOUCHPOINT, fields.SINCE, fields.WHY)
"""What the form shows at once; the rest is one click away."""

_RELATION = (
    fields.RELATIONSHIP,
    *(f"{fields.RELATIONSHIP}.{column}" for column in ("u_state", "u_score")),
)
"""Of the relationship its name, which leads to it, and by dot-walk how it stands."""

_REST = (
    *(fields.BAND, fields.LAST_VISIBLE, fields.MOMENT, fields.OUTCOME, fields.VALUE),
    *(fields.CONFIDENCE, fields.RULE),
)
_HAND = (fields.OVERRIDE, fields.OVERRIDE_REASON)
_LISTED = (*_FOUR[:3], fields.MOMENT)
_KNOWN = ("u_name", "u_state", "u_since", "u_action", "u_why", "u_advice", "u_ring")
"""What is read first of a relationship."""

Sections = Mapping[str, Sequence[str]]
"""Caption → the columns of a section; the first without a caption is the head of the form."""


def view() -> Iterator[Artefact]:
    """The view itself."""
    yield artefact("sys_ui_view", (VIEW,), name=VIEW, title="Travesía · Journey")


def layouts(
    mapping: JourneyMapping, tables: Sequence[str], mode: str, *, relationship: bool = True
) -> Iterator[Artefact]:
    """Form, list and related lists of each written table and of our own, in our view."""
    shown = (*_FOUR, *(_RELATION if relationship else ()))
    listed = (*_LISTED, *(_RELATION[1:2] if relationship else ()), fields.BAND)
    for table in tables:
        spec = mapping.tables.get(table)
        is_task = spec is None or spec.is_task
        head = ("number", "short_description", "state")
        if mode == "record":
            yield from _form(table, {"": head, _JOURNEY: shown, _MORE: _REST, _BY_HAND: _HAND})
            yield from _list(table, (*head, *listed))
        elif is_task:
            yield from _form(table, {"": head})
        if is_task:
            yield from _related(table, _lists_of(mapping, table, mode))
    rows = {"": (ROW_NUMBER, ROW_TASK), _JOURNEY: shown, _MORE: _REST, _BY_HAND: _HAND}
    yield from _form(JOURNEY_TABLE.name, rows)
    yield from _list(JOURNEY_TABLE.name, (ROW_NUMBER, *listed))
    yield from _form(ENGAGEMENT_TABLE.name, _relationship())
    if relationship:
        holders = tables if mode == "record" else (JOURNEY_TABLE.name,)
        belonging = [f"{table}.{fields.RELATIONSHIP}" for table in holders]
        yield from _related(ENGAGEMENT_TABLE.name, belonging)
    yield from _list(ENGAGEMENT_TABLE.name, ("u_name", "u_state", "u_since", "u_score", "u_ring"))
    for own in OWN_TABLES:
        if own not in (JOURNEY_TABLE, ENGAGEMENT_TABLE):
            names = [field.name for field in own.fields]
            yield from _form(own.name, {"": names})
            yield from _list(own.name, names[:7])


def _lists_of(mapping: JourneyMapping, table: str, mode: str) -> list[str]:
    """What belongs to a record: its journey's row, its SLAs, and its children in the mapping."""
    row = [f"{JOURNEY_TABLE.name}.{ROW_TASK}"] if mode == "table" else []
    children = [f"{edge.table}.{edge.field}" for edge in mapping.edges if edge.parent == table]
    return list(dict.fromkeys([*row, "task_sla.task", *children]))


def _relationship() -> Sections:
    rest = [field.name for field in COMPUTED if field.name not in _KNOWN]
    return {"": _KNOWN, _PEOPLE: [field.name for field in PEOPLES], _DETAIL: rest}


def _form(table: str, sections: Sections) -> Iterator[Artefact]:
    form = artefact("sys_ui_form", (table, VIEW), name=table, view=VIEW_ID)
    yield form
    for position, (caption, names) in enumerate(sections.items()):
        section = artefact(
            "sys_ui_section",
            (table, VIEW, caption),
            name=table,
            view=VIEW_ID,
            caption=caption,
            header="false",
            title="true" if caption else "false",
        )
        yield section
        yield artefact(
            "sys_ui_form_section",
            (table, VIEW, caption),
            sys_ui_form=form.sys_id,
            sys_ui_section=section.sys_id,
            position=str(position),
        )
        yield from _elements(section, table, names, has_flow=caption == _JOURNEY)


def _elements(
    section: Artefact, table: str, names: Sequence[str], *, has_flow: bool
) -> Iterator[Artefact]:
    first = 0
    if has_flow and table in FORMATTED:
        first = 1
        yield artefact(
            "sys_ui_element",
            (section.sys_id, "flow"),
            sys_ui_section=section.sys_id,
            element="process_flow.xml",
            type="formatter",
            position="0",
            sys_ui_formatter=formatter(table).sys_id,
        )
    for position, name in enumerate(names, start=first):
        yield artefact(
            "sys_ui_element",
            (section.sys_id, name),
            sys_ui_section=section.sys_id,
            element=name,
            type="element",
            position=str(position),
        )


def _list(table: str, names: Sequence[str]) -> Iterator[Artefact]:
    layout = artefact("sys_ui_list", (table, VIEW), name=table, view=VIEW_ID)
    yield layout
    for position, name in enumerate(names):
        yield artefact(
            "sys_ui_list_element",
            (layout.sys_id, name),
            list_id=layout.sys_id,
            element=name,
            position=str(position),
        )


def _related(table: str, lists: Sequence[str]) -> Iterator[Artefact]:
    group = artefact("sys_ui_related_list", (table, VIEW), name=table, view=VIEW_ID)
    yield group
    for position, name in enumerate(lists):
        yield artefact(
            "sys_ui_related_list_entry",
            (group.sys_id, name),
            list_id=group.sys_id,
            related_list=name,
            position=str(position),
        )
