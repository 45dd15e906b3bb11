"""What a report says, as numbers: frozen, without words and without language.

Every share keeps the records behind it; a figure that cannot be had is None, never 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from connector.journey.model import Band, Kind
from connector.report.protect import Cell
from connector.timestamps import midnight

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
        """Just before: of whole calendar months as many months, else as many days.

        Days are counted on the wall clock, whatever summer time did between.
        """
        start, end = self.local(self.start), self.local(self.end)
        if months := self._whole_months:
            first = _first_of_month(_month_number(start) - months)
            return Period(midnight(first, self.time_zone), self.start, self.time_zone)
        days = max((end.date() - start.date()).days, 1)
        return Period(start - timedelta(days=days), self.start, self.time_zone)

    @property
    def _whole_months(self) -> int:
        """How many calendar months the period is, from a first to a last day; 0 if it is not."""
        bounds = (self.start, self.end)
        months = [_month_number(self.local(moment)) for moment in bounds]
        begins = tuple(midnight(_first_of_month(month), self.time_zone) for month in months)
        return months[1] - months[0] if bounds == begins else 0

    @property
    def year_before(self) -> "Period":
        """The same days of the calendar a year before."""
        start, end = self.local(self.start), self.local(self.end)
        return Period(_a_year_before(start), _a_year_before(end), self.time_zone)


def _month_number(moment: datetime) -> int:
    return moment.year * 12 + moment.month - 1


def _first_of_month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _a_year_before(moment: datetime) -> datetime:
    # 29 February has no day before it: its month ends on the 28th.
    is_leap_day = (moment.month, moment.day) == (2, 29)
    return moment.replace(year=moment.year - 1, day=28 if is_leap_day else moment.day)


ScopeKind = Literal["all", "department", "company", "service"]


@dataclass(frozen=True)
class Scope:
    """What part of the organisation a report is about: all of it, or what is tied to one record."""

    kind: ScopeKind = "all"
    sys_id: str = ""
    name: str = ""

    @property
    def is_part(self) -> bool:
        """Whether it is less than the whole organisation."""
        return self.kind != "all"

    @property
    def key(self) -> str:
        """The same for the same scope, whatever its name: `all`, `department=…`."""
        return f"{self.kind}={self.sys_id}" if self.is_part else "all"


WHOLE = Scope()

Compared = Literal["previous", "year", "none"]
"""With which other period a report is compared."""


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
    """One step of one journey. `tables` are those that can place a record here, in this tool.

    `left` is None where none was seen to leave, but nobody watched the whole period.
    """

    step: str
    tables: tuple[str, ...]
    placed: int = 0
    in_period: int = 0
    open: int = 0
    entered: int = 0
    left: int | None = 0
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

    @property
    def place(self) -> tuple[str, str, str]:
        """Touchpoint, step and band, as cells are named."""
        return self.touchpoint, self.step or "-", self.band or "-"


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


NO_DEPARTMENT = "none"


@dataclass(frozen=True)
class DepartmentFigures:
    """The tickets of one department's people, and the SLA clocks decided on what is theirs.

    `department` "" is all small ones together; NO_DEPARTMENT what belongs to none that is known.
    `open` and `sla` are None where too few of its people are behind them.
    """

    department: str
    name: str
    people: int
    opened: int
    open: int | None
    sla: Share | None
    people_open: int = 0
    people_clocks: int = 0


@dataclass(frozen=True)
class DepartmentMonths:
    """SLA of one department by month; None where too few people had a clock."""

    department: str
    name: str
    met: tuple[Share | None, ...]


@dataclass(frozen=True)
class ApprovalMonth:
    """Approvals asked for in a month. Waits are of those decided; None behind too few people."""

    month: date
    decided: int
    waiting: int
    median_seconds: float | None
    slow_seconds: float | None


@dataclass(frozen=True)
class Months:
    """What went on month by month, from the first day of each of `months`."""

    months: tuple[date, ...] = ()
    departments: tuple[DepartmentMonths, ...] = ()
    approvals: tuple[ApprovalMonth, ...] = ()


@dataclass(frozen=True)
class LaneFigures:
    """One step seen from one lane: `consumer`, `visible`, `provider` or `supplier`.

    Records of the period, and their moments of truth won and lost in it.
    """

    step: str
    lane: str
    records: int
    won: int = 0
    lost: int = 0


@dataclass(frozen=True)
class WeekBands:
    """Seconds that records stood in each band within one week, from its Monday."""

    monday: date
    seconds: Mapping[str, int]


@dataclass(frozen=True)
class Closures:
    """How the tickets that ended in the period ended. Nothing but these: they make the total.

    `denied`: a voice said that value was missed. `unknown`: neither value nor outcome as yet.
    """

    confirmed: int = 0
    presumed: int = 0
    denied: int = 0
    unknown: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)

    @property
    def confirmed_share(self) -> Share:
        """Value confirmed by a voice, of the closures that brought value."""
        return Share(self.confirmed, self.confirmed + self.presumed)

    @property
    def total(self) -> int:
        """Every closure, with value or without."""
        return self.confirmed + self.presumed + self.denied + self.unknown + self.without_value

    @property
    def without_value(self) -> int:
        """Cancelled, lost, failed and the like."""
        return sum(self.outcomes.values())


@dataclass(frozen=True)
class Before:
    """The figures of the other period that can be had for it: not where records stood then.

    `sla` is None where the tool's SLA rows are not read.
    """

    period: Period
    records: int
    flow: Flow
    closures: Closures
    sla: Share | None


@dataclass(frozen=True)
class Figures:
    """All figures of one period and scope. `journeys` begins with the one that is shown."""

    period: Period
    scope: Scope
    data_until: datetime | None
    moves_since: datetime | None
    records: int
    open: int
    """Records of the period that are still open; `open_now` is all that are."""
    open_now: int
    journeys: tuple[JourneyFigures, ...]
    touchpoints: tuple[TouchpointFigures, ...]
    tables: tuple[TableFigures, ...]
    ticket_tables: tuple[str, ...]
    closures: Closures
    visible: Share
    unclassified: Share
    low_confidence: Share
    flow: Flow
    compared: Compared
    before: Before | None
    weeks: tuple[Week, ...]
    departments: tuple[DepartmentFigures, ...]
    months: Months
    minimum_group: int
    veiled: frozenset[Cell] = frozenset()
    """Cells of a part of the organisation that are kept from sight; their figure is 0 or None."""
    sla_whole: SlaFigures | None = None
    """All SLA clocks together, where rows of `shown.sla` were emptied."""
    lanes: tuple[LaneFigures, ...] = ()
    weeks_before: tuple[Flow, ...] = ()
    """As many weeks before `weeks`, in order."""

    @property
    def shown(self) -> JourneyFigures:
        """The journey that the organisation shows."""
        return self.journeys[0]

    @property
    def before_weeks(self) -> tuple[tuple[date, Flow], ...]:
        """`weeks_before` with their Mondays."""
        back = timedelta(weeks=len(self.weeks))
        pairs = zip(self.weeks, self.weeks_before, strict=False)
        return tuple((week.monday - back, flow) for week, flow in pairs)

    def is_hidden(self, *cell: str) -> bool:
        """Whether a cell is kept from sight."""
        return cell in self.veiled

    def hides(self, *place: str) -> bool:
        """Whether any cell whose name begins so is kept from sight."""
        return any(cell[: len(place)] == place for cell in self.veiled)

    def is_dark(self, family: str, *keys: str) -> bool:
        """Whether one of these cells of a family is kept from sight."""
        return any(self.is_hidden(family, key) for key in keys)

    def sla_cells(self, row: SlaFigures, journey: str = "") -> dict[str, int | None]:
        """The counts of a row of clocks, or of all together; None is kept from sight."""
        place = ("sla", journey, row.step or "-") if journey else ("sla_all",)
        late = ("sla_late", journey, row.step or "-") if journey else ("sla_late_all",)
        return {
            "met": self.counted(row.met, *place, "met"),
            "breached": self.counted(row.breached, *place, "breached"),
            "breached_open": self.counted(row.breached_open, *late),
            "running": self.counted(row.running, *place, "running"),
        }

    def counted(self, n: int, *cell: str) -> int | None:
        """`n`, None where its cell is kept from sight."""
        return None if cell in self.veiled else n

    @property
    def is_observed(self) -> bool:
        """Whether moves were watched from the beginning of the period on."""
        return self.moves_since is not None and self.moves_since <= self.period.start

    @property
    def sla_total(self) -> SlaFigures | None:
        """All SLA clocks together; None where the tool's SLA rows are not read."""
        rows = self.shown.sla
        if rows is None or self.sla_whole is not None:
            return self.sla_whole
        return SlaFigures(
            "",
            sum(r.met for r in rows),
            sum(r.breached for r in rows),
            sum(r.running for r in rows),
            sum(r.breached_open for r in rows),
        )
