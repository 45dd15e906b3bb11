"""What lies about on any instance: trials, imports without a state, unsent carts, bare requests.

Owns sc_cart rows, and in other tables the records that belong to no story.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.history import Event, World, record_id
from connector.sandbox.seeds.demo.organisation import DESK, IT, Organisation
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.tasks import over, task

TRIALS = {
    "change_request": ("CHG0009001", "-5"),
    "change_task": ("CTASK0009001", "1"),
    "problem": ("PRB0009001", "101"),
    "interaction": ("IMS0009001", "new"),
    "sn_customerservice_case": ("CS0009001", "1"),
    "sn_hr_le_case": ("HRL0009001", "1"),
    "dmn_demand": ("DMND0008001", "1"),
    "im_idea_core": ("IDEA0008001", "1"),
    "sn_cim_register": ("CIM0009001", "1"),
}
"""Table → number and state of a record that somebody made to try something out."""

IMPORTED = {
    "change_request": "CHG0009101",
    "problem": "PRB0009101",
    "dmn_demand": "DMND0008101",
    "im_idea_core": "IDEA0008101",
    "sn_customerservice_case": "CS0009101",
}
"""Table → number of a record that came from another tool without a state."""

TRIAL_TEXT = "[PRUEBA] Alta de comprobación"
ENDED: dict[str, Record] = {
    "incident": {"number": "INC0099101", "state": "", "contact_type": "", "reopen_count": "0"},
    "sn_customerservice_case": {"number": "CS0009201", "state": ""},
    "sc_req_item": {"number": "RITM0099101", "state": "3"},
}
"""Table → an imported record that is over, without a state or without its end."""

IMPORTED_TEXT = "Registro importado sin estado / Imported without a state"
ENDED_TEXT = "Registro importado, ya terminado / Imported, already over"
BARE_TEXT = "Solicitud por teléfono sin artículo / Phone request without an item"
CARTS = (0.5, 1, 2, 3, 5, 6, 9, 12, 16, 25, 40)
"""Days since something was put into a cart and left there."""


def add_loose_ends(world: World, organisation: Organisation, story: Story) -> None:
    """Adds all of them."""
    somebody = organisation.people[IT][4].user_name
    at = working_time.opening(story.now - timedelta(days=8))
    for table, (number, state) in TRIALS.items():
        values = _plain(table, number, TRIAL_TEXT, at) | {"state": state}
        world.add(table, number, [Event(at, somebody, values)])
    for table, number in IMPORTED.items():
        world.add(table, number, [Event(at, somebody, _plain(table, number, IMPORTED_TEXT, at))])
    for table, told in ENDED.items():
        values = _plain(table, told["number"], ENDED_TEXT, at) | {"active": "false"} | told
        if table == "incident":
            values |= {"caller_id": organisation.people["Ventas"][5].sys_id}
            values |= {"resolved_at": values["opened_at"], "closed_at": values["opened_at"]}
        world.add(table, told["number"], [Event(at, somebody, values)])
    for place, (begun, ended) in enumerate(_bare(story.now)):
        number = f"REQ{9001 + place:07}"
        values = task("sc_request", number, BARE_TEXT, begun, state="1", group=DESK)
        values["requested_for"] = organisation.people["Legal"][3 + place].sys_id
        last = begun + timedelta(hours=6)
        events = [Event(begun, somebody, values), Event(last, somebody, ended)]
        world.add("sc_request", number, events)
    _add_carts(world, organisation, story.now)


def _plain(table: str, number: str, text: str, at: datetime) -> Record:
    values = task(table, number, text, at)
    if table == "interaction":
        kept = ("number", "short_description", "active", "opened_at")
        return {name: values[name] for name in kept} | {"type": "phone"}
    return values


def _bare(now: datetime) -> Iterator[tuple[datetime, Record]]:
    """When a request without items was made, and how it stands since."""
    at = working_time.opening(now - timedelta(days=9))
    last = at + timedelta(hours=6)
    for values in (
        over("4", last, approval="rejected", request_state="closed_rejected"),
        over("7", last, request_state="closed_cancelled"),
        over("4", last, request_state="closed_incomplete"),
        over("3", last, request_state="closed_complete"),
        {"approval": "requested", "request_state": "requested_approval"},
        {"approval": "not requested", "request_state": "in_process"},
    ):
        yield at, values


def _add_carts(world: World, organisation: Organisation, now: datetime) -> None:
    for place, days in enumerate(CARTS):
        person = organisation.people["Ventas"][10 + place]
        at = working_time.opening(now - timedelta(days=days))
        at = min(at, now - timedelta(minutes=30))
        cart = {"name": "DEFAULT", "user": person.sys_id}
        world.add("sc_cart", f"cart {place}", [Event(at, person.user_name, cart)])
        item = {
            "cart": record_id("sc_cart", f"cart {place}"),
            "cat_item": record_id("sc_cat_item", ("monitor", "phone", "bi")[place % 3]),
            "quantity": "1",
            "active": "true",
        }
        world.add("sc_cart_item", f"cart {place} item", [Event(at, person.user_name, item)])
