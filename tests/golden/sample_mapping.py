"""The invented organisation's own mapping: two journeys, eleven touchpoints, one rule for each.

Not the shipped one: golden files must not move when a designer renames a step.
"""

from connector.journey.model import (
    Edge,
    Journey,
    Kind,
    Mapping,
    RollUp,
    Rule,
    Step,
    TableSpec,
    Text,
    Touchpoint,
)
from tests.golden.opinions import ENGAGEMENT, MOMENTS

_TRAVESIA = (
    ("explorar", "Explore", "Explorar", "Discover", "Descubrir"),
    ("entender", "Understand & commit", "Entender y comprometerse", "Discover", "Descubrir"),
    ("visibilizar", "Make visible", "Dar visibilidad", "Discover", "Descubrir"),
    ("acordar", "Agree", "Acordar", "Agree & ready", "Acordar y poner a punto"),
    ("construir", "Build", "Construir", "Agree & ready", "Acordar y poner a punto"),
    ("preparar", "Prepare", "Preparar", "Agree & ready", "Acordar y poner a punto"),
    ("usar", "Provide & use", "Dar acceso y usar", "Create value", "Crear valor"),
    (
        "medir",
        "Measure, confirm value & improve",
        "Medir, confirmar el valor y mejorar",
        "Create value",
        "Crear valor",
    ),
)
_ITIL4 = (
    ("explore", "Explore", "Explorar"),
    ("engage", "Engage", "Comprometerse"),
    ("offer", "Offer", "Ofrecer"),
    ("agree", "Agree", "Acordar"),
    ("onboard", "Onboard", "Incorporar"),
    ("co_create", "Co-create", "Cocrear"),
    ("realize", "Realize", "Materializar el valor"),
)
# id, kind, band, travesia step, itil4 step, English, Spanish, table
TOUCHPOINTS: tuple[tuple[str, Kind, str, str, str, str, str, str], ...] = (
    (
        "request_submitted",
        "touchpoint",
        "visible",
        "visibilizar",
        "offer",
        "Catalogue request submitted",
        "Solicitud de catálogo enviada",
        "sc_req_item",
    ),
    (
        "approval_requested",
        "touchpoint",
        "visible",
        "acordar",
        "agree",
        "Approval requested",
        "Aprobación solicitada",
        "sysapproval_approver",
    ),
    (
        "approval_lapsed",
        "touchpoint",
        "consumer_backstage",
        "acordar",
        "agree",
        "Approval left to lapse",
        "Aprobación caducada sin respuesta",
        "sysapproval_approver",
    ),
    (
        "fulfilment_task",
        "backstage_activity",
        "provider_backstage",
        "construir",
        "onboard",
        "Fulfilment task",
        "Tarea de tramitación",
        "sc_req_item",
    ),
    (
        "onboarding_request",
        "touchpoint",
        "visible",
        "preparar",
        "onboard",
        "Onboarding request",
        "Solicitud de alta (onboarding)",
        "sc_req_item",
    ),
    (
        "portal_ticket",
        "touchpoint",
        "visible",
        "usar",
        "co_create",
        "Ticket from the portal",
        "Incidencia o consulta desde el portal",
        "incident",
    ),
    (
        "phone",
        "touchpoint",
        "visible",
        "usar",
        "co_create",
        "Phone call to the desk",
        "Llamada al centro de servicios (CAU)",
        "incident",
    ),
    (
        "backstage_work",
        "backstage_activity",
        "provider_backstage",
        "usar",
        "co_create",
        "Internal diagnosis, reassignment",
        "Diagnóstico interno, reasignación",
        "incident",
    ),
    (
        "resolution",
        "touchpoint",
        "visible",
        "medir",
        "realize",
        "Resolution proposed or confirmed",
        "Resolución propuesta o confirmada",
        "incident",
    ),
    (
        "survey_answered",
        "touchpoint",
        "visible",
        "medir",
        "realize",
        "Survey answered",
        "Encuesta contestada",
        "incident",
    ),
    (
        "sla_result",
        "backstage_activity",
        "provider_backstage",
        "medir",
        "realize",
        "SLA result",
        "Resultado de SLA",
        "task_sla",
    ),
)


def sample_mapping() -> Mapping:
    """Both journeys, eleven touchpoints, one rule for each."""
    touchpoints = {
        row[0]: Touchpoint(
            id=row[0],
            code=f"S{i:02}",
            kind=row[1],
            channel="human_machine",
            band=row[2],  # type: ignore[arg-type]  # the three bands
            roles=("user",),
            is_potential_moment=False,
            steps={"travesia": row[3], "itil4": row[4]},
            name=Text(row[5], row[6]),
        )
        for i, row in enumerate(TOUCHPOINTS, 1)
    }
    rules = [Rule(f"rule-{row[0]}", (row[7],), "", row[0], Text("", ""), {}) for row in TOUCHPOINTS]
    rules.append(Rule("test-noise", ("incident",), "", "", Text("", ""), {}, ignore=True))
    return Mapping(
        journeys={"travesia": _travesia(), "itil4": _itil4()},
        touchpoints=touchpoints,
        rules=tuple(rules),
        sets={},
        tables={
            "incident": TableSpec("incident", Text("Incident", "Incidencia"), (), is_ticket=True),
            "sc_request": TableSpec("sc_request", Text("Request", "Solicitud"), ()),
            "sc_req_item": TableSpec(
                "sc_req_item", Text("Request item", "Elemento"), (), is_ticket=True
            ),
            "sysapproval_approver": TableSpec(
                "sysapproval_approver", Text("Approval", "Aprobación"), (), is_task=False
            ),
            "task_sla": TableSpec("task_sla", Text("Task SLA", "SLA"), (), is_task=False),
        },
        edges=(
            Edge("sysapproval_approver", "document_id", "sc_req_item"),
            Edge("sc_req_item", "request", "sc_request"),
        ),
        roll_ups=(RollUp("sc_request", "sc_req_item", "request"),),
        hash="0123456789ab",
        moments=MOMENTS,
        engagement=ENGAGEMENT,
    )


def _travesia() -> Journey:
    steps = tuple(
        Step(id_, i, Text(en, es), Text("", ""), Text(group, grupo))
        for i, (id_, en, es, group, grupo) in enumerate(_TRAVESIA, 1)
    )
    return Journey(
        "travesia",
        Text("Relationship journey", "Travesía de relaciones"),
        Text(
            "Eight steps; engagement is born in the second and is present in all that follow",
            "Ocho pasos; el compromiso nace en el segundo y está presente en todos los siguientes",
        ),
        Text("An invented sample", "Un ejemplo inventado"),
        steps,
    )


def _itil4() -> Journey:
    steps = tuple(
        Step(id_, i, Text(en, es), Text("", "")) for i, (id_, en, es) in enumerate(_ITIL4, 1)
    )
    return Journey(
        "itil4",
        Text("ITIL 4 customer journey", "Travesía del cliente de ITIL 4"),
        Text("Seven steps", "Siete pasos"),
        Text("", ""),
        steps,
    )
