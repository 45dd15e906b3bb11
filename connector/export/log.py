"""What both formats for process miners tell: cases, events, and the words for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connector.encoded_query import Context
from connector.evaluate import ask
from connector.journey.model import Mapping as JourneyMapping
from connector.journey.model import Schema, Text
from connector.journey.scope import Catalogue, catalogue_of
from connector.store import classifications, exports
from connector.store.database import Store

Attributes = Mapping[str, str | int]

_FIRST_OF: dict[str, tuple[str, ...]] = {
    "number": ("number",),
    "priority": ("priority",),
    "category": ("category",),
    "opened_at": ("opened_at", "start_time", "sys_created_on"),
    "closed_at": ("closed_at", "end_time", "resolved_at", "taken_on"),
}
_ENTRIES = {
    "comments": Text("Public comment", "Comentario público"),
    "work_notes": Text("Work note", "Nota de trabajo"),
}
_SHOWN = (
    "number",
    "touchpoint",
    "step",
    "band",
    "outcome",
    "phase",
    "value",
    "priority",
    "category",
)


@dataclass(frozen=True)
class Event:
    """Something that happened to a record. `happened_at` is aware UTC; `kind` is one of step,
    entry (in the record's journal), moment (a moment of truth that was decided)."""

    kind: str
    activity: str
    happened_at: datetime
    attributes: Attributes


@dataclass(frozen=True)
class Case:
    """One record with its events, in order of time."""

    table: str
    sys_id: str
    attributes: Attributes
    customer: str
    service: str
    parents: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def key(self) -> str:
        """What it is called in a log: `incident/9d385017…`."""
        return f"{self.table}/{self.sys_id}"


@dataclass(frozen=True)
class Log:
    """An export of one journey, in one language."""

    store: Store
    mapping: JourneyMapping
    journey: str
    language: str

    @property
    def name(self) -> str:
        """The journey's name."""
        return self.mapping.journeys[self.journey].name.in_(self.language)

    def cases(self) -> Iterator[Case]:
        """Every exported record, by table and sys_id, in constant memory."""
        for records, events in exports.iterate(self.store):
            for record in records:
                yield self._case(record, events.get(record["record_no"], []))

    def activities(self) -> dict[str, str]:
        """Everything that may happen → its kind."""
        steps = {step.name.in_(self.language): "step" for step in self._steps.values()}
        entries = {text.in_(self.language): "entry" for text in _ENTRIES.values()}
        moments = {name: "moment" for name in self._moments.values()}
        return {**steps, **entries, **moments}

    def _case(self, record: dict[str, Any], events: Sequence[dict[str, Any]]) -> Case:
        shown = {name: record[name] for name in _SHOWN if record[name]}
        times = {name: instant(record[name]) for name in ("opened_at", "closed_at")}
        return Case(
            record["table_name"],
            record["sys_id"],
            {**shown, **{name: text for name, text in times.items() if text}},
            record["customer"],
            record["service"],
            tuple(record["parents"]),
            tuple(self._event(event) for event in events),
        )

    def _event(self, event: dict[str, Any]) -> Event:
        told = {
            "source": event["source"],
            "cause": event["cause"],
            "dwell_seconds": event["dwell_seconds"],
            **self._detail(event),
        }
        return Event(
            event["kind"],
            self._name(event["kind"], event["activity"]),
            event["happened_at"].replace(tzinfo=UTC),
            {name: value for name, value in told.items() if value not in (None, "")},
        )

    def _detail(self, event: dict[str, Any]) -> dict[str, str]:
        if event["kind"] == "moment":
            return {"moment": event["activity"], "polarity": event["detail"]}
        if event["kind"] == "entry":
            return {"band": "visible" if event["activity"] == "comments" else "provider_backstage"}
        return {"step": event["activity"], "touchpoint": self._touchpoints.get(event["detail"], "")}

    def _name(self, kind: str, activity: str) -> str:
        if kind == "entry":
            return _ENTRIES[activity].in_(self.language)
        if kind == "moment":
            return self._moments.get(activity, activity)
        step = self._steps.get(activity)
        return step.name.in_(self.language) if step else activity

    @property
    def _steps(self) -> dict[str, Any]:
        return {step.id: step for step in self.mapping.journeys[self.journey].steps}

    @property
    def _touchpoints(self) -> dict[str, str]:
        return {rule.id: rule.touchpoint for rule in self.mapping.rules}

    @property
    def _moments(self) -> dict[str, str]:
        return {one.id: one.name.in_(self.language) for one in getattr(self.mapping, "moments", ())}


def relations_of(mapping: JourneyMapping) -> dict[str, tuple[list[str], list[str]]]:
    """Table → the fields that name its customer, and its service, as far as the mapping says."""
    found = {}
    for table, spec in mapping.tables.items():
        customer = [column for column in spec.columns if column.endswith("department.name")]
        customer += ["company.name"] if "company" in spec.columns else []
        service = ["business_service.name"] if "business_service" in spec.columns else []
        found[table] = (customer, service)
    return found


def instant(text: str) -> str:
    """A stored instant in ISO 8601 with its offset; "" for anything else."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat() if text else ""
    except ValueError:
        return ""


def open_log(
    store: Store,
    mapping: JourneyMapping,
    schema: Schema,
    now: datetime,
    journey: str,
    language: str,
    relations: Mapping[str, tuple[Sequence[str], Sequence[str]]],
) -> Log:
    """Gather what is to be exported. `relations`: table → the fields that name its customer, and
    its service. Raises StoreError."""
    catalogue = catalogue_of(mapping, schema, classifications.held_columns(store))
    exports.begin(store)
    for table in sorted({table for rule in mapping.rules for table in rule.tables}):
        if catalogue.has_table(table):
            _add(store, mapping, catalogue, Context(now), table, journey, relations)
    exports.add_steps(store, journey)
    exports.add_contacts(store)
    exports.add_moments(store)
    return Log(store, mapping, journey, language)


def _add(
    store: Store,
    mapping: JourneyMapping,
    catalogue: Catalogue,
    context: Context,
    table: str,
    journey: str,
    relations: Mapping[str, tuple[Sequence[str], Sequence[str]]],
) -> None:
    customer, service = relations.get(table, ((), ()))
    first_of = {**_FIRST_OF, "customer": customer, "service": service}
    parents = [edge.field for edge in mapping.edges if edge.table == table]
    fields = dict.fromkeys([*parents, *(field for some in first_of.values() for field in some)])
    query = ask(store, catalogue, context, table, {}, list(fields))
    exports.add_records(store, table, journey, query, first_of, parents)
