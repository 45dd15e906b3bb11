"""The demo's incidents: who calls when about what, and how each ticket goes on until the clock.

Owns what happens to one incident (`Plan` → events). The SLA and survey rows that follow from it are
made elsewhere from the `Life` that comes back.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.history import (
    SYSTEM,
    Event,
    World,
    duration,
    moment,
    record_id,
)
from connector.sandbox.seeds.demo.life import ROBOT, Life, Plan, Run
from connector.sandbox.seeds.demo.names import OPEN_PROBLEM, PLANNED_CHANGE
from connector.sandbox.seeds.demo.organisation import (
    COMPANY,
    DESK,
    LOCATIONS,
    SUPPLIERS,
    Organisation,
    Person,
)
from connector.sandbox.seeds.demo.telling import ONGOING, go_on, tell

CLOSES_AFTER = timedelta(days=5)
BY_PRIORITY: Mapping[str, float] = {"1": 1.2, "2": 3.0, "3": 6.0, "4": 11.0}
"""Median working hours to resolve when all goes as usual."""
MATRIX = {"1": ("1", "1"), "2": ("1", "2"), "3": ("2", "2"), "4": ("3", "3")}
"""Priority → impact, urgency."""
HOLDS: Mapping[str, tuple[float, float]] = {
    "1": (0.13, 9.0),
    "4": (0.05, 45.0),
    "3": (0.03, 60.0),
    "5": (0.02, 50.0),
}
"""Hold reason → chance, median working hours."""
WAITS_FOR: Mapping[str, Record] = {
    "3": {"problem_id": record_id("problem", OPEN_PROBLEM)},
    "4": {"vendor": record_id("core_company", SUPPLIERS[0])},
    "5": {"rfc": record_id("change_request", PLANNED_CHANGE)},
}
"""Hold reason → what is waited for."""


def live(plan: Plan, organisation: Organisation, chance: random.Random) -> Life:
    """Everything that will happen to one ticket, also after the clock."""
    life = Life(plan)
    agent = chance.choice(organisation.agents(plan.subject.group))
    desk = chance.choice(organisation.agents(DESK))
    life.agent = agent.user_name
    life.events.append(_opened(plan, desk))
    life.runs.append(Run(plan.opened))
    if plan.stands == "1":
        return life
    at = _take(life, agent, chance)
    if plan.stands in ONGOING:
        go_on(life, _pass_on(life, organisation, at, chance))
        return life
    if plan.stands.startswith("3"):
        _hold(life, agent, working_time.plus(at, 0.1), plan.stands[1:], 900.0)
        return life
    if plan.stands == "8" or (not plan.stands and chance.random() < 0.045):
        _cancel(life, working_time.plus(at, chance.uniform(0.2, 6)))
        return life
    _work_to_the_end(life, organisation, agent, at, chance)
    return life


def _work_to_the_end(
    life: Life, organisation: Organisation, agent: Person, at: datetime, chance: random.Random
) -> None:
    mood = life.plan.mood
    at = _pass_on(life, organisation, at, chance)
    if life.plan.stands != "reopened":
        at = _wait(life, agent, at, chance)
    begun, at = at, working_time.plus(at, _effort(life.plan, chance))
    tell(life, begun, at)
    _resolve(life, agent, at, chance)
    times = 0
    while times < 3 and (
        chance.random() < mood.reopened or (life.plan.stands == "reopened" and not times)
    ):
        times += 1
        at = _reopen(life, working_time.plus(at, chance.uniform(1, 25)), times)
        if life.plan.stands == "reopened":
            return
        at = working_time.plus(at, _effort(life.plan, chance) * 0.8)
        _resolve(life, agent, at, chance)
    if life.plan.stands != "6":
        _close(life, at + CLOSES_AFTER)


def record(world: World, life: Life) -> Record | None:
    """Adds the incident to the world as it stands at its clock."""
    return world.add("incident", life.plan.number, life.events)


def _opened(plan: Plan, desk: Person) -> Event:
    by = ROBOT if plan.caller is None else plan.caller.user_name
    if plan.caller and plan.channel in ("phone", "email", "walk-in", "chat", ""):
        by = desk.user_name
    impact, urgency = MATRIX[plan.priority]
    caller = plan.caller
    language = caller.language if caller else "en"
    text = plan.text or plan.subject.text(language)
    return Event(
        plan.opened,
        by,
        {
            "number": plan.number,
            "sys_class_name": "incident",
            "state": "1",
            "incident_state": "1",
            "active": "true",
            "short_description": text,
            "description": text,
            "priority": plan.priority,
            "impact": impact,
            "urgency": urgency,
            "caller_id": caller.sys_id if caller else "",
            "opened_by": record_id("sys_user", by),
            "opened_at": moment(plan.opened),
            "contact_type": plan.channel,
            "category": plan.subject.category,
            "subcategory": plan.subject.subcategory,
            "business_service": record_id("cmdb_ci_service", plan.subject.service),
            "cmdb_ci": record_id("cmdb_ci_service", plan.subject.service),
            "assignment_group": record_id("sys_user_group", plan.subject.group),
            "company": record_id("core_company", COMPANY),
            "location": record_id("cmn_location", LOCATIONS[int(plan.number[-1]) % 2][0]),
            "reassignment_count": "0",
            "reopen_count": "0",
            "child_incidents": "0",
            "made_sla": "true",
            "escalation": "0",
            "approval": "not requested",
            "knowledge": "false",
            "severity": "3",
            "notify": "1",
            **plan.extra,
        },
    )


def _take(life: Life, agent: Person, chance: random.Random) -> datetime:
    plan = life.plan
    median = {"1": 0.15, "2": 0.4, "3": 1.0, "4": 2.0}[plan.priority] * plan.mood.slowness
    at = working_time.plus(plan.opened, median * chance.lognormvariate(0, 0.6))
    life.responded = at
    says = plan.caller is not None and chance.random() < plan.mood.speaks
    life.events.append(
        Event(
            at,
            agent.user_name,
            {
                **_state("2"),
                "assigned_to": agent.sys_id,
                "work_start": moment(at),
            },
            comments=texts.FIRST_ANSWER[life.language] if says else "",
        )
    )
    return at


def _pass_on(
    life: Life, organisation: Organisation, at: datetime, chance: random.Random
) -> datetime:
    times = 0
    while times < 5 and chance.random() < life.plan.mood.passed_on:
        times += 1
        at = working_time.plus(at, chance.uniform(0.3, 2.0) * life.plan.mood.slowness)
        last = chance.random() < 0.6
        group = life.plan.subject.group if last else DESK
        agent = chance.choice(organisation.agents(group))
        life.events.append(
            Event(
                at,
                agent.user_name,
                {
                    "assigned_to": agent.sys_id,
                    "assignment_group": record_id("sys_user_group", group),
                    "reassignment_count": str(times),
                },
                work_notes=texts.DIAGNOSIS[life.language],
            )
        )
    return at


def _wait(life: Life, agent: Person, at: datetime, chance: random.Random) -> datetime:
    for reason, (likely, median) in HOLDS.items():
        if life.plan.caller is not None and chance.random() < likely:
            hours = median * chance.lognormvariate(0, 0.5)
            at = _hold(life, agent, working_time.plus(at, 0.5), reason, hours)
    return at


def _hold(life: Life, agent: Person, at: datetime, reason: str, hours: float) -> datetime:
    ends = working_time.plus(at, hours)
    asks = reason == "1"
    note = texts.HELD[reason][life.language] if reason in texts.HELD else ""
    life.events += [
        Event(
            at,
            agent.user_name,
            {**_state("3"), "hold_reason": reason, **WAITS_FOR.get(reason, {})},
            comments=texts.QUESTION[life.language] if asks else "",
            work_notes=note,
        ),
        Event(
            ends,
            life.requester if asks else agent.user_name,
            {**_state("2"), "hold_reason": ""},
            comments=texts.REPLY[life.language] if asks else "",
        ),
    ]
    life.runs[-1].pauses.append((at, ends))
    return ends


def _effort(plan: Plan, chance: random.Random) -> float:
    return BY_PRIORITY[plan.priority] * plan.mood.slowness * chance.lognormvariate(0, 0.75)


def _resolve(life: Life, agent: Person, at: datetime, chance: random.Random) -> None:
    codes = ("Solution provided", "Workaround provided", "User error", "Known error")
    spent = working_time.hours_between(life.plan.opened, at)
    life.runs[-1].end = at
    values = {
        **_state("6"),
        "resolved_at": moment(at),
        "resolved_by": agent.sys_id,
        "work_end": moment(at),
        "close_code": chance.choices(codes, (70, 15, 10, 5))[0],
        "close_notes": texts.SOLVED[life.language],
        "business_duration": duration(spent),
        "calendar_duration": duration((at - life.plan.opened).total_seconds() / 3600),
    }
    says = texts.SOLVED[life.language] if chance.random() < life.plan.mood.speaks else ""
    life.events.append(Event(at, agent.user_name, values | _duplicate(life.plan), says))


def _duplicate(plan: Plan) -> Record:
    return {"close_code": "Duplicate"} if plan.stands == "duplicate" else {}


def _reopen(life: Life, at: datetime, times: int) -> datetime:
    life.runs.append(Run(at))
    caller = life.plan.caller
    values = {
        **_state("2"),
        "reopen_count": str(times),
        "reopened_time": moment(at),
        "reopened_by": caller.sys_id if caller else "",
        "resolved_at": "",
        "resolved_by": "",
        "close_code": "",
        "close_notes": "",
    }
    life.events.append(Event(at, life.requester, values, comments=texts.REOPENED[life.language]))
    return at


def _cancel(life: Life, at: datetime) -> None:
    life.runs[-1].end = at
    life.runs[-1].is_cancelled = True
    values = {
        **_state("8"),
        "active": "false",
        "closed_at": moment(at),
        "closed_by": life.plan.caller.sys_id if life.plan.caller else "",
    }
    life.events.append(Event(at, life.requester, values, comments=texts.WITHDRAWN[life.language]))


def _close(life: Life, at: datetime) -> None:
    values = {**_state("7"), "active": "false", "closed_at": moment(at)}
    life.events.append(Event(at, SYSTEM, values))


def _state(state: str) -> Record:
    return {"state": state, "incident_state": state}
