"""The demo's catalogue requests: a request, its items, their approvals and their tasks.

Owns the life of one item (asked → decided → built → delivered, or its other ends). A request only
sums up its items. Every instant is fixed first; what lies after the clock is cut by `World`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from connector.sandbox.seeds import texts, working_time
from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.history import SYSTEM, Event, World, moment, record_id
from connector.sandbox.seeds.organisation import (
    COMPANY,
    WORKPLACE,
    Item,
    Organisation,
    Person,
)
from connector.sandbox.seeds.slas import Measured, measure
from connector.sandbox.seeds.story import RECOVERED, SHAKEN, Mood

Decision = Literal["approved", "rejected", "lapsed", "waiting", "not asked"]
Ending = Literal["complete", "failed", "cancelled", "open"]
NEVER = timedelta(days=4000)
"""Later than any clock: what a record waits for and has not got."""


@dataclass(frozen=True)
class Ask:
    """What somebody asks for. `decision`, `ending` and the hours (of working time, to the
    first task, for all tasks, from the last one to the end) force what chance would say;
    `is_controlled` puts the slow second approval (spend control) before the usual one."""

    number: str
    opened: datetime
    person: Person
    items: tuple[Item, ...]
    mood: Mood
    is_controlled: bool = False
    decision: Decision | Literal[""] = ""
    ending: Ending | Literal[""] = ""
    build_hours: float | None = None
    queue_hours: float | None = None
    close_hours: float | None = None
    text: str = ""


@dataclass
class ItemLife:
    """One item's events, and when what happened."""

    number: str
    ask: Ask
    item: Item
    events: list[Event] = field(default_factory=list)
    decision: Decision = "not asked"
    decided: datetime | None = None
    ending: Ending = "open"
    ended: datetime | None = None

    @property
    def sys_id(self) -> str:
        """The record that all the rest points to."""
        return record_id("sc_req_item", self.number)


def order(
    world: World, organisation: Organisation, ask: Ask, chance: random.Random
) -> list[ItemLife]:
    """Adds a request with all that hangs on it; answers the lives of its items."""
    lives = []
    for place, item in enumerate(ask.items):
        life = ItemLife(f"RITM{ask.number[3:]}{place}", ask, item)
        _approve(world, organisation, life, chance)
        if life.decision in ("approved", "not asked"):
            _build(world, organisation, life, chance)
        world.add("sc_req_item", life.number, life.events)
        _measure_delivery(world, life)
        lives.append(life)
    world.add("sc_request", ask.number, _request_events(ask, lives))
    return lives


# ── approvals ────────────────────────────────────────────────────────────────────────────────


def _approve(
    world: World, organisation: Organisation, life: ItemLife, chance: random.Random
) -> None:
    """The item as asked, then its approval steps until one of them is not a yes."""
    life.events.append(_asked(life))
    if not life.item.is_approved:
        return
    at = life.ask.opened + timedelta(seconds=chance.randint(20, 200))
    staff = organisation.people[life.ask.person.department]
    approvers = [staff[1], staff[0]] if life.ask.is_controlled else [staff[0]]
    for place, approver in enumerate(approvers):
        is_slow = life.ask.is_controlled and place == 0
        life.decision = _decision(life, is_slow, chance)
        life.decided = _decided_at(life, at, is_slow, chance)
        name = f"{life.number} approval {place}"
        world.add("sysapproval_approver", name, _approval_events(life, approver, at))
        at = life.decided
        if life.decision != "approved":
            break
    life.events += _decided(life, at)


def _decision(life: ItemLife, is_slow: bool, chance: random.Random) -> Decision:
    """Who decides on a forced fate is the first step; the second one then says yes."""
    if life.ask.decision and (is_slow or not life.ask.is_controlled):
        return life.ask.decision
    choices: tuple[Decision, ...] = ("approved", "rejected", "lapsed")
    if is_slow:
        return chance.choices(choices, (60, 8, 32))[0]
    weights = (98, 2, 0) if life.ask.mood == RECOVERED else (93, 4, 3)
    return chance.choices(choices, weights)[0]


