"""The update set against the structure that exports have (servicenow-api.md §8.3)."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from xml.etree import ElementTree as ET

import pytest

from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping, Text
from connector.provision import Artefact, Scope, artefacts_of, sheet, update_set
from connector.provision.layout import VIEW, VIEW_ID

SCOPE = Scope(("incident", "sc_request"), via="import_set")
PLAIN = {
    *("sys_db_object", "sys_user_role", "sys_user_role_contains", "sys_security_acl"),
    *("sys_security_acl_role", "sys_ui_view", "sys_ui_form", "sys_ui_formatter"),
    *(
        "sys_process_flow",
        "sys_filter",
        "sys_ui_style",
        "sys_report",
        "sys_ui_action",
        "sys_ui_action_role",
    ),
    *("sys_transform_map", "sys_transform_entry", "sys_transform_script"),
    "sysevent_email_action",
}
"""Kinds whose record stands alone in a `record_update` that names its table."""


@cache
def mapping() -> Mapping:
    return load_mapping()


@cache
def artefacts() -> tuple[Artefact, ...]:
    return artefacts_of(mapping(), SCOPE)


@cache
def document() -> ET.Element:
    return ET.fromstring(update_set.write(artefacts(), "for tests"))  # noqa: S314 - our own


def updates() -> list[ET.Element]:
    return document().findall("sys_update_xml")


def text(node: ET.Element, name: str) -> str:
    found = node.find(name)
    assert found is not None, f"{node.tag} has no {name}"
    return found.text or ""


def payloads() -> Iterator[tuple[ET.Element, ET.Element]]:
    """Each update with the root of its payload."""
    for update in updates():
        yield update, ET.fromstring(text(update, "payload"))  # noqa: S314 - our own


def records(root: ET.Element) -> Iterator[ET.Element]:
    """The records in a payload: what has an action and a sys_id."""
    for node in root.iter():
        if node.get("action") and node.find("sys_id") is not None:
            yield node


def test_the_same_mapping_gives_the_same_bytes_and_another_gives_another_set() -> None:
    first = update_set.write(artefacts(), "for tests")
    assert first == update_set.write(artefacts_of(load_mapping(), SCOPE), "for tests")
    other = artefacts_of(mapping(), replace(SCOPE, journey="itil4"))
    ids = {text(ET.fromstring(one)[0], "sys_id") for one in (first, update_set.write(other, ""))}  # noqa: S314 - our own
    assert len(ids) == 2


def test_the_file_begins_with_one_retrieved_set_that_all_updates_belong_to() -> None:
    assert document().tag == "unload"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", document().get("unload_date", ""))
    head, *rest = list(document())
    assert (head.tag, head.get("action")) == ("sys_remote_update_set", "INSERT_OR_UPDATE")
    assert text(head, "state") == "loaded"
    assert text(head, "application") == text(head, "application_scope") == "global"
    for name in ("name", "remote_sys_id", "sys_id", "description"):
        assert text(head, name)
    assert {node.tag for node in rest} == {"sys_update_xml"}
    assert {text(node, "remote_update_set") for node in rest} == {text(head, "sys_id")}


def test_every_update_has_what_exports_have() -> None:
    ids = [text(update, "sys_id") for update in updates()]
    names = [text(update, "name") for update in updates()]
    assert len(set(ids)) == len(set(names)) == len(ids)
    for update in updates():
        assert update.get("action") == text(update, "action") == "INSERT_OR_UPDATE"
        assert (text(update, "category"), text(update, "update_domain")) == ("customer", "global")
        assert text(update, "replace_on_upgrade") == "false"
        assert re.fullmatch("[0-9a-f]{32}", text(update, "sys_id"))
        for name in ("type", "target_name", "table", "payload"):
            assert text(update, name), name
        for name in ("view", "update_set", "comments"):
            assert update.find(name) is not None, name


def test_all_artefacts_travel_each_once_with_all_their_fields() -> None:
    found = {
        (node.tag, text(node, "sys_id")): {field.tag: field.text or "" for field in node}
        for _update, root in payloads()
        for node in records(root)
    }
    tables = [one.fields["name"] for one in artefacts() if one.table == "sys_db_object"]
    assert len(found) == len(artefacts()) + len(tables)
    for one in artefacts():
        row = found.pop((one.table, one.sys_id))
        expected = dict(one.fields)
        expected.pop("super_class", None)
        assert expected.items() <= row.items()
    assert {row["name"] for row in found.values()} == set(tables)
    assert {row["internal_type"] for row in found.values()} == {"collection"}


def test_payloads_are_wrapped_by_their_kind() -> None:
    kinds = Counter()  # type: ignore[var-annotated]
    for update, root in payloads():
        assert root.tag == "record_update"
        (outer,) = root
        kind, name = outer.tag, text(update, "name")
        kinds[kind] += 1
        if root.get("table"):
            assert root.get("table") == kind
            assert kind in PLAIN
            assert name == f"{kind}_{text(outer, 'sys_id')}"
            continue
        KINDS[kind](name, outer)
    assert set(kinds) == {*PLAIN, *KINDS}


def _is_column(name: str, outer: ET.Element) -> None:
    table, element = outer.get("table", ""), outer.get("element", "")
    assert (table, element) == (text(outer, "name"), text(outer, "element"))
    assert name == f"sys_dictionary_{table}_{element or 'null'}"


def _is_label(name: str, outer: ET.Element) -> None:
    (inner,) = outer
    parts = [outer.get(part, "") for part in ("table", "element", "language")]
    assert name == "_".join(["sys_documentation", *parts])
    assert outer.get("label") == text(inner, "label")
    assert parts == [text(inner, part) for part in ("name", "element", "language")]


def _is_choice_list(name: str, outer: ET.Element) -> None:
    assert name == f"sys_choice_{outer.get('table')}_{outer.get('field')}"
    assert outer.get("version") == "3"
    assert {(text(one, "name"), text(one, "element")) for one in outer} == {
        (outer.get("table"), outer.get("field"))
    }
    values = Counter(text(one, "value") for one in outer)
    assert set(values.values()) == {2}, "both languages of every value in one list"


def _is_section(name: str, outer: ET.Element) -> None:
    *elements, section = outer
    assert name == f"sys_ui_section_{outer.get('section_id')}"
    assert (outer.get("view"), outer.get("sys_domain")) == (VIEW, "global")
    assert (section.tag, text(section, "sys_id")) == ("sys_ui_section", outer.get("section_id"))
    assert {text(one, "sys_ui_section") for one in elements} == {outer.get("section_id")}


def _is_form(name: str, outer: ET.Element) -> None:
    assert name == f"sys_ui_form_sections_{outer.get('form_id')}"
    assert {text(one, "sys_ui_form") for one in outer} == {outer.get("form_id")}


def _is_list(name: str, outer: ET.Element) -> None:
    *elements, layout = outer
    assert name == f"sys_ui_list_{outer.get('table')}_{VIEW}"
    assert (outer.get("view"), outer.get("parent"), outer.get("relationship")) == (VIEW, "", "")
    assert {text(one, "list_id") for one in elements} == {text(layout, "sys_id")}


def _is_related(name: str, outer: ET.Element) -> None:
    *entries, group = outer
    assert name == f"sys_ui_related_{outer.get('table')}_{VIEW}"
    assert {text(one, "list_id") for one in entries} == {text(group, "sys_id")}


KINDS = {
    "sys_dictionary": _is_column,
    "sys_documentation": _is_label,
    "sys_choice": _is_choice_list,
    "sys_ui_section": _is_section,
    "sys_ui_form_sections": _is_form,
    "sys_ui_list": _is_list,
    "sys_ui_related": _is_related,
}


def test_no_layout_is_of_another_view_than_ours() -> None:
    views = {
        text(node, "view")
        for _update, root in payloads()
        for node in records(root)
        if node.find("view") is not None
    }
    assert views == {VIEW_ID}
    outer = {root[0].get("view") for _update, root in payloads() if root[0].get("view") is not None}
    assert outer == {VIEW}


def test_nothing_in_it_runs_by_itself_or_speaks_of_another_table_or_role() -> None:
    tags = {node.tag for _update, root in payloads() for node in records(root)}
    assert tags.isdisjoint({"sys_script", "sysauto_script", "sys_hub_flow", "sys_user_has_role"})
    actions = [node for _u, root in payloads() for node in root.iter("sys_ui_action")]
    assert {text(one, "active") for one in actions if one.find("active") is not None} == {"false"}
    mails = [node for _u, root in payloads() for node in root.iter("sysevent_email_action")]
    assert {text(one, "active") for one in mails if one.find("active") is not None} == {"false"}
    controls = [one for one in artefacts() if one.table == "sys_security_acl"]
    for one in controls:
        table, _dot, column = one.fields["name"].partition(".")
        assert table.startswith("u_journey") or column.startswith("u_journey_")


@pytest.mark.parametrize("words", ['a <b> & "c"', "]]> and <![CDATA[", "ñ → ✓"])
def test_any_words_come_through(words: str) -> None:
    touchpoint = replace(mapping().touchpoints["phone"], name=Text(words, words))
    one = replace(mapping(), touchpoints={"phone": touchpoint})
    data = update_set.write(artefacts_of(one, Scope(("incident",))), words)
    root = ET.fromstring(data)  # noqa: S314 - our own
    lists = [
        ET.fromstring(text(update, "payload"))  # noqa: S314 - our own
        for update in root.findall("sys_update_xml")
        if text(update, "name") == "sys_choice_incident_u_journey_touchpoint"
    ]
    assert {text(row, "label") for row in lists[0][0]} == {words}


def test_the_sheet_says_what_an_admin_asks() -> None:
    written = sheet.write(artefacts(), SCOPE, "journey.xml")
    assert "File: journey.xml. Application: global. Custom tables: 8." in written
    assert "incident (14), sc_request (14)" in written
    for heading in ("What it adds", "Rights", "Back-out", "What was not tried"):
        assert f"## {heading}" in written
    for role in ("u_journey_integration", "u_journey_steward", "u_journey_reader"):
        assert f"`{role}`" in written
    assert "not yet on a real one" in written
