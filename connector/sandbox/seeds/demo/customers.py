"""The demo's external customers: two invented companies, their people, and what they ask for.

Owns customer_account, customer_contact and sn_customerservice_case rows.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Batch, Record, stamped
from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.asks import half
from connector.sandbox.seeds.demo.history import SYSTEM, Event, World, dice, moment, record_id
from connector.sandbox.seeds.demo.organisation import APPLICATIONS, DESK, Organisation, Person
from connector.sandbox.seeds.demo.story import USUAL, Story
from connector.sandbox.seeds.demo.surveys import INVITED, Invitation, send
from connector.sandbox.seeds.demo.tasks import over, task
from connector.timestamps import parse_instance

ACCOUNTS = ("Cliente Ficticio Este (sintético)", "Fictitious Customer West (synthetic)")
USUAL_CASES = 64
CHANNELS = ("web", "email", "phone", "chat", "social")
SUBJECTS = (
    ("issue", "intranet", "El portal de clientes no deja descargar facturas / "
     "The customer portal does not let us download invoices"),
    ("issue", "erp", "Un pedido aparece dos veces / An order appears twice"),
    ("question", "intranet", "¿Cómo doy de alta a un compañero? / How do I add a colleague?"),
    ("question", "erp", "¿Cuándo llega el pedido? / When does the order arrive?"),
)  # fmt: skip


def account_id(account: str) -> str:
    """The sys_id of an external customer."""
    return record_id("customer_account", account)


def contacts(account: str) -> tuple[Person, ...]:
    """The people of an external customer that speak to the provider: eight of them."""
    first = 1 + 8 * ACCOUNTS.index(account)
    language = "es" if account == ACCOUNTS[0] else "en"
    joined = datetime(2020, 1, 1, tzinfo=working_time.ZONE)
    return tuple(
        Person(record_id("customer_contact", name), name, "", language, False, joined, None)
        for name in (f"contacto.{number:03}" for number in range(first, first + 8))
    )


def records() -> Iterator[Batch]:
    """The companies and their people, as they always were."""
    note = "Sintética: no existe / Synthetic: does not exist"
    yield (
        "customer_account",
        [
            stamped(
                account_id(name),
                {
                    "name": name,
                    "number": f"ACCT{1001 + place:07}",
                    "account_code": f"F{place + 1}",
                    "customer": "true",
                    "vendor": "false",
                    "notes": note,
                },
            )
            for place, name in enumerate(ACCOUNTS)
        ],
    )
    yield "customer_contact", [_contact(p, a) for a in ACCOUNTS for p in contacts(a)]


def _contact(person: Person, account: str) -> Record:
    number = person.user_name[-3:]
    values = {
        "user_name": person.user_name,
        "name": f"Contacto {number} (sintético)",
        "email": f"{person.user_name}@example.invalid",
        "account": account_id(account),
        "company": account_id(account),
        "active": "true",
        "vip": "false",
        "preferred_language": person.language,
    }
    return stamped(person.sys_id, values)


def add_cases(world: World, organisation: Organisation, story: Story) -> None:
    """Adds the cases: a year's usual ones, and one for each thing that a rule can see."""
    chance = dice("cases")
    planned = [
        (at, *chance.choice(SUBJECTS), chance.choices(CHANNELS, (40, 25, 20, 10, 5))[0], "")
        for at in working_time.arrivals(story.begins, story.now, USUAL_CASES, chance)
    ]
    planned += [*_showcase(story)]
    for place, (at, category, service, text, channel, stands) in enumerate(sorted(planned)):
        account = chance.choice(ACCOUNTS)
        who = chance.choice(contacts(account))
        values = task(
            "sn_customerservice_case",
            f"CS{1001 + place:07}",
            half(text, who.language),
            at,
            state="1",
            service=service,
            group=APPLICATIONS if category == "issue" else DESK,
            account=account_id(account),
            contact=who.sys_id,
            category=category,
            contact_type=channel,
        )
        values["company"] = account_id(account)
        opened = Event(at, who.user_name, values)
        agents = organisation.agents(APPLICATIONS)
        events = [opened, *_life(at, who, agents, stands, chance)]
        made = world.add("sn_customerservice_case", values["number"], events)
        if made and made.get("resolved_at"):
            _ask(world, made, who, stands, chance)


