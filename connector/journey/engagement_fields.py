"""The table that shows engagement in the tool: a row per relationship, and what people add to it.

`COMPUTED` columns are ours: written where they differ. `PEOPLES` columns are people's: there they
say who looks after the relationship, what comes next, and that the ring is on. Of these only
`RING_CONFIRMED` is ever written, where it is empty and a person said it on the command line.
"""

from connector.journey.engagement_model import Engagement
from connector.journey.fields import RELATIONSHIP_TABLE, FieldType, JourneyField, OwnTable
from connector.journey.texts import Text

_NONE = Text("", "")


def _field(
    name: str, kind: FieldType, en: str, es: str, help_: Text = _NONE, length: int = 40
) -> JourneyField:
    return JourneyField(name, kind, Text(en, es), help_, max_length=length)


COMPUTED: tuple[JourneyField, ...] = (
    _field("u_name", "string", "Relationship", "Relación", length=255),
    _field("u_customer", "string", "Customer", "Cliente", length=120),
    _field("u_service", "string", "Service", "Servicio", length=120),
    _field("u_state", "choice", "State of the relationship", "Estado de la relación"),
    _field("u_since", "date", "In this state since", "En este estado desde"),
    _field("u_action", "string", "What must follow", "Qué debe hacerse", length=255),
    _field(
        "u_score",
        "integer",
        "Trust (0 to 100)",
        "Confianza (0 a 100)",
        Text(
            "50 is neutral; a summary of the two sides below",
            "50 es neutro; un resumen de los dos lados siguientes",
        ),
    ),
    _field("u_month_before", "integer", "Trust 30 days before", "Confianza 30 días antes"),
    _field(
        "u_provider_side",
        "integer",
        "What the provider keeps",
        "Lo que cumple el proveedor",
        Text("Reliability, quality, response", "Fiabilidad, calidad, respuesta"),
    ),
    _field(
        "u_customer_side",
        "integer",
        "What the customer puts in",
        "Lo que aporta el cliente",
        Text("Voice, participation", "Voz, participación"),
    ),
    _field("u_reliability", "integer", "Reliability", "Fiabilidad"),
    _field("u_quality", "integer", "Quality", "Calidad"),
    _field("u_response", "integer", "Response", "Respuesta"),
    _field("u_voice", "integer", "Voice", "Voz"),
    _field("u_participation", "integer", "Participation", "Participación"),
    _field("u_steps", "string", "By step of the journey", "Por paso de la travesía", length=255),
    _field("u_why", "string", "What weighed most", "Lo que más pesó", length=1000),
    _field("u_advice", "string", "What is missing", "Lo que falta", length=255),
    _field(
        "u_people",
        "integer",
        "People",
        "Personas",
        Text(
            "How many people the evidence comes from; who they are is not kept",
            "De cuántas personas procede la evidencia; quiénes son no se guarda",
        ),
    ),
    _field("u_evidence", "integer", "Evidence", "Evidencia"),
    _field("u_confidence", "integer", "Certainty of the data (%)", "Certeza de los datos (%)"),
    _field("u_last_contact", "date", "Last visible contact", "Último contacto visible"),
    _field("u_ring", "choice", "Ring", "Anillo"),
    _field("u_ring_proposed", "date", "Ring proposed on", "Anillo propuesto el"),
    _field("u_ring_evidence", "string", "Proposed because", "Propuesto porque", length=120),
)

RING_CONFIRMED = "u_ring_confirmed"

PEOPLES: tuple[JourneyField, ...] = (
    _field(
        RING_CONFIRMED,
        "date",
        "Ring confirmed on",
        "Anillo confirmado el",
        Text(
            "A person says so: the relationship is established since that day",
            "Lo dice una persona: la relación está establecida desde ese día",
        ),
    ),
    _field("u_owner", "string", "Owner", "Responsable", length=120),
    _field("u_next_step", "string", "Next step", "Próximo paso", length=255),
    _field("u_due", "date", "Due", "Para cuándo"),
)

ENGAGEMENT_TABLE = OwnTable(
    RELATIONSHIP_TABLE,
    Text("Journey engagement", "Compromiso de la travesía"),
    (*COMPUTED, *PEOPLES),
)

PASSENGERS = frozenset({"u_evidence", "u_confidence", "u_why", "u_month_before"})
"""Columns that move a little every night: they ride along, and never cause a write alone."""

RING_CHOICES: dict[str, Text] = {
    "none": Text("No ring", "Sin anillo"),
    "proposed": Text(
        "Proposed: a person must confirm it", "Propuesto: debe confirmarlo una persona"
    ),
    "confirmed": Text("Confirmed", "Confirmado"),
}

TOO_SMALL = "too_small"
"""The state of a row whose group has become too small to be shown: its figures are emptied."""


def state_choices(engagement: Engagement | None) -> dict[str, Text]:
    """The values of the state and their labels, best first."""
    named = {state.id: state.name for state in engagement.states} if engagement else {}
    return {**named, TOO_SMALL: Text("Too few people to show", "Muy pocas personas para mostrarla")}
