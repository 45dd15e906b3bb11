"""The tables of ours inside the tool, in the order in which provisioning makes them."""

from connector.journey import fields
from connector.journey.engagement_fields import ENGAGEMENT_TABLE, RING_CHOICES, state_choices
from connector.journey.fields import (
    CONTACT_TABLE,
    PROMISE_CHOICES,
    RECORD_FIELDS,
    REPORT_STATES,
    REPORT_TABLE,
    STEWARD_FIELDS,
    SUMMARY_TABLE,
    JourneyField,
    OwnTable,
)
from connector.journey.model import Mapping
from connector.journey.texts import Text

_NONE = Text("", "")

ROW_TASK = "u_task"
ROW_TABLE = "u_table"
ROW_RECORD = "u_record"
ROW_NUMBER = "u_number"

ROW_FIELDS: tuple[JourneyField, ...] = (
    JourneyField(ROW_NUMBER, "string", Text("Record number", "Número del registro"), _NONE),
    JourneyField(
        ROW_TASK,
        "reference",
        Text("Task", "Tarea"),
        Text(
            "The record that this row is about, where it is a task",
            "El registro del que trata esta fila, si es una tarea",
        ),
        reference="task",
    ),
    JourneyField(ROW_TABLE, "string", Text("Table", "Tabla"), _NONE, max_length=80),
    JourneyField(ROW_RECORD, "string", Text("Record ID", "ID del registro"), _NONE),
)
"""What says of which record a row of `u_journey` tells: written once, with the row."""

JOURNEY_TABLE = OwnTable(
    "u_journey",
    Text("Journey", "Travesía"),
    (*ROW_FIELDS, *RECORD_FIELDS, *STEWARD_FIELDS),
)
"""A row a record, for those who want nothing on the ticket itself (`[write_back] mode`)."""

REQUEST_STATES: dict[str, Text] = {
    "queued": Text("Queued", "En cola"),
    "done": Text("Done", "Hecha"),
    "failed": Text("Failed", "Fallida"),
}

REQUEST_TABLE = OwnTable(
    "u_journey_request",
    Text("Journey refresh request", "Petición de actualizar la travesía"),
    (
        JourneyField(ROW_NUMBER, "string", Text("Record number", "Número del registro"), _NONE),
        JourneyField(ROW_TABLE, "string", Text("Table", "Tabla"), _NONE, max_length=80),
        JourneyField(ROW_RECORD, "string", Text("Record ID", "ID del registro"), _NONE),
        JourneyField("u_state", "choice", Text("State", "Estado"), _NONE),
        JourneyField(
            "u_message",
            "string",
            Text("What came of it", "Qué resultó"),
            _NONE,
            max_length=255,
        ),
    ),
)
"""What people ask for from inside the tool: the journey of one record, anew, now."""

OWN_TABLES: tuple[OwnTable, ...] = (
    JOURNEY_TABLE,
    REPORT_TABLE,
    CONTACT_TABLE,
    ENGAGEMENT_TABLE,
    SUMMARY_TABLE,
    REQUEST_TABLE,
)


def choices_of_fields(mapping: Mapping, journey: str) -> dict[str, dict[str, Text]]:
    """Each choice column of ours on a record → its values and their labels, in order."""
    steps = mapping.journeys[journey].steps
    return {
        fields.STEP: {step.id: step.name for step in steps},
        fields.TOUCHPOINT: {t.id: t.name for t in mapping.touchpoints.values()},
        fields.BAND: fields.BAND_CHOICES,
        fields.MOMENT: fields.MOMENT_CHOICES,
        fields.OUTCOME: fields.OUTCOME_CHOICES,
        fields.VALUE: fields.VALUE_CHOICES,
        fields.CONFIDENCE: fields.CONFIDENCE_CHOICES,
        fields.LAST_VISIBLE: {t.id: t.name for t in mapping.touchpoints.values()},
        fields.OVERRIDE: {t.id: t.name for t in mapping.touchpoints.values()},
    }


def choices_of_own_tables(
    mapping: Mapping, journey: str = "travesia"
) -> dict[tuple[str, str], dict[str, Text]]:
    """Each (table, column) of our own tables that has a choice list → its values and labels.

    A contact may be whatever the rules for contacts can place.
    """
    contact, engagement = CONTACT_TABLE.name, ENGAGEMENT_TABLE.name
    named = {rule.touchpoint for rule in mapping.rules_of(contact)}
    on_rows = choices_of_fields(mapping, journey)
    return {
        **{(JOURNEY_TABLE.name, column): choices for column, choices in on_rows.items()},
        (contact, "u_touchpoint"): {
            id_: one.name for id_, one in mapping.touchpoints.items() if id_ in named
        },
        (contact, "u_promise_kept"): PROMISE_CHOICES,
        (REPORT_TABLE.name, "u_state"): REPORT_STATES,
        (engagement, "u_state"): state_choices(mapping.engagement),
        (engagement, "u_ring"): RING_CHOICES,
        (REQUEST_TABLE.name, "u_state"): REQUEST_STATES,
    }
