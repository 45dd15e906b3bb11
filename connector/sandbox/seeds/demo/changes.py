"""The demo's changes and their tasks: go-lives, repairs, and the year's usual ones.

Owns change_request, change_task and the approvals of changes. A change walks from New to Closed by
its type; where it stands is the last state of its path.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record, stamped
from connector.sandbox.seeds.demo import texts, working_time
from connector.sandbox.seeds.demo.history import Event, World, dice, moment, record_id
from connector.sandbox.seeds.demo.names import (
    BUILT_BY_CHANGE,
    CRM_CHANGE,
    GO_LIVE_CHANGE,
    PLANNED_CHANGE,
    REPAIR_CHANGE,
    WAITING_CHANGE,
)
from connector.sandbox.seeds.demo.organisation import (
    APPLICATIONS,
    ERP_SUPPLIER,
    FINANCE,
    INVOICING,
    IT,
    NETWORK,
    SERVICES,
    Organisation,
    Person,
)
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.tasks import over, task

USUAL_CHANGES = 52
LAST_ASKED = 2
"""Place of the approver who is asked only when those before have said yes."""
NORMAL = ("-5", "-4", "-3", "-2", "-1", "0", "3")
STANDARD = ("-5", "-2", "-1", "0", "3")
EMERGENCY = ("-5", "-3", "-2", "-1", "0", "3")
PATHS = {"normal": NORMAL, "standard": STANDARD, "emergency": EMERGENCY}
USUAL_TEXTS = (
    "Actualización mensual / Monthly update",
    "Ampliar almacenamiento / Extend storage",
    "Renovar certificado / Renew certificate",
    "Parche de seguridad / Security patch",
)


@dataclass(frozen=True)
class _Change:
    """A change: `at` is when it is (to be) implemented, `path` the states up to where it stands.

    States before implementation lie `days` apart; it is closed `closes` times `days` after it.
    """

    number: str
    text: str
    service: str
    at: datetime
    requester: Person
    kind: str = "normal"
    category: str = "Software"
    code: str = "successful"
    path: tuple[str, ...] = NORMAL
    parent: str = ""
    approvers: tuple[Person, ...] = ()
    days: float = 2.0
    closes: float = 1.2
    with_test: bool = False
    supplier: str = ""


def add_changes(
    world: World, organisation: Organisation, story: Story, items: Sequence[str] = ()
) -> None:
    """Adds the changes with approvals and tasks; `items` are requested items that need one."""
    for name in ("Normal", "Standard", "Emergency"):
        values = {"name": name, "active": "true"}
        world.rows["chg_model"].append(stamped(record_id("chg_model", name.lower()), values))
    chance = dice("changes")
    for change in (
        *_story_changes(organisation, story),
        *_showcase(organisation, story, items),
        *_usual(organisation, story, chance),
    ):
        _add(world, organisation, change)


def _story_changes(organisation: Organisation, story: Story) -> Iterator[_Change]:
    """The go-live that failed, the repair that did not, and a go-live of these days."""
    head = organisation.head(FINANCE)
    golive = "Puesta en marcha de la facturación electrónica / E-invoicing go-live"
    repair = "Corrección de la facturación electrónica / E-invoicing repair"
    crm = "Actualización del CRM / CRM update"
    provider = (organisation.head(IT),)
    yield _Change(GO_LIVE_CHANGE, golive, INVOICING, story.go_live, head, code="unsuccessful",
                  approvers=provider, with_test=True, closes=0.3)  # fmt: skip
    yield _Change(REPAIR_CHANGE, repair, INVOICING, story.recovery, head, approvers=provider,
                  with_test=True)  # fmt: skip
    yield _Change(CRM_CHANGE, crm, "crm", story.now - timedelta(days=5),
                  organisation.head("Ventas"), code="successful_issues",
                  approvers=provider)  # fmt: skip
    planned = story.now + timedelta(days=9)
    router, guests = "Cambio de red / Router change", "Red de invitados / Guest network"
    owner = organisation.agents(NETWORK)[0]
    yield _Change(PLANNED_CHANGE, router, "network", planned, owner, path=NORMAL[:4])
    heads = (*provider, organisation.head("Operaciones"), organisation.head("Legal"))
    yield _Change(WAITING_CHANGE, guests, "network", planned, owner, path=NORMAL[:3],
                  approvers=heads)  # fmt: skip


def _showcase(organisation: Organisation, story: Story, items: Sequence[str]) -> Iterator[_Change]:
    """One change for each thing that a rule can see on the last day."""
    owner, provider = organisation.agents(APPLICATIONS)[2], (organisation.head(IT),)
    logistics = organisation.head("Logística")
    number = iter(f"CHG{place:07}" for place in range(1006, 1100))
    later = story.now + timedelta(days=7)
    for length in (1, 2, 3, 4, 5):
        yield _Change(next(number), USUAL_TEXTS[length % 4], "erp", later, owner,
                      path=NORMAL[:length], approvers=provider if length > 2 else ())  # fmt: skip
    portal = "Puesta en marcha del portal de transporte / Transport portal go-live"
    yield _Change(next(number), portal, "transport", story.now - timedelta(days=1), logistics,
                  path=NORMAL[:6], with_test=True)  # fmt: skip
    yield _Change(next(number), portal, "transport", story.now - timedelta(days=6), logistics)
    fix = "Restablecer el correo / Restore mail"
    yield _Change(next(number), fix, "mail", story.now - timedelta(hours=2), owner, "emergency",
                  path=EMERGENCY[:4], days=0.02)  # fmt: skip
    yield _Change(next(number), fix, "mail", story.now - timedelta(days=70), owner, "emergency",
                  days=0.05)  # fmt: skip
    retired = "Retirada del CRM clásico / Classic CRM retirement"
    yield _Change(next(number), retired, "crm", later, owner, category="Service retirement",
                  path=NORMAL[:4])  # fmt: skip
    yield _Change(next(number), USUAL_TEXTS[0], "erp", story.now - timedelta(days=33), owner,
                  code="unsuccessful")  # fmt: skip
    yield _Change(next(number), USUAL_TEXTS[3], "network", story.now - timedelta(days=8), owner,
                  path=(*NORMAL[:4], "4"))  # fmt: skip
    yield _Change(next(number), retired, "crm", story.now - timedelta(days=45), owner,
                  category="Service retirement")  # fmt: skip
    yield _Change(next(number), USUAL_TEXTS[1], "erp", story.now - timedelta(days=1), owner,
                  path=NORMAL[:6])  # fmt: skip
    yield _Change(next(number), USUAL_TEXTS[1], "erp", later, owner, path=NORMAL[:5],
                  supplier=ERP_SUPPLIER)  # fmt: skip
    demand = record_id("dmn_demand", BUILT_BY_CHANGE)
    yield _Change(next(number), USUAL_TEXTS[1], "intranet", later, owner, path=NORMAL[:4],
                  parent=demand)  # fmt: skip
    for item in items:
        yield _Change(next(number), "Mejora del ERP / ERP enhancement", "erp", later, owner,
                      path=NORMAL[:5], parent=item, days=1.0, with_test=True)  # fmt: skip


def _usual(organisation: Organisation, story: Story, chance: random.Random) -> Iterator[_Change]:
    latest = story.now - timedelta(days=20)
    instants = sorted(working_time.arrivals(story.begins, latest, USUAL_CHANGES, chance))
    services = [key for key in SERVICES if key not in (INVOICING, "transport")]
    for place, at in enumerate(instants):
        kind = chance.choices(("standard", "normal", "emergency"), (55, 37, 8))[0]
        codes = ("successful", "successful_issues", "unsuccessful")
        requester = chance.choice(organisation.agents(APPLICATIONS))
        yield _Change(
            f"CHG{1101 + place:07}",
            chance.choice(USUAL_TEXTS),
            chance.choice(services),
            at,
            requester,
            kind,
            code=chance.choices(codes, (86, 9, 5))[0],
            path=PATHS[kind],
            approvers=(organisation.head(IT),) if kind == "normal" else (),
            days=0.1 if kind == "emergency" else 2.0,
        )


# ── a change's life ──────────────────────────────────────────────────────────────────────────


def _add(world: World, organisation: Organisation, change: _Change) -> None:
    agent = organisation.agents(APPLICATIONS)[1]
    times = _times(change, world.now)
    opened = times[0]
    events = [Event(opened, change.requester.user_name, _opened(change, opened))]
    for at, state in zip(times[1:], change.path[1:], strict=True):
        events.append(Event(at, agent.user_name, _reached(change, state, at)))
    world.add("change_request", change.number, events)
    reached = dict(zip(change.path, times, strict=True))
    _add_approvals(world, change, reached)
    _add_tasks(world, organisation, change, reached)


def _times(change: _Change, now: datetime) -> list[datetime]:
    """When each state is reached: implementation begins at `at`, what is before lies before.

    A change that is still being prepared reached its last state in the past days.
    """
    step = timedelta(days=change.days)
    begin = change.path.index("-1") if "-1" in change.path else len(change.path)
    start = change.at
    if change.at > now:
        start, begin = now - timedelta(hours=5), len(change.path) - 1
    before = [working_time.opening(start + step * (place - begin)) for place in range(begin)]
    instants = [min(at, start) for at in before]
    after = (0.0, 0.15, change.closes)
    instants += [start + step * after[place] for place in range(len(change.path) - begin)]
    return instants


def _opened(change: _Change, opened: datetime) -> Record:
    values = task(
        "change_request",
        change.number,
        change.text,
        opened,
        service=change.service,
        group=APPLICATIONS,
        state="-5",
    )
    return values | {
        "cmdb_ci": record_id("cmdb_ci_service", change.service),
        "type": change.kind,
        "chg_model": record_id("chg_model", change.kind),
        "category": change.category,
        "risk": "3",
        "approval": "requested" if change.approvers else "not requested",
        "requested_by": change.requester.sys_id,
        "parent": change.parent,
        "start_date": moment(change.at),
        "end_date": moment(change.at + timedelta(hours=3)),
        "cab_required": "true" if change.kind == "normal" else "false",
    }


def _reached(change: _Change, state: str, at: datetime) -> Record:
    if state in ("3", "4"):
        code = {"close_code": change.code} if state == "3" else {}
        return over(state, at, **code)
    values = {"state": state}
    if state == "-2":
        values["approval"] = "approved" if change.approvers else "not requested"
    if state == "-1":
        values["work_start"] = moment(at)
    return values


def _add_approvals(world: World, change: _Change, reached: dict[str, datetime]) -> None:
    """Asked when authorisation begins, given before the change is scheduled; a third one later."""
    asked = reached.get("-3")
    if not asked:
        return
    identity = record_id("change_request", change.number)
    for place, person in enumerate(change.approvers):
        values = {
            "sysapproval": identity,
            "source_table": "change_request",
            "document_id": identity,
            "approver": person.sys_id,
            "state": "requested",
        }
        events = [Event(asked, change.requester.user_name, values)]
        if "-2" in reached:
            said = asked + (reached["-2"] - asked) * 0.8
            events.append(Event(said, person.user_name, {"state": "approved"}))
        elif place == LAST_ASKED:
            events = [Event(asked, change.requester.user_name, values | {"state": "not requested"})]
        world.add("sysapproval_approver", f"{change.number} approval {place}", events)


def _add_tasks(
    world: World, organisation: Organisation, change: _Change, reached: dict[str, datetime]
) -> None:
    """Implementation for all that get so far; a user acceptance test where one was agreed."""
    start = reached.get("-1")
    if not start or change.kind == "emergency":
        return
    language = organisation.agents(APPLICATIONS)[0].language
    kinds = [("implementation", texts.IMPLEMENT[language])]
    if change.with_test:
        kinds.append(("testing", texts.ACCEPTANCE[change.requester.language]))
    for place, (kind, text) in enumerate(kinds):
        number = f"CTASK{change.number[3:]}{place}"
        _add_task(world, organisation, change, (number, kind, text), start, reached.get("0"))
    if change.supplier:
        number = f"CTASK{change.number[3:]}9"
        _add_task(world, organisation, change, (number, "implementation", kinds[0][1]), start, None)


def _add_task(
    world: World,
    organisation: Organisation,
    change: _Change,
    named: tuple[str, str, str],
    start: datetime,
    end: datetime | None,
) -> None:
    number, kind, text = named
    agent = organisation.agents(APPLICATIONS)[0]
    group = change.supplier or APPLICATIONS
    values = task("change_task", number, text, start, service=change.service, group=group)
    values |= {
        "state": "1",
        "change_request": record_id("change_request", change.number),
        "parent": record_id("change_request", change.number),
        "change_task_type": kind,
        "planned_start_date": moment(start),
    }
    # The test of the go-live that failed was skipped: nobody of Finanzas tried it.
    is_skipped = kind == "testing" and change.number == GO_LIVE_CHANGE
    events = [Event(start, agent.user_name, values)]
    if end and not is_skipped:
        events.append(Event(start + (end - start) * 0.3, agent.user_name, {"state": "2"}))
    if end and (change.path[-1] != "0" or kind != "testing"):
        done = over("4", end) if is_skipped else over("3", end, close_code=_said(change))
        events.append(Event(end, agent.user_name, done))
    world.add("change_task", number, events)


def _said(change: _Change) -> str:
    return "unsuccessful" if change.code == "unsuccessful" else "successful"
