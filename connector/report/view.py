"""A report in words: titles, sentences, tables of texts. What the templates are given.

Every text is final here (translated, formatted, cleaned); templates only place them. The context of
a template is one `View`, named `view`, beside `_` for its own fixed words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from connector.messages import _, speaking
from connector.report.chapters import chapters_of
from connector.report.chapters.model import Chapter
from connector.report.closing import closing
from connector.report.definitions import DEFINITIONS
from connector.report.drawing.picture import Picture
from connector.report.figures import StepFigures
from connector.report.layout import Section, safe
from connector.report.opening import groups
from connector.report.pictures import MAP, pictures_of
from connector.report.report import Report
from connector.report.wording import NOTHING, clean, count, instant, number, share, span


@dataclass(frozen=True)
class Tile:
    """One figure at the head of the report."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True)
class Stop:
    """One step on the strip across the top. `weight` 0 to 100: its records against the busiest."""

    position: int
    group: str
    name: str
    description: str
    value: str
    detail: str
    weight: int
    has_source: bool


@dataclass(frozen=True)
class Term:
    """A figure and its definition."""

    name: str
    text: str


@dataclass(frozen=True)
class Group:
    """Sentences under one heading: what changed, what hurts, what to do."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A chapter: its title and its sections. `id` is stable, and no section's.

    `is_whole`: it is one section that is called the same, so that one heading is enough.
    """

    id: str
    title: str
    sections: tuple[Section, ...]
    is_whole: bool


@dataclass(frozen=True)
class View:
    """Everything a template may show."""

    language: str
    title: str
    journey: str
    journey_description: str
    facts: tuple[Term, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
    tiles: tuple[Tile, ...]
    stops: tuple[Stop, ...]
    chapters: tuple[Part, ...]
    sections: tuple[Section, ...]
    """Those of all chapters, in order."""
    pictures: dict[str, tuple[Picture, ...]]
    definitions: tuple[Term, ...]
    closing: tuple[str, ...]
    credits: tuple[str, ...]


def view_of(report: Report) -> View:
    """Put a report into words, in its language."""
    with speaking(report.language):
        chapters = tuple(_part(*one) for one in chapters_of(report))
        shown = tuple(section for chapter in chapters for section in chapter.sections)
        pictured = [*(() if report.chosen else (MAP,)), *(section.id for section in shown)]
        return View(
            language=report.language,
            title=report.title,
            journey=clean(report.journey.name.in_(report.language)),
            journey_description=clean(report.journey.description.in_(report.language)),
            facts=_facts(report),
            groups=() if report.chosen else _groups(report),
            notes=tuple(_notes(report)),
            tiles=() if report.chosen else _tiles(report),
            stops=() if report.chosen else _stops(report),
            chapters=chapters,
            sections=shown,
            pictures=pictures_of(report, pictured),
            definitions=tuple(_terms(report, shown)),
            closing=() if report.chosen else tuple(closing(report)),
            credits=tuple(
                clean(report.mapping.journeys[j.journey].credit.in_(report.language))
                for j in report.figures.journeys
                if report.mapping.journeys[j.journey].credit.in_(report.language)
            ),
        )


def _part(chapter: Chapter[Any], sections: Sequence[Section]) -> Part:
    shown, title = tuple(safe(section) for section in sections), _(chapter.title)
    is_whole = [section.title for section in shown] == [title]
    return Part(f"chapter-{chapter.name}", title, shown, is_whole)


HEAD_FIGURES = (
    "records_in_period",
    "records_open",
    "open_now",
    "tickets_opened",
    "tickets_resolved",
    "sla_met_share",
    "value_confirmed_share",
    "closures",
    "visible_share",
)
"""What the monthly report shows before its chapters."""


def _groups(report: Report) -> tuple[Group, ...]:
    return tuple(Group(title, tuple(sentences)) for title, sentences in groups(report))


def _terms(report: Report, sections: Sequence[Section]) -> Iterator[Term]:
    """The definitions that the report needs, in the order of all, once each."""
    used = {figure for section in sections for figure in section.figures}
    used |= set() if report.chosen else set(HEAD_FIGURES)
    for id_, definition in DEFINITIONS.items():
        if id_ in used:
            yield Term(definition.said_name, definition.said_text)


def _facts(report: Report) -> tuple[Term, ...]:
    figures = report.figures
    return (
        Term(_("Period"), span(figures.period)),
        Term(_("Scope"), report.scope_name),
        Term(_("Time zone"), figures.period.time_zone),
        Term(_("Data until"), instant(figures.data_until, figures.period)),
        Term(_("Records"), number(figures.records)),
    )


def _notes(report: Report) -> list[str]:
    figures, notes = report.figures, []
    period = figures.period
    if figures.data_until and period.start < figures.data_until < period.end:
        notes.append(
            _("The period was not over when the data were read; they end on {instant}.").format(
                instant=instant(figures.data_until, period)
            )
        )
    if figures.moves_since and figures.moves_since > period.start:
        notes.append(
            _(
                "Moves from step to step are observed since {instant}; what came before is known"
                " only from the dates that each record carries."
            ).format(instant=instant(figures.moves_since, period))
        )
    return notes


def _tiles(report: Report) -> tuple[Tile, ...]:
    figures = report.figures
    total, closures = figures.sla_total, figures.closures
    hidden = figures.is_dark("closures", "confirmed", "presumed")
    is_dark = figures.is_dark("sla_all", "met", "breached")
    return (
        Tile(
            _("Open now"),
            count(figures.counted(figures.open_now, "head", "open_now")),
            _("{n} in the period, {open} of these still open").format(
                n=number(figures.records), open=count(figures.counted(figures.open, "head", "open"))
            ),
        ),
        Tile(
            _("Tickets opened"),
            count(figures.counted(figures.flow.opened, "head", "opened")),
            _("{n} resolved").format(
                n=count(figures.counted(figures.flow.resolved, "head", "resolved"))
            ),
        ),
        Tile(
            _("SLA met"),
            share(total.met_share) if total and not is_dark else NOTHING,
            _("no source in this tool")
            if total is None
            else NOTHING
            if is_dark
            else _("of {n} clocks decided").format(n=number(total.met_share.whole)),
        ),
        Tile(
            _("Value confirmed"),
            NOTHING if hidden else share(closures.confirmed_share),
            NOTHING
            if hidden
            else _("of {n} closures").format(n=number(closures.confirmed_share.whole)),
        ),
        Tile(
            _("Visible"),
            share(figures.visible),
            _("of {n} records").format(n=number(figures.visible.whole)),
        ),
    )


def _stops(report: Report) -> tuple[Stop, ...]:
    shown = report.figures.shown
    busiest = max((step.in_period for step in shown.steps), default=0)
    return tuple(_stop(report, i, step, busiest) for i, step in enumerate(shown.steps, 1))


def _stop(report: Report, position: int, figures: StepFigures, busiest: int) -> Stop:
    journey = report.figures.shown.journey
    step = report.step(journey, figures.step)

    def cell(column: str, value: int) -> str:
        return count(report.figures.counted(value, column, journey, figures.step))

    return Stop(
        position=position,
        group=clean(step.group.in_(report.language)) if step.group else "",
        name=clean(step.name.in_(report.language)),
        description=clean(step.description.in_(report.language)),
        value=cell("in_period", figures.in_period) if figures.has_source else "",
        detail=_("{n} still open").format(n=cell("open", figures.open))
        if figures.has_source
        else _("no source in this tool"),
        weight=round(100 * figures.in_period / busiest) if busiest else 0,
        has_source=figures.has_source,
    )
