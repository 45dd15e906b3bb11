"""The invented organisation's opinions on moments of truth and engagement: few, and its own."""

from connector.journey.engagement_model import (
    Dimension,
    Engagement,
    Formula,
    Line,
    Relationship,
    RingEvidence,
    SlaLines,
    State,
)
from connector.journey.moment_model import Evidence, Moment
from connector.journey.texts import Text

NOTHING = Text("", "")


def _moment(id_: str, en: str, es: str, turns: Text, weight: int = 6) -> Moment:
    return Moment(
        id=id_,
        name=Text(en, es),
        tables=("incident",),
        weight=weight,
        when="",
        starts=("opened_at",),
        lead_days=0,
        windows=(),
        evidence=(
            Evidence("bad", "negative", "", (), Text(f"{en}: no", f"{es}: no"), weight),
            Evidence("good", "positive", "", (), Text(f"{en}: yes", f"{es}: sí"), weight),
        ),
        turns_positive=turns,
    )


MOMENTS = (
    _moment(
        "M08",
        "Repeat contact",
        "Contacto repetido",
        Text("Call before the week is over", "Llamar antes de que acabe la semana"),
    ),
    _moment("M12", "Agreed time to resolve", "Plazo de resolución", NOTHING, 5),
    _moment("M29", "Watermelon", "Sandía", NOTHING, 9),
)

ENGAGEMENT = Engagement(
    formula=Formula(45, 180, 5, 10, 5, 2, 1.5, 60, 3, 2, 14, 45, 5),
    dimensions=(
        Dimension("reliability", Text("Reliability", "Fiabilidad"), "provider", 0.6),
        Dimension("voice", Text("Voice", "Voz"), "customer", 0.4),
    ),
    relationships=(
        Relationship(
            "incident",
            customer=("caller_id.department",),
            service=("business_service",),
            service_table="cmdb_ci_service",
            person=("caller_id",),
        ),
        Relationship(
            "sc_req_item",
            customer=("requested_for.department",),
            service=("business_service",),
            service_table="cmdb_ci_service",
            person=("requested_for",),
        ),
        Relationship("task_sla", via=("task",)),
        Relationship("sysapproval_approver", via=("document_id",)),
    ),
    lines=(
        Line("sla-met", Text("Agreed time kept", "Plazo cumplido"), "reliability", 0.5),
        Line("sla-missed", Text("Agreed time missed", "Plazo incumplido"), "reliability", -1.0),
        Line("praise", Text("A good word", "Una buena palabra"), "voice", 0.5),
    ),
    states=(
        State(
            "committed",
            Text("Committed", "Comprometida"),
            Text("Protect it", "Cuidarla"),
            75,
            ("voice",),
        ),
        State(
            "transactional",
            Text("Transactional", "Transaccional"),
            Text("Plan a contact", "Planificar un contacto"),
            45,
        ),
        State(
            "at_risk",
            Text("At risk", "En riesgo"),
            Text("Name an owner", "Nombrar a una persona responsable"),
            0,
        ),
        State("not_enough", Text("Not enough evidence", "Sin evidencia suficiente"), NOTHING),
        State("dormant", Text("Dormant", "Dormida"), Text("Ask about the need", "Preguntar")),
        State("not_yet", Text("Not yet engaged", "Sin compromiso todavía"), NOTHING),
    ),
    ring=(RingEvidence("contacts", Text("Three contacts", "Tres contactos"), contacts=3),),
    unnamed_service=Text("(no service named)", "(sin servicio indicado)"),
    sla=SlaLines("sla-met", "sla-missed", "start_time"),
)
