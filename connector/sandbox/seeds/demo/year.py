"""The demo seed: a year of an invented Spanish-English company, with a story for reports.

Everything is synthetic and says so: «Aurora Ficticia / Fictitious Aurora», people named
"Persona 017 (sintética)", addresses at example.invalid. The same clock gives the same records.

The story (numbers in `story.py`): **Finanzas loses trust and wins it back.** About five months
before the clock its e-invoicing goes live and fails; contacts pile up, answers are slow, SLAs
breach, tickets are reopened, surveys are bad; a second approval («control de gasto») holds its
requests for weeks, some lapse, two wait to this day. Two months before the clock the service is
repaired and the second approval dropped: quick answers, quick approvals, good surveys. The other
seven departments go on as always.

Besides the year, `showcase.py` sets one record for each situation that a rule can see.

Owns how much of what there is. Refuses nothing; makes no record of our own fields.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Batch, base_records
from connector.sandbox.seeds.demo import organisation as company
from connector.sandbox.seeds.demo import showcase, slas, surveys, texts, working_time
from connector.sandbox.seeds.demo.asks import Ask, ItemLife
from connector.sandbox.seeds.demo.context import GO_LIVE_CHANGE, INVOICING_PROBLEM, add_context
from connector.sandbox.seeds.demo.history import Event, World, dice, record_id
from connector.sandbox.seeds.demo.incidents import Life, Plan, live, record
from connector.sandbox.seeds.demo.orders import order
from connector.sandbox.seeds.demo.organisation import FINANCE, INVOICING, IT, ITEMS, Item, Person
from connector.sandbox.seeds.demo.slas import Measured, measure
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.surveys import Invitation
from connector.sandbox.seeds.demo.texts import Subject

USUAL_TICKETS, GO_LIVE_TICKETS, ALERT_TICKETS, USUAL_REQUESTS = 1280, 120, 65, 290
GO_LIVE_WAVE = timedelta(days=60)
CHANNELS = ("phone", "self-service", "email", "chat", "walk-in", "virtual_agent")
CHANNEL_WEIGHTS = (40, 30, 14, 6, 6, 4)
PRIORITY_WEIGHTS = (1.5, 10, 62, 26.5)
INVITED = 0.45
"""The share of resolved tickets and delivered items after which a survey is sent."""


def generate(now: datetime) -> Iterator[Batch]:
    """Every record as it stands at `now` (aware UTC), in batches per table; under three seconds."""
    story, people = Story(now), company.found(now)
    world = World(now)
    add_context(world, people, story)
    invitations = [
        *_tickets(world, people, story),
        *_requests(world, people, story),
    ]
    _surveys(world, people, invitations)
    yield from base_records()
    yield from company.records(people, now)
    yield "contract_sla", slas.definition_records()
    yield from surveys.definition_records()
    yield from world.batches()


# ── incidents ────────────────────────────────────────────────────────────────────────────────


def _tickets(world: World, people: company.Organisation, story: Story) -> Iterator[Invitation]:
    """Adds all incidents with their SLA rows; answers the surveys that follow."""
    plans = [
        *_usual_plans(people, story),
        *_go_live_plans(people, story),
        *_alert_plans(story),
        *showcase.tickets(people, story),
    ]
    chance = dice("tickets")
    for plan in _numbered(plans):
        life = live(plan, people, chance)
        _measure(world, life)
        made = record(world, life)
        resolved = [e.at for e in life.events if e.values.get("state") == "6" and e.at <= world.now]
        if made and resolved and plan.caller and chance.random() < INVITED:
            sent = resolved[-1] + timedelta(minutes=10)
            yield Invitation("", "incident", made["sys_id"], plan.caller, sent, plan.mood)


def _usual_plans(people: company.Organisation, story: Story) -> Iterator[Plan]:
    chance = dice("usual tickets")
    for at in working_time.arrivals(story.begins, story.now, USUAL_TICKETS, chance):
        caller = _somebody(people.everybody, at, chance)
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
        subject = texts.COMPLAINT if place % 15 == 14 else subject
        yield _plan(at, _somebody(staff, at, chance), subject, story, chance)


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


def _somebody(staff: Sequence[Person], at: datetime, chance: random.Random) -> Person:
    """Anybody there at that time; a few people call far more often than others."""
    while True:
        place = min(int(chance.expovariate(2.2) * len(staff)), len(staff) - 1)
        person = staff[(place * 7) % len(staff)]
        if person.works_at(at):
            return person


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


def _measure(world: World, life: Life) -> None:
    """Resolution SLAs for each run, a response SLA for the urgent; a breach shows on the ticket."""
    plan = life.plan
    task = record_id("incident", plan.number)
    for place, run in enumerate(life.runs):
        if run.start <= world.now:
            told = Measured(
                task, f"p{plan.priority}", run.start, run.end, run.is_cancelled, run.pauses
            )
            breach = measure(world, f"{plan.number} resolution {place}", told)
            if breach:
                late = {"made_sla": "false", "escalation": "3"}
                life.events.append(Event(breach, "system", late))
    if plan.priority in "12":
        told = Measured(task, "response", plan.opened, life.responded)
        measure(world, f"{plan.number} response", told)


# ── requests ─────────────────────────────────────────────────────────────────────────────────


def _requests(world: World, people: company.Organisation, story: Story) -> Iterator[Invitation]:
    """Adds all requests with what hangs on them; answers the surveys that follow."""
    wanted = [
        *_usual_asks(people, story),
        *_newcomers_and_leavers(people, story),
        *showcase.asks(people, story),
    ]
    chance = dice("requests")
    for place, ask in enumerate(sorted(wanted, key=lambda ask: ask.opened)):
        for life in order(world, people, replace(ask, number=f"REQ{1001 + place:07}"), chance):
            if _was_delivered(life, world.now) and chance.random() < INVITED:
                sent = (life.ended or world.now) + timedelta(minutes=10)
                yield Invitation(
                    "", "sc_req_item", life.sys_id, life.ask.person, sent, life.ask.mood
                )


def _was_delivered(life: ItemLife, now: datetime) -> bool:
    return life.ending in ("complete", "failed") and life.ended is not None and life.ended <= now


def _usual_asks(people: company.Organisation, story: Story) -> Iterator[Ask]:
    chance = dice("usual requests")
    usual = [item for item in ITEMS if item.weight]
    weights = [item.weight for item in usual]
    for at in working_time.arrivals(story.begins, story.now, USUAL_REQUESTS, chance):
        staff = people.people[FINANCE] if chance.random() < 0.12 else people.everybody
        person = _somebody(staff[2:], at, chance)
        count = 2 if chance.random() < 0.3 else 1
        items = tuple(dict.fromkeys(chance.choices(usual, weights, k=count)))
        yield _ask(story, person, at, items)


def _newcomers_and_leavers(people: company.Organisation, story: Story) -> Iterator[Ask]:
    """Who joins is announced ten days before, who leaves five; the department's head asks."""
    items = {item.key: item for item in ITEMS}
    for person in people.everybody:
        head = people.head(person.department)
        at = working_time.opening(person.joined - timedelta(days=10))
        if at > story.begins:
            yield _ask(story, head, at, (items["onboarding"], items["laptop"]))
        if person.left:
            at = working_time.opening(person.left - timedelta(days=5))
            yield _ask(story, head, at, (items["offboarding"],))


def _ask(story: Story, person: Person, at: datetime, items: tuple[Item, ...]) -> Ask:
    is_controlled = story.needs_spend_control(person.department, at)
    return Ask("", at, person, items, story.mood(person.department, at), is_controlled)


# ── surveys ──────────────────────────────────────────────────────────────────────────────────


def _surveys(world: World, people: company.Organisation, invitations: Sequence[Invitation]) -> None:
    """Sends them in order; one of the last is left half answered. Then what is no survey at all."""
    chance = dice("surveys")
    in_order = sorted(invitations, key=lambda invitation: invitation.sent)
    last = [i for i in in_order if i.user.department not in (FINANCE, IT)][-1:]
    for place, invitation in enumerate(in_order):
        fate = "wip" if invitation in last else ""
        told = replace(invitation, number=f"AINST{1001 + place:07}", fate=fate)
        surveys.send(world, told, chance)
    for place, person in enumerate(people.people[IT][3:6]):
        sent = world.now - timedelta(days=90 + place)
        number = f"AINST{9001 + place:07}"
        skills = Invitation(number, "skills", "", person, sent, in_order[0].mood, "complete")
        surveys.send(world, skills, chance)
