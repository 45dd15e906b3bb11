"""The lanes of the journey map: how many records, seen by whom, and how the moments went there."""

from collections import Counter
from collections.abc import Sequence

from connector.report.figures import LaneFigures, TouchpointFigures
from connector.report.source import Source

LANES = ("consumer", "visible", "provider", "supplier")

SUPPLIER = "supplier_"
"""Touchpoints whose id begins so are what suppliers do; the rest of the backstage is ours."""

Place = tuple[str, str]
"""A step and a lane."""

# One join each: what a report may hold in memory is little (ADR 0015).
_MOMENTS = """
SELECT c.steps[$journey] AS step, c.touchpoint, c.band,
       count(*) FILTER (m.polarity = 'positive') AS won,
       count(*) FILTER (m.polarity = 'negative') AS lost
FROM moment AS m
JOIN classification AS c ON c.table_name = m.table_name AND c.sys_id = m.sys_id
WHERE m.decided_at >= $since::TIMESTAMP AND m.decided_at < $until::TIMESTAMP
  AND c.steps[$journey] IS NOT NULL AND NOT list_contains($measures, c.table_name)
GROUP BY ALL
"""


def measure_lanes(
    source: Source, journey: str, touchpoints: Sequence[TouchpointFigures]
) -> tuple[LaneFigures, ...]:
    """Records of the period by step of `journey` and lane, with their moments decided in it.

    `touchpoints` are the period's of this journey.
    """
    records: Counter[Place] = Counter()
    for one in touchpoints:
        records[one.step, lane_of(one.touchpoint, one.band)] += one.in_period
    won: Counter[Place] = Counter()
    lost: Counter[Place] = Counter()
    for row in source.read(_MOMENTS, journey=journey):
        place = (row["step"], lane_of(row["touchpoint"], row["band"]))
        won[place] += row["won"]
        lost[place] += row["lost"]
    steps = [step.id for step in source.mapping.journeys[journey].steps]
    return tuple(
        LaneFigures(step, lane, records[step, lane], won[step, lane], lost[step, lane])
        for step in steps
        for lane in LANES
        if records[step, lane]
    )


def lane_of(touchpoint: str, band: str) -> str:
    """Who sees what happens at a touchpoint in a band."""
    if touchpoint.startswith(SUPPLIER):
        return "supplier"
    return {"visible": "visible", "consumer_backstage": "consumer"}.get(band, "provider")
