"""One record for each thing that a rule can see, so that no rule is idle on the demo's last day.

Owns the exact situations: a ticket on hold for each reason, one per channel, an approval that has
waited too long, an item in each stage. The year around them is made elsewhere, by chance.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.asks import Ask
from connector.sandbox.seeds.demo.catalogue import ITEMS
from connector.sandbox.seeds.demo.history import record_id
from connector.sandbox.seeds.demo.life import Plan
from connector.sandbox.seeds.demo.names import CRM_CHANGE
from connector.sandbox.seeds.demo.organisation import FINANCE, Organisation, Person
from connector.sandbox.seeds.demo.story import RECOVERED, SHAKEN, USUAL, Story

QUICK = replace(USUAL, slowness=0.03, reopened=0.0, passed_on=0.0)
PASSED_ON = replace(USUAL, passed_on=1.0, slowness=0.5)
SILENT = replace(QUICK, speaks=0.0)
PARENT = "major"
"""The key of the ticket that others name in `parent_incident`."""

_PLAIN = texts.SUBJECTS[0]
_ACCESS = next(s for s in texts.SUBJECTS if s.category == "access")
_HOW_TO = next(s for s in texts.SUBJECTS if s.subcategory == "how_to")
_ORDER = next(s for s in texts.SUBJECTS if s.subcategory == "order")
_WIFI = next(s for s in texts.SUBJECTS if s.subcategory == "wifi")
_CRM = next(s for s in texts.SUBJECTS if s.service == "crm")


def worked_ago(now: datetime, hours: float) -> datetime:
    """The latest whole hour before `now` since which `hours` working hours have passed."""
    at = now.replace(minute=0, second=0, microsecond=0)
    while working_time.hours_between(at, now) < hours:
        at -= timedelta(hours=1)
    return at


def tickets(organisation: Organisation, story: Story) -> Iterator[Plan]:
    """The incidents of the last days, numbers still to be given."""
    people = organisation.people
    sales, operations = people["Ventas"], people["Operaciones"]

    def plan(hours: float, who: Person | None, **told: object) -> Plan:
        start = Plan("", worked_ago(story.now, hours), who, _PLAIN, "phone", "3", QUICK)
        return replace(start, **told)  # type: ignore[arg-type]  # fields of Plan

    for place, reason in enumerate(("", "1", "3", "4", "5")):
        yield plan(6 + 3 * place, sales[6 + place], stands=f"3{reason}")
    channels = ("phone", "walk-in", "chat", "virtual_agent", "self-service", "email", "")
    for place, channel in enumerate(channels):
        yield plan(1 + place * 0.2, operations[8 + place], channel=channel, stands="1")
    yield plan(22, sales[12], stands="2", mood=PASSED_ON)
    yield plan(38, sales[13], stands="2", priority="4", channel="email")
    for place, last in enumerate(("told", "noted", "automatic")):
        yield plan(10 + place, people["Recursos Humanos"][5 + place], stands=f"2 {last}")
    yield plan(70, operations[20], stands="reopened")
    passed: Record = {"reassignment_count": "1"}
    yield plan(11, sales[14], stands="2", mood=SILENT, extra=passed)
    yield plan(13, people["Logística"][12], stands="2", subject=texts.TRANSPORT)
    yield plan(12, operations[21], stands="6")
    yield plan(60, operations[22], stands="duplicate")
    yield plan(8, people["Legal"][4], stands="2", subject=texts.SLOW_COMPLAINT, channel="email")
    yield plan(9, people["Marketing"][5], stands="2", subject=_HOW_TO, channel="chat")
    yield plan(3, people["Marketing"][6], stands="1", subject=_ORDER, channel="self-service")
    yield plan(5, None, stands="1", subject=texts.ALERTS[0], channel="monitoring")
    caused = {"caused_by": record_id("change_request", CRM_CHANGE)}
    yield plan(14, sales[20], stands="2", subject=_CRM, extra=caused)
    yield plan(4, _newcomer(organisation), stands="2", subject=_ACCESS)
    yield plan(7, sales[3], text="[PRUEBA] No atender: comprobación del portal")
    yield plan(6, _robot(story.now), text="Comprobación automática del portal")
    yield plan(30, people[FINANCE][9], subject=texts.PRAISE, channel="self-service")
    yield from _outage(organisation, plan(4, operations[2], subject=_WIFI, priority="1"))
    one = {"child_incidents": "1"}
    yield plan(2, sales[1], stands="1", subject=_CRM, priority="1", extra=one)


def _outage(organisation: Organisation, start: Plan) -> Iterator[Plan]:
    """A major incident of today, and the contacts that belong to it."""
    told: Record = {"major_incident_state": "accepted", "child_incidents": "3"}
    told["watch_list"] = ",".join(head.sys_id for head in organisation.people["Logística"][:2])
    yield replace(start, key=PARENT, extra=told, stands="2 announced")
    for place, channel in enumerate(("phone", "self-service", "walk-in")):
        caller = organisation.people["Logística"][7 + place]
        extra = {"parent_incident": PARENT}
        later = start.opened + timedelta(minutes=12 * (place + 1))
        yield replace(start, opened=later, caller=caller, channel=channel, priority="3",
                      extra=extra, stands="1")  # fmt: skip


def _newcomer(organisation: Organisation) -> Person:
    return max(organisation.everybody, key=lambda person: person.joined)


def _robot(now: datetime) -> Person:
    name = "synthetic.monitor"
    joined = now - timedelta(days=900)
    return Person(record_id("sys_user", name), name, "", "es", False, joined, None)


def asks(organisation: Organisation, story: Story) -> Iterator[Ask]:
    """The requests of the last days, numbers still to be given."""
    people = organisation.people
    items = {item.key: item for item in ITEMS}

    def ask(hours: float, who: Person, key: str, **told: object) -> Ask:
        start = Ask("", worked_ago(story.now, hours), who, (items[key],), USUAL)
        return replace(start, **told)  # type: ignore[arg-type]  # fields of Ask

    finance, logistics = people[FINANCE], people["Logística"]
    for place, key in enumerate(("laptop", "bi")):
        old = working_time.opening(story.recovery - timedelta(days=4 + place))
        yield ask(1, finance[7 + place], key, opened=old, is_controlled=True, decision="waiting",
                  mood=SHAKEN)  # fmt: skip
    yield ask(150, people["Operaciones"][12], "phone", decision="waiting")
    for place, key in enumerate(("laptop", "app_access", "bi", "room")):
        yield ask(6 + 9 * place, logistics[5 + place], key, decision="waiting")
    yield ask(30, finance[11], "monitor", decision="approved", ending="open", mood=RECOVERED)
    built: dict[str, object] = {"decision": "approved", "queue_hours": 1.0, "build_hours": 4.0}
    for place, key in enumerate(
        ("laptop", "onboarding", "offboarding", "printer", "app_access", "design", "report")
    ):
        yield ask(40 + place, logistics[10 + place], key, ending="open", **built)
    yield ask(33, logistics[2], "erp_course", ending="open", queue_hours=1.0)
    yield ask(26, logistics[3], "design", decision="approved", queue_hours=500.0)
    yield ask(2, logistics[4], "install", queue_hours=500.0)
    yield ask(28, logistics[5], "install", ending="complete", queue_hours=1.0, build_hours=8.0)
    yield ask(50, logistics[6], "bi", ending="complete", close_hours=500.0, **built)
    yield ask(90, logistics[7], "design", ending="failed", **built)
    yield ask(95, logistics[8], "design", ending="cancelled", **built)
    yield ask(80, people["Marketing"][7], "design", decision="rejected")
    yield ask(45, logistics[24], "erp_change", close_hours=500.0, by_change=True, **built)
    yield ask(44, logistics[25], "printer", build_hours=600.0, decision="approved", queue_hours=1.0)
    yield ask(20, logistics[26], "install", ending="withdrawn")
    waiting: Record = {"stage": "waiting_for_approval"}
    yield ask(5, logistics[27], "install", queue_hours=500.0, extra=waiting)
    twice: Record = {"approval": "duplicate"}
    yield ask(4, logistics[28], "install", queue_hours=500.0, extra=twice)
    yield ask(400, people["Marketing"][8], "phone", decision="lapsed")
    robot = _robot(story.now)
    person = replace(people["Ventas"][4], sys_id=robot.sys_id, user_name=robot.user_name)
    yield ask(15, person, "install", text="[PRUEBA] Pedido automático")
