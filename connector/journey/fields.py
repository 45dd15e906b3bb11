"""The columns that Travesía owns on a record, and its own tables: one list for all who need it.

Provisioning creates them, write-back fills them, extraction reads them back, rules never see them.
"""

from dataclasses import dataclass
from typing import Literal

from connector.journey.model import Text

OWN_PREFIX = "u_journey_"
"""Every column of ours begins so; no rule may read such a column (our own writes move it)."""

FieldType = Literal["choice", "string", "datetime", "date", "integer", "reference"]


@dataclass(frozen=True)
class JourneyField:
    """One column on the record. `causes_write` is false for what only explains the others."""

    name: str
    type: FieldType
    label: Text
    help: Text
    causes_write: bool = True
    max_length: int = 40
    reference: str = ""
    """The table that a reference points to."""


@dataclass(frozen=True)
class OwnTable:
    """A table of ours inside the tool."""

    name: str
    label: Text
    fields: tuple[JourneyField, ...]


STEP = "u_journey_step"
TOUCHPOINT = "u_journey_touchpoint"
BAND = "u_journey_band"
MOMENT = "u_journey_moment"
OUTCOME = "u_journey_outcome"
VALUE = "u_journey_value"
SINCE = "u_journey_since"
WHY = "u_journey_why"
RULE = "u_journey_rule"
CONFIDENCE = "u_journey_confidence"
LAST_VISIBLE = "u_journey_last_visible"
RELATIONSHIP = "u_journey_relationship"
OVERRIDE = "u_journey_override"
OVERRIDE_REASON = "u_journey_override_reason"

RELATIONSHIP_TABLE = "u_journey_engagement"
"""The table of the rows that a record's relationship is shown in (`engagement_fields`)."""

RECORD_FIELDS: tuple[JourneyField, ...] = (
    JourneyField(
        STEP,
        "choice",
        Text("Journey step", "Paso de la travesía"),
        Text(
            "Where this record stands on the customer journey",
            "En qué paso de la travesía está este registro",
        ),
    ),
    JourneyField(
        TOUCHPOINT,
        "choice",
        Text("Journey touchpoint", "Punto de contacto de la travesía"),
        Text(
            "Where consumer and provider meet now",
            "Dónde se encuentran ahora consumidor y proveedor",
        ),
    ),
    JourneyField(
        BAND,
        "choice",
        Text("Visibility band", "Banda de visibilidad"),
        Text(
            "Whether the other party can see what happens now",
            "Si la otra parte puede ver lo que ocurre ahora",
        ),
    ),
    JourneyField(
        MOMENT,
        "choice",
        Text("Moment of truth", "Momento de la verdad"),
        Text(
            "The heaviest one of the record; potential until evidence decides it",
            "El de más peso del registro; potencial hasta que la evidencia lo decida",
        ),
    ),
    JourneyField(
        OUTCOME,
        "choice",
        Text("Journey outcome", "Desenlace de la travesía"),
        Text(
            "How the journey ended, where it did not end well",
            "Cómo terminó la travesía, si no terminó bien",
        ),
    ),
    JourneyField(
        VALUE,
        "choice",
        Text("Value", "Valor"),
        Text(
            "Confirmed by a voice, or presumed from silence",
            "Confirmado por una voz o presumido por el silencio",
        ),
    ),
    JourneyField(
        SINCE,
        "datetime",
        Text("In this step since", "En este paso desde"),
        Text(
            "When the record entered its present step", "Cuándo entró el registro en su paso actual"
        ),
    ),
    JourneyField(
        WHY,
        "string",
        Text("Why here", "Por qué aquí"),
        Text("The reason of the rule that decided", "El motivo de la regla que decidió"),
        causes_write=False,
        max_length=255,
    ),
    JourneyField(
        RULE,
        "string",
        Text("Journey rule", "Regla de la travesía"),
        Text("The rule that decided", "La regla que decidió"),
        causes_write=False,
        max_length=80,
    ),
    JourneyField(
        CONFIDENCE,
        "choice",
        Text("Journey confidence", "Seguridad de la clasificación"),
        Text("How sure the rule is", "Qué seguridad tiene la regla"),
        causes_write=False,
    ),
    JourneyField(
        LAST_VISIBLE,
        "choice",
        Text("Last visible touchpoint", "Último punto de contacto visible"),
        Text(
            "Where the other party last saw something of this record",
            "Dónde vio la otra parte algo de este registro por última vez",
        ),
        causes_write=False,
    ),
    JourneyField(
        RELATIONSHIP,
        "reference",
        Text("Relationship", "Relación"),
        Text(
            "Whose relationship this record belongs to; its state and its trust are shown with it",
            "A qué relación pertenece este registro; con ella se ven su estado y su confianza",
        ),
        reference=RELATIONSHIP_TABLE,
    ),
)


