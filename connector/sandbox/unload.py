"""An update set's XML: the `<unload>` document, and what the payload of one update says.

A payload is `<record_update>` around one record, or around a unit that holds several (choice lists,
labels, form sections, lists: servicenow-api.md §8.3). Which tables a set may touch is a list: an
update set carries configuration, never data, and nothing of the sandbox's own bookkeeping.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from connector.messages import mark
from connector.sandbox.catalogue import Record
from connector.sandbox.xml_gate import HostileXmlError, Node, parse

CARRIED = frozenset(
    {
        *("sys_db_object", "sys_dictionary", "sys_documentation", "sys_choice", "sys_number"),
        *("sys_user_role", "sys_user_role_contains"),
        *("sys_security_acl", "sys_security_acl_role"),
        *("sys_ui_view", "sys_ui_form", "sys_ui_form_section", "sys_ui_section", "sys_ui_element"),
        *("sys_ui_list", "sys_ui_list_element"),
        *("sys_ui_related_list", "sys_ui_related_list_entry"),
        *("sys_ui_style", "sys_ui_formatter", "sys_process_flow", "sys_translated"),
        *("sys_ui_action", "sys_ui_action_role", "sys_filter", "sys_properties"),
        *("sys_report", "sys_report_users_groups"),
        *("sys_transform_map", "sys_transform_entry", "sys_transform_script"),
        "sys_rest_insert_multiple",
        *("sysevent_email_action",),
    }
)
"""Tables whose records an update set may carry."""

_ACTIONS = ("INSERT_OR_UPDATE", "DELETE")
_ID = re.compile(r"^[0-9a-f]{32}$")
_MOST_UPDATES = 20_000
_SHOWN = 80
_NO_ID = mark("a {name} has no sys_id of 32 hexadecimal digits")

Key = tuple[str, str]
"""A table, and the sys_id of one of its records."""


@dataclass(frozen=True)
class Change:
    """One record that a payload brings or takes away; `problem` says why it cannot be read."""

    table: str
    values: Record
    is_delete: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Unload:
    """A set: its header and its updates, as records of their tables."""

    header: Record
    updates: tuple[Record, ...]


def read(data: bytes) -> Unload:
    """The set in an `<unload>` document. Raises HostileXmlError, one sentence."""
    root = parse(data)
    if root.name != "unload":
        sentence = mark("this is no update set: <unload> was expected, not <{name}>")
        raise HostileXmlError(sentence, name=root.name[:_SHOWN])
    headers = [node for node in root.children if node.name == "sys_remote_update_set"]
    if len(headers) != 1:
        sentence = mark("one sys_remote_update_set was expected, not {n}")
        raise HostileXmlError(sentence, n=len(headers))
    updates = [node for node in root.children if node.name == "sys_update_xml"]
    _check_rest(root, len(updates))
    header = _record(headers[0]) | {"state": "loaded"}
    seen: set[Key] = set()
    return Unload(header, tuple(_update(node, header, seen) for node in updates))


def _check_rest(root: Node, updates: int) -> None:
    others = {n.name for n in root.children} - {"sys_remote_update_set", "sys_update_xml"}
    if others:
        raise HostileXmlError(mark("an update set holds no {name}"), name=min(others)[:_SHOWN])
    if not 0 < updates <= _MOST_UPDATES:
        sentence = mark("between 1 and {most} updates were expected, not {n}")
        raise HostileXmlError(sentence, most=_MOST_UPDATES, n=updates)


def _record(node: Node) -> Record:
    record = {child.name: child.text.strip() for child in node.children}
    if not _ID.match(record.get("sys_id", "")):
        raise HostileXmlError(_NO_ID, name=node.name[:_SHOWN])
    return record


def _update(node: Node, header: Record, seen: set[Key]) -> Record:
    record = _record(node)
    _once(("sys_update_xml", record["sys_id"]), seen)
    if record.get("remote_update_set") != header["sys_id"]:
        sentence = mark("the update {name} belongs to another update set")
        raise HostileXmlError(sentence, name=record.get("name", "")[:_SHOWN])
    for change in changes(record.get("payload", "")):
        if change.table not in CARRIED:
            sentence = mark(
                "the update {name} is for the table {table}, which no update set carries"
            )
            name, table = record.get("name", "")[:_SHOWN], change.table[:_SHOWN]
            raise HostileXmlError(sentence, name=name, table=table)
        _once((change.table, change.values["sys_id"]), seen)
    return record


def _once(key: Key, seen: set[Key]) -> None:
    """Two records of one sys_id could not both be stored."""
    if key in seen:
        sentence = mark("the record {sys_id} of {table} is in the file twice")
        raise HostileXmlError(sentence, sys_id=key[1], table=key[0])
    seen.add(key)


def changes(payload: str) -> list[Change]:
    """What one payload brings. Raises HostileXmlError."""
    root = parse(payload)
    if root.name != "record_update":
        sentence = mark("a payload begins with <{name}>, not <record_update>")
        raise HostileXmlError(sentence, name=root.name[:_SHOWN])
    return [change for node in root.children for change in _changes(node)]


def _changes(node: Node) -> Iterator[Change]:
    """A record, or the records of a unit: in a unit the children of a name with an action."""
    inner = [child for child in node.children if "action" in child.attributes]
    for child in inner:
        yield from _changes(child)
    if inner and not node.value("sys_id"):
        return
    action = node.attributes.get("action", "")
    if action not in _ACTIONS:
        if node.name in CARRIED and not node.value("sys_id"):
            return  # the shell of a unit, which has no action of its own
        sentence = mark("a {name} has the unknown action {action!r}")
        raise HostileXmlError(sentence, name=node.name[:_SHOWN], action=action[:_SHOWN])
    fields = {c.name: _value(c) for c in node.children if "action" not in c.attributes}
    if not fields:
        return
    if not _ID.match(fields.get("sys_id", "")):
        raise HostileXmlError(_NO_ID, name=node.name[:_SHOWN])
    yield Change(node.name, fields, is_delete=action == "DELETE")


def _value(field: Node) -> str:
    """What a field holds: a reference may only say by which name it is known (`name`)."""
    return field.text or field.attributes.get("name", "")
