"""What provisioning speaks of: records of the tool's configuration, and how a plan of them reads.

An artefact is one record of a platform table, made by pure functions of mapping and settings; an
update set carries the very same records that `--apply` sends.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from connector.errors import ConfigError
from connector.messages import _

OWN = "u_journey"
Action = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Artefact:
    """One record of a platform table. `sys_id` is made of its name; all values are strings."""

    table: str
    sys_id: str
    fields: Mapping[str, str]

    @property
    def place(self) -> str:
        """The table that it configures: the one whose absence makes it pointless."""
        key = {"sys_transform_map": "target_table", "sys_db_object": "name"}.get(self.table)
        if key:
            return self.fields[key]
        return self.fields.get("table") or self.fields.get("name", "")

    @property
    def name(self) -> str:
        """How a person would call it: `incident.u_journey_step = usar (es)`."""
        of = self.fields
        start = of.get("title") or of.get("name") or of.get("caption") or of.get("table", "")
        element = of.get("element") or of.get("related_list") or of.get("target_field", "")
        place = ".".join(part for part in (start, element) if part) or self.sys_id
        value = f" = {of['value']}" if "value" in of else ""
        what = of.get("language") or of.get("operation", "")
        return f"{place}{value}{f' ({what})' if what else ''}"


@dataclass(frozen=True)
class Step:
    """One thing to do to one record; `changed` is what is sent of it, `was` what stood there."""

    action: Action
    artefact: Artefact
    sys_id: str
    changed: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The platform table of its record."""
        return self.artefact.table

    @property
    def name(self) -> str:
        """How a person would call it."""
        return self.artefact.name


@dataclass(frozen=True)
class Provisioning:
    """What is missing or different in an instance; `conflicts` are sentences a person must settle.

    What columns need that do not stand yet is in it, as it will be made.
    """

    steps: tuple[Step, ...]
    conflicts: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    """Tables of plug-ins that the instance lacks: nothing is to be made there."""
    skipped: tuple[str, ...] = ()
    """Platform tables that the instance lacks or hides: their records are left out."""
    leftovers: tuple[str, ...] = ()
    """Choices of ours that the mapping no longer has. They stay: records may hold them."""

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to do."""
        return not self.steps and not self.conflicts

    def of(self, table: str) -> list[Step]:
        """The steps on one platform table."""
        return [step for step in self.steps if step.table == table]

    def counts(self) -> dict[str, int]:
        """How many of each platform table, in the order in which they are made."""
        found: dict[str, int] = {}
        for step in self.steps:
            found[step.table] = found.get(step.table, 0) + 1
        return found


def stable_id(*parts: str) -> str:
    """The sys_id of one of our records: 32 hex digits made of its name, the same everywhere."""
    return hashlib.md5("\n".join(("travesia", *parts)).encode(), usedforsecurity=False).hexdigest()


def artefact(table: str, names: Sequence[str], /, **values: str) -> Artefact:
    """A record of ours on a platform table, under a sys_id made of its names."""
    return Artefact(table, stable_id(table, *names), values)


_MARKS: Mapping[str, tuple[str, ...]] = {
    "sys_db_object": ("name",),
    "sys_dictionary": ("name", "element"),
    "sys_documentation": ("name", "element"),
    "sys_choice": ("name", "element"),
    "sys_user_role": ("name",),
    "sys_security_acl": ("name",),
    "sys_transform_map": ("source_table",),
    "sys_ui_view": ("name",),
    "sys_ui_formatter": ("name",),
    "sys_process_flow": ("name",),
    "sys_ui_style": ("name", "element"),
    "sys_filter": ("filter",),
    "sys_report": ("table", "field", "filter"),
    "sys_ui_action": ("action_name",),
    "sysevent_email_action": ("collection",),
}
"""Platform table → the fields of which one must carry our prefix."""

_PARENTS: Mapping[str, tuple[str, ...]] = {
    "sys_ui_section": ("view",),
    "sys_ui_form": ("view",),
    "sys_ui_list": ("view",),
    "sys_ui_related_list": ("view",),
    "sys_ui_element": ("sys_ui_section",),
    "sys_ui_form_section": ("sys_ui_form", "sys_ui_section"),
    "sys_ui_list_element": ("list_id",),
    "sys_ui_related_list_entry": ("list_id",),
    "sys_security_acl_role": ("sys_security_acl", "sys_user_role"),
    "sys_user_role_contains": ("role", "contains"),
    "sys_ui_action_role": ("sys_ui_action", "sys_user_role"),
    "sys_transform_entry": ("map",),
    "sys_transform_script": ("map",),
}
"""Platform table → its references, which must all be to records of ours: never the default view."""


def refuse_foreign(artefacts: Sequence[Artefact]) -> None:
    """The last line of defence: only what is ours is ever made, changed or removed.

    Raises ConfigError naming the first that neither bears our prefix nor is part of one that does.
    """
    ours: set[str] = set()
    for one in artefacts:
        parents = _PARENTS.get(one.table, ())
        marks = [one.fields.get(name, "") for name in _MARKS.get(one.table, ())]
        is_child = bool(parents) and all(one.fields.get(name) in ours for name in parents)
        if not is_child and not any(_is_marked(mark) for mark in marks):
            text = _("{name} does not carry the prefix {prefix}; it is not ours to make")
            problem = text.format(name=f"{one.table} {one.name}", prefix=f"{OWN}_")
            raise ConfigError("provision", [problem])
        ours.add(one.sys_id)


def _is_marked(text: str) -> bool:
    """Whether a name or a condition speaks of a name of ours."""
    return f"{OWN}_" in text or text == OWN or text.startswith(f"{OWN}.")