def fields_on_records(*, relationship: bool) -> tuple[JourneyField, ...]:
    """What we fill on a record; the reference to its relationship only where it is wanted."""
    return tuple(one for one in RECORD_FIELDS if relationship or one.name != RELATIONSHIP)


STEWARD_FIELDS: tuple[JourneyField, ...] = (
    JourneyField(
        OVERRIDE,
        "choice",
        Text("Touchpoint set by hand", "Punto de contacto fijado a mano"),
        Text(
            "Overrules the rules until the state of this record changes; Travesía never writes it",
            "Prevalece sobre las reglas hasta que cambie el estado de este registro; Travesía nunca"
            " lo escribe",
        ),
    ),
    JourneyField(
        OVERRIDE_REASON,
        "string",
        Text("Reason for setting it by hand", "Motivo para fijarlo a mano"),
        Text("Shown as the reason why", "Se muestra como el motivo"),
        max_length=255,
    ),
)
"""Columns that people fill: provisioned and read, never written by us, and no inputs of rules."""

BAND_CHOICES: dict[str, Text] = {
    "visible": Text("Visible", "Visible"),
    "provider_backstage": Text("Provider backstage", "Trastienda del proveedor"),
    "consumer_backstage": Text("Consumer backstage", "Trastienda del consumidor"),
}
MOMENT_CHOICES: dict[str, Text] = {
    "potential": Text("Potential", "Potencial"),
    "positive": Text("Positive", "Positivo"),
    "negative": Text("Negative", "Negativo"),
    "neutral": Text("Neutral", "Neutro"),
}
OUTCOME_CHOICES: dict[str, Text] = {
    "lost": Text("Lost", "Perdida"),
    "abandoned": Text("Abandoned", "Abandonada"),
    "cancelled": Text("Cancelled", "Cancelada"),
    "failed": Text("Failed", "Fallida"),
    "stalled": Text("Stalled", "Detenida"),
    "no_answer": Text("No answer", "Sin respuesta"),
}
VALUE_CHOICES: dict[str, Text] = {
    "confirmed": Text("Confirmed", "Confirmado"),
    "presumed": Text("Presumed", "Presumido"),
}
CONFIDENCE_CHOICES: dict[str, Text] = {
    "high": Text("High", "Alta"),
    "medium": Text("Medium", "Media"),
    "low": Text("Low", "Baja"),
}

REPORT_TABLE = OwnTable(
    "u_journey_report",
    Text("Journey report", "Informe de la travesía"),
    (
        JourneyField("u_title", "string", Text("Title", "Título"), Text("", ""), max_length=160),
        JourneyField("u_period_from", "datetime", Text("From", "Desde"), Text("", "")),
        JourneyField("u_period_to", "datetime", Text("To", "Hasta"), Text("", "")),
        JourneyField("u_scope", "string", Text("Scope", "Alcance"), Text("", ""), max_length=120),
        JourneyField("u_language", "string", Text("Language", "Idioma"), Text("", "")),
        JourneyField("u_data_until", "datetime", Text("Data until", "Datos hasta"), Text("", "")),
        JourneyField("u_records", "integer", Text("Records", "Registros"), Text("", "")),
        JourneyField(
            "u_summary", "string", Text("Summary", "Resumen"), Text("", ""), max_length=4000
        ),
        JourneyField(
            "u_chapters",
            "string",
            Text("Chapters", "Capítulos"),
            Text("", ""),
            max_length=255,
        ),
        JourneyField(
            "u_state",
            "choice",
            Text("State", "Estado"),
            Text(
                "Published once all of it is here: a notification may wait for it",
                "Publicado cuando ya está todo aquí: una notificación puede esperar a eso",
            ),
        ),
    ),
)

