"""What a chapter is: figures measured from the store, words made of them, lines for the CSV."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from connector.journey.model import Journey, Mapping
from connector.messages import _
from connector.report.definitions import heading, meaning
from connector.report.figures import Figures, Period, Share
from connector.report.layout import Line, Section
from connector.report.report import Report
from connector.report.source import Source
from connector.report.wording import NOTHING, number, share

F = TypeVar("F")

Count = int | None
"""A count; None where it is kept from sight (too few people) or cannot be had."""


@dataclass(frozen=True)
class Asked:
    """What a chapter is measured from: the store as a report sees it, and the common figures."""

    source: Source
    base: Figures

    @property
    def mapping(self) -> Mapping:
        """The mapping that placed the records."""
        return self.source.mapping

    @property
    def journey(self) -> Journey:
        """The journey that is shown."""
        return self.mapping.journeys[self.base.shown.journey]

    @property
    def period(self) -> Period:
        """What the report is about."""
        return self.source.period

    @property
    def minimum(self) -> int:
        """Groups smaller than this are hidden; 0 for the whole organisation, which is no group."""
        return self.base.minimum_group if self.source.scope.is_part else 0

    @property
    def until(self) -> datetime | None:
        """Up to when the data reach, naive UTC as the store keeps it."""
        return self.base.data_until.replace(tzinfo=None) if self.base.data_until else None


@dataclass(frozen=True)
class Chapter(Generic[F]):
    """One chapter of a report, chosen by its name.

    `title` is a marked message; `figures` the ids of its definitions, the leading one first.
    `measure` answers None where the tool has no source for it.
    """

    name: str
    title: str
    figures: tuple[str, ...]
    measure: Callable[[Asked], F | None]
    write: Callable[[Report, F], Iterable[Section]]
    lines: Callable[[Report, F], Iterable[Line]]

    def sections(self, report: Report, figures: Any) -> Iterator[Section]:
        """The chapter in words, in the language `_` speaks."""
        if figures is None:
            note = _("There is no source for this in this tool.")
            yield Section(self.name, _(self.title), meaning(self.figures[0]), (), (note,))
            return
        yield from self.write(report, figures)

    def section(self, tables: Iterable[Any], notes: Iterable[str] = ()) -> Section:
        """The usual shape: the title, the leading definition, tables and notes."""
        lead = meaning(self.figures[0])
        title = _(self.title)
        return Section(self.name, title, lead, tuple(tables), tuple(notes), self.figures)


def part(value: Share | None) -> str:
    """A share in words."""
    return NOTHING if value is None else share(value)


def headings(*figures: str) -> tuple[str, ...]:
    """The column headings of figures."""
    return tuple(heading(figure) for figure in figures)


def shown_steps(report: Report) -> Iterator[tuple[str, str]]:
    """(id, `3. Name`) of the steps of the shown journey, in order."""
    journey = report.journey
    for step in journey.steps:
        yield step.id, f"{step.position}. {report.step_name(journey.id, step.id)}"


def few_note(report: Report, *, is_hiding: bool) -> tuple[str, ...]:
    """Why some cells show nothing, where they are hidden."""
    if not is_hiding:
        return ()
    text = _(
        "– stands where too few people (under {n}) are behind a figure, or where one so hidden"
        " could be had from the others."
    )
    return (text.format(n=number(report.figures.minimum_group)),)
