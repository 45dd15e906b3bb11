"""How an approved item is built and handed over: its tasks, its stages and its end.

Owns sc_task rows, the supplier SLA on them and the delivery OLA on the item.
"""

import random
from dataclasses import dataclass
from datetime import datetime

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.asks import NEVER, ItemLife, ended, half
from connector.sandbox.seeds.demo.history import SYSTEM, Event, World, moment, record_id
from connector.sandbox.seeds.demo.organisation import COMPANY, WORKPLACE, Organisation, Person
from connector.sandbox.seeds.demo.slas import Measured, measure
from connector.sandbox.seeds.demo.story import SHAKEN


def build(world: World, organisation: Organisation, life: ItemLife, chance: random.Random) -> None:
    """Tasks one after the other, with the stages they mean; then the end."""
    if life.ask.ending == "withdrawn":
        life.ending, life.ended = "cancelled", working_time.plus(life.ask.opened, 1)
        life.events.append(_finished(life, life.ended))
        return
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
    name = half(item.name, language)
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
    asks |= life.ending == "open" and life.item.key == "onboarding"
    question = texts.TASK_QUESTION[life.ask.person.language] if asks else ""
    working = {"state": "2", "assigned_to": agent.sys_id, "work_start": moment(taken)}
    ending = {**ended(task.state, task.ends), "closed_by": agent.sys_id}
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
    return Event(at, by, {**ended(state, at), "stage": stage}, comments=says)


def measure_delivery(world: World, life: ItemLife) -> None:
    """Adds the delivery OLA of an item, from its approval to its end."""
    if life.decision not in ("approved", "not asked"):
        return
    begins = life.decided or life.ask.opened
    ended = None if life.ending == "open" else life.ended
    cancelled = life.ending == "cancelled"
    measured = Measured(life.sys_id, "delivery", begins, ended, cancelled)
    measure(world, f"{life.number} delivery", measured)
