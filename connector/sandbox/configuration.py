"""What a row in the dictionary tables does beyond being a row: new tables, new columns, labels.

Refuses a table or column whose name cannot be one, that exists already, or that belongs to an
unknown table: the platform refuses those too.
"""

from collections.abc import Iterator

from connector.sandbox.catalogue import Catalogue, Record, Table, is_name
from connector.sandbox.engine import Engine, quoted
from connector.sandbox.refusals import RefusedError

_IMPLICIT = (
    ("sys_id", "GUID", "Sys ID"),
    ("sys_created_on", "glide_date_time", "Created"),
    ("sys_created_by", "string", "Created by"),
    ("sys_updated_on", "glide_date_time", "Updated"),
    ("sys_updated_by", "string", "Updated by"),
    ("sys_mod_count", "integer", "Updates"),
)


def check(catalogue: Catalogue, table: Table, record: Record) -> None:
    """Raises RefusedError where this row cannot become a table or column."""
    if table.name == "sys_db_object":
        name = record["name"]
        if not is_name(name):
            raise RefusedError(f"Invalid table name: {name}")
        if name in catalogue:
            raise RefusedError(f"Table {name} already exists")
    if table.name == "sys_dictionary":
        _check_column(catalogue, record["name"], record["element"])


def _check_column(catalogue: Catalogue, table: str, column: str) -> None:
    if table not in catalogue:
        raise RefusedError(f"Invalid table {table}")
    if column and not is_name(column):
        raise RefusedError(f"Invalid column name: {column}")
    if not column or column in catalogue[table].columns:
        raise RefusedError(f"Column {table}.{column} already exists")


def companions(
    catalogue: Catalogue, table: Table, record: Record
) -> Iterator[tuple[str, list[Record]]]:
    """The rows the platform adds of itself beside this one: (table, records)."""
    if table.name == "sys_db_object":
        name, label = record["name"], record["label"] or record["name"]
        yield "sys_dictionary", list(_first_columns(catalogue, record, label))
        yield "sys_documentation", [{"name": name, "language": "en", "label": label}]
    if table.name == "sys_dictionary":
        yield (
            "sys_documentation",
            [
                {
                    "name": record["name"],
                    "element": record["element"],
                    "language": "en",
                    "label": record["column_label"] or record["element"],
                }
            ],
        )


def _first_columns(catalogue: Catalogue, record: Record, label: str) -> Iterator[Record]:
    common = {"name": record["name"], "active": "true"}
    yield {**common, "internal_type": "collection", "column_label": label}
    if not _has_parent(catalogue, record["super_class"]):
        for element, kind, text in _IMPLICIT:
            yield {**common, "element": element, "internal_type": kind, "column_label": text}


def _has_parent(catalogue: Catalogue, super_class: str) -> bool:
    return bool(super_class) and super_class != "global" and bool(catalogue)


def forget(engine: Engine, catalogue: Catalogue, table: Table, record: Record) -> None:
    """A deleted table or column takes its data with it, as on the platform."""
    if table.name == "sys_db_object" and record["name"] in catalogue:
        gone = catalogue[record["name"]]
        for about in ("sys_dictionary", "sys_documentation", "sys_choice"):
            engine.execute(f"DELETE FROM {about} WHERE name = ?", (gone.name,))
        if gone.is_root:
            engine.drop_table(gone.physical)
    if table.name == "sys_dictionary" and record["element"]:
        column = (record["name"], record["element"])
        engine.execute("DELETE FROM sys_documentation WHERE name = ? AND element = ?", column)
        owner = catalogue.get(record["name"])
        if owner and record["element"] in owner.columns:
            marks = ", ".join("?" * len(owner.classes))
            engine.execute(
                f"UPDATE {quoted(owner.physical)} SET {quoted(record['element'])} = '' "
                f"WHERE sys_class_name IN ({marks})",
                owner.classes,
            )
