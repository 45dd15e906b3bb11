"""The demo's ideas, demands and projects: what departments wish for, and what becomes of it.

Owns im_idea_core, dmn_demand and pm_project rows. A wish walks along a path of states; the last
step of the path is where it stands for good, and the clock cuts what has not happened yet.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.asks import half
from connector.sandbox.seeds.demo.history import Event, World, dice, moment, record_id
from connector.sandbox.seeds.demo.organisation import (
    APPLICATIONS,
    DEPARTMENTS,
    IT,
    Organisation,
    Person,
)
from connector.sandbox.seeds.demo.story import USUAL, Story
from connector.sandbox.seeds.demo.surveys import Invitation, send
from connector.sandbox.seeds.demo.tasks import over, task

USUAL_IDEAS, USUAL_DEMANDS = 46, 30
WISHES = (
    ("crm", "Avisos de oferta por vencer en el CRM / Alerts for expiring quotes in the CRM"),
    ("erp", "Pedido recurrente en el ERP / Recurring orders in the ERP"),
    ("intranet", "Buscador de personas en la intranet / People finder on the intranet"),
    ("mail", "Firma corporativa automática / Automatic company signature"),
    ("printing", "Impresión desde el móvil / Printing from the phone"),
    ("payroll", "Simulador de nómina / Payroll simulator"),
    ("network", "Wi-Fi para visitas en toda la planta / Guest Wi-Fi on the whole floor"),
    ("workplace", "Reserva de mesas / Desk booking"),
)

IDEA_PATHS: Sequence[tuple[str, ...]] = (
    *(("1",), ("1", "-1"), ("1", "-1", "-2"), ("1", "-1", "2"), ("1", "-1", "2", "4")),
    *(("1", "-1", "4", "5"), ("1", "-1", "4", "5", "3")),
    *(("1", "-1", "7"), ("1", "8"), ("1", "-1", "9"), ("-5",)),
)
"""States of an idea (see plugins.toml), in the order in which they are reached."""

IDEA_WEIGHTS = (1, 2, 2, 4, 3, 3, 6, 5, 2, 3, 0)
DEMAND_PATHS: Sequence[tuple[str, ...]] = (
    *(("1",), ("1", "2"), ("1", "2", "3"), ("1", "2", "3", "-4")),
    *(("1", "2", "3", "10"), ("1", "2", "3", "-4", "8"), ("1", "2", "3", "-4", "8", "9")),
    *(("1", "2", "3", "7"), ("1", "2", "6")),
)
DEMAND_WEIGHTS = (1, 2, 2, 3, 2, 4, 8, 3, 1)
OVER = frozenset({"3", "7", "8", "9"})
"""States of an idea that end it."""
DEMAND_OVER = frozenset({"9", "7", "6"})


@dataclass(frozen=True)
class _Wish:
    """Who wishes for what since when, the states it goes through and the days between them."""

    number: str
    person: Person
    service: str
    text: str
    opened: datetime
    path: tuple[str, ...]
    days: float


def add_planning(world: World, organisation: Organisation, story: Story) -> None:
    """Adds the ideas, then the demands with their projects."""
    chance = dice("ideas")
    ideas = [*_wishes("IDEA", organisation, story, USUAL_IDEAS, chance)]
    ideas += _showcase("IDEA", organisation, story, IDEA_PATHS)
    for wish in ideas:
        _add_idea(world, organisation, wish)
    chance = dice("demands")
    demands = [*_wishes("DMND", organisation, story, USUAL_DEMANDS, chance)]
    shown = (*DEMAND_PATHS, DEMAND_PATHS[2], DEMAND_PATHS[5], DEMAND_PATHS[5])
    demands += _showcase("DMND", organisation, story, shown)
    for place, wish in enumerate(demands):
        _add_demand(world, organisation, wish, place)


def _wishes(
    prefix: str, organisation: Organisation, story: Story, count: int, chance: random.Random
) -> Iterator[_Wish]:
    """A year's wishes of all departments; most have found their end."""
    is_idea = prefix == "IDEA"
    paths, weights = (IDEA_PATHS, IDEA_WEIGHTS) if is_idea else (DEMAND_PATHS, DEMAND_WEIGHTS)
    latest = story.now - timedelta(days=25)
    arrivals = sorted(working_time.arrivals(story.begins, latest, count, chance))
    for place, at in enumerate(arrivals):
        staff = organisation.everybody if is_idea else _heads(organisation)
        person = chance.choice([p for p in staff if p.works_at(at)])
        service, text = chance.choice(WISHES)
        path = chance.choices(paths, weights)[0]
        number = f"{prefix}{1001 + place:07}"
        yield _Wish(number, person, service, text, at, path, chance.uniform(4, 24))


def _heads(organisation: Organisation) -> list[Person]:
    return [organisation.head(name) for name in DEPARTMENTS if name != IT]


