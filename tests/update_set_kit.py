"""Update sets for tests, written by hand in the shape that servicenow-api.md §8.3 documents."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
SET_ID = "f0" * 16

Payload = tuple[str, Mapping[str, str]]
"""A table, and the fields of one record with its sys_id."""


def record_xml(table: str, values: Mapping[str, str], action: str = "INSERT_OR_UPDATE") -> str:
    """One record as a payload holds it."""
    fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f'<{table} action="{action}">{fields}</{table}>'


def payload(table: str, values: Mapping[str, str], action: str = "INSERT_OR_UPDATE") -> str:
    """The payload of an update for one record."""
    inner = record_xml(table, values, action)
    return f'{_HEAD}<record_update table="{table}">{inner}</record_update>'


def update_set(payloads: Sequence[str], set_id: str = SET_ID) -> bytes:
    """The `<unload>` document of a set with these payloads."""
    head = {
        "name": "Journey, tried",
        "application_name": "Global",
        "remote_sys_id": set_id,
        "state": "loaded",
        "sys_id": set_id,
    }
    updates = [
        record_xml(
            "sys_update_xml",
            {
                "action": "INSERT_OR_UPDATE",
                "category": "customer",
                "name": f"update_{number}",
                "payload": text,
                "remote_update_set": set_id,
                "sys_id": f"{number:032x}",
                "type": "Record",
            },
        )
        for number, text in enumerate(payloads, start=1)
    ]
    body = record_xml("sys_remote_update_set", head) + "".join(updates)
    return f'{_HEAD}<unload unload_date="2026-11-20 12:00:00">{body}</unload>'.encode()


def identity(number: int) -> str:
    """A sys_id that is nobody else's."""
    return f"{number:032x}".replace("0", "e", 8)


VIEW, FORM, SECTION = identity(1), identity(2), identity(3)
LIST, CONTROL, STEWARD, READER = identity(4), identity(5), identity(6), identity(7)
FLOW_BAR = identity(8)


def journey() -> list[Payload]:
    """A small one of ours on incidents: column, choices, view, list, roles, right, bar, filter."""
    return [
        *_columns(),
        *_choices(),
        ("sys_user_role", {"sys_id": STEWARD, "name": "u_steward"}),
        ("sys_user_role", {"sys_id": READER, "name": "u_reader"}),
        *_rights(),
        ("sys_ui_view", {"sys_id": VIEW, "name": "journey", "title": "Journey"}),
        *_form(),
        ("sys_ui_list", {"sys_id": LIST, "name": "incident", "view": VIEW}),
        *(
            (
                "sys_ui_list_element",
                {
                    "sys_id": identity(40 + place),
                    "list_id": LIST,
                    "element": element,
                    "position": str(place),
                },
            )
            for place, element in enumerate(("number", "u_journey_step", "caller_id.email"))
        ),
        (
            "sys_filter",
            {
                "sys_id": identity(60),
                "title": "Open moments / Momentos abiertos",
                "table": "incident",
                "filter": "u_journey_step=agree",
            },
        ),
        (
            "sys_ui_style",
            {
                "sys_id": identity(61),
                "name": "incident",
                "element": "u_journey_step",
                "value": "agree",
                "style": "background-color: #8a5cd6",
            },
        ),
    ]


def _columns() -> list[Payload]:
    columns = (
        ("u_journey_step", "Journey step", "Paso de la travesía", "1", "display_read_only"),
        ("u_journey_override", "Set by hand", "Fijado a mano", "1", ""),
        ("u_journey_override_reason", "Reason", "Motivo", "0", ""),
    )
    found: list[Payload] = []
    for place, (element, en, es, choice, option) in enumerate(columns):
        row = {"name": "incident", "element": element, "internal_type": "string"}
        row |= {"column_label": en, "choice": choice, "read_only_option": option}
        row |= {"read_only": "true" if option else "false"}
        found.append(("sys_dictionary", {"sys_id": identity(10 + place), **row}))
        for offset, (language, label) in enumerate((("en", en), ("es", es))):
            about = {"name": "incident", "element": element, "language": language, "label": label}
            found.append(
                ("sys_documentation", {"sys_id": identity(20 + 2 * place + offset), **about})
            )
    return found


def _choices() -> list[Payload]:
    words = {"engage": ("Engage", "Involucrar"), "agree": ("Agree", "Acordar")}
    return [
        (
            "sys_choice",
            {
                "sys_id": identity(100 + 8 * column + 2 * place + (language == "es")),
                "name": "incident",
                "element": element,
                "value": value,
                "label": label,
                "language": language,
                "sequence": str(place),
            },
        )
        for column, element in enumerate(("u_journey_step", "u_journey_override"))
        for place, (value, labels) in enumerate(words.items())
        for language, label in zip(("en", "es"), labels, strict=True)
    ]


def _rights() -> list[Payload]:
    found: list[Payload] = []
    for place, element in enumerate(("u_journey_override", "u_journey_override_reason")):
        control = {"name": f"incident.{element}", "operation": "write", "type": "record"}
        id_ = identity(200 + place)
        found.append(("sys_security_acl", {"sys_id": id_, "active": "true", **control}))
        link = {"sys_security_acl": id_, "sys_user_role": STEWARD}
        found.append(("sys_security_acl_role", {"sys_id": identity(210 + place), **link}))
    return found


def _form() -> list[Payload]:
    elements = (
        *("process_flow.xml", ".begin_split", "number", "u_journey_step", ".split"),
        *("caller_id.email", "u_journey_override", "u_journey_override_reason", ".end_split"),
    )
    steps = (("engage", "Engage"), ("agree", "Agree"))
    return [
        ("sys_ui_form", {"sys_id": FORM, "name": "incident", "view": VIEW}),
        ("sys_ui_section", {"sys_id": SECTION, "name": "incident", "view": VIEW, "caption": "Way"}),
        (
            "sys_ui_form_section",
            {"sys_id": identity(9), "sys_ui_form": FORM, "sys_ui_section": SECTION},
        ),
        *(
            (
                "sys_ui_element",
                {
                    "sys_id": identity(300 + place),
                    "sys_ui_section": SECTION,
                    "element": element,
                    "type": "formatter" if element.endswith(".xml") else "",
                    "position": str(place),
                },
            )
            for place, element in enumerate(elements)
        ),
        *(
            (
                "sys_process_flow",
                {
                    "sys_id": identity(320 + place),
                    "table": "incident",
                    "label": label,
                    "condition": f"u_journey_step={value}^EQ",
                    "order": str(100 * place),
                    "active": "true",
                },
            )
            for place, (value, label) in enumerate(steps)
        ),
    ]


def journey_set() -> bytes:
    """The XML of `journey`."""
    return update_set([payload(table, values) for table, values in journey()])
