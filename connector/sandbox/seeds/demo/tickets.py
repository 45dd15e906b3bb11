"""The demo's tickets of the year: who calls when, by which channel, in which mood.

Owns how many there are and what follows from each: SLA rows, what is said after a breach, the
surveys that are sent.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.sandbox.seeds.demo import organisation as company
from connector.sandbox.seeds.demo import showcase, slas, texts, working_time
from connector.sandbox.seeds.demo.history import Event, World, dice, record_id
from connector.sandbox.seeds.demo.incidents import live, record
from connector.sandbox.seeds.demo.life import Life, Plan
from connector.sandbox.seeds.demo.names import GO_LIVE_CHANGE, INVOICING_PROBLEM
from connector.sandbox.seeds.demo.organisation import FINANCE, INVOICING, Person, somebody
from connector.sandbox.seeds.demo.slas import Measured, measure
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.surveys import INVITED, Invitation
from connector.sandbox.seeds.demo.telling import say_sorry
from connector.sandbox.seeds.demo.texts import Subject

USUAL_TICKETS, GO_LIVE_TICKETS, ALERT_TICKETS = 1280, 120, 65
LATER_TICKETS = 25
"""How many come in each week after the clock."""
FIRST_COMPLAINTS = 4
"""So many of the wave are complaints of its first two days."""
GO_LIVE_WAVE = timedelta(days=60)
CHANNELS = ("phone", "self-service", "email", "chat", "walk-in", "virtual_agent")
CHANNEL_WEIGHTS = (40, 30, 14, 6, 6, 4)
PRIORITY_WEIGHTS = (1.5, 10, 62, 26.5)


def add_tickets(
    world: World, people: company.Organisation, story: Story, weeks: int = 0
) -> tuple[list[Life], list[Invitation]]:
    """Adds all incidents with their SLA rows, and those of `weeks` after the clock.

    Answers their lives and the surveys that follow.
    """
    plans = [
        *_usual_plans(people, story),
        *_go_live_plans(people, story),
        *_alert_plans(story),
        *showcase.tickets(people, story),
        *_later_plans(people, story, weeks),
    ]
    chance = dice("tickets")
    lives: list[Life] = []
    invitations: list[Invitation] = []
    for plan in _numbered(plans):
        life = live(plan, people, chance)
        _measure(world, life, story)
        record(world, life)
        lives.append(life)
        invitations += _invited(life, world.now, chance)
    return lives, invitations


def _invited(life: Life, now: datetime, chance: random.Random) -> Iterator[Invitation]:
    """After each resolution of a person's ticket, perhaps; the last one before the clock counts."""
    plan = life.plan
    resolved = [event.at for event in life.events if event.values.get("state") == "6"]
    if not resolved or not plan.caller:
        return
    happened = [at for at in resolved if at <= now]
    throw = chance if happened else dice(f"survey of {plan.number}")
    if throw.random() < INVITED:
        sent = (happened or resolved)[-1] + timedelta(minutes=10)
        task = record_id("incident", plan.number)
        yield Invitation("", "incident", task, plan.caller, sent, plan.mood)


def _usual_plans(people: company.Organisation, story: Story) -> Iterator[Plan]:
    chance = dice("usual tickets")
    for at in working_time.arrivals(story.begins, story.now, USUAL_TICKETS, chance):
        caller = somebody(people.everybody, at, chance)
        mood = story.mood(caller.department, at)
        subject = _subject(story, caller, at, chance)
        if chance.random() < mood.complains:
            subject = texts.SLOW_COMPLAINT
        yield _plan(at, caller, subject, story, chance)


def _go_live_plans(people: company.Organisation, story: Story) -> Iterator[Plan]:
    """The wave after the bad go-live: most contacts in the first days, then fewer and fewer."""
    chance = dice("go-live")
    staff = people.people[FINANCE]
    for place in range(GO_LIVE_TICKETS):
        after = min(chance.expovariate(1 / 14.0), GO_LIVE_WAVE.days)
        at = working_time.plus(story.go_live + timedelta(days=after), chance.uniform(0, 6))
        subject = _weighted(texts.INVOICING_SUBJECTS, chance)
        if place < FIRST_COMPLAINTS:
            at = working_time.plus(story.go_live, 1 + 5 * place)
        is_complaint = place < FIRST_COMPLAINTS or place % 15 == 14
        subject = texts.COMPLAINT if is_complaint else subject
        yield _plan(at, somebody(staff, at, chance), subject, story, chance)


