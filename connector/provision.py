"""What Travesía owns inside the tool: columns on the written tables, their choices and labels in
both languages, and the report table. Planned first, applied only when asked.

Idempotent, because every record has a sys_id made of its name, and what stands is left alone.
Refuses to touch a name without our prefix, never deletes, never changes a column that stands.
Source of the records that make up a field: servicenow-api.md §8.2.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from connector import log
from connector.errors import ConfigError, InstanceError
from connector.itsm.base import Column, Instance, Record, RecordUpdate, UpdateReply
from connector.journey import fields
from connector.journey.fields import OWN_PREFIX, JourneyField
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Text
from connector.journey.own_tables import OWN_TABLES, choices_of_own_tables
from connector.messages import LANGUAGES, _

Kind = Literal["table", "column", "label", "choice"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they can be made."""

BATCH = 50
_META: dict[Kind, str] = {
    "table": "sys_db_object",
    "column": "sys_dictionary",
    "label": "sys_documentation",
    "choice": "sys_choice",
}
_INTERNAL_TYPES: dict[fields.FieldType, str] = {
    "choice": "string",
    "string": "string",
    "datetime": "glide_date_time",
    "date": "glide_date",
    "integer": "integer",
    "reference": "reference",
}
_DROPDOWN_WITH_NONE = "1"
_ON_RECORDS = (*fields.RECORD_FIELDS, *fields.STEWARD_FIELDS)

_log = log.get("provision")


@dataclass(frozen=True)
class Artefact:
    """One record of configuration to make, or (`action="update"`) to bring up to date."""

    kind: Kind
    action: Literal["create", "update"]
    table: str
    element: str
    """The column, or "" where it is about the table itself."""
    sys_id: str
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """How a person would call it: `incident.u_journey_step = usar (es)`."""
        place = f"{self.table}.{self.element}" if self.element else self.table
        value = f" = {self.values['value']}" if "value" in self.values else ""
        language = f" ({self.values['language']})" if "language" in self.values else ""
        return f"{place}{value}{language}"


