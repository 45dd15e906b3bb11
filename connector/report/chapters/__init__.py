"""The chapters of a report, by name; and which of them make the monthly one.

Each module is one chapter: how it is measured (SQL → frozen figures), how it is put into words, and
its lines in the CSV. A chapter that this tool has no source for says so, and shows no 0.
"""

from collections.abc import Iterator
from typing import Any

from connector.report.chapters import (
    agreements,
    band,
    conversion,
    durations,
    engagement,
    improvement,
    journey_map,
    mapping,
    models,
    moments,
    moved,
    onboarding,
    open_moments,
    overview,
    run,
    sla,
    touchpoints,
    worst,
)
from connector.report.chapters.model import Chapter
from connector.report.layout import Line, Section
from connector.report.report import Report

CHAPTERS: dict[str, Chapter[Any]] = {
    module.CHAPTER.name: module.CHAPTER
    for module in (
        journey_map,
        open_moments,
        moved,
        overview,
        durations,
        conversion,
        sla,
        touchpoints,
        moments,
        engagement,
        band,
        worst,
        onboarding,
        agreements,
        improvement,
        models,
        mapping,
        run,
    )
}
"""In the order in which they are offered: the monthly three, then the fifteen."""

MONTHLY = (journey_map.CHAPTER.name, open_moments.CHAPTER.name, moved.CHAPTER.name)
"""What the monthly report is made of, after the sentences that matter."""

LISTED = frozenset(
    module.CHAPTER.name
    for module in (overview, durations, conversion, touchpoints, moments, agreements, mapping)
)
"""Those with cells for which the tool may have a list."""


def chapters_of(report: Report) -> Iterator[tuple[Chapter[Any], list[Section]]]:
    """The chapters of a report with their sections, in the language `_` speaks."""
    for name, figures in report.parts.items():
        yield CHAPTERS[name], list(CHAPTERS[name].sections(report, figures))


def sections_of(report: Report) -> Iterator[Section]:
    """The sections alone, in order."""
    for _chapter, sections in chapters_of(report):
        yield from sections


def lines_of(report: Report) -> Iterator[Line]:
    """Their lines in the CSV."""
    for name, figures in report.parts.items():
        if figures is not None:
            yield from CHAPTERS[name].lines(report, figures)
