"""What an instance lacks of what is ours: read with few requests, compared, nothing sent.

A record of ours is found under its own sys_id, or, where the platform makes such records itself or
a person may have, by what names it there; what refers to it then refers to the one that stands.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.errors import ForbiddenError
from connector.itsm.base import Column, Instance, Record
from connector.journey.model import Mapping as JourneyMapping
from connector.messages import _
from connector.provision import flow, notification, removal
from connector.provision.columns import DISPLAY_READ_ONLY, INTERNAL_TYPES, Wanted
from connector.provision.model import Artefact, Provisioning, Step
from connector.provision.quiet import PARENT_PLACE
from connector.provision.wanted import ORDER, Scope, artefacts_of
from connector.staging import PARENT

KEYS: Mapping[str, tuple[str, ...]] = {
    "sys_db_object": ("name",),
    "sys_dictionary": ("name", "element"),
    "sys_documentation": ("name", "element", "language"),
    "sys_choice": ("name", "element", "value", "language"),
    "sys_transform_map": ("source_table",),
    "sys_transform_entry": ("map", "source_field"),
    "sys_transform_script": ("map",),
    "sys_user_role": ("name",),
    "sys_ui_view": ("name",),
}
"""What names a record where its sys_id may be another's; all others are found by sys_id."""

MENDED: Mapping[str, frozenset[str]] = {
    "sys_db_object": frozenset(),
    "sys_dictionary": frozenset({"read_only", "read_only_option", "display"}),
    "sys_choice": frozenset({"label"}),
    "sys_ui_style": frozenset(),
    "sys_filter": frozenset(),
    "sys_report": frozenset(),
    "sys_ui_action": frozenset({"script"}),
    notification.TABLE: frozenset(notification.KEPT),
}
"""Of these only so much is brought back to our words: a column keeps its type, and what people
adapt for themselves (reports, filters, whether the action is on) stays theirs."""

_QUERIED: Mapping[str, tuple[str, ...]] = {
    "sys_transform_entry": ("map",),
    "sys_transform_script": ("map",),
    "sys_choice": ("name", "element"),
    "sys_documentation": ("name",),
}
"""The keys that a question names; without a line, all of them."""


@dataclass
class Seen:
    """What the instance has already, and how its own sys_ids stand for ours."""

    tables: Mapping[str, str]
    columns: Mapping[tuple[str, str], Column]
    """Inherited ones too, under the asking table."""
    inherited: frozenset[tuple[str, ...]]
    """Choices that a table has, its own or not: (table, column, value, language)."""
    known: Mapping[str, frozenset[str]]
    """Platform table → its columns; empty where they may not be seen."""
    parent: str = ""
    """The sys_id of the table that every staging table extends."""
    ids: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Record]] = field(default_factory=dict)


def plan_provision(instance: Instance, mapping: JourneyMapping, scope: Scope) -> Provisioning:
    """What the instance lacks for write-back as in `scope` and for reports; sends nothing.

    Raises InstanceError and its kinds.
    """
    wanted = artefacts_of(mapping, scope)
    exist = instance.list_tables(_tables_to_ask(wanted, scope))
    missing = [table for table in scope.tables if table not in exist]
    absent = tuple(t for t in missing if t in mapping.tables and mapping.tables[t].optional)
    here = scope.without(missing)
    if missing:
        wanted = artefacts_of(mapping, here)
    seen = _look(instance, wanted, here, exist)
    conflicts = [
        _("Table {table} does not exist; check its name").format(table=table)
        for table in missing
        if table not in absent
    ]
    described = here.columns(mapping)
    conflicts += [problem for want in described for problem in _conflicts(want, seen)]
    if here.imported and not seen.parent:
        conflicts.append(_unavailable())
    return Provisioning(
        tuple(_steps(wanted, seen)),
        tuple(conflicts),
        absent,
        tuple(_unseen(wanted, seen)),
        tuple(_leftovers(wanted, seen)),
    )


def problems_of(mapping: JourneyMapping, scope: Scope) -> list[str]:
    """What a person must settle before anything is made, as far as no instance must be asked."""
    wanted = scope.columns(mapping)
    return list(dict.fromkeys(problem for want in wanted for problem in _too_long(want)))


def _tables_to_ask(everything: Sequence[Artefact], scope: Scope) -> list[str]:
    ours = [one.fields["name"] for one in everything if one.table == "sys_db_object"]
    return [*scope.tables, *ours, *ORDER]


