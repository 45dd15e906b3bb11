"""The tables of ours inside the tool, in the order in which provisioning makes them."""

from connector.journey.engagement_fields import ENGAGEMENT_TABLE, RING_CHOICES, state_choices
from connector.journey.fields import (
    CONTACT_TABLE,
    PROMISE_CHOICES,
    REPORT_STATES,
    REPORT_TABLE,
    SUMMARY_TABLE,
    OwnTable,
)
from connector.journey.model import Mapping
from connector.journey.texts import Text

OWN_TABLES: tuple[OwnTable, ...] = (
    REPORT_TABLE,
    CONTACT_TABLE,
    ENGAGEMENT_TABLE,
    SUMMARY_TABLE,
)


def choices_of_own_tables(mapping: Mapping) -> dict[tuple[str, str], dict[str, Text]]:
    """Each (table, column) of our own tables that has a choice list → its values and labels.

    A contact may be whatever the rules for contacts can place.
    """
    contact, engagement = CONTACT_TABLE.name, ENGAGEMENT_TABLE.name
    named = {rule.touchpoint for rule in mapping.rules_of(contact)}
    return {
        (contact, "u_touchpoint"): {
            id_: one.name for id_, one in mapping.touchpoints.items() if id_ in named
        },
        (contact, "u_promise_kept"): PROMISE_CHOICES,
        (REPORT_TABLE.name, "u_state"): REPORT_STATES,
        (engagement, "u_state"): state_choices(mapping.engagement),
        (engagement, "u_ring"): RING_CHOICES,
    }