def _decided_at(life: ItemLife, asked: datetime, is_slow: bool, chance: random.Random) -> datetime:
    if life.decision == "waiting":
        return asked + NEVER
    if life.decision == "lapsed":
        return working_time.plus(asked, chance.uniform(125, 210))
    median = 115.0 if is_slow else 1.5 if life.ask.mood == RECOVERED else 6.0
    return working_time.plus(asked, median * chance.lognormvariate(0, 0.4))


def _approval_events(life: ItemLife, approver: Person, asked: datetime) -> list[Event]:
    values = {
        "sysapproval": life.sys_id,
        "source_table": "sc_req_item",
        "document_id": life.sys_id,
        "approver": approver.sys_id,
        "state": "requested",
        "due_date": moment(working_time.plus(asked, 50)),
    }
    events = [Event(asked, SYSTEM, values)]
    decided = life.decided or asked + NEVER
    if life.decision in ("approved", "rejected"):
        says = life.decision == "rejected" and int(life.number[-3:-1]) % 3
        reason = texts.NO_BUDGET[approver.language] if says else ""
        by = approver.user_name
        events.append(Event(decided, by, {"state": life.decision}, comments=reason))
    elif life.decision == "lapsed":
        events.append(Event(decided, SYSTEM, {"state": "cancelled"}))
    return events


def _decided(life: ItemLife, at: datetime) -> list[Event]:
    language, who = life.ask.person.language, life.ask.person.user_name
    if life.decision == "approved":
        values = {"approval": "approved", "stage": "request_approved"}
        return [Event(at, SYSTEM, values)]
    life.ending, life.ended = "cancelled", at
    if life.decision == "rejected":
        values = {**_ended("4", at), "approval": "rejected", "stage": "request_cancelled"}
        return [Event(at, SYSTEM, values)]
    if life.decision == "lapsed":
        values = {**_ended("7", at), "approval": "cancelled", "stage": "request_cancelled"}
        return [Event(at, who, values, comments=texts.GAVE_UP[language])]
    return []


def _asked(life: ItemLife) -> Event:
    ask, item = life.ask, life.item
    text = ask.text or _half(item.name, ask.person.language)
    return Event(
        ask.opened,
        ask.person.user_name,
        {
            "number": life.number,
            "sys_class_name": "sc_req_item",
            "short_description": text,
            "request": record_id("sc_request", ask.number),
            "parent": record_id("sc_request", ask.number),
            "cat_item": record_id("sc_cat_item", item.key),
            "requested_for": ask.person.sys_id,
            "opened_by": ask.person.sys_id,
            "opened_at": moment(ask.opened),
            "contact_type": "self-service",
            "state": "1",
            "active": "true",
            "approval": "requested" if item.is_approved else "not requested",
            "stage": "waiting_for_approval" if item.is_approved else "requested",
            "assignment_group": record_id("sys_user_group", item.group),
            "company": record_id("core_company", COMPANY),
            "quantity": "1",
            "price": str(item.price),
            "priority": "4",
            "impact": "3",
            "urgency": "3",
            "backordered": "false",
            "made_sla": "true",
            "estimated_delivery": moment(working_time.plus(ask.opened, item.hours)),
        },
    )


# ── building and handing over ────────────────────────────────────────────────────────────────


