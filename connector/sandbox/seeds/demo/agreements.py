"""The demo's agreements: contracts from draft to end, and the meetings in which they are prepared.

Owns ast_contract and sn_acct_lc_touchpoint rows. Finanzas and its provider meet before and after
the recovery, and sign an agreement on e-invoicing soon after it: the ring of the story.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.customers import ACCOUNTS, account_id, contacts
from connector.sandbox.seeds.demo.history import SYSTEM, Event, World, moment, record_id
from connector.sandbox.seeds.demo.organisation import (
    COMPANY,
    FINANCE,
    INVOICING,
    IT,
    SUPPLIERS,
    Organisation,
)
from connector.sandbox.seeds.demo.story import Story

REVIEW = 9
"""Days from the draft to the review that comes before signing."""


@dataclass(frozen=True)
class Contract:
    """A contract on the calendar, in days from the clock (the past is negative).

    `fate`: draft, review, active, renewal (active and under review again), cancelled. One whose
    `ends` has passed expires, with `renewed` where another follows it.
    """

    text: str
    department: str
    service: str
    drafted: int
    starts: int
    ends: int
    fate: str = "active"
    renewed: bool = False
    supplier: str = ""
    account: str = ""


CONTRACTS = (
    Contract("Acuerdo de servicio del CRM / CRM service agreement", "Ventas", "crm", -45, -20, 345),
    Contract(
        "Acuerdo de puesto de trabajo / Workplace agreement",
        *("Operaciones", "workplace", -340, -305, 60, "renewal"),
    ),
    Contract(
        "Acuerdo del ERP con Finanzas / ERP agreement with Finance",
        *(FINANCE, "erp", -275, -250, 115),
    ),
    Contract(
        "Acuerdo de impresión con Logística / Printing agreement with Logistics",
        *("Logística", "printing", -6, 30, 395, "draft"),
    ),
    Contract(
        "Acuerdo de intranet con Marketing / Intranet agreement with Marketing",
        *("Marketing", "intranet", -25, 20, 385, "review"),
    ),
    Contract(
        "Acuerdo de correo con Legal / Mail agreement with Legal", "Legal", "mail", -420, -395, -30
    ),
    Contract(
        "Acuerdo de nómina 1 / Payroll agreement 1",
        *("Recursos Humanos", "payroll", -490, -460, -95),
        renewed=True,
    ),
    Contract(
        "Acuerdo de nómina 2 / Payroll agreement 2", "Recursos Humanos", "payroll", -130, -95, 270
    ),
    Contract(
        "Acuerdo de red con Operaciones / Network agreement with Operations",
        *("Operaciones", "network", -200, -180, 185, "cancelled"),
    ),
    Contract(
        "Contrato de mantenimiento de impresoras / Printer maintenance contract",
        *(IT, "printing", -345, -344, 21, "renewal"),
        supplier=SUPPLIERS[0],
    ),
    Contract(
        "Contrato del portal de clientes / Customer portal contract",
        *("", "intranet", -330, -320, 45),
        account=ACCOUNTS[0],
    ),
    Contract(
        "Contrato de integración de pedidos / Order integration contract",
        *("", "erp", -20, 12, 377),
        account=ACCOUNTS[1],
    ),
)


def add_agreements(world: World, organisation: Organisation, story: Story) -> None:
    """Adds the contracts and the meetings."""
    signed = (story.agreement - story.now).days
    ring = Contract(
        "Acuerdo de facturación electrónica / E-invoicing agreement",
        *(FINANCE, INVOICING, signed - 14, signed, signed + 365),
    )
    for place, contract in enumerate((ring, *CONTRACTS)):
        number = f"CNTR{1001 + place:07}"
        world.add("ast_contract", number, _life(number, contract, organisation, story.now))
    for place, meeting in enumerate(_meetings(organisation, story)):
        _add_meeting(world, f"TPT{1001 + place:07}", meeting, organisation)


def _life(number: str, contract: Contract, people: Organisation, now: datetime) -> list[Event]:
    manager = people.people[IT][1].user_name
    drafted = working_time.opening(now + timedelta(days=contract.drafted))
    events = [Event(drafted, manager, _drafted(number, contract, people, now))]
    reviewed = working_time.opening(drafted + timedelta(days=REVIEW))
    if contract.fate != "draft":
        events.append(Event(reviewed, manager, {"substate": "under_review"}))
    if contract.fate in ("draft", "review"):
        return events
    starts = _midnight(now, contract.starts)
    approved = min(reviewed + timedelta(days=3), starts)
    events.append(Event(approved, manager, {"substate": "approved"}))
    events.append(Event(starts, SYSTEM, {"state": "active", "active": "true"}))
    return events + _end(contract, manager, now)


def _end(contract: Contract, manager: str, now: datetime) -> list[Event]:
    if contract.fate == "cancelled":
        at = working_time.opening(now - timedelta(days=40))
        return [Event(at, manager, {"state": "cancelled", "substate": "", "active": "false"})]
    ends = _midnight(now, contract.ends)
    expired = Event(ends, SYSTEM, {"state": "expired", "active": "false"})
    if contract.fate == "renewal":
        at = working_time.opening(now - timedelta(days=10))
        return [Event(at, manager, {"substate": "under_review"}), expired]
    if contract.renewed:
        at = working_time.opening(ends - timedelta(days=20))
        return [Event(at, manager, {"substate": "renewal_approved"}), expired]
    return [expired]


def _drafted(number: str, contract: Contract, people: Organisation, now: datetime) -> Record:
    owner = people.head(contract.department or IT)
    return {
        "number": number,
        "sys_class_name": "ast_contract",
        "short_description": contract.text,
        "state": "draft",
        "substate": "awaiting_review",
        "active": "false",
        "starts": _day(now, contract.starts),
        "ends": _day(now, contract.ends),
        "renewable": "Yes",
        "renewal_date": _day(now, contract.ends - 90),
        "customer": _customer(contract),
        "vendor": record_id("core_company", contract.supplier) if contract.supplier else "",
        "business_owner": "" if contract.account else owner.sys_id,
        "contract_administrator": people.people[IT][1].sys_id,
        "approver": people.head(IT).sys_id,
        "u_business_service": record_id("cmdb_ci_service", contract.service),
    }


def _customer(contract: Contract) -> str:
    return account_id(contract.account) if contract.account else record_id("core_company", COMPANY)


def _day(now: datetime, days: int) -> str:
    return (now + timedelta(days=days)).date().isoformat()


def _midnight(now: datetime, days: int) -> datetime:
    """When the platform's nightly job sees that day."""
    return (now + timedelta(days=days)).replace(hour=0, minute=5, second=0, microsecond=0)


