"""The dictionary rows that a new instance starts with, made from the schema.

Owns system.toml and interface.toml, the platform's own tables, which every schema gets. The rows'
sys_ids depend on names alone, so two new instances agree on them.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from connector.sandbox.catalogue import Record, stable_id
from connector.sandbox.schema import ColumnDef, Schema, TableDef, load_schema

AUDITED = frozenset(
    {
        *("incident", "problem", "change_request", "change_task"),
        *("sc_request", "sc_req_item", "sc_task", "sysapproval_approver"),
        *("dmn_demand", "im_idea_core", "sn_cim_register", "ast_contract"),
        *("sn_customerservice_case", "sn_hr_le_case"),
    }
)
"""Tables whose changes leave sys_audit rows."""

_LANGUAGES = ("en", "es")


@cache
def _platform() -> Schema:
    here = Path(__file__)
    return load_schema(here.with_name("system.toml"), here.with_name("interface.toml"))


def with_platform_tables(schema: Schema) -> Schema:
    """`schema` with the platform's own tables and columns added where it lacks them."""
    tables = dict(schema.tables)
    for name, ours in _platform().tables.items():
        theirs = tables.get(name)
        tables[name] = _joined(theirs, ours) if theirs else ours
    return Schema(tables)


def _joined(theirs: TableDef, ours: TableDef) -> TableDef:
    missing = tuple(column for column in ours.own if column not in theirs.columns)
    columns = {**theirs.columns, **{column: ours.columns[column] for column in missing}}
    return replace(theirs, columns=columns, own=(*theirs.own, *missing))


def first_rows(schema: Schema) -> Iterator[tuple[str, list[Record]]]:
    """The rows of each dictionary table: (table, records)."""
    tables = schema.tables.values()
    yield "sys_db_object", [_object_row(table) for table in tables]
    yield "sys_dictionary", [row for table in tables for row in _dictionary_rows(schema, table)]
    yield "sys_documentation", [row for table in tables for row in _label_rows(table)]
    yield "sys_choice", [row for table in tables for row in _choice_rows(table)]
    yield "sys_number", [_number_row(table) for table in tables if table.prefix]


def _object_row(table: TableDef) -> Record:
    return {
        "sys_id": stable_id("sys_db_object", table.name),
        "name": table.name,
        "label": table.label.en,
        "super_class": stable_id("sys_db_object", table.extends) if table.extends else "",
    }


def _number_row(table: TableDef) -> Record:
    return {
        "sys_id": stable_id("sys_number", table.name),
        "category": table.name,
        "prefix": table.prefix,
        "number": "10000",
        "maximum_digits": "7",
    }


def _own_columns(table: TableDef) -> Iterator[ColumnDef]:
    """The columns defined by this table; the implicit ones belong to the root."""
    own = {column for column in table.own}
    for name, column in table.columns.items():
        if name in own or (not table.extends and name.startswith("sys_")):
            yield column


def _dictionary_rows(schema: Schema, table: TableDef) -> Iterator[Record]:
    yield {
        "sys_id": stable_id("sys_dictionary", table.name, ""),
        "name": table.name,
        "internal_type": "collection",
        "column_label": table.label.en,
        "audit": "true" if table.name in AUDITED else "false",
        "active": "true",
    }
    family = [other for other in schema.tables.values() if other.root == table.root]
    with_choices = {column for other in family for column in other.own_choices}
    for column in _own_columns(table):
        yield _dictionary_row(table, column, column.name in with_choices)


def _dictionary_row(table: TableDef, column: ColumnDef, has_choices: bool) -> Record:
    return {
        "sys_id": stable_id("sys_dictionary", table.name, column.name),
        "name": table.name,
        "element": column.name,
        "internal_type": column.type,
        "column_label": column.label.en,
        "reference": column.reference,
        "max_length": str(column.max_length),
        "choice": "1" if has_choices else "0",
        "display": "true" if column.name == table.display else "false",
        "mandatory": "false",
        "read_only": "false",
        "active": "true",
    }


def _label_rows(table: TableDef) -> Iterator[Record]:
    for language in _LANGUAGES:
        yield {
            "sys_id": stable_id("sys_documentation", table.name, "", language),
            "name": table.name,
            "language": language,
            "label": table.label.text(language),
            "plural": table.plural.text(language),
        }
        for column in _own_columns(table):
            yield {
                "sys_id": stable_id("sys_documentation", table.name, column.name, language),
                "name": table.name,
                "element": column.name,
                "language": language,
                "label": column.label.text(language),
            }


def _choice_rows(table: TableDef) -> Iterator[Record]:
    for column, choices in table.own_choices.items():
        for position, choice in enumerate(choices):
            for language in _LANGUAGES:
                yield {
                    "sys_id": stable_id("sys_choice", table.name, column, choice.value, language),
                    "name": table.name,
                    "element": column,
                    "value": choice.value,
                    "label": choice.label.text(language),
                    "language": language,
                    "sequence": str(position),
                    "inactive": "false",
                }