def _later_plans(people: company.Organisation, story: Story, weeks: int) -> Iterator[Plan]:
    """The tickets after the clock, for an instance that goes on: each week has its own dice."""
    for week in range(weeks):
        chance = dice(f"later tickets {week}")
        begins = story.now + timedelta(days=7 * week)
        ends = begins + timedelta(days=8)
        for at in working_time.arrivals(begins, ends, LATER_TICKETS, chance):
            if at > story.now:
                caller = somebody(people.everybody, at, chance)
                subject = _subject(story, caller, at, chance)
                yield _plan(at, caller, subject, story, chance)


def _alert_plans(story: Story) -> Iterator[Plan]:
    chance = dice("alerts")
    for _place in range(ALERT_TICKETS):
        at = story.begins + timedelta(hours=chance.uniform(1, 24 * 364))
        subject = chance.choice(texts.ALERTS)
        mood = story.mood("", at)
        yield Plan("", at.replace(microsecond=0), None, subject, "monitoring", "3", mood)


def _plan(
    at: datetime, caller: Person, subject: Subject, story: Story, chance: random.Random
) -> Plan:
    extra = {}
    if subject.service == INVOICING and story.is_early_life(at):
        extra = {"caused_by": record_id("change_request", GO_LIVE_CHANGE)}
    if subject.service == INVOICING and story.go_live + timedelta(days=20) < at < story.recovery:
        extra = {"problem_id": record_id("problem", INVOICING_PROBLEM)}
    return Plan(
        "",
        at,
        caller,
        subject,
        chance.choices(CHANNELS, CHANNEL_WEIGHTS)[0],
        chance.choices("1234", PRIORITY_WEIGHTS)[0],
        story.mood(caller.department, at),
        extra,
    )


def _subject(story: Story, caller: Person, at: datetime, chance: random.Random) -> Subject:
    is_new = at - caller.joined < timedelta(days=30)
    if is_new and chance.random() < 0.5:
        return next(s for s in texts.SUBJECTS if s.category == "access")
    if caller.department == FINANCE and at >= story.go_live and chance.random() < 0.45:
        if at >= story.recovery and chance.random() < 0.15:
            return texts.PRAISE
        return _weighted(texts.INVOICING_SUBJECTS, chance)
    return _weighted(texts.SUBJECTS, chance)


def _weighted(subjects: Sequence[Subject], chance: random.Random) -> Subject:
    return chance.choices(subjects, [subject.weight for subject in subjects])[0]


def _numbered(plans: Sequence[Plan]) -> Iterator[Plan]:
    """The plans in order of opening, with numbers; names of parents become their sys_ids."""
    numbered = [
        replace(plan, number=f"INC{1001 + place:07}")
        for place, plan in enumerate(sorted(plans, key=lambda plan: plan.opened))
    ]
    keys = {plan.key: plan.number for plan in numbered if plan.key}
    for plan in numbered:
        parent = plan.extra.get("parent_incident", "")
        if parent:
            extra = plan.extra | {"parent_incident": record_id("incident", keys[parent])}
            plan = replace(plan, extra=extra)  # noqa: PLW2901 - the same plan, completed
        yield plan


def _measure(world: World, life: Life, story: Story) -> None:
    """Resolution SLAs for each run, a response SLA for the urgent; a breach shows on the ticket."""
    plan = life.plan
    task = record_id("incident", plan.number)
    for place, run in enumerate(life.runs):
        told = Measured(task, f"p{plan.priority}", run.start, run.end, run.is_cancelled, run.pauses)
        breach = measure(world, f"{plan.number} resolution {place}", told)
        key = slas.AGREED.get(plan.subject.service)
        if key and run.start >= slas.agreed_on(story, key):
            measure(world, f"{plan.number} agreed {place}", replace(told, key=key))
        if breach:
            late = {"made_sla": "false", "escalation": "3"}
            life.events.append(Event(breach, "system", late))
            life.events += say_sorry(life, story, breach, run.end)
    if plan.priority in "12":
        told = Measured(task, "response", plan.opened, life.responded)
        measure(world, f"{plan.number} response", told)