def _look(
    instance: Instance, wanted: Sequence[Artefact], scope: Scope, exist: Mapping[str, str]
) -> Seen:
    ours = [one.fields["name"] for one in wanted if one.table == "sys_db_object"]
    there = [table for table in (*scope.tables, *ours) if table in exist]
    platform = [table for table in ORDER if table in exist]
    found = instance.list_columns([*there, *platform]) if exist else []
    seen = Seen(
        exist,
        {(c.table, c.element): c for c in found},
        frozenset((c.table, c.element, c.value, c.language) for c in instance.list_choices(there)),
        {t: frozenset(c.element for c in found if c.table == t) for t in platform},
        _parent(instance) if scope.imported else "",
    )
    for table in platform:
        of_table = [one for one in wanted if one.table == table]
        if of_table:
            _see_table(instance, table, of_table, seen)
    return seen


def standing(
    instance: Instance, mapping: JourneyMapping, scope: Scope
) -> tuple[list[Step], list[str]]:
    """Everything of ours that stands in the instance, in the order in which it was made; and the
    platform tables that it lacks or hides, of which nothing can be said.

    Whatever is set now: all tables that have something of ours, both modes, staging tables, and
    every choice of our columns. Columns and labels of our own tables are left to their tables,
    which take them along.
    """
    scope = removal.widest(instance, scope)
    wanted = removal.everything(mapping, scope)
    seen = _look(instance, wanted, scope, instance.list_tables(_tables_to_ask(wanted, scope)))
    ours = {one.fields["name"] for one in wanted if one.table == "sys_db_object"}
    stand = {(table, row["sys_id"]) for table, rows in seen.rows.items() for row in rows}
    found = [
        Step("delete", one, seen.ids[one.sys_id])
        for one in wanted
        if (one.table, seen.ids.get(one.sys_id, "")) in stand
        and not (one.table == "sys_dictionary" and one.fields["name"] in ours)
    ]
    taken = {step.sys_id for step in found}
    more = list(removal.other_choices(wanted, seen.rows.get("sys_choice", []), taken))
    if flow.STAGE in seen.rows:
        more += removal.other_stages(instance, taken)
    found += [Step("delete", one, one.sys_id) for one in more]
    return sorted(found, key=lambda step: ORDER.index(step.table)), _unseen(wanted, seen)


def _unseen(wanted: Sequence[Artefact], seen: Seen) -> list[str]:
    """The platform tables that the instance lacks or hides."""
    return sorted({one.table for one in wanted} - seen.rows.keys())


def _parent(instance: Instance) -> str:
    rows = instance.list_records("sys_db_object", ["sys_id", "name"], f"nameIN{PARENT}")
    return next((row["sys_id"] for row in rows), "")


def _see_table(instance: Instance, table: str, wanted: Sequence[Artefact], seen: Seen) -> None:
    """Read the records of one platform table; one that is closed to us is left out of the plan."""
    names = sorted({"sys_id", *(name for one in wanted for name in one.fields)})
    try:
        if table in KEYS:
            rows = _by_key(instance, table, wanted, names, seen)
        else:
            rows = instance.read_records(table, [one.sys_id for one in wanted], names)
    except ForbiddenError:
        return
    seen.rows[table] = rows
    standing = {_key(row, table): row["sys_id"] for row in rows}
    for one in wanted:
        key = _key(_referring(one, seen), table)
        seen.ids[one.sys_id] = standing.get(key, one.sys_id)


def _by_key(
    instance: Instance, table: str, wanted: Sequence[Artefact], names: Sequence[str], seen: Seen
) -> list[Record]:
    conditions = []
    for name in _QUERIED.get(table, KEYS[table]):
        values = sorted({_referring(one, seen)[name] for one in wanted} - {""})
        conditions.append(f"{name}IN{','.join(values)}")
    query = "^".join(conditions)
    if table == "sys_documentation":
        elements = sorted({one.fields["element"] for one in wanted} - {""})
        query += f"^elementIN{','.join(elements)}^ORelementISEMPTY"
    return list(instance.list_records(table, names, query))


def _key(row: Mapping[str, str], table: str) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in KEYS.get(table, ("sys_id",)))