def _build(world: World, organisation: Organisation, life: ItemLife, chance: random.Random) -> None:
    """Tasks one after the other, with the stages they mean; then the end."""
    queue = _forced(life.ask.queue_hours, chance.uniform(0.5, 9))
    starts = working_time.plus(life.decided or life.ask.opened, queue)
    slowness = 1.7 if life.ask.mood == SHAKEN else 1.0
    hours = life.item.hours * slowness * chance.lognormvariate(0, 0.35)
    hours = _forced(life.ask.build_hours, hours)
    life.ending = (
        life.ask.ending or chance.choices(("complete", "failed", "cancelled"), (94, 3, 3))[0]
    )
    parts = _parts(life)
    for place, (group, stage, text) in enumerate(parts):
        ends = working_time.plus(starts, hours * (0.65 if place == 0 < len(parts) - 1 else 0.35))
        life.events.append(Event(starts, SYSTEM, {"state": "2", "stage": stage}))
        is_last = place == len(parts) - 1
        state = {"failed": "4", "cancelled": "7"}.get(life.ending, "3") if is_last else "3"
        ends = starts + NEVER if is_last and life.ending == "open" else ends
        name = f"SCTASK{life.number[4:]}{place}"
        agent = chance.choice(organisation.agents(group))
        task = _Task(name, group, text, agent, starts, ends, state, life)
        _add_task(world, task, chance)
        starts = ends
    life.ended = working_time.plus(starts, _forced(life.ask.close_hours, chance.uniform(0.1, 4)))
    if life.ending != "open":
        life.events.append(_finished(life, life.ended))


def _forced(told: float | None, thrown: float) -> float:
    return thrown if told is None else told


def _parts(life: ItemLife) -> list[tuple[str, str, str]]:
    """(group, stage, short description) of each task of an item, in order."""
    item, language = life.item, life.ask.person.language
    name = _half(item.name, language)
    es = language == "es"
    first = (item.supplier or item.group, "fulfillment", name)
    if item.category == "hardware":
        buys = (item.group, "purchase", f"Comprar: {name}" if es else f"Purchase: {name}")
        gives = (WORKPLACE, "delivery", f"Entregar: {name}" if es else f"Deliver: {name}")
        return [buys, gives]
    if item.key in ("report", "erp_change"):
        text = "Prueba de aceptación del usuario" if es else "User acceptance test"
        return [first, (item.group, "fulfillment", text)]
    if item.key in ("onboarding", "room", "printer", "move"):
        text = "Preparar y entregar el puesto" if es else "Prepare and hand over the desk"
        return [first, (WORKPLACE, "delivery", text)]
    return [first]


@dataclass(frozen=True)
class _Task:
    number: str
    group: str
    text: str
    agent: Person
    starts: datetime
    ends: datetime
    state: str
    life: ItemLife


def _add_task(world: World, task: _Task, chance: random.Random) -> None:
    life, agent = task.life, task.agent
    taken = task.starts + (task.ends - task.starts) * 0.3
    if task.ends - task.starts >= NEVER:
        taken = working_time.plus(task.starts, 2)
    asks = chance.random() < 0.12
    question = texts.TASK_QUESTION[life.ask.person.language] if asks else ""
    working = {"state": "2", "assigned_to": agent.sys_id, "work_start": moment(taken)}
    ending = {**_ended(task.state, task.ends), "closed_by": agent.sys_id}
    events = [
        Event(task.starts, SYSTEM, _task_values(task)),
        Event(taken, agent.user_name, working, comments=question),
        Event(task.ends, agent.user_name, ending),
    ]
    made = world.add("sc_task", task.number, events)
    if made and task.group.endswith("_supplier"):
        ends = None if task.ends - task.starts >= NEVER else task.ends
        measured = Measured(made["sys_id"], "supplier", task.starts, ends)
        measure(world, f"{task.number} supplier", measured)


def _task_values(task: _Task) -> Record:
    ask, item = task.life.ask, task.life.item
    return {
        "number": task.number,
        "sys_class_name": "sc_task",
        "short_description": task.text,
        "request_item": task.life.sys_id,
        "parent": task.life.sys_id,
        "request": record_id("sc_request", ask.number),
        "cat_item": record_id("sc_cat_item", item.key),
        "state": "1",
        "active": "true",
        "approval": "not requested",
        "assignment_group": record_id("sys_user_group", task.group),
        "opened_at": moment(task.starts),
        "opened_by": ask.person.sys_id,
        "priority": "4",
        "impact": "3",
        "urgency": "3",
        "company": record_id("core_company", COMPANY),
    }


