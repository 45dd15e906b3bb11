"""The demo's improvement initiatives: what is learnt from complaints, surveys and problems.

Owns sn_cim_register rows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo import working_time
from connector.sandbox.seeds.demo.asks import half
from connector.sandbox.seeds.demo.history import Event, World, record_id
from connector.sandbox.seeds.demo.names import INVOICING_PROBLEM
from connector.sandbox.seeds.demo.organisation import DESK, INVOICING, IT, Organisation
from connector.sandbox.seeds.demo.story import Story
from connector.sandbox.seeds.demo.tasks import over, task

PATHS: Sequence[tuple[str, ...]] = (
    *(("1",), ("1", "10"), ("1", "10", "11"), ("1", "10", "11", "12")),
    *(("1", "10", "11", "12", "2"), ("1", "10", "11", "12", "2", "13")),
    *(("1", "10", "11", "12", "2", "14"), ("1", "10", "11", "12", "2", "14", "3")),
    *(("1", "7"), ("1", "10", "11", "12", "2", "14", "3")),
    *(("1", "10", "3"), ("1", "10", "11", "12", "2", "14", "3")),
)
"""States of an initiative (see plugins.toml), in the order in which they are reached."""

TEXTS = (
    ("workplace", "Devolver siempre las llamadas perdidas / Always return missed calls"),
    ("crm", "Avisar antes de actualizar el CRM / Announce CRM updates"),
    ("network", "Guía de la VPN con capturas / VPN guide with screenshots"),
    ("printing", "Repuestos de impresora en planta / Printer spare parts on site"),
    ("identity", "Restablecer la contraseña sin llamar / Reset passwords without calling"),
)
REPAIR = "CIM0001001"
CODES = {"CIM0001012": "withdrawn", "CIM0001013": "unsuccessful"}
"""Initiatives that were closed otherwise than well."""


def add_improvement(world: World, organisation: Organisation, story: Story) -> None:
    """Adds the initiatives: the repair of e-invoicing first, then one per state."""
    manager = organisation.people[IT][2]
    text = "Plan de recuperación de la facturación / E-invoicing recovery plan"
    begun = story.recovery - timedelta(days=20)
    source = {"source_table": "problem", "source_id": record_id("problem", INVOICING_PROBLEM)}
    path = PATHS[7]
    _add(world, (REPAIR, INVOICING, text, path), begun, 9.0, manager.user_name, source)
    complaints = _complaints(world)
    for place, path in enumerate(PATHS):
        service, text = TEXTS[place % len(TEXTS)]
        begun = story.now - timedelta(days=6 + 6 * len(path))
        source = {}
        if place % 2 and complaints:
            source = {"source_table": "incident", "source_id": complaints[-place % len(complaints)]}
        named = (f"CIM{1002 + place:07}", service, half(text, manager.language), path)
        _add(world, named, begun, 3.0, manager.user_name, source)
    old = working_time.opening(story.now - timedelta(days=215))
    named = ("CIM0001099", *TEXTS[0], PATHS[4])
    _add(world, named, old, 9.0, manager.user_name, {})


def _complaints(world: World) -> list[str]:
    return [r["sys_id"] for r in world.rows["incident"] if r["category"] == "complaint"]


def _add(
    world: World,
    named: tuple[str, str, str, tuple[str, ...]],
    begun: datetime,
    days: float,
    by: str,
    source: Record,
) -> None:
    """`named`: number, service, text and path; `days` lie between two states."""
    number, service, text, path = named
    values = task("sn_cim_register", number, text, begun, service=service, group=DESK, state="1")
    values |= {"type": "process", "requested_by": record_id("sys_user", by), **source}
    events = [Event(begun, by, values)]
    for place, state in enumerate(path[1:], 1):
        at = working_time.opening(begun + timedelta(days=days * place))
        fields = {"state": state}
        if state == "3":
            fields = over("3", at, closure_code=CODES.get(number, "successful"))
        elif state == "7":
            fields = over("7", at, closure_code="withdrawn")
        events.append(Event(at, by, fields))
    world.add("sn_cim_register", number, events)
