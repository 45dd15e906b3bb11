"""What quiet writing needs in the tool: for each written table one staging table, and a transform
map that runs no business rules, finds the record by its sys_id and never makes one.

Named here once: provisioning makes it, `check` and every run look whether it stands.
Facts: servicenow-api.md §3. The columns of the map's script and its two actions on choices and
empty values are from general knowledge of the platform, not from the documents read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.errors import ConfigError, InstanceError
from connector.itsm.base import Instance, Record
from connector.itsm.staging import TARGET, staging_of
from connector.journey import fields
from connector.journey.own_tables import JOURNEY_TABLE, ROW_FIELDS
from connector.messages import _

PARENT = "sys_import_set_row"
MAP = "sys_transform_map"
ENTRY = "sys_transform_entry"
SCRIPT = "sys_transform_script"


def columns_of(table: str, *, relationship: bool = True) -> tuple[str, ...]:
    """The columns of the staging table of `table`, all strings; those of the record have the same
    names there. A row of our own says its record as well."""
    if table == JOURNEY_TABLE.name:
        return (TARGET, *(field.name for field in (*fields.RECORD_FIELDS, *ROW_FIELDS)))
    ours = fields.fields_on_records(relationship=relationship)
    return (TARGET, *(field.name for field in ours))


MAP_VALUES: Mapping[str, str] = {
    "active": "true",
    "run_business_rules": "false",
    "copy_empty_fields": "true",
}
"""What a map of ours must say. Without the last, a value could never be emptied."""

NEVER_INSERT = 'if (action == "insert") { ignore = true; }'
"""The script that runs before each row: a record that is gone is not made again."""


@dataclass(frozen=True)
class Standing:
    """What of it an instance has. `maps` and `entries` are None where they may not be read."""

    tables: frozenset[str]
    maps: Mapping[str, Record] | None
    """Staging table → its transform map."""
    entries: Mapping[tuple[str, str], Record] | None = None
    """(sys_id of the map, source column) → the field map."""
    scripts: Mapping[str, Record] | None = None
    """sys_id of the map → the script that runs before."""


def look(instance: Instance, tables: Sequence[str]) -> Standing:
    """What stands for the written `tables`. Raises InstanceError only if no table can be asked."""
    wanted = [staging_of(table) for table in tables]
    exist = frozenset(instance.list_tables([*wanted, PARENT, MAP, ENTRY, SCRIPT]))
    maps = _rows(
        instance,
        MAP,
        ("source_table", "target_table", *MAP_VALUES),
        f"source_tableIN{','.join(wanted)}",
    )
    if maps is None:
        return Standing(exist, None)
    if not maps:  # an empty list in a query would ask for everything
        return Standing(exist, {}, {}, {})
    of_map = f"mapIN{','.join(sorted(row['sys_id'] for row in maps))}"
    entries = _rows(instance, ENTRY, ("map", "source_field", "target_field", "coalesce"), of_map)
    scripts = _rows(instance, SCRIPT, ("map", "when", "active", "script"), of_map)
    return Standing(
        exist,
        {row.get("source_table", ""): row for row in maps},
        None
        if entries is None
        else {(row.get("map", ""), row.get("source_field", "")): row for row in entries},
        None if scripts is None else {row.get("map", ""): row for row in scripts},
    )


def _rows(
    instance: Instance, table: str, columns: Sequence[str], query: str
) -> list[Record] | None:
    try:
        return list(instance.list_records(table, ["sys_id", *columns], query))
    except InstanceError as error:
        if error.retryable:
            raise
        return None  # the account may not look; the first answer of an import tells more


def problems(standing: Standing, tables: Sequence[str], *, relationship: bool = True) -> list[str]:
    """Why an import into these tables would not be quiet, not safe or not whole, in sentences."""
    found = ((table, columns_of(table, relationship=relationship)) for table in tables)
    return [said for table, columns in found if (said := _problem(standing, table, columns))]


def _problem(standing: Standing, table: str, columns: Sequence[str]) -> str:
    name = staging_of(table)
    if name not in standing.tables:
        return _("the staging table {staging} is missing").format(staging=name)
    if standing.maps is None:
        return ""
    found = standing.maps.get(name)
    if found is None:
        return _("the staging table {staging} has no transform map").format(staging=name)
    wrong = [column for column, value in MAP_VALUES.items() if found.get(column, value) != value]
    if wrong or found.get("target_table") != table:
        return _("the transform map of {staging} is not as it must be ({columns})").format(
            staging=name, columns=", ".join(wrong or ["target_table"])
        )
    said = _danger(standing, table, found["sys_id"]).format(staging=name)
    return said or _lack(standing, name, found["sys_id"], columns)


def _lack(standing: Standing, staging: str, map_id: str, columns: Sequence[str]) -> str:
    """Columns that the map would not carry over (it was made by an earlier version, say)."""
    mapped = {source for chart, source in standing.entries or () if chart == map_id}
    missing = [name for name in columns if name not in mapped]
    if standing.entries is None or not missing:
        return ""
    text = _("the transform map of {staging} does not carry {columns}")
    return text.format(staging=staging, columns=", ".join(missing))


def _danger(standing: Standing, name: str, map_id: str) -> str:
    """Why rows could make records, with a place for the name; what may not be read is no reason."""
    entries, scripts = standing.entries, standing.scripts
    if entries is not None and not _finds_by_key(entries.get((map_id, TARGET))):
        return _("the transform map of {staging} does not find records by their sys_id (coalesce)")
    # Rows of our own table are made by their import; tickets never.
    is_own = name == JOURNEY_TABLE.name
    if scripts is not None and not is_own and not _is_guarded(scripts.get(map_id)):
        return _("nothing keeps the transform map of {staging} from inserting")
    return ""


def _finds_by_key(entry: Record | None) -> bool:
    return entry is not None and (
        entry.get("coalesce") == "true" and entry.get("target_field") == "sys_id"
    )


def _is_guarded(script: Record | None) -> bool:
    return script is not None and (
        script.get("active", "true") != "false"
        and script.get("when", "onBefore") == "onBefore"
        and "ignore = true" in script.get("script", NEVER_INSERT)
    )


def check_staging(instance: Instance, tables: Sequence[str], *, relationship: bool = True) -> None:
    """Raise ConfigError if quiet writing is not prepared for these tables."""
    found = problems(look(instance, tables), tables, relationship=relationship)
    if found:
        remedy = _('run travesia provision --apply, or set [write_back] via = "batch"')
        raise ConfigError("[write_back] via", [*found, remedy])
