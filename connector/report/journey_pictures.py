"""The pictures of the journey itself: its map with the ribbon, and the records on each journey."""

from statistics import median
from typing import TypeVar

from connector.journey.engagement import late_steps
from connector.journey.engagement_words import ring_of
from connector.messages import _
from connector.report.chapters.overview import Overview
from connector.report.chapters.relations import Relationships
from connector.report.drawing.journey_map import Bubble, JourneyMap, MapStep, journey_map
from connector.report.drawing.picture import Picture
from connector.report.drawing.ribbon import STATES, Ribbon
from connector.report.drawing.strips import Box, Strip, strips_chart
from connector.report.report import Report
from connector.report.wording import clean, number
from connector.store.database import Row

F = TypeVar("F")


def part(report: Report, name: str, kind: type[F]) -> F | None:
    """The figures of a chapter, None where it is not in the report or has no source."""
    found = report.parts.get(name)
    return found if isinstance(found, kind) else None


def map_picture(report: Report) -> Picture | None:
    """Steps × lanes, with the ribbon where relationships are known."""
    shown = {step.step: step for step in report.figures.shown.steps}
    steps = tuple(
        MapStep(
            step.id,
            report.step_name(report.journey.id, step.id),
            clean(step.group.in_(report.language)) if step.group else "",
            has_source=step.id in shown and shown[step.id].has_source,
        )
        for step in report.journey.steps
    )
    bubbles = tuple(
        Bubble(lane.step, lane.lane, lane.records, lane.won, lane.lost)
        for lane in report.figures.lanes
    )
    return journey_map(JourneyMap(steps, bubbles, ribbon_of(report)))


def _relationships(report: Report) -> Relationships | None:
    overview = part(report, "overview", Overview)
    return (
        part(report, "map", Relationships)
        or part(report, "engagement", Relationships)
        or (overview.relationships if overview else None)
    )


def ribbon_of(report: Report) -> Ribbon | None:
    """Of one relationship its own; of several the median of each step, and how many wear the ring.

    None where no step has a score: then nothing is known of compromiso.
    """
    found = _relationships(report)
    if found is None:
        return None
    ranked = {state.id for state in found.opinions.scored}
    rows = [row for row in found.rows if row["state"] in ranked]
    scores = _scores(report, rows)
    if not any(score is not None for _step, score in scores):
        return None
    scale = cuts(found)
    if len(rows) == 1:
        row = rows[0]
        return Ribbon(scores, row["ring_confirmed"], row["ring_proposed"], cuts=scale)
    worn = sum(ring_of(row) == "confirmed" for row in rows)
    said = _("median of {n} relationships; ring on {worn}").format(
        n=number(len(rows)), worn=number(worn)
    )
    return Ribbon(scores, cuts=scale, said=said, is_worn=2 * worn > len(rows))


def _scores(report: Report, rows: list[Row]) -> tuple[tuple[str, float | None], ...]:
    """From the step of the ring on."""
    found: list[tuple[str, float | None]] = []
    for step in late_steps(report.mapping, report.journey.id)[1]:
        known = [row["steps"][step] for row in rows if row["steps"].get(step) is not None]
        found.append((step, float(median(known)) if known else None))
    return tuple(found)


def cuts(found: Relationships) -> tuple[tuple[float, str], ...]:
    """The organisation's own cuts, in our five colours from good to bad."""
    ordered = sorted((float(state.at_least or 0) for state in found.opinions.scored), reverse=True)
    return tuple((cut, STATES[min(i, len(STATES) - 1)]) for i, cut in enumerate(ordered))


def strips_picture(report: Report) -> Picture | None:
    """The same records on each journey: a strip a journey."""
    figures = report.figures
    return strips_chart(
        tuple(
            Strip(
                clean(report.mapping.journeys[journey.journey].name.in_(report.language)),
                tuple(
                    Box(
                        report.step_name(journey.journey, step.step),
                        figures.counted(step.in_period, "in_period", journey.journey, step.step)
                        if step.has_source
                        else None,
                    )
                    for step in journey.steps
                ),
            )
            for journey in figures.journeys
        )
    )
