"""Our columns on the written tables and on our own, their choices and labels in both languages.

Source of the records that make up a field: servicenow-api.md §8.2.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connector.itsm.base import Column, Instance, Record
from connector.journey import fields
from connector.journey.fields import JourneyField
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Text
from connector.journey.own_tables import OWN_TABLES, choices_of_own_tables
from connector.messages import LANGUAGES, _
from connector.provision.model import META, Artefact, Kind, Provisioning, create

INTERNAL_TYPES: dict[fields.FieldType, str] = {
    "choice": "string",
    "string": "string",
    "datetime": "glide_date_time",
    "date": "glide_date",
    "integer": "integer",
    "reference": "reference",
}
_DROPDOWN_WITH_NONE = "1"
_ON_RECORDS = (*fields.RECORD_FIELDS, *fields.STEWARD_FIELDS)


@dataclass(frozen=True)
class _Seen:
    """What the instance has already."""

    tables: Mapping[str, str]
    columns: Mapping[tuple[str, str], Column]
    choices: Mapping[tuple[str, ...], Record]
    inherited: frozenset[tuple[str, ...]]
    labels: Mapping[tuple[str, ...], Record]


@dataclass(frozen=True)
class _Wanted:
    """One column of ours on one table, with its choices (value → label)."""

    table: str
    field: JourneyField
    choices: Mapping[str, Text]


def plan_columns(
    instance: Instance, mapping: JourneyMapping, tables: Sequence[str], journey: str
) -> Provisioning:
    """What the instance lacks of our tables, columns, labels and choices; sends nothing."""
    wanted = _wanted(mapping, tables, journey)
    seen = _look(instance, tables)
    absent = [table for table in tables if table not in seen.tables]
    plugins = tuple(t for t in absent if t in mapping.tables and mapping.tables[t].optional)
    conflicts = [
        _("Table {table} does not exist; check its name").format(table=t)
        for t in absent
        if t not in plugins
    ] + [problem for want in wanted for problem in _conflicts(want, seen)]
    artefacts = [*_missing_tables(seen)]
    for want in wanted:
        if want.table not in absent:
            artefacts += [*_column(want, seen), *_labels_of(want, seen), *_choices_of(want, seen)]
    return Provisioning(tuple(artefacts), tuple(conflicts), plugins)


def choices_of_fields(mapping: JourneyMapping, journey: str) -> dict[str, dict[str, Text]]:
    """Each choice column of ours → its values and their labels, in order."""
    steps = mapping.journeys[journey].steps
    return {
        fields.STEP: {step.id: step.name for step in steps},
        fields.TOUCHPOINT: {t.id: t.name for t in mapping.touchpoints.values()},
        fields.BAND: fields.BAND_CHOICES,
        fields.MOMENT: fields.MOMENT_CHOICES,
        fields.OUTCOME: fields.OUTCOME_CHOICES,
        fields.VALUE: fields.VALUE_CHOICES,
        fields.CONFIDENCE: fields.CONFIDENCE_CHOICES,
        fields.LAST_VISIBLE: {t.id: t.name for t in mapping.touchpoints.values()},
        fields.OVERRIDE: {t.id: t.name for t in mapping.touchpoints.values()},
    }


def _wanted(mapping: JourneyMapping, tables: Sequence[str], journey: str) -> list[_Wanted]:
    choices = choices_of_fields(mapping, journey)
    on_records = [
        _Wanted(table, field, choices.get(field.name, {}))
        for table in tables
        for field in _ON_RECORDS
    ]
    own_choices = choices_of_own_tables(mapping)
    return on_records + [
        _Wanted(own.name, field, own_choices.get((own.name, field.name), {}))
        for own in OWN_TABLES
        for field in own.fields
    ]


def _look(instance: Instance, tables: Sequence[str]) -> _Seen:
    ours = [own.name for own in OWN_TABLES]
    exist = instance.list_tables([*tables, *ours, *META.values()])
    there = [table for table in (*tables, *ours) if table in exist]
    names = sorted({f.name for f in _ON_RECORDS} | set(_own_columns("choice")))
    places = f"nameIN{','.join(sorted({*tables, *ours}))}"
    columns = instance.list_columns(there) if there else []
    return _Seen(
        exist,
        {(c.table, c.element): c for c in columns},
        {
            _key(row, "name", "element", "value", "language"): row
            for row in instance.list_records(
                "sys_choice",
                ("name", "element", "value", "label", "language"),
                f"{places}^elementIN{','.join(names)}",
            )
        },
        frozenset((c.table, c.element, c.value, c.language) for c in instance.list_choices(there)),
        {
            _key(row, "name", "element", "language"): row
            for row in instance.list_records(
                "sys_documentation",
                ("name", "element", "language", "label", "help"),
                f"{places}^elementIN{','.join(sorted({*names, *_own_columns()}))}^ORelementISEMPTY",
            )
        },
    )


def _key(row: Record, *columns: str) -> tuple[str, ...]:
    return tuple(row.get(column, "") for column in columns)


def _own_columns(*types: str) -> list[str]:
    """The columns of our own tables, of these types or of all."""
    return [f.name for own in OWN_TABLES for f in own.fields if not types or f.type in types]


def _conflicts(want: _Wanted, seen: _Seen) -> Iterator[str]:
    column = seen.columns.get((want.table, want.field.name))
    wanted_type = INTERNAL_TYPES[want.field.type]
    kinds = {wanted_type, "choice"} if want.field.type == "choice" else {wanted_type}
    if column and column.type not in kinds:
        yield _(
            "Column {column} of {table} is {found} where {wanted} is needed; remove or rename it"
        ).format(column=want.field.name, table=want.table, found=column.type, wanted=wanted_type)
    too_long = [value for value in want.choices if len(value) > want.field.max_length]
    for value in too_long:
        yield _("{value} is too long for {column} ({n} characters); give it a shorter id").format(
            value=value, column=want.field.name, n=want.field.max_length
        )


def _missing_tables(seen: _Seen) -> Iterator[Artefact]:
    for own in OWN_TABLES:
        if own.name not in seen.tables:
            values = {"name": own.name, "label": own.label.en}
            yield create("table", own.name, "", (own.name,), values)
        yield from _labels(own.name, "", own.label, Text("", ""), seen)


def _column(want: _Wanted, seen: _Seen) -> Iterator[Artefact]:
    if (want.table, want.field.name) in seen.columns:
        return
    # Not marked read-only: on current releases the usual kind of read-only also refuses the Table
    # API, silently (§7.4). What a person overwrites, the next run heals.
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
    yield create("column", want.table, want.field.name, (want.table, want.field.name), values)


def _labels_of(want: _Wanted, seen: _Seen) -> Iterator[Artefact]:
    yield from _labels(want.table, want.field.name, want.field.label, want.field.help, seen)


def _labels(table: str, element: str, label: Text, help_: Text, seen: _Seen) -> Iterator[Artefact]:
    if META["label"] not in seen.tables:
        return
    for language in LANGUAGES:
        values = {"label": label.in_(language)}
        if help_.en:
            values["help"] = help_.in_(language)
        row = seen.labels.get((table, element, language))
        key = {"name": table, "element": element, "language": language}
        yield from _bring("label", key, values, row)


def _choices_of(want: _Wanted, seen: _Seen) -> Iterator[Artefact]:
    keys = [
        (want.table, want.field.name, value, language)
        for value in want.choices
        for language in LANGUAGES
    ]
    # A table's own list replaces the one it inherits: all of it is made, or none.
    inherits_all = seen.inherited.issuperset(keys)
    for position, (value, label) in enumerate(want.choices.items(), start=1):
        for language in LANGUAGES:
            row = seen.choices.get((want.table, want.field.name, value, language))
            if row is None and inherits_all:
                continue
            key = {
                "name": want.table,
                "element": want.field.name,
                "value": value,
                "language": language,
            }
            extra = {"sequence": str(position * 10), "inactive": "false"} if row is None else {}
            yield from _bring("choice", key | extra, {"label": label.in_(language)}, row)


def _bring(
    kind: Kind, key: Mapping[str, str], values: Mapping[str, str], row: Record | None
) -> Iterator[Artefact]:
    """Make a label or choice, or bring the one that stands to our words; nothing if it is so."""
    table, element = key["name"], key["element"]
    if row is None:
        names = [key[part] for part in ("name", "element", "value", "language") if part in key]
        yield create(kind, table, element, names, {**key, **values})
    elif different := {k: v for k, v in values.items() if row.get(k, v) != v}:
        # Without the key: only what differs is sent, the key is for the eye.
        shown = {part: key[part] for part in ("value", "language") if part in key}
        yield Artefact(kind, "update", table, element, row["sys_id"], {**shown, **different})
