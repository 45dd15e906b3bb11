"""The staging tables of quiet writing, their transform maps, field maps and the guard script."""

from collections.abc import Iterator, Mapping, Sequence

from connector import staging
from connector.itsm.base import Instance, Record
from connector.itsm.staging import TARGET, staging_of
from connector.journey import fields
from connector.messages import _
from connector.provision.model import Artefact, Kind, Provisioning, create, stable_id
from connector.staging import Standing

_LENGTHS = {field.name: str(field.max_length) for field in fields.RECORD_FIELDS}
_DATES = frozenset(field.name for field in fields.RECORD_FIELDS if field.type == "datetime")


def plan_quiet(instance: Instance, tables: Sequence[str]) -> Provisioning:
    """What the instance lacks for quiet writing of `tables`; sends nothing."""
    standing = staging.look(instance, tables)
    parent = _parent(instance)
    if parent is None or staging.MAP not in standing.tables or standing.maps is None:
        return Provisioning((), (_unavailable(),))
    there = [staging_of(table) for table in tables if staging_of(table) in standing.tables]
    columns = {(c.table, c.element) for c in instance.list_columns(there)} if there else set()
    artefacts: list[Artefact] = []
    for table in tables:
        artefacts += _table(table, parent, standing)
        artefacts += [
            _column(staging_of(table), name)
            for name in staging.COLUMNS
            if (staging_of(table), name) not in columns
        ]
        artefacts += _map(table, standing)
    return Provisioning(tuple(artefacts))


def _unavailable() -> str:
    return _(
        "Import Sets cannot be prepared: the account cannot read {tables}; use an admin's, or set"
        ' [write_back] via = "batch"'
    ).format(tables=f"sys_db_object ({staging.PARENT}), {staging.MAP}")


def _parent(instance: Instance) -> str | None:
    """The sys_id of the table that every staging table extends."""
    rows = instance.list_records("sys_db_object", ["sys_id", "name"], f"nameIN{staging.PARENT}")
    return next((row["sys_id"] for row in rows), None)


def _table(table: str, parent: str, standing: Standing) -> Iterator[Artefact]:
    name = staging_of(table)
    if name not in standing.tables:
        values = {"name": name, "label": f"Journey import: {table}", "super_class": parent}
        yield create("table", name, "", (name,), values)


def _column(name: str, element: str) -> Artefact:
    values = {
        "name": name,
        "element": element,
        "internal_type": "string",
        "column_label": element,
        "active": "true",
        "max_length": _LENGTHS.get(element, "40"),
    }
    return create("column", name, element, (name, element), values)


def _map(table: str, standing: Standing) -> Iterator[Artefact]:
    name = staging_of(table)
    found = (standing.maps or {}).get(name)
    map_id = found["sys_id"] if found else stable_id(staging.MAP, name)
    wanted = {"source_table": name, "target_table": table, **staging.MAP_VALUES}
    values = {"name": f"Journey: {table}", **wanted}
    yield from _bring("map", name, (name,), values, wanted, found)
    for element in staging.COLUMNS:
        entry = {
            "map": map_id,
            "source_field": element,
            "target_field": "sys_id" if element == TARGET else element,
            "coalesce": "true" if element == TARGET else "false",
        }
        more = {"choice_action": "ignore", **_date_format(element)}
        seen = (standing.entries or {}).get((map_id, element))
        yield from _bring("entry", name, (name, element), {**entry, **more}, entry, seen)
    guard = {"map": map_id, "when": "onBefore", "active": "true", "script": staging.NEVER_INSERT}
    seen = (standing.scripts or {}).get(map_id)
    if standing.scripts is not None:
        yield from _bring("script", name, (name,), guard, guard, seen)


def _date_format(element: str) -> dict[str, str]:
    return {"date_format": "yyyy-MM-dd HH:mm:ss"} if element in _DATES else {}


def _bring(
    kind: Kind,
    name: str,
    names: Sequence[str],
    values: Mapping[str, str],
    wanted: Mapping[str, str],
    found: Record | None,
) -> Iterator[Artefact]:
    """Make a record of ours, or bring the one that stands to what it must say."""
    if found is None:
        yield create(kind, name, "", names, values)
    elif different := {k: v for k, v in wanted.items() if found.get(k, v) != v}:
        yield Artefact(kind, "update", name, "", found["sys_id"], different)