def _finished(life: ItemLife, at: datetime) -> Event:
    state = {"complete": "3", "failed": "4"}.get(life.ending, "7")
    stage = "completed" if life.ending == "complete" else "request_cancelled"
    by = life.ask.person.user_name if life.ending == "cancelled" else SYSTEM
    says = texts.WITHDRAWN[life.ask.person.language] if life.ending == "cancelled" else ""
    return Event(at, by, {**_ended(state, at), "stage": stage}, comments=says)


def _ended(state: str, at: datetime) -> Record:
    return {"state": state, "active": "false", "closed_at": moment(at)}


def _measure_delivery(world: World, life: ItemLife) -> None:
    if life.decision not in ("approved", "not asked"):
        return
    begins = life.decided or life.ask.opened
    ended = None if life.ending == "open" else life.ended
    cancelled = life.ending == "cancelled"
    measured = Measured(life.sys_id, "delivery", begins, ended, cancelled)
    measure(world, f"{life.number} delivery", measured)


# ── the request ──────────────────────────────────────────────────────────────────────────────


def _request_events(ask: Ask, lives: Sequence[ItemLife]) -> list[Event]:
    is_approved = any(life.item.is_approved for life in lives)
    events = [_requested(ask, is_approved)]
    decided = max(life.decided or ask.opened for life in lives)
    alive = [life for life in lives if life.decision in ("approved", "not asked")]
    if alive and is_approved:
        values = {"approval": "approved", "request_state": "in_process", "stage": "fulfillment"}
        events.append(Event(decided, SYSTEM, values))
    ended = [life.ended for life in lives if life.ended and life.decision != "waiting"]
    is_over = len(ended) == len(lives) and all(life.ending != "open" for life in alive)
    if is_over:
        events.append(
            Event(max(*ended, decided), SYSTEM, _request_end(lives, max(*ended, decided)))
        )
    return events


def _requested(ask: Ask, is_approved: bool) -> Event:
    return Event(
        ask.opened,
        ask.person.user_name,
        {
            "number": ask.number,
            "sys_class_name": "sc_request",
            "short_description": ask.text or _half(ask.items[0].name, ask.person.language),
            "requested_for": ask.person.sys_id,
            "opened_by": ask.person.sys_id,
            "opened_at": moment(ask.opened),
            "requested_date": moment(ask.opened),
            "contact_type": "self-service",
            "state": "1",
            "active": "true",
            "approval": "requested" if is_approved else "not requested",
            "request_state": "requested_approval" if is_approved else "in_process",
            "stage": "requested" if is_approved else "fulfillment",
            "price": str(sum(item.price for item in ask.items)),
            "priority": "4",
            "impact": "3",
            "urgency": "3",
            "company": record_id("core_company", COMPANY),
        },
    )


def _request_end(lives: Sequence[ItemLife], at: datetime) -> Record:
    if any(life.ending == "complete" for life in lives):
        return {**_ended("3", at), "request_state": "closed_complete", "stage": "completed"}
    if all(life.decision == "rejected" for life in lives):
        values = {"request_state": "closed_rejected", "approval": "rejected"}
        return {**_ended("4", at), **values, "stage": "closed_incomplete"}
    if any(life.ending == "failed" for life in lives):
        values = {"request_state": "closed_incomplete", "stage": "closed_incomplete"}
        return {**_ended("4", at), **values}
    values = {"request_state": "closed_cancelled", "stage": "closed_incomplete"}
    return {**_ended("7", at), **values}


def _half(name: str, language: str) -> str:
    """`Portátil / Laptop` in one language."""
    spanish, _slash, english = name.partition(" / ")
    return english if english and language != "es" else spanish