def _ask(world: World, case: Record, who: Person, stands: str, chance: random.Random) -> None:
    """A survey after some of the cases; `bad` and `good` are sure to be answered so."""
    mood = replace(USUAL, scores=(80, 20, 0, 0, 0)) if stands == "bad" else USUAL
    fate = "complete" if stands in ("bad", "good") else ""
    if fate or chance.random() < INVITED:
        sent = parse_instance(case["resolved_at"]) + timedelta(minutes=10)
        number = f"AINST7{case['number'][3:]}"
        table, identity = "sn_customerservice_case", case["sys_id"]
        send(world, Invitation(number, table, identity, who, sent, mood, fate), dice(number))


def _showcase(story: Story) -> Iterator[tuple[datetime, str, str, str, str, str]]:
    issue, question = SUBJECTS[0], SUBJECTS[2]

    def ago(hours: float) -> datetime:
        return working_time.opening(story.now - timedelta(hours=hours))

    for place, channel in enumerate(CHANNELS):
        yield ago(26 + place), *question, channel, "1"
    for place, channel in enumerate(CHANNELS):
        yield ago(50 + place), *issue, channel, "10"
    moved = "El portal de transporte no muestra el envío / The transport portal hides a shipment"
    yield ago(58), "issue", "transport", moved, "web", "10"
    yield ago(75), *issue, "web", "18"
    yield ago(54), *issue, "web", "10 noted"
    yield ago(55), *issue, "web", "10 automatic"
    yield ago(240), *issue, "web", "bad"
    yield ago(260), *issue, "web", "good"
    yield ago(30), *question, "email", "6"
    late = "Queja: el pedido lleva dos semanas de retraso / Complaint: the order is two weeks late"
    yield ago(100), "complaint", "erp", late, "phone", "10"
    yield ago(400), "complaint", "erp", late, "email", ""
    thanks = "Gracias por la ayuda con el portal / Thank you for the help with the portal"
    yield ago(210), "compliment", "intranet", thanks, "web", ""
    renewal = "Renovación del contrato del portal / Renewal of the portal contract"
    yield ago(290), "renewal", "intranet", renewal, "email", "10"
    joining = "Incorporación al portal de clientes / Onboarding to the customer portal"
    yield ago(120), "onboarding", "intranet", joining, "web", "10"
    yield ago(170), *issue, "web", "7"


def _go_on(at: datetime, agent: Person, stands: str) -> Iterator[Event]:
    """What happened last to a case that is being worked on."""
    if stands == "10 noted":
        yield Event(at, agent.user_name, work_notes=texts.PROGRESS["es"])
    elif stands == "10 automatic":
        yield Event(at, SYSTEM, work_notes=texts.RESTARTED)


def _life(
    opened: datetime, who: Person, agents: Sequence[Person], stands: str, chance: random.Random
) -> Iterator[Event]:
    """From the first answer to the end, or up to the state in which it stands."""
    agent, language = chance.choice(agents), who.language
    answered = working_time.plus(opened, chance.uniform(0.3, 5))
    if stands == "1":
        return
    taken = {"state": "10", "assigned_to": agent.sys_id, "first_response_time": moment(answered)}
    yield Event(answered, agent.user_name, taken, texts.FIRST_ANSWER[language])
    asked = working_time.plus(answered, chance.uniform(1, 6))
    if stands == "18" or (not stands and chance.random() < 0.3):
        yield Event(asked, agent.user_name, {"state": "18"}, texts.QUESTION[language])
        if stands == "18":
            return
        back = working_time.plus(asked, chance.uniform(2, 20))
        yield Event(back, who.user_name, {"state": "10"}, texts.REPLY[language])
        asked = back
    if stands.startswith("10"):
        yield from _go_on(asked, agent, stands)
        return
    if stands == "7":
        yield Event(asked, who.user_name, over("7", asked), texts.WITHDRAWN[language])
        return
    solved = working_time.plus(asked, chance.lognormvariate(2.2, 0.7))
    if stands == "6":
        solved = working_time.plus(answered, 0.5)
    resolved = {
        "state": "6",
        "resolved_at": moment(solved),
        "resolved_by": agent.sys_id,
        "resolution_code": "fix_applied",
    }
    yield Event(solved, agent.user_name, resolved, texts.SOLVED[language])
    if stands != "6":
        closed = solved + timedelta(days=5)
        yield Event(closed, "system", over("3", closed))
