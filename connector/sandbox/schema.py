"""Reads `schema.toml` and `plugins.toml`: the tables, columns, labels and choices of the sandbox.

Owns the format of that file and its validation; resolves inheritance, so that a `TableDef` has
every column a record of it has. Refuses: unknown keys and types, references and parents that do
not exist, two columns of one name and different type inside one hierarchy (a hierarchy is one
physical table, as on the platform), a choice list for a column that is not there.
"""

import difflib
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.errors import ConfigError
from connector.messages import _

ColumnType = Literal[
    "string",
    "integer",
    "decimal",
    "boolean",
    "glide_date_time",
    "glide_date",
    "glide_duration",
    "reference",
    "journal_input",
    "glide_list",
    "GUID",
]
DEFAULT_LENGTH: dict[str, int] = {
    "string": 100,
    "journal_input": 4000,
    "glide_list": 1024,
    "GUID": 32,
    "reference": 32,
}


@dataclass(frozen=True)
class Label:
    """A text in both languages of the sandbox."""

    en: str
    es: str

    def text(self, language: str) -> str:
        """The Spanish for `es`, the English for anything else."""
        return self.es if language == "es" else self.en


@dataclass(frozen=True)
class Choice:
    """One value that a column may take, as stored, and what a person reads."""

    value: str
    label: Label


@dataclass(frozen=True)
class ColumnDef:
    """A column as one table sees it. `table` is where it is defined; `reference` a table or ''."""

    name: str
    type: ColumnType
    label: Label
    table: str
    reference: str = ""
    max_length: int = 40
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class TableDef:
    """A table with all its columns, inherited ones first, the implicit sys_ columns before them.

    `root` is the physical table (`task` for `incident`); `own` are the columns defined here;
    `display` is the column that stands for a record where another one references it.
    """

    name: str
    label: Label
    plural: Label
    extends: str
    root: str
    prefix: str
    display: str
    list: tuple[str, ...]
    columns: Mapping[str, ColumnDef]
    own: tuple[str, ...]
    own_choices: Mapping[str, tuple[Choice, ...]]


@dataclass(frozen=True)
class Schema:
    """Every table of the sandbox by name."""

    tables: Mapping[str, TableDef]

    def ancestors(self, table: str) -> Iterator[str]:
        """The table itself, its parent, and so on to the root. Raises KeyError."""
        while table:
            yield table
            table = self.tables[table].extends

    def descendants(self, table: str) -> tuple[str, ...]:
        """The table itself and every table that extends it, at any depth."""
        return tuple(name for name in self.tables if table in self.ancestors(name))


