"""What provisioning speaks of: records of configuration to make, and a plan of them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from connector.errors import ConfigError
from connector.journey.fields import OWN_PREFIX
from connector.messages import _

Kind = Literal["table", "column", "label", "choice", "map", "entry", "script", "notification"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they can be made."""

META: dict[Kind, str] = {
    "table": "sys_db_object",
    "column": "sys_dictionary",
    "label": "sys_documentation",
    "choice": "sys_choice",
    "map": "sys_transform_map",
    "entry": "sys_transform_entry",
    "script": "sys_transform_script",
    "notification": "sysevent_email_action",
}
"""The table of the tool that holds each kind."""


@dataclass(frozen=True)
class Artefact:
    """One record of configuration to make, or (`action="update"`) to bring up to date."""

    kind: Kind
    action: Literal["create", "update"]
    table: str
    element: str
    """The column, or "" where it is about the table itself."""
    sys_id: str
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """How a person would call it: `incident.u_journey_step = usar (es)`."""
        place = f"{self.table}.{self.element}" if self.element else self.table
        value = f" = {self.values['value']}" if "value" in self.values else ""
        language = f" ({self.values['language']})" if "language" in self.values else ""
        return f"{place}{value}{language}"


@dataclass(frozen=True)
class Provisioning:
    """What is missing or different in an instance; `conflicts` are sentences a person must settle.

    Labels and choices of columns that do not stand yet are in it, as they will be made.
    """

    artefacts: tuple[Artefact, ...]
    conflicts: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    """Tables of plug-ins that the instance lacks: nothing is to be made there."""

    def and_also(self, other: "Provisioning") -> "Provisioning":
        """Both plans as one."""
        return Provisioning(
            (*self.artefacts, *other.artefacts),
            (*self.conflicts, *other.conflicts),
            (*self.absent, *other.absent),
        )

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to do."""
        return not self.artefacts and not self.conflicts

    def of(self, kind: Kind) -> list[Artefact]:
        """The artefacts of one kind."""
        return [artefact for artefact in self.artefacts if artefact.kind == kind]

    def counts(self) -> dict[Kind, int]:
        """How many of each kind, in the order in which they are made."""
        return {kind: len(self.of(kind)) for kind in KINDS}


def stable_id(*parts: str) -> str:
    """The sys_id of one of our records: 32 hex digits made of its name, the same everywhere."""
    return hashlib.md5("\n".join(("travesia", *parts)).encode(), usedforsecurity=False).hexdigest()


def create(
    kind: Kind, table: str, element: str, names: Iterable[str], values: Mapping[str, str]
) -> Artefact:
    """An artefact of ours, under a sys_id made of its names."""
    sys_id = stable_id(META[kind], *names)
    return Artefact(kind, "create", table, element, sys_id, {"sys_id": sys_id, **values})


def refuse_foreign(artefact: Artefact) -> None:
    """The last line of defence: only what carries our prefix is ever made or changed."""
    if not (artefact.table.startswith(OWN_PREFIX) or artefact.element.startswith(OWN_PREFIX)):
        raise ConfigError(
            "provision",
            [
                _("{name} does not carry the prefix {prefix}; it is not ours to make").format(
                    name=artefact.name, prefix=OWN_PREFIX
                )
            ],
        )
