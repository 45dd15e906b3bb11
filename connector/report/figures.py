"""What a report says, as numbers: frozen, without words and without language.

Every share keeps the records behind it; a figure that cannot be had is None, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from connector.journey.model import Band, Kind

BANDS: tuple[Band, ...] = ("visible", "provider_backstage", "consumer_backstage")
"""In the order in which they are shown."""


@dataclass(frozen=True)
class Period:
    """Half-open, [start, end), as aware UTC; days and weeks are those of `time_zone`."""

    start: datetime
    end: datetime
    time_zone: str = "UTC"

    def local(self, moment: datetime) -> datetime:
        """`moment` on the clocks of the report's time zone."""
        return moment.astimezone(ZoneInfo(self.time_zone))

    @property
    def previous(self) -> "Period":
        """As many days just before: the same wall clock, whatever summer time did between."""
        start, end = self.local(self.start), self.local(self.end)
        days = max((end.date() - start.date()).days, 1)
        return Period(start - timedelta(days=days), self.start, self.time_zone)


@dataclass(frozen=True)
class Share:
    """A part of a whole, both in records."""

    part: int
    whole: int

    @property
    def ratio(self) -> float | None:
        """0.0 to 1.0; None where there is nothing to share."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class StepFigures:
    """One step of one journey. `tables` are those that can place a record here, in this tool."""

    step: str
    tables: tuple[str, ...]
    placed: int = 0
    in_period: int = 0
    open: int = 0
    entered: int = 0
    left: int = 0
    dwell_seconds: float | None = None
    dwell_records: int = 0
    age_seconds: float | None = None
    bands: Mapping[str, int] = field(default_factory=dict)

    @property
    def has_source(self) -> bool:
        """Whether this tool can show anything here at all."""
        return bool(self.tables) or self.placed > 0


@dataclass(frozen=True)
class SlaFigures:
    """SLA clocks of the records that stand in a step ("" = their record stands nowhere)."""

    step: str
    met: int = 0
    breached: int = 0
    running: int = 0
    breached_open: int = 0

    @property
    def met_share(self) -> Share:
        """Met, of those decided."""
        return Share(self.met, self.met + self.breached)


@dataclass(frozen=True)
class JourneyFigures:
    """One journey: every step in order. `sla` is None where the tool's SLA rows are not read."""

    journey: str
    steps: tuple[StepFigures, ...]
    sla: tuple[SlaFigures, ...] | None


@dataclass(frozen=True)
class TouchpointFigures:
    """One touchpoint (or backstage activity) in one band, at one step of the shown journey.

    The step is where its records stand: a rule may place them elsewhere than the catalogue says.
    """

    touchpoint: str
    kind: Kind
    step: str
    band: str
    in_period: int
    open: int


@dataclass(frozen=True)
class TableFigures:
    """One table of the tool. A `measure` table holds clocks, not records of a journey."""

    table: str
    is_measure: bool
    placed: int
    in_period: int
    open: int
    unclassified: int
    low_confidence: int


@dataclass(frozen=True)
class Flow:
    """Tickets opened and resolved between two instants."""

    opened: int = 0
    resolved: int = 0


@dataclass(frozen=True)
class Week:
    """A whole week, from its Monday; incomplete where the data end before it does."""

    monday: date
    flow: Flow
    is_complete: bool


@dataclass(frozen=True)
class DepartmentFigures:
    """The tickets that one department opened; `department` "" is all small ones together."""

    department: str
    name: str
    people: int
    opened: int
    open: int
    sla: Share


@dataclass(frozen=True)
class Closures:
    """How the tickets that ended in the period ended."""

    confirmed: int = 0
    presumed: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def confirmed_share(self) -> Share:
        """Value confirmed by a voice, of the closures that brought value."""
        return Share(self.confirmed, self.confirmed + self.presumed)

    @property
    def total(self) -> int:
        """Every closure, with value or without."""
        return self.confirmed + self.presumed + sum(self.outcomes.values())


Scope = Literal["all"]
"""What part of the organisation a report is about."""


@dataclass(frozen=True)
class Figures:
    """All figures of one period and scope. `journeys` begins with the one that is shown."""

    period: Period
    scope: Scope
    data_until: datetime | None
    moves_since: datetime | None
    records: int
    journeys: tuple[JourneyFigures, ...]
    touchpoints: tuple[TouchpointFigures, ...]
    tables: tuple[TableFigures, ...]
    ticket_tables: tuple[str, ...]
    closures: Closures
    visible: Share
    unclassified: Share
    low_confidence: Share
    flow: Flow
    previous: Flow
    weeks: tuple[Week, ...]
    departments: tuple[DepartmentFigures, ...]
    minimum_group: int

    @property
    def shown(self) -> JourneyFigures:
        """The journey that the organisation shows."""
        return self.journeys[0]

    @property
    def open(self) -> int:
        """Records of the period that are open now."""
        return sum(t.open for t in self.tables if not t.is_measure)

    @property
    def sla_total(self) -> SlaFigures | None:
        """All SLA clocks together; None where the tool's SLA rows are not read."""
        rows = self.shown.sla
        if rows is None:
            return None
        return SlaFigures(
            "",
            sum(r.met for r in rows),
            sum(r.breached for r in rows),
            sum(r.running for r in rows),
            sum(r.breached_open for r in rows),
        )
