"""The approvals of an item: asked one after the other, until one of them is not a yes.

Owns sysapproval_approver rows and what a decision does to the item. The slow second approval of
the story (spend control) comes before the usual one.
"""

import random
from datetime import datetime, timedelta

from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.asks import NEVER, Decision, ItemLife, ended
from connector.sandbox.seeds.demo.history import SYSTEM, Event, World, moment
from connector.sandbox.seeds.demo.organisation import Organisation, Person
from connector.sandbox.seeds.demo.story import RECOVERED


def approve(
    world: World, organisation: Organisation, life: ItemLife, chance: random.Random
) -> None:
    """Adds the approvals of an item that needs them, and their effect on it."""
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
        values = {**ended("4", at), "approval": "rejected", "stage": "request_cancelled"}
        return [Event(at, SYSTEM, values)]
    if life.decision == "lapsed":
        values = {**ended("7", at), "approval": "cancelled", "stage": "request_cancelled"}
        return [Event(at, who, values, comments=texts.GAVE_UP[language])]
    return []
