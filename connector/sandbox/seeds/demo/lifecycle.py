"""The demo's HR lifecycle cases: the other side of who joins and who leaves.

Owns sn_hr_core_service and sn_hr_le_case rows. `expected_start` is the first day of who joins,
`due_date` the last one of who leaves.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Batch, stamped
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.asks import half
from connector.sandbox.seeds.demo.history import Event, World, moment, record_id
from connector.sandbox.seeds.demo.organisation import Organisation, Person
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.tasks import over, task

HR = "Recursos Humanos"
SERVICES = {
    "new_hire_onboarding": "Incorporación de empleado / New hire onboarding",
    "offboarding": "Salida de empleado / Employee offboarding",
    "parental_leave": "Permiso por nacimiento / Parental leave",
}


def records() -> Iterator[Batch]:
    """The HR services."""
    yield (
        "sn_hr_core_service",
        [
            stamped(
                record_id("sn_hr_core_service", key),
                {"name": name, "value": key, "active": "true"},
            )
            for key, name in SERVICES.items()
        ],
    )


def add_lifecycle(world: World, organisation: Organisation, story: Story) -> None:
    """Adds a case for each who joined or left in the year, and what else HR accompanies."""
    number = 1000
    for kind, person, day in _moves(organisation, story):
        number += 1
        _add_case(world, organisation, f"HRL{number:07}", (kind, person, day), "3")
    staff = organisation.people["Marketing"]
    for place, state in enumerate(("4", "7")):
        day = story.now - timedelta(days=25 + place)
        number += 1
        moved = ("parental_leave", staff[8 + place], day)
        _add_case(world, organisation, f"HRL{number:07}", moved, state)


def _moves(organisation: Organisation, story: Story) -> Iterator[tuple[str, Person, datetime]]:
    """Who, what and the day on which it takes effect; a few lie ahead."""
    for person in organisation.everybody:
        if person.joined > story.begins:
            yield "new_hire_onboarding", person, person.joined
        if person.left:
            yield "offboarding", person, person.left
    for place, name in enumerate(("Ventas", "Marketing", "Legal", "Operaciones")):
        person = organisation.people[name][6]
        yield "parental_leave", person, story.now + timedelta(days=12 - 35 * place)
    staff = organisation.people["Logística"]
    yield "offboarding", staff[6], story.now + timedelta(days=9)
    yield "new_hire_onboarding", staff[7], story.now + timedelta(days=2)


def _add_case(
    world: World,
    organisation: Organisation,
    number: str,
    move: tuple[str, Person, datetime],
    state: str,
) -> None:
    """`state`: the one in which it ends, a day after the move."""
    kind, person, day = move
    hr = organisation.people[HR][3].user_name
    opened = working_time.opening(day - timedelta(days=14))
    text = half(SERVICES[kind], person.language)
    values = task("sn_hr_le_case", number, text, opened, state="10")
    values |= {
        "hr_service": record_id("sn_hr_core_service", kind),
        "subject_person": person.sys_id,
        "opened_for": person.sys_id,
        "expected_start" if kind != "offboarding" else "due_date": moment(day),
    }
    begins = working_time.plus(opened, 10)
    ends = working_time.opening(day + timedelta(days=1))
    events = [
        Event(opened, hr, values),
        Event(begins, hr, {"state": "18"}),
        Event(ends, hr, over(state, ends)),
    ]
    world.add("sn_hr_le_case", number, events)
