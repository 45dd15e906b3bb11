"""One report: the figures of a period, in one language."""

from dataclasses import dataclass, replace
from datetime import datetime

from connector.journey.model import Journey, Mapping, Step
from connector.messages import _, speaking
from connector.report.figures import Figures, Period
from connector.report.measure import measure
from connector.report.wording import clean, last_day, span
from connector.store.database import Store


@dataclass(frozen=True)
class Report:
    """Figures and what is needed to put them into words. Equal figures give equal files."""

    figures: Figures
    mapping: Mapping
    language: str

    def in_language(self, language: str) -> "Report":
        """The same figures for another reader."""
        return replace(self, language=language)

    @property
    def period(self) -> Period:
        """What the report is about."""
        return self.figures.period

    @property
    def stem(self) -> str:
        """The files' name without ending; the same for the same period, scope and language."""
        first = self.period.local(self.period.start).date()
        return f"travesia_{first}_{last_day(self.period)}_{self.language}"

    @property
    def title(self) -> str:
        """The heading, in the report's language."""
        with speaking(self.language):
            return _("Journey report, {period}").format(period=span(self.period))

    @property
    def scope_name(self) -> str:
        """What part of the organisation the report is about, in the report's language."""
        with speaking(self.language):
            scope = self.figures.scope
            named = {
                "all": _("The whole organisation"),
                "department": _("Department: {name}"),
                "company": _("Company: {name}"),
                "service": _("Service: {name}"),
            }
            return named[scope.kind].format(name=clean(scope.name) or scope.sys_id)

    @property
    def journey(self) -> Journey:
        """The journey that the organisation shows."""
        return self.mapping.journeys[self.figures.shown.journey]

    def step(self, journey: str, step: str) -> Step:
        """A step of a journey; raises KeyError."""
        return self.mapping.journeys[journey].step(step)

    def step_name(self, journey: str, step: str) -> str:
        """The step's name; its id where the mapping knows it no more."""
        try:
            return clean(self.step(journey, step).name.in_(self.language))
        except KeyError:
            return clean(step)

    def touchpoint_name(self, touchpoint: str) -> str:
        """The touchpoint's name; its id where the mapping knows it no more."""
        known = self.mapping.touchpoints.get(touchpoint)
        return clean(known.name.in_(self.language) if known else touchpoint)

    def table_name(self, table: str) -> str:
        """The table's label; its name where the mapping knows it not."""
        known = self.mapping.tables.get(table)
        return clean(known.label.in_(self.language) if known else table)


def build_report(  # noqa: PLR0913  # what a reader chooses about a report, spelled out
    store: Store,
    mapping: Mapping,
    period_from: datetime,
    period_to: datetime,
    language: str,
    time_zone: str = "UTC",
    minimum_group: int = 5,
    *,
    journey: str = "travesia",
) -> Report:
    """Measure [period_from, period_to) and make it ready for rendering. Raises StoreError.

    For a second language take `report.in_language("es")`: the figures are the same.
    """
    period = Period(period_from, period_to, time_zone)
    return Report(measure(store, mapping, period, journey, minimum_group), mapping, language)