def _referring(one: Artefact, seen: Seen) -> dict[str, str]:
    """The record as this instance needs it: what it refers to under the sys_ids that stand."""
    values = {name: seen.ids.get(value, value) for name, value in one.fields.items()}
    if values.get("super_class") == PARENT_PLACE:
        values["super_class"] = seen.parent
    return {"sys_id": one.sys_id, **values}


def _steps(wanted: Sequence[Artefact], seen: Seen) -> Iterator[Step]:
    standing = {table: {row["sys_id"]: row for row in rows} for table, rows in seen.rows.items()}
    lists = _own_lists(wanted, seen)
    for one in wanted:
        if one.table not in standing:
            continue
        values = _writable(_referring(one, seen), one.table, seen)
        row = standing[one.table].get(seen.ids[one.sys_id])
        if row is not None:
            yield from _mend(one, values, row)
        elif not _stands_otherwise(one, seen, lists):
            yield Step("create", one, one.sys_id, values)


def _writable(values: dict[str, str], table: str, seen: Seen) -> dict[str, str]:
    """Without what the platform's table does not have: releases differ.

    Where there is no read-only option, the old flag would shut us out as well (§7.4).
    """
    known = seen.known.get(table, frozenset())
    if not known:
        return values
    kept = {name: value for name, value in values.items() if name in known or name == "sys_id"}
    if values.get("read_only_option") == DISPLAY_READ_ONLY and "read_only_option" not in kept:
        kept.pop("read_only", None)
    return kept


def _mend(one: Artefact, values: Mapping[str, str], row: Record) -> Iterator[Step]:
    ours = MENDED.get(one.table)
    different = {
        name: value
        for name, value in values.items()
        if name != "sys_id" and (ours is None or name in ours) and row.get(name, value) != value
    }
    if different:
        was = {name: row.get(name, "") for name in different}
        yield Step("update", one, row["sys_id"], different, was)


def _own_lists(wanted: Sequence[Artefact], seen: Seen) -> dict[tuple[str, str], bool]:
    """(table, column) → whether all of its choices come from a parent table.

    A table's own list replaces the one it inherits: all of it is made, or none.
    """
    lists: dict[tuple[str, str], bool] = {}
    for one in wanted:
        if one.table == "sys_choice":
            place = (one.fields["name"], one.fields["element"])
            key = _key(one.fields, "sys_choice")
            lists[place] = lists.get(place, True) and key in seen.inherited
    return lists


def _stands_otherwise(one: Artefact, seen: Seen, lists: Mapping[tuple[str, str], bool]) -> bool:
    """Whether the instance has it already from somewhere else: by inheritance."""
    place = (one.fields.get("name", ""), one.fields.get("element", ""))
    if one.table == "sys_db_object":
        return place[0] in seen.tables
    if one.table == "sys_dictionary":
        return place in seen.columns
    return one.table == "sys_choice" and lists[place]


def _conflicts(want: Wanted, seen: Seen) -> Iterator[str]:
    column = seen.columns.get((want.table, want.field.name))
    wanted_type = INTERNAL_TYPES[want.field.type]
    kinds = {wanted_type, "choice"} if want.field.type == "choice" else {wanted_type}
    if column and column.type not in kinds:
        yield _(
            "Column {column} of {table} is {found} where {wanted} is needed; remove or rename it"
        ).format(column=want.field.name, table=want.table, found=column.type, wanted=wanted_type)
    yield from _too_long(want)


def _too_long(want: Wanted) -> Iterator[str]:
    """Values of choices that their column would cut."""
    for value in want.choices:
        if len(value) > want.field.max_length:
            text = _("{value} is too long for {column} ({n} characters); give it a shorter id")
            yield text.format(value=value, column=want.field.name, n=want.field.max_length)


def _unavailable() -> str:
    return _(
        "Import Sets cannot be prepared: the account cannot read {tables}; use an admin's, or set"
        ' [write_back] via = "batch"'
    ).format(tables=f"sys_db_object ({PARENT})")


def _leftovers(wanted: Sequence[Artefact], seen: Seen) -> Iterator[str]:
    """Choices of columns of ours that stand there and that the mapping does not have."""
    ours = {_key(one.fields, "sys_choice") for one in wanted if one.table == "sys_choice"}
    lists = {key[:2] for key in ours}
    for row in seen.rows.get("sys_choice", []):
        key = _key(row, "sys_choice")
        if key[:2] in lists and key not in ours and key[3] == "en":
            yield f"{key[0]}.{key[1]} = {key[2]}"
