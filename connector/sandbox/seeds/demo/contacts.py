"""The demo's contacts with the desk: calls, chats, bot talks and visits, some of them abandoned.

Owns interaction and interaction_related_record rows: half a year of them. A ticket that came by
telephone, chat or visit has its contact; many contacts end without a ticket.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.asks import half
from connector.sandbox.seeds.demo.history import (
    SYSTEM,
    Event,
    World,
    dice,
    duration,
    moment,
    record_id,
    truth,
)
from connector.sandbox.seeds.demo.life import Life
from connector.sandbox.seeds.demo.organisation import DESK, FINANCE, IT, Organisation, Person
from connector.sandbox.seeds.demo.story import Story

KEPT = timedelta(days=180)
USUAL_CONTACTS, WITH_TICKET = 330, 0.6
KINDS: dict[str, tuple[str, bool]] = {
    "phone": ("phone", False),
    "chat": ("chat", False),
    "virtual_agent": ("chat", True),
    "walk-in": ("walkup", False),
}
"""Channel of a ticket → type of its contact, and whether only the bot took part."""

QUESTIONS = (
    "¿Está caído el correo? / Is mail down?",
    "¿Cuál es el horario del centro de servicios? / What are the desk's hours?",
    "¿Cómo va mi solicitud? / How is my request going?",
    "Duda sobre la impresora / Question about the printer",
)
OFFER = "¿Qué portátiles se pueden pedir? / Which laptops can be ordered?"
RELATION = "Conversación con el responsable del servicio / Talk with the service owner"


@dataclass(frozen=True)
class _Contact:
    """Who turned to the desk when, how, and what came of it.

    `stands`: the state of one that still goes on; `taken` for one that an agent had begun.
    """

    kind: str
    person: Person
    at: datetime
    text: str
    code: str = "support"
    is_bot: bool = False
    is_abandoned: bool = False
    stands: str = ""
    table: str = ""
    document: str = ""


def add_contacts(world: World, organisation: Organisation, story: Story, lives: list[Life]) -> None:
    """Adds the contacts in order of time, and what each of them led to."""
    chance = dice("contacts")
    contacts = [
        *_of_tickets(story, lives, chance),
        *_without_ticket(organisation, story, chance),
        *_showcase(organisation, story),
    ]
    for place, contact in enumerate(sorted(contacts, key=lambda contact: contact.at)):
        _add(world, organisation, f"IMS{1001 + place:07}", contact, chance)


def _of_tickets(story: Story, lives: list[Life], chance: random.Random) -> Iterator[_Contact]:
    for life in lives:
        plan = life.plan
        is_kept = story.now - KEPT < plan.opened <= story.now
        if not plan.caller or plan.channel not in KINDS or not is_kept:
            continue
        if chance.random() < WITH_TICKET:
            kind, is_bot = KINDS[plan.channel]
            at = plan.opened - timedelta(seconds=chance.randint(60, 400))
            document = record_id("incident", plan.number)
            text = plan.subject.text(plan.caller.language)
            yield _Contact(kind, plan.caller, at, text, "support", is_bot, False, "", "incident",
                           document)  # fmt: skip


def _without_ticket(
    organisation: Organisation, story: Story, chance: random.Random
) -> Iterator[_Contact]:
    """Questions answered at once; people hang up more often where answers are slow."""
    for at in working_time.arrivals(story.now - KEPT, story.now, USUAL_CONTACTS, chance):
        person = chance.choice([p for p in organisation.everybody if p.works_at(at)])
        channel = chance.choices([*KINDS], (45, 20, 25, 10))[0]
        kind, is_bot = KINDS[channel]
        slowness = story.mood(person.department, at).slowness
        is_abandoned = chance.random() < min(0.05 * slowness, 0.3)
        text = half(chance.choice(QUESTIONS), person.language)
        code = "" if is_bot or is_abandoned else "information"
        yield _Contact(kind, person, at, text, code, is_bot, is_abandoned)


def _showcase(organisation: Organisation, story: Story) -> Iterator[_Contact]:
    """One contact for each thing that a rule can see, in the last days."""
    people = organisation.people
    item, laptop = "sc_cat_item", record_id("sc_cat_item", "laptop")

    def at(hours: float) -> datetime:
        return working_time.opening(story.now - timedelta(hours=hours))

    for place, kind in enumerate(("phone", "chat", "walkup", "email", "video", "messaging")):
        yield _Contact(kind, people["Ventas"][15 + place], at(4 + place), QUESTIONS[2])
    yield _Contact("chat", people["Legal"][6], at(5), QUESTIONS[1], "", True)
    for place, kind in enumerate(("phone", "chat", "walkup")):
        yield _Contact(kind, people["Legal"][7 + place], at(28), "", "", is_abandoned=True)
    yield _Contact("chat", people["Legal"][10], at(29), "", "", True, True)
    yield _Contact("email", people["Legal"][11], at(33), "", "", is_abandoned=True)
    yield _Contact("chat", people["Legal"][12], at(34), "", "", False, True, "taken")
    marketing = people["Marketing"]
    yield _Contact("chat", marketing[8], at(30), OFFER, "offer_enquiry")
    yield _Contact("phone", marketing[9], at(31), OFFER, table=item, document=laptop)
    yield _Contact("video", people["Operaciones"][0], at(50), RELATION, "relationship")
    for days in (40, 12):
        when = working_time.opening(story.now - timedelta(days=days))
        yield _Contact("meeting", people[FINANCE][0], when, RELATION, "relationship")
    for place, state in enumerate(("new", "on_hold", "work_in_progress", "wrap_up")):
        yield _Contact("phone", people["Logística"][20 + place], at(0.4), "", stands=state)


def _add(
    world: World, organisation: Organisation, number: str, contact: _Contact, chance: random.Random
) -> None:
    staff = organisation.people[IT][1:2] if contact.code == "relationship" else None
    agent = chance.choice(staff or organisation.agents(DESK))
    lasts = timedelta(minutes=chance.uniform(2, 14))
    opened = Event(contact.at, contact.person.user_name, _opened(number, contact))
    world.add("interaction", number, [opened, *_life(contact, agent, lasts)])
    if contact.document:
        _relate(world, number, contact, contact.at + lasts)


def _opened(number: str, contact: _Contact) -> Record:
    return {
        "number": number,
        "type": contact.kind,
        "state": "new",
        "active": "true",
        "short_description": half(contact.text, contact.person.language),
        "opened_for": contact.person.sys_id,
        "opened_at": moment(contact.at),
        "assignment_group": record_id("sys_user_group", DESK),
        "virtual_agent": truth(contact.is_bot),
        "queue": "bot" if contact.is_bot else "desk",
    }


def _life(contact: _Contact, agent: Person, lasts: timedelta) -> Iterator[Event]:
    """Taken by an agent unless the bot does it alone; given up, closed, or still going on."""
    ends = contact.at + lasts
    closed = {"active": "false", "closed_at": moment(ends)}
    if contact.stands == "taken":
        taken = {"state": "work_in_progress", "assigned_to": agent.sys_id}
        yield Event(contact.at + timedelta(seconds=25), agent.user_name, taken)
    if contact.is_abandoned:
        left = {**closed, "state": "closed_abandoned", "state_reason": "abandoned"}
        yield Event(ends, SYSTEM, left)
        return
    if contact.stands == "new":
        return
    taken = {"state": "work_in_progress"}
    if not contact.is_bot:
        taken |= {"assigned_to": agent.sys_id}
    by = SYSTEM if contact.is_bot else agent.user_name
    yield Event(contact.at + timedelta(seconds=25), by, taken)
    if contact.stands in ("on_hold", "wrap_up"):
        yield Event(contact.at + timedelta(seconds=90), by, {"state": contact.stands})
    if not contact.stands:
        wrapped = {"state": "closed_complete", "wrap_up_code": contact.code}
        yield Event(ends, by, {**closed, **wrapped, "wrap_up_duration": duration(0.02)})


def _relate(world: World, number: str, contact: _Contact, at: datetime) -> None:
    is_task = contact.table == "incident"
    values = {
        "interaction": record_id("interaction", number),
        "type": "task" if is_task else "catalog_item",
        "document_table": contact.table,
        "document_id": contact.document,
        "task": contact.document if is_task else "",
    }
    world.add("interaction_related_record", f"{number} related", [Event(at, SYSTEM, values)])
