"""The demo's SLA definitions and the task_sla rows that run against them.

Owns the clock of a task_sla: start, pauses that push the breach time, breach, stop, percentages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import BASE_DATE, Record, stamped
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.history import (
    SYSTEM,
    Event,
    World,
    duration,
    moment,
    record_id,
    truth,
)
from connector.sandbox.seeds.demo.organisation import INVOICING, SERVICES
from connector.sandbox.seeds.demo.story import Story

Pauses = Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True)
class Definition:
    """A contract_sla: what is measured, on which table, and its target in working hours."""

    name: str
    type: str
    target: str
    collection: str
    hours: float
    start: str
    stop: str
    service: str = ""


DEFINITIONS: Mapping[str, Definition] = {
    **{
        f"p{priority}": Definition(
            f"Resolución P{priority} / P{priority} resolution",
            "SLA",
            "resolution",
            "incident",
            hours,
            f"active=true^priority={priority}",
            "stateIN6,7",
        )
        for priority, hours in (("1", 4.0), ("2", 8.0), ("3", 20.0), ("4", 40.0))
    },
    "response": Definition(
        "Primera respuesta P1-P2 / P1-P2 first response",
        *("SLA", "response", "incident", 1.0),
        "active=true^priorityIN1,2",
        "state!=1",
    ),
    "delivery": Definition(
        "Entrega de lo solicitado / Delivery of a requested item",
        *("OLA", "resolution", "sc_req_item", 80.0),
        "approvalINapproved,not requested",
        "active=false",
    ),
    "supplier": Definition(
        "Plazo del proveedor / Supplier term",
        *("Underpinning contract", "resolution", "sc_task", 45.0),
        "assignment_group.type=supplier",
        "active=false",
    ),
    "invoicing": Definition(
        "Resolución de facturación electrónica / E-invoicing resolution",
        *("SLA", "resolution", "incident", 10.0),
        f"active=true^business_service.name={SERVICES[INVOICING][0]}",
        "stateIN6,7",
        INVOICING,
    ),
    "crm": Definition(
        "Resolución del CRM / CRM resolution",
        *("SLA", "resolution", "incident", 12.0),
        f"active=true^business_service.name={SERVICES['crm'][0]}",
        "stateIN6,7",
        "crm",
    ),
    "former": Definition(
        "Resolución única (anterior) / Single resolution (former)",
        *("SLA", "resolution", "incident", 40.0),
        "active=true",
        "stateIN6,7",
    ),
}
FORMER = "former"
"""The key of the target that is no longer in force: nothing runs against it."""
AGREED = {INVOICING: INVOICING, "crm": "crm"}
"""Service → the key of the target that its agreement brought."""


def definition_records(story: Story) -> list[Record]:
    """The contract_sla rows: the response target moved lately, one came with the agreement."""
    moved = {"response": story.now - timedelta(days=15)}
    begun = {key: agreed_on(story, key) for key in AGREED}
    return [
        stamped(
            record_id("contract_sla", key),
            _definition(sla, key != FORMER),
            created_on=moment(begun[key]) if key in begun else BASE_DATE,
            updated_on=moment(moved[key]) if key in moved else "",
            mod_count=int(key in moved),
        )
        for key, sla in DEFINITIONS.items()
        if key not in begun or begun[key] <= story.now
    ]


def _definition(sla: Definition, is_active: bool) -> Record:
    is_incident = sla.collection == "incident"
    return {
        "name": sla.name,
        "type": sla.type,
        "target": sla.target,
        "collection": sla.collection,
        "duration": duration(sla.hours),
        "schedule": "8-18 L-V / Mon-Fri",
        "schedule_source": "sla_definition",
        "start_condition": sla.start,
        "stop_condition": sla.stop,
        "pause_condition": "state=3" if is_incident else "",
        "cancel_condition": "state=8" if is_incident else "",
        "service_commitment": record_id("cmdb_ci_service", sla.service) if sla.service else "",
        "retroactive": "false",
        "active": truth(is_active),
    }


def agreed_on(story: Story, key: str) -> datetime:
    """When the target of an agreement came into force."""
    return story.agreement if key == INVOICING else story.now - timedelta(days=20)


@dataclass(frozen=True)
class Measured:
    """One SLA on one task: `end` is None while it runs."""

    task_id: str
    key: str
    start: datetime
    end: datetime | None
    is_cancelled: bool = False
    pauses: Pauses = ()


def measure(world: World, name: str, measured: Measured) -> datetime | None:
    """Adds the task_sla row `name`; answers when it breaches, if it does."""
    breach, events = _breach_and_pauses(measured)
    events.insert(0, _started(measured))
    if breach:
        events.append(Event(breach, SYSTEM, {"has_breached": "true"}))
    if measured.end:
        events.append(_stopped(measured, measured.end))
    if measured.end is None or measured.end > world.now:
        events += _refreshed(measured, world.now)
    world.add("task_sla", name, events)
    return breach


def _started(measured: Measured) -> Event:
    planned = working_time.plus(measured.start, DEFINITIONS[measured.key].hours)
    return Event(
        measured.start,
        SYSTEM,
        {
            "task": measured.task_id,
            "sla": record_id("contract_sla", measured.key),
            "stage": "in_progress",
            "active": "true",
            "has_breached": "false",
            "start_time": moment(measured.start),
            "planned_end_time": moment(planned),
            "original_breach_time": moment(planned),
            "schedule": "8-18 L-V / Mon-Fri",
            "timezone": "Europe/Madrid",
            **_elapsed(measured, measured.start),
        },
    )


def _breach_and_pauses(measured: Measured) -> tuple[datetime | None, list[Event]]:
    """When it breaches unless it ends before, and what each pause does to the row."""
    events: list[Event] = []
    planned = working_time.plus(measured.start, DEFINITIONS[measured.key].hours)
    paused = timedelta()
    for begins, ends in measured.pauses:
        values = {"stage": "paused", "pause_time": moment(begins)}
        events.append(Event(begins, SYSTEM, values))
        if planned > begins:
            planned = working_time.plus(planned, working_time.hours_between(begins, ends))
        paused += ends - begins
        values = {
            "stage": "in_progress",
            "pause_time": "",
            "planned_end_time": moment(planned),
            "pause_duration": duration(paused.total_seconds() / 3600),
            "business_pause_duration": duration(_paused_hours(measured, ends)),
        }
        events.append(Event(ends, SYSTEM, values))
    is_late = measured.end is None or planned < measured.end
    return (planned if is_late else None), events


def _stopped(measured: Measured, end: datetime) -> Event:
    values = {
        "stage": "cancelled" if measured.is_cancelled else "completed",
        "active": "false",
        "end_time": moment(end),
        "pause_time": "",
        **_elapsed(measured, end),
    }
    return Event(end, SYSTEM, values)


def _refreshed(measured: Measured, now: datetime) -> list[Event]:
    """The platform's own job: running rows get new percentages every hour."""
    at = now.replace(minute=0, second=0, microsecond=0)
    is_paused = any(begins <= at < ends for begins, ends in measured.pauses)
    if at <= measured.start or is_paused:
        return []
    return [Event(at, SYSTEM, _elapsed(measured, at))]


def _elapsed(measured: Measured, at: datetime) -> Record:
    target = DEFINITIONS[measured.key].hours
    actual = (at - measured.start).total_seconds() / 3600 - _paused_actual(measured, at)
    business = working_time.hours_between(measured.start, at) - _paused_hours(measured, at)
    return {
        "duration": duration(actual),
        "business_duration": duration(business),
        "percentage": f"{max(actual, 0) / target * 100:.2f}",
        "business_percentage": f"{max(business, 0) / target * 100:.2f}",
        "time_left": duration(target - actual),
        "business_time_left": duration(target - business),
    }


def _paused_hours(measured: Measured, at: datetime) -> float:
    return sum(
        working_time.hours_between(begins, min(ends, at))
        for begins, ends in measured.pauses
        if begins < at
    )


def _paused_actual(measured: Measured, at: datetime) -> float:
    return sum(
        (min(ends, at) - begins).total_seconds() / 3600
        for begins, ends in measured.pauses
        if begins < at
    )