# ── meetings ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Meeting:
    """A meeting with a customer: about which service, when, and whether it took place."""

    text: str
    kind: str
    channel: str
    contact: str
    service: str
    at: datetime
    account: str = ""
    is_canceled: bool = False


def _meetings(people: Organisation, story: Story) -> Iterator[Meeting]:
    """In the order of their dates of each customer; those of Finanzas tell its story.

    Before the recovery they only look back at what went wrong; the relationship begins after it.
    """
    finance = people.head(FINANCE).sys_id
    for days, kind, channel, text in (
        (-25, "business_review", "in_person", "Los fallos de facturación / The invoicing failures"),
        (-8, "business_review", "in_person", "Plan de recuperación / Recovery plan"),
        (3, "check_in", "virtual", "Primeros días tras la corrección / First days after the fix"),
        (9, "business_review", "in_person", "Revisión y acuerdo / Review and agreement"),
        (31, "check_in", "virtual", "Seguimiento mensual / Monthly check-in"),
        (52, "check_in", "virtual", "Seguimiento mensual / Monthly check-in"),
        (58, "check_in", "virtual", "Revisión del servicio / Service review"),
        (73, "check_in", "virtual", "Seguimiento mensual / Monthly check-in"),
    ):
        yield Meeting(text, kind, channel, finance, INVOICING, story.recovery + _days(days))
    for department, service, days, kind, is_canceled in (
        ("Ventas", "crm", -95, "needs", False),
        ("Ventas", "crm", -30, "check_in", False),
        ("Operaciones", "workplace", -110, "check_in", False),
        ("Operaciones", "workplace", -20, "business_review", False),
        ("Marketing", "intranet", -15, "needs", True),
        ("Logística", "printing", -4, "needs", False),
        ("Recursos Humanos", "payroll", -100, "renewal", False),
    ):
        text = f"Reunión con {department} / Meeting with {department}"
        who = people.head(department).sys_id
        at = story.now + _days(days)
        yield Meeting(text, kind, "virtual", who, service, at, is_canceled=is_canceled)
    for account, days, kind in (
        (ACCOUNTS[0], -80, "check_in"),
        (ACCOUNTS[0], -12, "renewal"),
        (ACCOUNTS[1], -40, "needs"),
        (ACCOUNTS[1], 15, "check_in"),
    ):
        who = contacts(account)[0].sys_id
        text = "Reunión con el cliente / Customer meeting"
        yield Meeting(text, kind, "virtual", who, "", story.now + _days(days), account)


def _days(count: int) -> timedelta:
    return timedelta(days=count)


def _add_meeting(world: World, number: str, meeting: Meeting, people: Organisation) -> None:
    owner = people.people[IT][1]
    begins = working_time.opening(meeting.at).replace(minute=0, second=0, microsecond=0)
    ends = begins + timedelta(hours=1)
    values = {
        "number": number,
        "short_description": meeting.text,
        "type": meeting.kind,
        "channel": meeting.channel,
        "state": "scheduled",
        "active": "true",
        "internal": "false",
        "account": account_id(meeting.account) if meeting.account else "",
        "contact": meeting.contact,
        "assigned_to": owner.sys_id,
        "start_date": moment(begins),
        "end_date": moment(ends),
        "u_business_service": (
            record_id("cmdb_ci_service", meeting.service) if meeting.service else ""
        ),
    }
    state = "canceled" if meeting.is_canceled else "completed"
    events = [
        Event(working_time.opening(begins - timedelta(days=10)), owner.user_name, values),
        Event(ends, owner.user_name, {"state": state, "active": "false"}),
    ]
    world.add("sn_acct_lc_touchpoint", number, events)
