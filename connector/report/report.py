"""One report: the figures of a period, in one language."""

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from hashlib import md5
from typing import Any
from unicodedata import normalize

from connector.journey.model import Journey, Mapping, Step
from connector.messages import _, speaking
from connector.report.figures import Figures, Period
from connector.report.links import NOWHERE, Tool
from connector.report.lists import Lists
from connector.report.wording import clean, last_day, span
from connector.timestamps import format_instance

NO_LISTS = Lists()


@dataclass(frozen=True)
class Report:
    """Figures and what is needed to put them into words. Equal figures give equal files."""

    figures: Figures
    mapping: Mapping
    language: str
    parts: Dict[str, Any] = field(default_factory=dict)
    """Name of a chapter → its figures (None = no source in this tool), in the order shown."""
    chosen: tuple[str, ...] = ()
    """The chapters that a reader asked for; () is the monthly report."""
    tool: Tool = NOWHERE
    lists: Lists = NO_LISTS

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
        scope = self.figures.scope
        named = [f"{scope.kind}-{plain(scope.name or scope.sys_id)}"] if scope.is_part else []
        parts = [
            "travesia",
            *named,
            *_short(self.chosen),
            first,
            last_day(self.period),
            self.language,
        ]
        return "_".join(str(part) for part in parts)[:LONGEST_STEM]

    @property
    def key(self) -> str:
        """What is published under one record of the tool: period, scope, chapters, language."""
        period = self.period
        bounds = (format_instance(period.start), format_instance(period.end), period.time_zone)
        chosen = (",".join(self.chosen),) if self.chosen else ()
        return "|".join((*bounds, self.figures.scope.key, *chosen, self.language))

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


LONGEST_STEM = 120
"""The platform takes file names of 255; many file systems count bytes."""


FEW = 3
"""So many chapters are named one by one."""


def _short(chosen: tuple[str, ...]) -> tuple[str, ...]:
    if len(chosen) <= FEW:
        return chosen
    sign = md5(",".join(chosen).encode(), usedforsecurity=False).hexdigest()[:6]
    return (f"{len(chosen)}-chapters-{sign}",)


def plain(name: str) -> str:
    """A name as part of the name of a file: letters of ASCII, digits and hyphens."""
    letters = normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-") or "x"
