"""The same records on each of the journeys, one after the other."""

from collections.abc import Iterator
from dataclasses import replace

from connector.messages import mark
from connector.report import sections
from connector.report.chapters.model import Asked, Chapter
from connector.report.definitions import meaning
from connector.report.figures import Figures
from connector.report.layout import Line, Section
from connector.report.report import Report


def measure(asked: Asked) -> Figures:
    """The common figures hold every journey."""
    return asked.base


def write(report: Report, figures: Figures) -> Iterator[Section]:
    """A section a journey, the shown one first."""
    first, *others = figures.journeys
    yield replace(sections.other_journey(report, first), lead=meaning("records_in_period"))
    for journey in others:
        yield sections.other_journey(report, journey)


def lines(_report: Report, _figures: Figures) -> Iterator[Line]:
    """Every CSV has the steps of all journeys."""
    yield from ()


CHAPTER = Chapter("models", mark("Two models"), ("records_in_period",), measure, write, lines)
