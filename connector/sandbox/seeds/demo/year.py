"""The demo seed: a year of an invented Spanish-English company, with a story for reports.

Everything is synthetic and says so: «Aurora Ficticia / Fictitious Aurora», people named
"Persona 017 (sintética)", addresses at example.invalid. The same clock gives the same records.

The story (numbers in `story.py`): **Finanzas loses trust and wins it back.** About five months
before the clock its e-invoicing goes live and fails; contacts pile up, answers are slow, SLAs
breach, tickets are reopened, surveys are bad; a second approval («control de gasto») holds its
requests for weeks, some lapse, two wait to this day. Two months before the clock the service is
repaired and the second approval dropped: quick answers, quick approvals, good surveys. Finanzas
and its provider have met before and meet again, and sign an agreement. The other seven departments
go on as always.

Besides the year, `showcase.py` and the showcases of the other parts set one record for each
situation that a rule can see. What lies after the clock is known too: see `changes`.

Owns how much of what there is. Refuses nothing; makes no record of our own fields.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from connector.sandbox.seeds.base import Batch, base_records
from connector.sandbox.seeds.demo import (
    automation,
    catalogue,
    customers,
    lifecycle,
    showcase,
    slas,
    surveys,
    working_time,
)
from connector.sandbox.seeds.demo import organisation as company
from connector.sandbox.seeds.demo.agreements import add_agreements
from connector.sandbox.seeds.demo.asks import Ask, ItemLife
from connector.sandbox.seeds.demo.catalogue import ITEMS, Item
from connector.sandbox.seeds.demo.changes import add_changes
from connector.sandbox.seeds.demo.contacts import add_contacts
from connector.sandbox.seeds.demo.history import Change, World, dice, moment
from connector.sandbox.seeds.demo.improvement import add_improvement
from connector.sandbox.seeds.demo.knowledge import add_knowledge
from connector.sandbox.seeds.demo.loose_ends import add_loose_ends
from connector.sandbox.seeds.demo.orders import order
from connector.sandbox.seeds.demo.organisation import FINANCE, IT, Person, somebody
from connector.sandbox.seeds.demo.planning import add_planning
from connector.sandbox.seeds.demo.problems import add_problems
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.surveys import INVITED, Invitation
from connector.sandbox.seeds.demo.tickets import add_tickets

USUAL_REQUESTS = 290
AHEAD = timedelta(weeks=12)
"""So far ahead is told at once."""


def generate(now: datetime) -> Iterator[Batch]:
    """Every record as it stands at `now` (aware UTC), in batches per table; in two seconds."""
    story, people = Story(now), company.found(now)
    world = _told(story, people)
    yield from base_records()
    yield from automation.records()
    yield from company.records(people, now)
    yield from catalogue.records()
    yield from customers.records()
    yield from lifecycle.records()
    yield "contract_sla", slas.definition_records(story)
    yield from surveys.definition_records()
    yield from world.batches()


def changes(start: datetime, after: datetime, until: datetime) -> Iterator[Change]:
    """What happens after `after` up to `until` in the demo that began with its clock at `start`.

    Everything that was under way comes to its end, and new tickets come in.
    """
    quarters = max((until - start) // AHEAD + 1, 1)
    later = _later(start, quarters)
    first = bisect_right(later, after, key=lambda change: change.at)
    last = bisect_right(later, until, key=lambda change: change.at)
    yield from later[first:last]


@lru_cache(maxsize=1)
def _later(start: datetime, quarters: int) -> list[Change]:
    """Everything that lies after the clock, in order; kept, as nights are asked for one by one."""
    world = _told(Story(start), company.found(start), 12 * quarters)
    return sorted(world.later, key=lambda change: (change.at, change.table, change.sys_id))


def _told(story: Story, people: company.Organisation, weeks: int = 0) -> World:
    """The whole story, and what comes in the `weeks` after it."""
    world = World(story.now)
    lives, invitations = add_tickets(world, people, story, weeks)
    asked, items = _requests(world, people, story)
    _surveys(world, people, [*invitations, *asked])
    add_changes(world, people, story, items)
    add_problems(world, people, story)
    add_planning(world, people, story)
    add_agreements(world, people, story)
    add_contacts(world, people, story, lives)
    add_knowledge(world, people, story, lives)
    customers.add_cases(world, people, story)
    lifecycle.add_lifecycle(world, people, story)
    add_improvement(world, people, story)
    add_loose_ends(world, people, story)
    return world


# ── requests ─────────────────────────────────────────────────────────────────────────────────


def _requests(
    world: World, people: company.Organisation, story: Story
) -> tuple[list[Invitation], list[str]]:
    """Adds all requests with what hangs on them.

    Answers the surveys that follow, and the items that are built by a change.
    """
    wanted = [
        *_usual_asks(people, story),
        *_newcomers_and_leavers(people, story),
        *showcase.asks(people, story),
    ]
    chance = dice("requests")
    lives = [
        life
        for place, ask in enumerate(sorted(wanted, key=lambda ask: ask.opened))
        for life in order(world, people, replace(ask, number=f"REQ{1001 + place:07}"), chance)
    ]
    return [*_invited(lives, world.now)], [life.sys_id for life in lives if life.ask.by_change]


def _invited(lives: Sequence[ItemLife], now: datetime) -> Iterator[Invitation]:
    for life in lives:
        chance = dice(f"survey of {life.number}")
        if _is_delivered(life) and chance.random() < INVITED:
            sent = (life.ended or now) + timedelta(minutes=10)
            yield Invitation("", "sc_req_item", life.sys_id, life.ask.person, sent, life.ask.mood)


def _is_delivered(life: ItemLife) -> bool:
    return life.ending in ("complete", "failed") and life.ended is not None


def _usual_asks(people: company.Organisation, story: Story) -> Iterator[Ask]:
    chance = dice("usual requests")
    usual = [item for item in ITEMS if item.weight]
    weights = [item.weight for item in usual]
    for at in working_time.arrivals(story.begins, story.now, USUAL_REQUESTS, chance):
        staff = people.people[FINANCE] if chance.random() < 0.12 else people.everybody
        person = somebody(staff[2:], at, chance)
        count = 2 if chance.random() < 0.3 else 1
        items = tuple(dict.fromkeys(chance.choices(usual, weights, k=count)))
        yield _ask(story, person, at, items)


def _newcomers_and_leavers(people: company.Organisation, story: Story) -> Iterator[Ask]:
    """Who joins is announced ten days before, who leaves five; the department's head asks.

    What they need is due on that day.
    """
    items = {item.key: item for item in ITEMS}
    for person in people.everybody:
        head = people.head(person.department)
        at = working_time.opening(person.joined - timedelta(days=10))
        if at > story.begins:
            asked = _ask(story, head, at, (items["onboarding"], items["laptop"]))
            yield replace(asked, extra={"due_date": moment(person.joined)})
        if person.left:
            at = working_time.opening(person.left - timedelta(days=5))
            asked = _ask(story, head, at, (items["offboarding"],))
            yield replace(asked, extra={"due_date": moment(person.left)})


def _ask(story: Story, person: Person, at: datetime, items: tuple[Item, ...]) -> Ask:
    is_controlled = story.needs_spend_control(person.department, at)
    return Ask("", at, person, items, story.mood(person.department, at), is_controlled)


# ── surveys ──────────────────────────────────────────────────────────────────────────────────


def _surveys(world: World, people: company.Organisation, invitations: Sequence[Invitation]) -> None:
    """Sends them in order; one of the last is left half answered. Then what is no survey at all."""
    chance = dice("surveys")
    in_order = sorted(invitations, key=lambda invitation: invitation.sent)
    others = [i for i in in_order if i.user.department not in (FINANCE, IT)]
    last = [i for i in others if i.sent < world.now - timedelta(days=3)][-1:]
    for place, invitation in enumerate(in_order):
        fate = "wip" if invitation in last else ""
        told = replace(invitation, number=f"AINST{1001 + place:07}", fate=fate)
        surveys.send(world, told, chance)
    for place, person in enumerate(people.people[IT][3:6]):
        sent = world.now - timedelta(days=90 + place)
        number = f"AINST{9001 + place:07}"
        skills = Invitation(number, "skills", "", person, sent, in_order[0].mood, "complete")
        surveys.send(world, skills, chance)
