"""What a write would set off: business rules, flows and notifications of a table and its parents.

They are read, never judged: whether a condition holds for a record is the instance's to say.
Source of tables and columns: general knowledge of the platform and exports seen in public; each
column is held against the dictionary first, because a condition on one that is not there would be
dropped and everything listed (servicenow-api.md §1.3).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from connector.check.findings import Finding
from connector.errors import InstanceError
from connector.itsm.base import Instance, Record
from connector.messages import _, _n

Kind = Literal["rule", "flow", "notification"]
SHOWN = 5
"""Names in one sentence; the change request has them all."""


@dataclass(frozen=True)
class Effect:
    """One thing that an update of a record may set off."""

    kind: Kind
    table: str
    """Where it is defined: the table itself, one it extends, or `global`."""
    name: str
    when: str = ""
    condition: str = ""


@dataclass(frozen=True)
class Effects:
    """What updates of one table may set off; `unseen` names the tables that could not be read."""

    found: tuple[Effect, ...]
    unseen: tuple[str, ...]

    def of(self, kind: Kind) -> list[Effect]:
        """Those of one kind."""
        return [effect for effect in self.found if effect.kind == kind]


@dataclass(frozen=True)
class _Source:
    """Where the tool keeps one kind, and how it names what we need."""

    kind: Kind
    table: str
    place: str
    name: str
    update: str
    when: str = ""
    condition: str = ""
    more: tuple[str, ...] = ()


_SOURCES = (
    _Source(
        "rule", "sys_script", "collection", "name", "action_update", "when", "filter_condition"
    ),
    _Source(
        "flow",
        "sys_flow_record_trigger",
        "table",
        "",
        "on_update",
        "",
        "condition",
        ("run_on_extended",),
    ),
    _Source(
        "notification",
        "sysevent_email_action",
        "collection",
        "name",
        "action_update",
        "",
        "condition",
        ("generation_type",),
    ),
)
_FLOWS = "sys_hub_flow"


def check_effects(instance: Instance, tables: Sequence[str], via: str) -> Iterator[Finding]:
    """One finding a table: what a write sets off, or that it cannot be seen."""
    if not tables:
        return
    effects = list_effects(instance, tables)
    unseen = next(iter(effects.values())).unseen
    for table, found in effects.items():
        yield _finding(table, found, via)
    if unseen:
        text = _("What a write sets off cannot be seen whole: {tables} may not be read")
        remedy = _("let the account read them, or ask an admin for the list before you write")
        said = text.format(tables=", ".join(unseen))
        yield Finding("warn", _("effects"), said, remedy)


def _finding(table: str, found: Effects, via: str) -> Finding:
    if not found.found:
        said = _("No rule, flow or notification was seen that a write would set off")
        level: Literal["ok", "warn"] = "warn" if found.unseen else "ok"
        return Finding(level, table, said, aspect="effects")
    text = _("A write may set off {counts}: {names}")
    said = text.format(counts=counts_of(found), names=_names(found.found))
    if via == "import_set":
        quiet = _('with via = "import_set" the transform map runs none of them')
        return Finding("ok", table, said, quiet, "effects")
    remedy = _('read them with their owners, or write quietly: [write_back] via = "import_set"')
    return Finding("warn", table, said, remedy, "effects")


def counts_of(found: Effects) -> str:
    """`2 business rules, 1 flow, 1 notification`."""
    rules, flows, mails = (len(found.of(k)) for k in ("rule", "flow", "notification"))
    return ", ".join(
        (
            _n("{n} business rule", "{n} business rules", rules).format(n=rules),
            _n("{n} flow", "{n} flows", flows).format(n=flows),
            _n("{n} notification", "{n} notifications", mails).format(n=mails),
        )
    )


def _names(found: Sequence[Effect]) -> str:
    names = ", ".join(effect.name for effect in found[:SHOWN])
    more = len(found) - SHOWN
    return names + (_(" and {n} more").format(n=more) if more > 0 else "")


def list_effects(instance: Instance, tables: Sequence[str]) -> dict[str, Effects]:
    """Each table → what an update of its records may set off, inherited included.

    Raises InstanceError only where the tables themselves cannot be asked for.
    """
    lines = lineages(instance, tables)
    places = sorted({place for line in lines.values() for place in line})
    read = {source: _read(instance, source, places) for source in _SOURCES}
    unseen = tuple(source.table for source, rows in read.items() if rows is None)
    return {
        table: Effects(
            tuple(
                _effect(source, row)
                for source, rows in read.items()
                for row in rows or ()
                if _applies(source, row, table, line)
            ),
            unseen,
        )
        for table, line in lines.items()
    }


def lineages(instance: Instance, tables: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each table → itself, what it extends, and `global`. Raises InstanceError and its kinds."""
    parents: dict[str, str] = {}
    pending = set(tables)
    while pending:
        found = instance.list_tables(sorted(pending))
        parents |= found
        pending = {parent for parent in found.values() if parent} - set(parents)
    return {table: (*_line(table, parents), "global") for table in tables}


def _line(table: str, parents: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    while table and table not in seen:
        seen.add(table)
        yield table
        table = parents.get(table, "")


def _read(instance: Instance, source: _Source, places: Sequence[str]) -> list[Record] | None:
    query = f"active=true^{source.update}=true^{source.place}IN{','.join(places)}"
    needed = {"active", source.update, source.place}
    wanted = (source.place, source.name, source.when, source.condition, *source.more)
    rows = _ask(instance, source.table, needed, wanted, query)
    return _named(instance, rows) if rows and source.kind == "flow" else rows


def _ask(
    instance: Instance, table: str, needed: set[str], wanted: Sequence[str], query: str
) -> list[Record] | None:
    """Rows of a table of configuration; None where they, or the columns asked by, are not seen."""
    try:
        if not instance.list_tables([table]):
            return None
        there = {column.element for column in instance.list_columns([table])}
        if not needed <= there:
            return None
        columns = [name for name in wanted if name in there]
        return list(instance.list_records(table, ["sys_id", *columns], query))
    except InstanceError as error:
        if error.retryable:
            raise
        return None


def _named(instance: Instance, triggers: Sequence[Record]) -> list[Record]:
    """The triggers under the names of their flows; nameless where flows may not be read."""
    ids = ",".join(row["sys_id"] for row in triggers)
    flows = _ask(
        instance,
        _FLOWS,
        {"remote_trigger_id"},
        ("remote_trigger_id", "name"),
        f"remote_trigger_idIN{ids}",
    )
    names = {row.get("remote_trigger_id", ""): row.get("name", "") for row in flows or ()}
    return [{**row, "name": names.get(row["sys_id"], "")} for row in triggers]


def _applies(source: _Source, row: Record, table: str, line: Sequence[str]) -> bool:
    place = row.get(source.place, "")
    if place not in line:
        return False
    if source.kind == "flow":  # a trigger on a parent table counts for it alone, unless said so
        return place == table or row.get("run_on_extended") == "true"
    return source.kind == "rule" or row.get("generation_type", "engine") in ("", "engine")


def _effect(source: _Source, row: Record) -> Effect:
    name = row.get(source.name or "name", "") or row["sys_id"]
    return Effect(
        source.kind,
        row.get(source.place, ""),
        name,
        row.get(source.when, ""),
        row.get(source.condition, ""),
    )
