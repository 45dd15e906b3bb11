"""The demo's changes and problems: what incidents wait for or were caused by.

Few, and complete only as far as other records refer to them; the go-live and the repair of
e-invoicing are among them.
"""

from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.history import Event, World, moment, record_id
from connector.sandbox.seeds.demo.organisation import (
    APPLICATIONS,
    COMPANY,
    INVOICING,
    IT,
    NETWORK,
    Organisation,
)
from connector.sandbox.seeds.demo.story import Story

GO_LIVE_CHANGE, REPAIR_CHANGE, CRM_CHANGE = "CHG0001001", "CHG0001002", "CHG0001003"
PLANNED_CHANGE, WAITING_CHANGE = "CHG0001004", "CHG0001005"
INVOICING_PROBLEM, OPEN_PROBLEM = "PRB0001001", "PRB0001002"


def add_context(world: World, organisation: Organisation, story: Story) -> None:
    """Adds the changes with their approvals, and the problems."""
    _add_changes(world, organisation, story)
    _add_problems(world, organisation, story)


def _add_changes(world: World, organisation: Organisation, story: Story) -> None:
    now = story.now
    golive = "Puesta en marcha de la facturación electrónica / E-invoicing go-live"
    repair = "Corrección de la facturación electrónica / E-invoicing repair"
    crm = "Actualización del CRM / CRM update"
    for number, text, service, at, code in (
        (GO_LIVE_CHANGE, golive, INVOICING, story.go_live, "unsuccessful"),
        (REPAIR_CHANGE, repair, INVOICING, story.recovery, "successful"),
        (CRM_CHANGE, crm, "crm", now - timedelta(days=5), "successful_issues"),
    ):
        who = organisation.agents(APPLICATIONS)[0].user_name
        opened = at - timedelta(days=12)
        closed = {"state": "3", "active": "false", "closed_at": moment(at), "close_code": code}
        approver = organisation.head(IT)
        asked = Event(opened, who, _approval(number, "requested") | {"approver": approver.sys_id})
        said = Event(opened + timedelta(days=3), approver.user_name, {"state": "approved"})
        world.add("sysapproval_approver", f"{number} approval", [asked, said])
        events = [
            Event(opened, who, _change(number, text, service, opened, at)),
            Event(opened + timedelta(days=3), who, {"state": "-2", "approval": "approved"}),
            Event(at, who, closed),
        ]
        world.add("change_request", number, events)
    _add_open_changes(world, organisation, now)


def _add_open_changes(world: World, organisation: Organisation, now: datetime) -> None:
    agent = organisation.agents(NETWORK)[0]
    opened = working_time.opening(now - timedelta(days=6))
    later = now + timedelta(days=9)
    planned = _change(PLANNED_CHANGE, "Cambio de red / Router change", "network", opened, later)
    planned |= {"state": "-2", "approval": "approved"}
    world.add("change_request", PLANNED_CHANGE, [Event(opened, agent.user_name, planned)])
    waiting = _change(WAITING_CHANGE, "Red de invitados / Guest network", "network", opened, later)
    waiting |= {"state": "-3", "approval": "requested"}
    world.add("change_request", WAITING_CHANGE, [Event(opened, agent.user_name, waiting)])
    for place, (person, state) in enumerate(
        (
            (organisation.head(IT), "requested"),
            (organisation.head("Operaciones"), "requested"),
            (organisation.head("Legal"), "not requested"),
        )
    ):
        values = _approval(WAITING_CHANGE, state) | {"approver": person.sys_id}
        name = f"{WAITING_CHANGE} approval {place}"
        world.add("sysapproval_approver", name, [Event(opened, agent.user_name, values)])


def _approval(number: str, state: str) -> Record:
    change = record_id("change_request", number)
    return {
        "sysapproval": change,
        "source_table": "change_request",
        "document_id": change,
        "state": state,
    }


def _change(number: str, text: str, service: str, opened: datetime, starts: datetime) -> Record:
    return {
        "number": number,
        "sys_class_name": "change_request",
        "short_description": text,
        "type": "normal",
        "risk": "3",
        "state": "-5",
        "active": "true",
        "approval": "requested",
        "priority": "3",
        "impact": "2",
        "urgency": "2",
        "opened_at": moment(opened),
        "start_date": moment(starts),
        "end_date": moment(starts + timedelta(hours=3)),
        "business_service": record_id("cmdb_ci_service", service),
        "cmdb_ci": record_id("cmdb_ci_service", service),
        "company": record_id("core_company", COMPANY),
    }


def _add_problems(world: World, organisation: Organisation, story: Story) -> None:
    who = organisation.agents(APPLICATIONS)[1].user_name
    found, fixed = story.go_live + timedelta(days=20), story.recovery
    text = "Facturas rechazadas tras la puesta en marcha / Invoices rejected after the go-live"
    events = [
        Event(found, who, _problem(INVOICING_PROBLEM, text, INVOICING, found, "103")),
        Event(fixed - timedelta(days=15), who, {"state": "104", "problem_state": "104"}),
        Event(
            fixed,
            who,
            {
                "state": "107",
                "problem_state": "107",
                "active": "false",
                "closed_at": moment(fixed),
                "resolved_at": moment(fixed),
                "resolution_code": "fix_applied",
            },
        ),
    ]
    world.add("problem", INVOICING_PROBLEM, events)
    found = story.now - timedelta(days=40)
    text = "Cortes de la VPN / VPN drops"
    values = _problem(OPEN_PROBLEM, text, "network", found, "104")
    world.add("problem", OPEN_PROBLEM, [Event(found, who, values)])


def _problem(number: str, text: str, service: str, found: datetime, state: str) -> Record:
    return {
        "number": number,
        "sys_class_name": "problem",
        "short_description": text,
        "state": state,
        "problem_state": state,
        "active": "true",
        "priority": "3",
        "impact": "2",
        "urgency": "2",
        "opened_at": moment(found),
        "business_service": record_id("cmdb_ci_service", service),
        "company": record_id("core_company", COMPANY),
    }
