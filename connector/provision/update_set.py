"""The artefacts as an update set, for "Import Update Set from XML": the same bytes every time.

Structure after exported files: servicenow-api.md §8.3; of related lists and list layouts, exports
found in public repositories. Which of the elements an upload insists on is not documented; all that
exports have and that can be the same twice is here. References are sys_ids.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from connector.provision.layout import VIEW
from connector.provision.model import Artefact, stable_id
from connector.provision.quiet import PARENT_PLACE
from connector.staging import PARENT

MOMENT = "2026-01-01 00:00:00"
"""Stands wherever a file of this kind carries a time: the same bytes twice."""

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_GLOBAL = '<application display_value="Global">global</application>'
_SCOPE = '<sys_scope display_value="Global">global</sys_scope>'

_TYPES: Mapping[str, str] = {
    "sys_db_object": "Table",
    "sys_dictionary": "Dictionary",
    "sys_documentation": "Field Label",
    "sys_choice": "Choice list",
    "sys_transform_map": "Table Transform Map",
    "sys_transform_entry": "Field Map",
    "sys_transform_script": "Transform Script",
    "sys_user_role": "Role",
    "sys_user_role_contains": "Contained Role",
    "sys_security_acl": "Access Control",
    "sys_security_acl_role": "Access Roles",
    "sys_ui_view": "UI View",
    "sys_ui_formatter": "Formatter",
    "sys_process_flow": "Process Flow",
    "sys_ui_form": "Form",
    "sys_ui_section": "Form Layout",
    "sys_ui_form_section": "Form Sections",
    "sys_ui_list": "List Layout",
    "sys_ui_related_list": "Related Lists",
    "sys_ui_style": "Field Style",
    "sys_filter": "Filter",
    "sys_report": "Report",
    "sys_ui_action": "UI Action",
    "sys_ui_action_role": "UI Action Role",
    "sysevent_email_action": "Notification",
}

_PARTS: Mapping[str, tuple[str, str]] = {
    "sys_ui_element": ("sys_ui_section", "sys_ui_section"),
    "sys_ui_list_element": ("sys_ui_list", "list_id"),
    "sys_ui_related_list_entry": ("sys_ui_related_list", "list_id"),
}
"""Records that travel with the one they belong to: table → its table, and the reference to it."""


@dataclass(frozen=True)
class Unit:
    """One `sys_update_xml`: what the platform moves and compares as a whole."""

    name: str
    type: str
    table: str
    target: str
    payload: str
    view: str = ""


def write(artefacts: Sequence[Artefact], description: str) -> bytes:
    """The whole file, UTF-8. Its name and keys are made of its contents."""
    units = list(units_of(artefacts))
    digest = hashlib.sha256("\n".join(unit.payload for unit in units).encode()).hexdigest()[:12]
    set_name, set_id = f"Travesía {digest}", stable_id("sys_remote_update_set", digest)
    lines = [_HEAD, f'<unload unload_date="{MOMENT}">', *_set(set_name, set_id, description)]
    for unit in units:
        lines += _update(unit, set_name, set_id)
    return ("\n".join([*lines, "</unload>"]) + "\n").encode()


def _set(name: str, sys_id: str, description: str) -> Iterator[str]:
    yield '<sys_remote_update_set action="INSERT_OR_UPDATE">'
    yield _GLOBAL
    yield "<application_name>Global</application_name>"
    yield "<application_scope>global</application_scope>"
    for empty in ("application_version", "collisions", "commit_date", "deleted"):
        yield f"<{empty}/>"
    yield _element("description", description)
    yield "<inserted/>"
    yield _element("name", name)
    yield "<origin_sys_id/>"
    yield '<parent display_value=""/>'
    yield "<release_date/>"
    yield '<remote_base_update_set display_value=""/>'
    yield _element("remote_sys_id", stable_id("sys_update_set", sys_id))
    yield "<state>loaded</state>"
    yield "<summary/>"
    yield "<sys_class_name>sys_remote_update_set</sys_class_name>"
    yield from _stamps()
    yield _element("sys_id", sys_id)
    yield '<update_set display_value=""/>'
    yield '<update_source display_value=""/>'
    yield "<updated/>"
    yield "</sys_remote_update_set>"


def _stamps() -> Iterator[str]:
    yield "<sys_created_by>travesia</sys_created_by>"
    yield f"<sys_created_on>{MOMENT}</sys_created_on>"
    yield "<sys_mod_count>0</sys_mod_count>"
    yield "<sys_updated_by>travesia</sys_updated_by>"
    yield f"<sys_updated_on>{MOMENT}</sys_updated_on>"


def _update(unit: Unit, set_name: str, set_id: str) -> Iterator[str]:
    yield '<sys_update_xml action="INSERT_OR_UPDATE">'
    yield "<action>INSERT_OR_UPDATE</action>"
    yield _GLOBAL
    yield "<category>customer</category>"
    yield "<comments/>"
    yield _element("name", unit.name)
    yield f"<payload><![CDATA[{unit.payload}]]></payload>"
    yield f"<remote_update_set display_value={quoteattr(set_name)}>{set_id}</remote_update_set>"
    yield "<replace_on_upgrade>false</replace_on_upgrade>"
    yield from _stamps()
    yield _element("sys_id", stable_id("sys_update_xml", set_id, unit.name))
    yield _element("table", unit.table)
    yield _element("target_name", unit.target)
    yield _element("type", unit.type)
    yield "<update_domain>global</update_domain>"
    yield '<update_set display_value=""/>'
    yield _element("view", unit.view)
    yield "</sys_update_xml>"


def units_of(artefacts: Sequence[Artefact]) -> Iterator[Unit]:
    """The artefacts in the units in which the platform exports them, in their order."""
    parts = _parts(artefacts)
    seen: set[str] = set()
    for one in artefacts:
        if one.table in _PARTS:
            continue
        if one.table in ("sys_choice", "sys_ui_form_section"):
            yield from _grouped(one, artefacts, seen)
        else:
            yield _unit(one, parts.get(one.sys_id, ()))
        if one.table == "sys_db_object":
            yield _collection(one)


def _parts(artefacts: Sequence[Artefact]) -> dict[str, list[Artefact]]:
    found: dict[str, list[Artefact]] = {}
    for one in artefacts:
        if one.table in _PARTS:
            found.setdefault(one.fields[_PARTS[one.table][1]], []).append(one)
    return found


def _grouped(one: Artefact, artefacts: Sequence[Artefact], seen: set[str]) -> Iterator[Unit]:
    """A choice list, or the sections of a form: once, with all that is in it."""
    keys = ("name", "element") if one.table == "sys_choice" else ("sys_ui_form",)
    wanted = tuple(one.fields[key] for key in keys)
    mark = "\n".join((one.table, *wanted))
    if mark in seen:
        return
    seen.add(mark)
    members = [
        other
        for other in artefacts
        if other.table == one.table and tuple(other.fields[key] for key in keys) == wanted
    ]
    yield _choice_list(members) if one.table == "sys_choice" else _form_sections(members)


def _choice_list(members: Sequence[Artefact]) -> Unit:
    table, element = members[0].fields["name"], members[0].fields["element"]
    name = f"sys_choice_{table}_{element}"
    attributes = f"field={quoteattr(element)} table={quoteattr(table)}"
    outer = f'<sys_choice action="INSERT_OR_UPDATE" {attributes} version="3">'
    inner = "".join(_record(one, name) for one in members)
    return Unit(
        name, _TYPES["sys_choice"], table, element, _payload(f"{outer}{inner}</sys_choice>")
    )


def _form_sections(members: Sequence[Artefact]) -> Unit:
    form = members[0].fields["sys_ui_form"]
    name = f"sys_ui_form_sections_{form}"
    inner = "".join(_record(one, name) for one in members)
    body = f'<sys_ui_form_sections form_id="{form}">{inner}</sys_ui_form_sections>'
    kind = _TYPES["sys_ui_form_section"]
    return Unit(name, kind, "sys_ui_form_section", form, _payload(body), VIEW)


def _collection(table: Artefact) -> Unit:
    """The dictionary's own entry of a new table, which exports carry beside the table's record."""
    name, label = table.fields["name"], table.fields["label"]
    fields = {"active": "true", "column_label": label, "element": "", "name": name}
    entry = Artefact(
        "sys_dictionary",
        stable_id("sys_dictionary", name, ""),
        {**fields, "internal_type": "collection"},
    )
    return _unit(entry, ())


def _unit(one: Artefact, parts: Sequence[Artefact]) -> Unit:
    name, of = _name(one), one.fields
    inner = "".join(_record(part, name) for part in parts) + _record(one, name)
    wrapped = _wrapper(one, inner)
    is_layout = one.table.startswith("sys_ui_") and "view" in of
    target = of.get("label") or of.get("column_label") or of.get("title") or one.name
    return Unit(
        name, _TYPES[one.table], one.place or one.table, target, wrapped, VIEW if is_layout else ""
    )


def _name(one: Artefact) -> str:
    of = one.fields
    if one.table == "sys_dictionary":
        return f"sys_dictionary_{of['name']}_{of['element'] or 'null'}"
    if one.table == "sys_documentation":
        return f"sys_documentation_{of['name']}_{of['element']}_{of['language']}"
    if one.table == "sys_ui_list":
        return f"sys_ui_list_{of['name']}_{VIEW}"
    if one.table == "sys_ui_related_list":
        return f"sys_ui_related_{of['name']}_{VIEW}"
    return f"{one.table}_{one.sys_id}"


def _wrapper(one: Artefact, inner: str) -> str:
    """What stands around the records, by their kind; plain kinds name their table only."""
    of = {name: quoteattr(value) for name, value in one.fields.items()}
    view, table = quoteattr(VIEW), of.get("name", "")
    if one.table == "sys_dictionary":
        return _payload(inner)  # its own element carries the names
    if one.table == "sys_documentation":
        names = f"element={of['element']} label={of['label']} language={of['language']}"
        return _payload(f"<sys_documentation {names} table={table}>{inner}</sys_documentation>")
    if one.table == "sys_ui_section":
        names = f'caption={of["caption"]} section_id="{one.sys_id}" sys_domain="global"'
        head = f'<sys_ui_section {names} table={table} version="3" view={view}>'
        return _payload(f"{head}{inner}</sys_ui_section>")
    if one.table == "sys_ui_list":
        head = f'<sys_ui_list parent="" relationship="" sys_domain="global" table={table}'
        return _payload(f'{head} version="3" view={view}>{inner}</sys_ui_list>')
    if one.table == "sys_ui_related_list":
        head = f'<sys_ui_related sys_domain="global" table={table} version="2" view={view}>'
        return _payload(f"{head}{inner}</sys_ui_related>")
    return _payload(inner, one.table)


def _payload(body: str, table: str = "") -> str:
    named = f' table="{table}"' if table else ""
    return f"{_HEAD}<record_update{named}>{body}</record_update>"


def _record(one: Artefact, name: str) -> str:
    """One record: its fields in the order of their names, as exports have them."""
    names = ""
    if one.table == "sys_dictionary":
        names = f" element={quoteattr(one.fields['element'])} table={quoteattr(one.place)}"
    fields = {**one.fields, "sys_id": one.sys_id, "sys_update_name": name}
    lines = {key: _element(key, value) for key, value in fields.items()}
    lines["sys_scope"] = _SCOPE
    body = "".join(lines[key] for key in sorted(lines))
    return f'<{one.table} action="INSERT_OR_UPDATE"{names}>{body}</{one.table}>'


def _element(name: str, value: str) -> str:
    if value == PARENT_PLACE:
        # Each instance has its own sys_id for it; exports name what a reference coalesces on.
        return f'<{name} display_value="Import Set Row" name="{PARENT}"/>'
    return f"<{name}>{escape(value)}</{name}>" if value else f"<{name}/>"