@dataclass(frozen=True)
class Provisioning:
    """What is missing or different in an instance; `conflicts` are sentences a person must settle.

    Labels and choices of columns that do not stand yet are in it, as they will be made.
    """

    artefacts: tuple[Artefact, ...]
    conflicts: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    """Tables of plug-ins that the instance lacks: nothing is to be made there."""

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to do."""
        return not self.artefacts and not self.conflicts

    def of(self, kind: Kind) -> list[Artefact]:
        """The artefacts of one kind."""
        return [artefact for artefact in self.artefacts if artefact.kind == kind]

    def counts(self) -> dict[Kind, int]:
        """How many of each kind, in the order in which they are made."""
        return {kind: len(self.of(kind)) for kind in KINDS}


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


def plan_provision(
    instance: Instance, mapping: JourneyMapping, tables: Sequence[str], journey: str = "travesia"
) -> Provisioning:
    """What the instance lacks for write-back on `tables` and for reports; sends nothing.

    `journey` is the one whose steps are shown. Raises InstanceError and its kinds.
    """
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
    for artefact in artefacts:
        _refuse_foreign(artefact)
    return Provisioning(tuple(artefacts), tuple(conflicts), plugins)


def apply_provision(
    instance: Instance,
    mapping: JourneyMapping,
    tables: Sequence[str],
    journey: str = "travesia",
    progress: Callable[[Kind, int, int], None] = lambda _kind, _done, _total: None,
) -> list[Artefact]:
    """Make what is missing, kind after kind; answers what was sent.

    Planned anew before each kind: making a column makes its English label, too. `progress` is told
    the kind, how many are done, and of how many.
    Raises ConfigError where a person must settle something first, InstanceError and its kinds.
    """
    sent: list[Artefact] = []
    for kind in KINDS:
        plan = plan_provision(instance, mapping, tables, journey)
        if plan.conflicts:
            raise ConfigError("provision", plan.conflicts)
        todo = plan.of(kind)
        for done in _send(instance, kind, todo):
            sent += done
            progress(kind, len(done), len(todo))
        if todo:
            _log.info("provisioned", kind=kind, sent=len(todo))
    return sent


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


def stable_id(*parts: str) -> str:
    """The sys_id of one of our records: 32 hex digits made of its name, the same everywhere."""
    return hashlib.md5("\n".join(("travesia", *parts)).encode(), usedforsecurity=False).hexdigest()


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
    exist = instance.list_tables([*tables, *ours, *_META.values()])
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
    wanted_type = _INTERNAL_TYPES[want.field.type]
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
            yield _create("table", own.name, "", (own.name,), values)
        yield from _labels(own.name, "", own.label, Text("", ""), seen)


def _column(want: _Wanted, seen: _Seen) -> Iterator[Artefact]:
    if (want.table, want.field.name) in seen.columns:
        return
    # Not marked read-only: on current releases the usual kind of read-only also refuses the Table
    # API, silently (§7.4). What a person overwrites, the next run heals.
    values = {
        "name": want.table,
        "element": want.field.name,
        "internal_type": _INTERNAL_TYPES[want.field.type],
        "column_label": want.field.label.en,
        "active": "true",
    }
    if want.field.type in ("choice", "string"):
        values["max_length"] = str(want.field.max_length)
    if want.field.reference:
        values["reference"] = want.field.reference
    if want.choices:
        values["choice"] = _DROPDOWN_WITH_NONE
    yield _create("column", want.table, want.field.name, (want.table, want.field.name), values)


def _labels_of(want: _Wanted, seen: _Seen) -> Iterator[Artefact]:
    yield from _labels(want.table, want.field.name, want.field.label, want.field.help, seen)


def _labels(table: str, element: str, label: Text, help_: Text, seen: _Seen) -> Iterator[Artefact]:
    if _META["label"] not in seen.tables:
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
        yield _create(kind, table, element, names, {**key, **values})
    elif different := {k: v for k, v in values.items() if row.get(k, v) != v}:
        # Without the key: only what differs is sent, the key is for the eye.
        shown = {part: key[part] for part in ("value", "language") if part in key}
        yield Artefact(kind, "update", table, element, row["sys_id"], {**shown, **different})


def _create(
    kind: Kind, table: str, element: str, names: Iterable[str], values: Mapping[str, str]
) -> Artefact:
    sys_id = stable_id(_META[kind], *names)
    return Artefact(kind, "create", table, element, sys_id, {"sys_id": sys_id, **values})


def _refuse_foreign(artefact: Artefact) -> None:
    """The last line of defence: only what carries our prefix is ever made or changed."""
    if not (artefact.table.startswith(OWN_PREFIX) or artefact.element.startswith(OWN_PREFIX)):
        raise ConfigError(
            "provision",
            [
                _("{name} does not carry the prefix {prefix}; it is not ours to make").format(
                    name=artefact.name, prefix=OWN_PREFIX
                )
            ],
        )


def _send(instance: Instance, kind: Kind, todo: Sequence[Artefact]) -> Iterator[list[Artefact]]:
    """Send; yields what was done, bit by bit. Tables and columns singly: they change the schema."""
    if kind in ("table", "column"):
        for artefact in todo:
            instance.create_record(_META[kind], artefact.values)
            yield [artefact]
        return
    for start in range(0, len(todo), BATCH):
        some = todo[start : start + BATCH]
        new = [a for a in some if a.action == "create"]
        old = [a for a in some if a.action == "update"]
        replies = instance.create_records(_META[kind], [a.values for a in new]) if new else []
        if old:
            replies += instance.send_updates(
                [RecordUpdate(_META[kind], a.sys_id, _changed(a)) for a in old]
            )
        _refuse_refusals(kind, replies)
        yield list(some)


def _changed(artefact: Artefact) -> dict[str, str]:
    return {k: v for k, v in artefact.values.items() if k in ("label", "help")}


def _refuse_refusals(kind: Kind, replies: Sequence[UpdateReply]) -> None:
    refused = [reply for reply in replies if reply.status != "written"]
    if refused:
        text = _("{n} records of {table} could not be made ({detail}); check the account's roles")
        raise InstanceError(
            text.format(n=len(refused), table=_META[kind], detail=refused[0].detail),
            method="POST",
            path="/api/now/v1/batch",
            detail=refused[0].detail,
        )
