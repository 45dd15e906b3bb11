"""The demo's catalogue requests: a request and its items, with all that hangs on them.

A request only sums up its items. Every instant is fixed first; what lies after the clock is cut by
`World`.
"""

import random
from collections.abc import Sequence
from datetime import datetime

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.approvals import approve
from connector.sandbox.seeds.demo.asks import Ask, ItemLife, ended, half
from connector.sandbox.seeds.demo.fulfilment import build, measure_delivery
from connector.sandbox.seeds.demo.history import SYSTEM, Event, World, moment, record_id
from connector.sandbox.seeds.demo.organisation import COMPANY, Organisation


def order(
    world: World, organisation: Organisation, ask: Ask, chance: random.Random
) -> list[ItemLife]:
    """Adds a request with all that hangs on it; answers the lives of its items."""
    lives = []
    for place, item in enumerate(ask.items):
        life = ItemLife(f"RITM{ask.number[3:]}{place}", ask, item)
        life.events.append(_asked(life))
        approve(world, organisation, life, chance)
        if life.decision in ("approved", "not asked"):
            build(world, organisation, life, chance)
        world.add("sc_req_item", life.number, life.events)
        measure_delivery(world, life)
        lives.append(life)
    world.add("sc_request", ask.number, _request_events(ask, lives))
    return lives


def _asked(life: ItemLife) -> Event:
    ask, item = life.ask, life.item
    text = ask.text or half(item.name, ask.person.language)
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
            "business_service": (
                record_id("cmdb_ci_service", item.service) if item.service else ""
            ),
            "company": record_id("core_company", COMPANY),
            "quantity": "1",
            "price": str(item.price),
            "priority": "4",
            "impact": "3",
            "urgency": "3",
            "backordered": "false",
            "made_sla": "true",
            "estimated_delivery": moment(working_time.plus(ask.opened, item.hours)),
            **ask.extra,
        },
    )


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
            "short_description": ask.text or half(ask.items[0].name, ask.person.language),
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
        return {**ended("3", at), "request_state": "closed_complete", "stage": "completed"}
    if all(life.decision == "rejected" for life in lives):
        values = {"request_state": "closed_rejected", "approval": "rejected"}
        return {**ended("4", at), **values, "stage": "closed_incomplete"}
    if any(life.ending == "failed" for life in lives):
        values = {"request_state": "closed_incomplete", "stage": "closed_incomplete"}
        return {**ended("4", at), **values}
    values = {"request_state": "closed_cancelled", "stage": "closed_incomplete"}
    return {**ended("7", at), **values}
