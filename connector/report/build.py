"""A report from the store: the common figures, and those of the chapters that are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.config import did_you_mean
from connector.errors import ConfigError
from connector.journey.model import Mapping
from connector.messages import _
from connector.report.chapters import CHAPTERS, LISTED, MONTHLY
from connector.report.chapters.model import Asked
from connector.report.figures import Compared, Period
from connector.report.links import NOWHERE, Tool
from connector.report.lists import lists_of
from connector.report.measure import measure_all
from connector.report.report import NO_LISTS, Report
from connector.report.scope import find_scope
from connector.report.source import DATA_UNTIL, open_source
from connector.report.wording import instant
from connector.store.database import Store


@dataclass(frozen=True)
class Choice:
    """What a reader chooses about a report. `scope` as `find_scope` reads it."""

    scope: str = ""
    compared: Compared = "previous"
    only: tuple[str, ...] = ()


WHOLE_MONTH = Choice()
"""The monthly report of the whole organisation."""


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
    choice: Choice = Choice(),  # frozen
    tool: Tool = NOWHERE,
) -> Report:
    """Measure [period_from, period_to) and make it ready for rendering.

    For a second language take `report.in_language("es")`: the figures are the same.
    Raises ConfigError for an unknown scope or chapter and for a period that begins when the data
    have ended, StoreError.
    """
    only = check_chapters(choice.only)
    period = Period(period_from, period_to, time_zone)
    _refuse_unread(store, period)
    scope = find_scope(store, choice.scope)
    source = open_source(store, mapping, period, scope, minimum_group)
    base = measure_all(source, journey, minimum_group, choice.compared)
    asked = Asked(source, base)
    parts = {name: CHAPTERS[name].measure(asked) for name in only or MONTHLY}
    has_lists = not LISTED.isdisjoint(parts)
    lists = lists_of(source, tool, journey) if has_lists else NO_LISTS
    return Report(base, mapping, language, parts, only, tool, lists)


def _refuse_unread(store: Store, period: Period) -> None:
    """What is open as of the last run would stand there as the figures of a later period."""
    until: datetime | None = store.read(DATA_UNTIL)[0]["until"]
    if until is None or until.replace(tzinfo=UTC) > period.start:
        return
    text = _("the data end on {instant}, before this period begins; run travesia sync first")
    said = text.format(instant=instant(until.replace(tzinfo=UTC), period))
    raise ConfigError("--from", [said])


def check_chapters(names: Sequence[str]) -> tuple[str, ...]:
    """The chapters of these names, once each. Raises ConfigError with the near miss."""
    wanted = dict.fromkeys(name.strip() for name in names if name.strip())
    unknown = [name for name in wanted if name not in CHAPTERS]
    if unknown:
        raise ConfigError(
            "--only",
            [
                _("there is no chapter {name!r}{hint}; there are {known}").format(
                    name=name, hint=did_you_mean(name, CHAPTERS), known=", ".join(CHAPTERS)
                )
                for name in unknown
            ],
        )
    return tuple(wanted)
