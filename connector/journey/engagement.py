"""What engagement asks of records, and the numbers that stand for its lines. Pure, no I/O.

How the answers become scores and states: `engagement_formula.py`.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Dict

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
    if any(line.id == engagement.sla.met for line in engagement.lines_of(table)):
        found.append(engagement.sla.began)
    for _id, when, at in asked_of(engagement, table):
        found += [*at, *sorted(parse_condition(when, mapping.sets).fields)]
    return list(dict.fromkeys(found))


def service_table_of(mapping: Mapping, table: str) -> str:
    """The table of services that records of `table` are held against, "" for none."""
    relationship = mapping.engagement.relationship(table) if mapping.engagement else None
    return relationship.service_table if relationship else ""


# --- numbers instead of names: what SQL works with ------------------------------------------------

CONTACT_NO = 0
FIRST_LINE = 1
FIRST_RING = 1001
"""Ring evidence has no value and no weight; it is dated, however old."""


def numbers(engagement: Engagement) -> dict[str, int]:
    """Everything that records can give → its number: the contact, lines, ring evidence."""
    found = {CONTACT: CONTACT_NO}
    found |= {line.id: n for n, line in enumerate(engagement.lines, FIRST_LINE)}
    return found | {one.id: n for n, one in enumerate(engagement.ring, FIRST_RING)}


def line_rows(mapping: Mapping, engagement: Engagement, journey: str) -> list[dict[str, object]]:
    """What SQL needs to know of each line, and of the contact and the ring's evidence."""
    number = numbers(engagement)
    dimension = {one.id: n for n, one in enumerate(engagement.dimensions)}
    rows = [_line_row(CONTACT, number), *(_line_row(one.id, number) for one in engagement.ring)]
    for line in engagement.lines:
        factor = engagement.formula.moment_weight if line.moment else 1.0
        touchpoint = mapping.touchpoints.get(line.touchpoint)
        rows.append(
            _line_row(line.id, number)
            | {
                "dimension": dimension[line.dimension],
                "value": line.value,
                "weight": line.weight * factor,
                "step": touchpoint.steps.get(journey) if touchpoint else None,
                "is_severe": line.is_severe,
                "answers": line.answers,
            }
        )
    return rows


def _line_row(line_id: str, number: Dict[str, int]) -> dict[str, object]:
    return {
        "line": number[line_id],
        "id": line_id,
        "dimension": -1,
        "value": 0.0,
        "weight": 0.0,
        "step": None,
        "is_severe": False,
        "answers": False,
    }


def late_steps(mapping: Mapping, journey: str) -> tuple[str, tuple[str, ...]]:
    """The step in which engagement is established ("" if none says so), and those from it on."""
    steps = mapping.journeys[journey].steps
    first = next((step for step in steps if step.establishes_engagement), None)
    start = first.position if first else 2
    return first.id if first else "", tuple(s.id for s in steps if s.position >= start)
