"""Our tables and columns, their labels and help in both languages, and their choices. Pure.

Source of the records that make up a field: servicenow-api.md §8.2; of `read_only_option`, the page
"Configuring read-only security options" (Australia) and the platform's own column choices.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.journey import fields
from connector.journey.engagement_fields import ENGAGEMENT_TABLE, PEOPLES
from connector.journey.fields import JourneyField
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Text
from connector.journey.own_tables import (
    JOURNEY_TABLE,
    OWN_TABLES,
    REQUEST_TABLE,
    ROW_NUMBER,
    choices_of_fields,
    choices_of_own_tables,
)
from connector.messages import LANGUAGES
from connector.provision.model import Artefact, artefact

INTERNAL_TYPES: dict[fields.FieldType, str] = {
    "choice": "string",
    "string": "string",
    "datetime": "glide_date_time",
    "date": "glide_date",
    "integer": "integer",
    "reference": "reference",
}
DISPLAY_READ_ONLY = "display_read_only"
"""People cannot edit the column, the Table API can; every other option would shut us out (§7.4)."""

_DROPDOWN_WITH_NONE = "1"
_BY_PEOPLE = frozenset(
    {
        *((fields.CONTACT_TABLE.name, f.name) for f in fields.CONTACT_TABLE.fields),
        *((ENGAGEMENT_TABLE.name, f.name) for f in PEOPLES),
        *((REQUEST_TABLE.name, f.name) for f in REQUEST_TABLE.fields),
    }
)
_STEWARDS = frozenset(f.name for f in fields.STEWARD_FIELDS)
_DISPLAYED = frozenset(
    {
        (ENGAGEMENT_TABLE.name, "u_name"),
        (fields.REPORT_TABLE.name, "u_title"),
        (JOURNEY_TABLE.name, ROW_NUMBER),
    }
)
"""What stands for a row of ours where another record refers to it."""


@dataclass(frozen=True)
class Wanted:
    """One column of ours on one table, with its choices (value → label)."""

    table: str
    field: JourneyField
    choices: Mapping[str, Text]


def columns_of(
    mapping: JourneyMapping, tables: Sequence[str], journey: str, *, relationship: bool = True
) -> list[Wanted]:
    """Every column of ours: on the written `tables`, and of our own.

    `relationship` says whether those refer to the row of their relationship.
    """
    on_records = (*fields.fields_on_records(relationship=relationship), *fields.STEWARD_FIELDS)
    choices = choices_of_fields(mapping, journey)
    own = choices_of_own_tables(mapping, journey)
    return [
        Wanted(table, field, choices.get(field.name, {}))
        for table in tables
        for field in on_records
    ] + [
        Wanted(one.name, field, own.get((one.name, field.name), {}))
        for one in OWN_TABLES
        for field in one.fields
    ]


def own_tables() -> Iterator[Artefact]:
    """Our own tables."""
    for own in OWN_TABLES:
        yield artefact("sys_db_object", (own.name,), name=own.name, label=own.label.en)


def columns(wanted: Sequence[Wanted], *, protect: bool) -> Iterator[Artefact]:
    """The columns themselves; with `protect`, those that we fill are read only for people."""
    for want in wanted:
        values = {
            "name": want.table,
            "element": want.field.name,
            "internal_type": INTERNAL_TYPES[want.field.type],
            "column_label": want.field.label.en,
            "active": "true",
        }
        if want.field.type in ("choice", "string"):
            values["max_length"] = str(want.field.max_length)
        if want.field.reference:
            values["reference"] = want.field.reference
        if want.choices:
            values["choice"] = _DROPDOWN_WITH_NONE
        if (want.table, want.field.name) in _DISPLAYED:
            values["display"] = "true"
        if protect and not is_for_people(want.table, want.field.name):
            values |= {"read_only": "true", "read_only_option": DISPLAY_READ_ONLY}
        yield artefact("sys_dictionary", (want.table, want.field.name), **values)


def is_for_people(table: str, column: str) -> bool:
    """Whether people fill this column of ours."""
    return (table, column) in _BY_PEOPLE or column in _STEWARDS


def labels(wanted: Sequence[Wanted]) -> Iterator[Artefact]:
    """Label and help of every table and column of ours, a record a language."""
    for own in OWN_TABLES:
        yield from _labels(own.name, "", own.label, Text("", ""))
    for want in wanted:
        yield from _labels(want.table, want.field.name, want.field.label, want.field.help)


def _labels(table: str, element: str, label: Text, help_: Text) -> Iterator[Artefact]:
    for language in LANGUAGES:
        values = {"name": table, "element": element, "language": language}
        values["label"] = label.in_(language)
        if help_.en:
            values["help"] = help_.in_(language)
        yield artefact("sys_documentation", (table, element, language), **values)


def choices(wanted: Sequence[Wanted]) -> Iterator[Artefact]:
    """Every value of every choice column, a record a language, in the order of the mapping."""
    for want in wanted:
        for position, (value, label) in enumerate(want.choices.items(), start=1):
            for language in LANGUAGES:
                yield artefact(
                    "sys_choice",
                    (want.table, want.field.name, value, language),
                    name=want.table,
                    element=want.field.name,
                    value=value,
                    label=label.in_(language),
                    language=language,
                    sequence=str(position * 10),
                    inactive="false",
                )