class _Text(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    en: str = Field(min_length=1)
    es: str = Field(min_length=1)


class _Choice(_Text):
    value: str = Field(min_length=1)


class _Column(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    type: ColumnType
    label: _Text
    reference: str = ""
    max_length: int | None = Field(default=None, gt=0)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    label: _Text
    plural: _Text
    extends: str = ""
    prefix: str = ""
    display: str = ""
    list: tuple[str, ...] = ()
    columns: dict[str, _Column] = {}
    choices: dict[str, tuple[_Choice, ...]] = {}


_IMPLICIT: tuple[tuple[str, ColumnType, Label], ...] = (
    ("sys_id", "GUID", Label("Sys ID", "Sys ID")),
    ("sys_created_on", "glide_date_time", Label("Created", "Creado")),
    ("sys_created_by", "string", Label("Created by", "Creado por")),
    ("sys_updated_on", "glide_date_time", Label("Updated", "Actualizado")),
    ("sys_updated_by", "string", Label("Updated by", "Actualizado por")),
    ("sys_mod_count", "integer", Label("Updates", "Actualizaciones")),
)


SHIPPED = ("schema.toml", "plugins.toml")
"""The shipped files, read as one: the platform's tables, and those that an instance may lack."""


def load_schema(path: Path | None = None, *more: Path) -> Schema:
    """The schema in `path` (default: the shipped one, with the tables of plug-ins).

    `more` are files read as one with it.

    Raises ConfigError naming the file and every fault found.
    """
    here = Path(__file__).parent
    files = [path, *more] if path else [here / name for name in SHIPPED]
    raw = {name: table for file in files for name, table in _read(file).items()}
    where = str(path or here)
    problems = [*_structure_problems(raw)]
    if problems:
        raise ConfigError(where, problems)
    tables = {name: _Table.model_validate(value) for name, value in raw.items()}
    problems = [p for name in tables for p in _table_problems(name, tables)]
    if problems:
        raise ConfigError(where, problems)
    schema = Schema({name: _resolve(name, tables) for name in tables})
    if problems := [*_hierarchy_problems(schema)]:
        raise ConfigError(where, problems)
    return schema


def without(schema: Schema, tables: Collection[str]) -> Schema:
    """The schema of an instance that lacks these tables and what extends them.

    A reference to one of them becomes a plain string. Raises ConfigError for an unknown table.
    """
    unknown = [_unknown("--without", t, schema.tables) for t in tables if t not in schema.tables]
    if unknown:
        raise ConfigError("sandbox", unknown)
    gone = {name for table in tables for name in schema.descendants(table)}

    def kept(column: ColumnDef) -> ColumnDef:
        is_cut = column.reference in gone
        return replace(column, type="string", reference="") if is_cut else column

    return Schema(
        {
            name: replace(table, columns={c: kept(d) for c, d in table.columns.items()})
            for name, table in schema.tables.items()
            if name not in gone
        }
    )


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ConfigError(
            str(path), [_("it cannot be read; check that the file is there")]
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            str(path), [_("not valid TOML: {reason}").format(reason=error)]
        ) from error


def _structure_problems(raw: Mapping[str, object]) -> Iterator[str]:
    for name, value in raw.items():
        try:
            _Table.model_validate(value)
        except ValidationError as error:
            for fault in error.errors():
                where = ".".join([name, *(str(part) for part in fault["loc"])])
                yield _("{where}: {reason}").format(where=where, reason=fault["msg"])


def _table_problems(name: str, tables: Mapping[str, _Table]) -> Iterator[str]:
    table = tables[name]
    if table.extends and table.extends not in tables:
        yield _unknown(f"{name}.extends", table.extends, tables)
        return
    if _is_in_a_circle(name, tables):
        yield _("{table} extends itself in a circle; break it").format(table=name)
        return
    yield from _reference_problems(name, table, tables)
    known = {c for parent in _lineage(name, tables) for c in tables[parent].columns}
    known |= {column for column, _type, _label in _IMPLICIT}
    for where, columns in (("list", table.list), ("choices", tuple(table.choices))):
        yield from (_unknown(f"{name}.{where}", c, known) for c in columns if c not in known)
    if table.display and table.display not in known:
        yield _unknown(f"{name}.display", table.display, known)


def _reference_problems(name: str, table: _Table, tables: Mapping[str, _Table]) -> Iterator[str]:
    for column, definition in table.columns.items():
        where = f"{name}.columns.{column}"
        needs = definition.type in ("reference", "glide_list")
        if definition.type == "reference" and not definition.reference:
            yield _("{where}: a reference needs the table it points to").format(where=where)
        elif definition.reference and not needs:
            yield _("{where}: only a reference or glide_list points to a table").format(where=where)
        elif definition.reference and definition.reference not in tables:
            yield _unknown(where, definition.reference, tables)


def _hierarchy_problems(schema: Schema) -> Iterator[str]:
    """One physical table per hierarchy: one type per column name."""
    seen: dict[tuple[str, str], ColumnDef] = {}
    for table in schema.tables.values():
        for column in table.columns.values():
            first = seen.setdefault((table.root, column.name), column)
            if (first.type, first.reference) != (column.type, column.reference):
                yield _(
                    "{table}.{column} is {type}, but {other}.{column} of the same hierarchy is "
                    "{other_type}; use one type or another name"
                ).format(
                    table=column.table,
                    column=column.name,
                    type=column.type,
                    other=first.table,
                    other_type=first.type,
                )


def _unknown(where: str, name: str, known: Mapping[str, object] | set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    text = _("{where}: {name} does not exist").format(where=where, name=name)
    return text + (_("; did you mean {near}?").format(near=near[0]) if near else "")


def _is_in_a_circle(name: str, tables: Mapping[str, _Table]) -> bool:
    seen: set[str] = set()
    while name in tables and name not in seen:
        seen.add(name)
        name = tables[name].extends
    return name in seen


def _lineage(name: str, tables: Mapping[str, _Table]) -> list[str]:
    lineage = [name]
    while (parent := tables[lineage[-1]].extends) in tables:
        lineage.append(parent)
    return lineage


def _resolve(name: str, tables: Mapping[str, _Table]) -> TableDef:
    table, lineage = tables[name], _lineage(name, tables)
    columns = {
        column: ColumnDef(column, type_, label, lineage[-1]) for column, type_, label in _IMPLICIT
    }
    prefix = display = ""
    for ancestor in reversed(lineage):
        columns |= _own_columns(ancestor, tables[ancestor])
        for column, choices in tables[ancestor].choices.items():
            columns[column] = replace(columns[column], choices=_choices(choices))
        prefix = tables[ancestor].prefix
        display = tables[ancestor].display or display
    return TableDef(
        name,
        _label(table.label),
        _label(table.plural),
        table.extends,
        lineage[-1],
        prefix,
        display or _usual_display(columns),
        table.list,
        columns,
        tuple(table.columns),
        {column: _choices(choices) for column, choices in table.choices.items()},
    )


def _own_columns(name: str, table: _Table) -> dict[str, ColumnDef]:
    return {
        column: ColumnDef(
            column,
            raw.type,
            _label(raw.label),
            name,
            raw.reference,
            raw.max_length or DEFAULT_LENGTH.get(raw.type, 40),
        )
        for column, raw in table.columns.items()
    }


def _choices(raw: tuple[_Choice, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(c.value, Label(c.en, c.es)) for c in raw)


def _label(raw: _Text) -> Label:
    return Label(raw.en, raw.es)


def _usual_display(columns: Mapping[str, ColumnDef]) -> str:
    return next((c for c in ("number", "name", "label") if c in columns), "sys_id")