REPORT_STATES: dict[str, Text] = {
    "publishing": Text("Being published", "Publicándose"),
    "published": Text("Published", "Publicado"),
}

SUMMARY_TABLE = OwnTable(
    "u_journey_summary",
    Text("Journey summary", "Resumen de la travesía"),
    (
        JourneyField("u_day", "date", Text("Day", "Día"), Text("", "")),
        JourneyField("u_step", "string", Text("Step", "Paso"), Text("", "")),
        JourneyField(
            "u_touchpoint", "string", Text("Touchpoint", "Punto de contacto"), Text("", "")
        ),
        JourneyField(
            "u_service",
            "reference",
            Text("Service", "Servicio"),
            Text("", ""),
            reference="cmdb_ci_service",
        ),
        JourneyField(
            "u_opened",
            "integer",
            Text("Opened", "Abiertos"),
            Text(
                "Records opened on this day that stand here now",
                "Registros abiertos ese día que están aquí ahora",
            ),
        ),
        JourneyField(
            "u_still_open", "integer", Text("Still open", "Siguen abiertos"), Text("", "")
        ),
        JourneyField(
            "u_moments_won", "integer", Text("Moments won", "Momentos ganados"), Text("", "")
        ),
        JourneyField(
            "u_moments_lost", "integer", Text("Moments lost", "Momentos perdidos"), Text("", "")
        ),
    ),
)
"""Figures by step, touchpoint, service and day: what the tool's own reports and dashboards read."""

CONTACT_TABLE = OwnTable(
    "u_journey_contact",
    Text("Journey contact", "Contacto de la travesía"),
    (
        JourneyField("u_date", "date", Text("Date", "Fecha"), Text("", "")),
        JourneyField(
            "u_customer",
            "reference",
            Text("Department", "Departamento"),
            Text(
                "Whose relationship it is: a department, or a company below",
                "De quién es la relación: un departamento o, abajo, una empresa",
            ),
            reference="cmn_department",
        ),
        JourneyField(
            "u_company",
            "reference",
            Text("Company", "Empresa"),
            Text("", ""),
            reference="core_company",
        ),
        JourneyField(
            "u_service",
            "reference",
            Text("Service", "Servicio"),
            Text(
                "The service that it was about, if one",
                "El servicio del que se trató, si lo hubo",
            ),
            reference="cmdb_ci_service",
        ),
        JourneyField(
            "u_touchpoint",
            "choice",
            Text("What it was", "Qué fue"),
            Text(
                "The touchpoint of the journey",
                "El punto de contacto de la travesía",
            ),
        ),
        JourneyField(
            "u_summary",
            "string",
            Text("In one line", "En una línea"),
            Text("It stays here: Travesía never reads it", "Se queda aquí: Travesía no lo lee"),
            max_length=255,
        ),
        JourneyField(
            "u_promise",
            "string",
            Text("Promise made", "Promesa hecha"),
            Text("It stays here: Travesía never reads it", "Se queda aquí: Travesía no lo lee"),
            max_length=255,
        ),
        JourneyField("u_promise_due", "date", Text("Promised for", "Prometido para"), Text("", "")),
        JourneyField(
            "u_promise_kept",
            "choice",
            Text("Promise kept", "Promesa cumplida"),
            Text(
                "Empty while it can still be kept",
                "Vacío mientras aún se pueda cumplir",
            ),
        ),
    ),
)
"""Contacts that no tool records: meetings, reviews, talks, and what was promised in them."""

PROMISE_CHOICES: dict[str, Text] = {
    "yes": Text("Yes", "Sí"),
    "no": Text("No", "No"),
}