def _showcase(
    prefix: str, organisation: Organisation, story: Story, paths: Sequence[tuple[str, ...]]
) -> list[_Wish]:
    """One wish that stands in each state on the last day."""
    wishes = []
    departments = [name for name in DEPARTMENTS if name != IT]
    for place, path in enumerate(paths):
        staff = organisation.people[departments[place % len(departments)]]
        person = staff[4] if prefix == "IDEA" else staff[0]
        service, text = WISHES[place % len(WISHES)]
        opened = working_time.opening(story.now - timedelta(days=6 + len(path) * 4))
        number = f"{prefix}{9001 + place:07}"
        wishes.append(_Wish(number, person, service, text, opened, path, 1.5))
    return wishes


def _steps(wish: _Wish) -> Iterator[tuple[datetime, str]]:
    """When each state after the first is reached."""
    for place, state in enumerate(wish.path[1:], 1):
        yield working_time.opening(wish.opened + timedelta(days=wish.days * place)), state


def _add_idea(world: World, organisation: Organisation, wish: _Wish) -> None:
    manager = organisation.people[IT][1]
    values = _values("im_idea_core", wish)
    values |= {"submitter": wish.person.sys_id, "vote_count": str(len(wish.number) % 7)}
    events = [Event(wish.opened, wish.person.user_name, values)]
    for at, state in _steps(wish):
        says = _IDEA_SAYS.get(state, "")
        fields = over(state, at) if state in OVER else {"state": state}
        by = wish.person if state == "1" else manager
        comment = half(says, wish.person.language)
        events.append(Event(at, by.user_name, fields, comment))
    world.add("im_idea_core", wish.number, events)


_IDEA_SAYS = {
    "-2": "¿Cuántas personas lo usarían? / How many people would use it?",
    "7": "Gracias: no entra en el plan de este año. / Thank you: not in this year's plan.",
    "8": "Gracias: ya había una idea igual. / Thank you: the same idea was there already.",
    "9": "Ya existe: búsquelo en el catálogo. / It exists already: find it in the catalogue.",
    "3": "Hecho. Cuéntenos qué le parece. / Done. Tell us what you think.",
}


def _add_demand(world: World, organisation: Organisation, wish: _Wish, place: int) -> None:
    manager = organisation.people[IT][1]
    values = _values("dmn_demand", wish)
    values |= {
        "submitter": wish.person.sys_id,
        "requested_by": wish.person.sys_id,
        "department": record_id("cmn_department", wish.person.department),
        "total_costs": str(4000 + 500 * (place % 9)),
        "category": "strategic" if place % 3 else "operational",
    }
    events = [Event(wish.opened, wish.person.user_name, values)]
    approved: datetime | None = None
    for at, state in _steps(wish):
        fields = over(state, at) if state in DEMAND_OVER else {"state": state}
        if state == "8":
            approved, fields = at, fields | {"approved_date": moment(at)}
        by = wish.person if state == "2" else manager
        events.append(Event(at, by.user_name, fields))
        if state == "3" and place % 2:
            _assess(world, wish, at)
            rated = {"score_value": str(3 + place % 6), "score_risk": str(2 + place % 5)}
            events.append(Event(working_time.plus(at, 9), manager.user_name, rated))
    if approved and _has_project(wish, place):
        events.append(_project(world, wish, approved, manager))
    world.add("dmn_demand", wish.number, events)


def _has_project(wish: _Wish, place: int) -> bool:
    """Completed demands always had one; of the approved every second waits for one."""
    return wish.path[-1] == "9" or place % 2 == 0


def _project(world: World, wish: _Wish, approved: datetime, manager: Person) -> Event:
    number = f"PRJ{wish.number[4:]}"
    begins = working_time.opening(approved + timedelta(days=1))
    values = _values("pm_project", wish) | {
        "number": number,
        "opened_at": moment(begins),
        "state": "1",
        "demand": record_id("dmn_demand", wish.number),
    }
    events = [
        Event(begins, manager.user_name, values),
        Event(working_time.plus(begins, 8), manager.user_name, {"state": "2"}),
    ]
    if wish.path[-1] == "9":
        done = next(at for at, state in _steps(wish) if state == "9")
        events.append(Event(done, manager.user_name, over("3", done)))
    world.add("pm_project", number, events)
    named = {"project": record_id("pm_project", number)}
    return Event(begins, manager.user_name, named)


def _assess(world: World, wish: _Wish, at: datetime) -> None:
    """Those concerned are asked what the demand is worth to them, and say so."""
    identity, number = record_id("dmn_demand", wish.number), f"AINST8{wish.number[5:]}"
    asked = Invitation(number, "dmn_demand", identity, wish.person, at, USUAL, "complete")
    send(world, asked, dice(number))


def _values(table: str, wish: _Wish) -> Record:
    text = half(wish.text, wish.person.language)
    by = {"state": wish.path[0], "opened_by": wish.person.sys_id}
    values = task(table, wish.number, text, wish.opened, service=wish.service, group=APPLICATIONS)
    return values | by
