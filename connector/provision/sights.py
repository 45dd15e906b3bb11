"""What people look at: saved filters, a few reports, and the action that asks for a refresh. Pure.

Titles stand in both languages at once: the tool keeps one title a record.
Reports: servicenow-api.md §8.4. Columns of filters and actions: exported records, not documents.
"""

from collections.abc import Iterator, Sequence

from connector.journey import fields
from connector.journey.engagement_fields import ENGAGEMENT_TABLE
from connector.journey.own_tables import JOURNEY_TABLE, REQUEST_TABLE
from connector.provision.access import READER, role_id
from connector.provision.model import Artefact, artefact

_FILTERS = {
    "open": ("Open moments / Momentos abiertos", f"{fields.MOMENT}=potential"),
    "lost": ("Lost moments / Momentos perdidos", f"{fields.MOMENT}=negative"),
    "long": (
        "In this step for two weeks / Dos semanas en este paso",
        f"{fields.STEP}ISNOTEMPTY^{fields.SINCE}<javascript:gs.daysAgoStart(14)",
    ),
    "hand": ("Set by hand / Fijados a mano", f"{fields.OVERRIDE}ISNOTEMPTY"),
}
_OPEN_ONLY = ("open", "long")
EVERYBODY = "GLOBAL"

REFRESH = "u_journey_refresh"
"""The name of the action on a ticket."""

_SCRIPT = (
    f"var request = new GlideRecord('{REQUEST_TABLE.name}');\n"
    "request.initialize();\n"
    "request.setValue('u_table', current.getTableName());\n"
    "request.setValue('u_record', current.getUniqueValue());\n"
    "request.setValue('u_number', current.getValue('number'));\n"
    "request.setValue('u_state', 'queued');\n"
    "request.insert();\n"
    "action.setRedirectURL(current);"
)


def filters(tables: Sequence[str], mode: str) -> Iterator[Artefact]:
    """Saved filters for everybody, on the tables that hold the columns."""
    for table in _holders(tables, mode):
        for key, (title, query) in _FILTERS.items():
            is_narrow = key in _OPEN_ONLY and table != JOURNEY_TABLE.name
            yield artefact(
                "sys_filter",
                (table, key),
                title=title,
                table=table,
                filter=f"active=true^{query}" if is_narrow else query,
            )


def _holders(tables: Sequence[str], mode: str) -> tuple[str, ...]:
    return (*tables, JOURNEY_TABLE.name) if mode == "record" else (JOURNEY_TABLE.name,)


def reports(tables: Sequence[str], mode: str) -> Iterator[Artefact]:
    """Four reports, that say where records stand and how relationships are.

    A report of the tool shows one table: the first that holds the columns, which its title names.
    """
    holder = _holders(tables, mode)[0]
    title = f"Where records stand: {holder} / Dónde están los registros: {holder}"
    yield _report("steps", title, holder, fields.STEP)
    open_ = f"{fields.MOMENT}=potential"
    title = (
        f"Open moments by touchpoint: {holder} / Momentos abiertos por punto de contacto: {holder}"
    )
    yield _report("moments", title, holder, fields.TOUCHPOINT, filter=open_)
    title = "Relationships by state / Relaciones por estado"
    yield _report("relationships", title, ENGAGEMENT_TABLE.name, "u_state", type="pie")
    title = "Opened by step / Abiertos por paso"
    summed = {"aggregate": "SUM", "sumfield": "u_opened"}
    yield _report("summary", title, fields.SUMMARY_TABLE.name, "u_step", **summed)


def _report(key: str, title: str, table: str, group: str, **more: str) -> Artefact:
    values = {"type": "bar", "aggregate": "COUNT", "filter": "", "is_published": "false", **more}
    values |= {"title": title, "table": table, "field": group}
    return artefact("sys_report", (key,), user=EVERYBODY, roles=READER, **values)


def actions(tables: Sequence[str]) -> Iterator[Artefact]:
    """ "Refresh journey" on each written table: inactive until an admin wants it."""
    for table in tables:
        action = artefact(
            "sys_ui_action",
            (table, "refresh"),
            name="Refresh journey / Actualizar travesía",
            action_name=REFRESH,
            table=table,
            active="false",
            client="false",
            show_insert="false",
            show_update="true",
            form_button="false",
            form_link="true",
            script=_SCRIPT,
        )
        yield action
        yield artefact(
            "sys_ui_action_role",
            (table, "refresh", READER),
            sys_ui_action=action.sys_id,
            sys_user_role=role_id(READER),
        )
