"""Where things of ours may stand, whatever the settings say now: what a removal looks through.

A table that no setting names is looked through only where one record at least bears a sys_id that
is made of our names: a column that somebody else called u_journey_… makes no table ours.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.errors import ForbiddenError
from connector.itsm.base import Instance, Record
from connector.itsm.staging import PREFIX
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.own_tables import OWN_TABLES
from connector.provision import flow
from connector.provision.layout import VIEW, VIEW_ID
from connector.provision.model import OWN, Artefact, refuse_foreign, stable_id
from connector.provision.sights import REFRESH
from connector.provision.wanted import ORDER, Scope, artefacts_of


@dataclass(frozen=True)
class _Sign:
    """Records that show which tables we were at: how they are asked for, what made their ids."""

    query: str
    fields: tuple[str, ...]
    """The first begins with the name of the table."""
    names: tuple[str, ...] = ()
    """What follows the fields in the names of which the sys_id is made."""


_SIGNS: Mapping[str, _Sign] = {
    "sys_dictionary": _Sign(f"elementSTARTSWITH{OWN}_", ("name", "element")),
    "sys_security_acl": _Sign(f"nameLIKE.{OWN}_", ("name", "operation")),
    "sys_ui_form": _Sign(f"view={VIEW_ID}", ("name",), (VIEW,)),
    "sys_ui_action": _Sign(f"action_name={REFRESH}", ("table",), ("refresh",)),
}
"""Several, since some of these tables may be closed to the account."""


def widest(instance: Instance, scope: Scope) -> Scope:
    """`scope` with every table on which something of ours stands, and all that it can have there.

    Raises InstanceError and its kinds.
    """
    exist = instance.list_tables(tuple(_SIGNS))
    found = [table for name in _SIGNS if name in exist for table in _signed(instance, name)]
    own = {one.name for one in OWN_TABLES}
    written = [table for table in (one.removeprefix(PREFIX) for one in found) if table not in own]
    tables = tuple(dict.fromkeys((*scope.tables, *written)))
    return replace(scope, tables=tables, relationship=True)


def _signed(instance: Instance, platform: str) -> list[str]:
    """The tables of which records of one platform table of ours speak; none where it is closed."""
    sign = _SIGNS[platform]
    try:
        rows = list(instance.list_records(platform, ("sys_id", *sign.fields), sign.query))
    except ForbiddenError:
        return []
    found = [row[sign.fields[0]] for row in rows if row["sys_id"] == _made(platform, sign, row)]
    return [name.partition(".")[0] for name in found]


def _made(platform: str, sign: _Sign, row: Record) -> str:
    return stable_id(platform, *(row.get(name, "") for name in sign.fields), *sign.names)


def everything(mapping: JourneyMapping, scope: Scope) -> list[Artefact]:
    """All that any setting would make on the tables of `scope`, in the order of making; pure."""
    every = [
        one
        for mode in ("record", "table")
        for journey in mapping.journeys
        for one in artefacts_of(
            mapping, replace(scope, mode=mode, journey=journey, via="import_set")
        )
    ]
    unique = {one.sys_id: one for one in sorted(every, key=lambda one: ORDER.index(one.table))}
    return list(unique.values())


def other_choices(
    wanted: Sequence[Artefact], rows: Sequence[Record], taken: Collection[str]
) -> Iterator[Artefact]:
    """Choices among `rows` that are of a column of ours, whatever they say, but those `taken`.

    Raises ConfigError if one would not be ours.
    """
    columns = {_column(one.fields) for one in wanted if one.table == "sys_choice"}
    for row in rows:
        if _column(row) in columns and row["sys_id"] not in taken:
            names = ("name", "element", "value", "language", "label")
            one = Artefact("sys_choice", row["sys_id"], {name: row.get(name, "") for name in names})
            refuse_foreign([one])
            yield one


def other_stages(instance: Instance, taken: Collection[str]) -> Iterator[Artefact]:
    """Stages of steps that left the mapping: by their names, and only under sys_ids of ours.

    Raises InstanceError and its kinds.
    """
    names = ("sys_id", "name", "table")
    for row in instance.list_records(flow.STAGE, names, f"nameSTARTSWITH{flow.NAMED}"):
        place = row["name"].removeprefix(flow.NAMED).split(" ")
        if row["sys_id"] == stable_id(flow.STAGE, *place) and row["sys_id"] not in taken:
            yield Artefact(flow.STAGE, row["sys_id"], {name: row[name] for name in names[1:]})


def _column(of: Mapping[str, str]) -> tuple[str, str]:
    return of.get("name", ""), of.get("element", "")
