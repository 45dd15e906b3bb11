"""What people of the demo write into our own tables: meetings with their promises, and next steps.

Our tables are in no seed: they are there once they were provisioned, as in a real instance. So
these are values for whoever writes them then (`make demo`, tests), in the order of the story.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.sandbox.seeds.base import Record
from connector.sandbox.seeds.demo.history import record_id
from connector.sandbox.seeds.demo.organisation import FINANCE, INVOICING, SERVICES
from connector.sandbox.seeds.demo.story import Story

CONTACTS, RELATIONSHIPS = "u_journey_contact", "u_journey_engagement"
KEPT, BROKEN, OPEN = "yes", "no", ""


@dataclass(frozen=True)
class _Meeting:
    """Two sides meet `at`; what was promised is due after `days`, and it was kept, or not, or yet
    to be seen. Words are Spanish / English, as all of the demo's."""

    department: str
    service: str
    at: datetime
    summary: str
    promise: str
    days: int
    kept: str
    touchpoint: str = "relationship_meeting"


def contacts(now: datetime) -> Iterator[Record]:
    """Rows of u_journey_contact: promises kept, broken, overdue and pending."""
    for meeting in _meetings(Story(now)):
        yield {
            "sys_id": record_id(CONTACTS, f"{meeting.department} {meeting.at:%Y-%m-%d}"),
            "u_date": f"{meeting.at:%Y-%m-%d}",
            "u_customer": record_id("cmn_department", meeting.department),
            "u_service": record_id("cmdb_ci_service", meeting.service),
            "u_touchpoint": meeting.touchpoint,
            "u_summary": meeting.summary,
            "u_promise": meeting.promise,
            "u_promise_due": f"{meeting.at + timedelta(days=meeting.days):%Y-%m-%d}",
            "u_promise_kept": meeting.kept,
        }


def _meetings(story: Story) -> Sequence[_Meeting]:
    now = story.now
    return (
        _Meeting(
            FINANCE, INVOICING, story.go_live + timedelta(days=20),
            "Quejas por la factura electrónica / Complaints about e-invoicing",
            "Respuesta en un día a cada duda / Every question answered in a day", 10, BROKEN,
        ),
        _Meeting(
            FINANCE, INVOICING, story.recovery - timedelta(days=9),
            "Qué arreglar primero / What to mend first",
            "Quitar la segunda aprobación / Drop the second approval", 9, KEPT,
        ),
        _Meeting(
            FINANCE, INVOICING, now - timedelta(days=24),
            "Revisión del servicio / Service review",
            "Enseñar el panel de facturas / Show the dashboard of invoices", 14, KEPT,
            "service_review",
        ),
        _Meeting(
            FINANCE, INVOICING, now - timedelta(days=10),
            "Cierre del año / Year-end closing",
            "Formación antes del cierre / Training before the closing", 24, OPEN,
        ),
        _Meeting(
            "Ventas", "crm", now - timedelta(days=21),
            "Ofertas que vencen sin aviso / Quotes that expire unannounced",
            "Aviso de ofertas por vencer / Alerts for expiring quotes", 15, OPEN,
        ),
        _Meeting(
            "Operaciones", "network", now - timedelta(days=18),
            "Cortes en la planta / Outages on the floor",
            "Plan de la Wi-Fi de planta / Plan for the Wi-Fi on the floor", 28, OPEN,
        ),
    )  # fmt: skip


_STEPS: Mapping[tuple[str, str], tuple[str, int]] = {
    (FINANCE, INVOICING): (
        "Preparar juntos el cierre del año / Prepare the year-end closing together",
        12,
    ),
    ("Ventas", "crm"): ("Acordar los avisos del CRM / Agree on the alerts of the CRM", -4),
    ("Operaciones", "network"): (
        "Recorrer la planta con redes / Walk the floor with the network team",
        9,
    ),
}
"""Department and service → what comes next, and in how many days."""


def next_steps(rows: Sequence[Record], now: datetime) -> Iterator[tuple[str, Record]]:
    """(sys_id, values) of rows of u_journey_engagement: owner, next step and its day.

    `rows` as the tool holds them, with u_name (`Finanzas × ERP`) and u_state.
    """
    for (department, service), (step, days) in _STEPS.items():
        name = f"{department} × {SERVICES[service][0]}"
        for row in (row for row in rows if row["u_name"] == name and row.get("u_state")):
            yield (
                row["sys_id"],
                {
                    "u_owner": "Persona 001 (sintética)",
                    "u_next_step": step,
                    "u_due": f"{now + timedelta(days=days):%Y-%m-%d}",
                },
            )
