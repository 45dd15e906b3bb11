"""The formulas of engagement: what is asked of records, and the SQL of scores and states. Pure.

For the lines of a relationship, each with a day, a value v from -1 to +1 and a weight w:

    decay       d = 0.5 ** (age in days / half-life)             0 <= age < window
    dimension   D = sum(w d v) / (sum(w d) + k)                  thin evidence stays near neutral
    score       E = 50 + 50 * sum(W D) / sum(W)                  over dimensions with evidence
    confidence  n / (n + confidence_k), with n = sum(w d)

Days are calendar days in UTC, so that the score of a day is the same whenever it is asked for.
"""

from collections.abc import Iterator

from connector.journey.conditions import parse_condition
from connector.journey.engagement_model import (
    Engagement,
    Line,
    Relationship,
    RingEvidence,
)
from connector.journey.model import Mapping

CUSTOMER_COLUMNS = ("name", "parent", "company")
"""What is read of a customer: its name, and the ways up to the next larger group."""
CONTACT = "contact"
"""The name of the condition that tells a visible contact."""


# --- what is asked of records ---------------------------------------------------------------------


def asked_of(engagement: Engagement, table: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """What records of a table can give: (id, condition, columns of its instant)."""
    given: list[Line | RingEvidence] = [*engagement.lines_of(table), *engagement.ring_of(table)]
    found = [(one.id, one.when, one.at) for one in given]
    relationship = engagement.relationship(table)
    if relationship and relationship.contact:
        found.append((CONTACT, relationship.contact_when, relationship.contact))
    return found


def fields_of(relationship: Relationship) -> Iterator[str]:
    """The fields that say whose relationship a record is about."""
    yield from relationship.via
    yield from relationship.customer
    yield from relationship.service
    yield from relationship.service_fallback
    yield from relationship.person
    yield from relationship.sponsor


def engagement_fields(mapping: Mapping, table: str) -> list[str]:
    """Every field of a table that engagement reads: they must be pulled."""
    engagement = mapping.engagement
    relationship = engagement.relationship(table) if engagement else None
    if engagement is None or relationship is None:
        return []
    found = list(fields_of(relationship))
    for name in relationship.customer:
        found += [f"{name}.{column}" for column in CUSTOMER_COLUMNS]
    if not relationship.service_table:
        found += [f"{name}.name" for name in relationship.service]
    for _id, when, at in asked_of(engagement, table):
        found += [*at, *sorted(parse_condition(when, mapping.sets).fields)]
    return list(dict.fromkeys(found))


def service_table_of(mapping: Mapping, table: str) -> str:
    """The table of services that records of `table` are held against, "" for none."""
    relationship = mapping.engagement.relationship(table) if mapping.engagement else None
    return relationship.service_table if relationship else ""
