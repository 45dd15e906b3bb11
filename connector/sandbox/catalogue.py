"""What the instance knows of itself: tables, columns, classes, read from its own dictionary rows.

Built from sys_db_object, sys_dictionary and sys_number, so that a row posted there takes effect at
once. Refuses (leaves out) names that are not plain identifiers: they become SQL identifiers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import md5

Record = dict[str, str]

DESCRIBES: dict[str, tuple[str, ...]] = {
    "sys_db_object": ("sys_id", "name", "label", "super_class"),
    "sys_dictionary": (
        *("name", "element", "active", "audit", "internal_type", "column_label", "reference"),
        *("default_value", "display", "choice", "read_only", "read_only_option"),
    ),
    "sys_number": ("category", "prefix", "maximum_digits"),
}
"""What the catalogue is made of: a change of a row in one of these tables changes it."""

LABEL_TABLES = ("sys_choice", "sys_documentation")
"""A change of a row in one of these changes what is displayed."""

ACCESS_TABLES = (
    *("sys_security_acl", "sys_security_acl_role"),
    *("sys_user", "sys_user_role", "sys_user_role_contains", "sys_user_has_role"),
)
"""A change of a row in one of these changes who may do what."""

CONFIGURATION_TABLES = (*DESCRIBES, *LABEL_TABLES)

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,79}$")
_SUGGESTION = "2"
"""sys_dictionary.choice of a list that only suggests: other values may be stored."""

_OPTIONS = {"true": "instance_configured"}
"""Read only option of a column that is read only and names none (read-only-option page)."""

_DISPLAY_NAMES = (
    "number",
    "name",
    "u_name",
    "u_number",
    "label",
    "u_title",
    "title",
    "short_description",
)


@dataclass(frozen=True)
class Column:
    """One column of a table, as the dictionary describes it."""

    name: str
    internal_type: str
    label: str
    reference: str
    default: str
    is_display: bool
    has_choices: bool
    is_closed_list: bool
    read_only_option: str


@dataclass(frozen=True)
class Table:
    """One table with its inherited columns.

    `physical` is the table that really holds the records (the root of the hierarchy), `classes`
    this table and everything that extends it, `lineage` this table and what it extends.
    """

    name: str
    label: str
    physical: str
    lineage: tuple[str, ...]
    classes: tuple[str, ...]
    columns: Mapping[str, Column]
    prefix: str
    digits: int
    is_audited: bool
    display: str

    @property
    def is_root(self) -> bool:
        """Whether every record in the physical table belongs to it."""
        return self.name == self.physical

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """All columns, in dictionary order."""
        return tuple(self.columns)

    @cached_property
    def references(self) -> dict[str, str]:
        """Reference column → table it points to."""
        return {
            c.name: c.reference for c in self.columns.values() if c.internal_type == "reference"
        }

    @cached_property
    def journals(self) -> tuple[str, ...]:
        """Columns whose text goes to sys_journal_field and reads as empty."""
        return tuple(c.name for c in self.columns.values() if c.internal_type.startswith("journal"))

    @cached_property
    def booleans(self) -> frozenset[str]:
        """Columns that hold `true` or `false`."""
        return frozenset(c.name for c in self.columns.values() if c.internal_type == "boolean")


Catalogue = Mapping[str, Table]


def is_name(text: str) -> bool:
    """Whether `text` can be the name of a table or column."""
    return bool(_NAME.match(text)) and not text.startswith("sqlite_")


def stable_id(*parts: str) -> str:
    """A sys_id that depends on the name alone, so that two new instances agree on it."""
    return md5("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


def build(
    objects: Sequence[Record], dictionary: Sequence[Record], numbers: Sequence[Record]
) -> Catalogue:
    """The catalogue that these rows describe."""
    parents = _parents(objects)
    labels = {row["name"]: row["label"] or row["name"] for row in objects}
    own: dict[str, dict[str, Column]] = {name: {} for name in parents}
    audited: set[str] = set()
    for row in dictionary:
        if row["name"] not in own or row["active"] == "false":
            continue
        if not row["element"]:
            audited |= {row["name"]} if row["audit"] == "true" else set()
        elif is_name(row["element"]):
            own[row["name"]][row["element"]] = _column(row)
    formats = {row["category"]: row for row in numbers}
    lineages = {name: _lineage(parents, name) for name in parents}
    return {
        name: _table(name, labels[name], lineages, own, formats, name in audited)
        for name in parents
    }


def with_column(known: Catalogue, row: Record) -> Catalogue | None:
    """The catalogue with one new column, as `build` would make it; None where it must.

    It stands last among its table's own, before what extending tables add.
    """
    owner = known.get(row["name"])
    is_plain = is_name(row["element"]) and row["active"] != "false" and row["display"] != "true"
    if owner is None or not is_plain or row["element"] in _DISPLAY_NAMES:
        return None
    column, before = _column(row), len(owner.columns)
    grown = {}
    for name in owner.classes:
        columns = list(known[name].columns.items())
        columns[before:before] = [(column.name, column)]
        grown[name] = replace(known[name], columns=dict(columns))
    return {**known, **grown}


def _parents(objects: Sequence[Record]) -> dict[str, str]:
    """Table → table it extends; super_class may hold the sys_id (as the platform) or the name."""
    names = {row["sys_id"]: row["name"] for row in objects}
    known = {row["name"] for row in objects if is_name(row["name"])}
    return {
        row["name"]: names.get(row["super_class"], row["super_class"])
        if names.get(row["super_class"], row["super_class"]) in known
        else ""
        for row in objects
        if row["name"] in known
    }


def _lineage(parents: Mapping[str, str], name: str) -> tuple[str, ...]:
    found: list[str] = []
    while name and name not in found:
        found.append(name)
        name = parents[name]
    return tuple(found)


def _column(row: Record) -> Column:
    return Column(
        name=row["element"],
        internal_type=row["internal_type"] or "string",
        label=row["column_label"] or row["element"],
        reference=row["reference"],
        default=row["default_value"],
        is_display=row["display"] == "true",
        has_choices=row["choice"] not in ("", "0"),
        is_closed_list=row["choice"] not in ("", "0", _SUGGESTION),
        read_only_option=row["read_only_option"] or _OPTIONS.get(row["read_only"], ""),
    )


def _table(
    name: str,
    label: str,
    lineages: Mapping[str, tuple[str, ...]],
    own: Mapping[str, dict[str, Column]],
    formats: Mapping[str, Record],
    is_audited: bool,
) -> Table:
    lineage = lineages[name]
    columns = {c: column for base in reversed(lineage) for c, column in own[base].items()}
    marked = [c for base in lineage for c, column in own[base].items() if column.is_display]
    number = formats.get(name, {})
    return Table(
        name=name,
        label=label,
        physical=lineage[-1],
        lineage=lineage,
        classes=tuple(other for other, line in lineages.items() if name in line),
        columns=columns,
        prefix=number.get("prefix", ""),
        digits=int(number.get("maximum_digits") or 7),
        is_audited=is_audited,
        display=_display_column(columns, marked),
    )


def _display_column(columns: Mapping[str, Column], marked: Sequence[str]) -> str:
    named = [name for name in _DISPLAY_NAMES if name in columns]
    return [*marked, *named, "sys_id"][0]
