"""What a population is: things that belong to people, and the figures that count them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from connector.report.figures import Period
from connector.report.protect import Family
from connector.report.source import Source
from connector.timestamps import format_instance, midnight

ENDINGS = ("lost", "abandoned", "failed")
"""Outcomes told apart; all others of no value are one more."""

VOICES = ("survey_answered", "article_feedback", "complaint", "compliment", "idea_submitted")
"""Touchpoints at which people say how it goes, or what they would like."""

INITIATIVES = "sn_cim_register"

AGENTS = "agent_readiness"
"""The touchpoint of what makes agents ready."""

READY = "M03"
"""The moment of truth of the first day: everything ready, or not."""

_HOUR, _DAY = 3600, 86400
SILENCES = (4 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY)
"""Where one class of silence ends and the next begins, in seconds."""

URGENT = timedelta(days=3)
"""An open moment whose window ends so soon is urgent."""

NOWHERE = "-"
"""In a cell's name: the record stands in no step, or in no band."""


@dataclass(frozen=True)
class Population:
    """`sql` answers every attribute of the families, and `person` (a hash, or NULL)."""

    sql: str
    families: tuple[Family, ...]
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that some family asks for."""
        asked = (name for family in self.families for name in family.attributes)
        return tuple(dict.fromkeys(asked))


@dataclass(frozen=True)
class Seen:
    """What a report is about, beside its source: the journey shown, its weeks, the other period,
    the months of its heat map and of its newcomers, and up to when the data reach."""

    journey: str
    weeks: Sequence[date] = ()
    before: Period | None = None
    months: Sequence[date] = ()
    cohorts: Sequence[date] = ()
    until: datetime | None = None


def family(*name: str, by: tuple[str, ...] = (), **only: Any) -> Family:
    """Figures of one kind: see `protect.Family`."""
    return Family(name, by, tuple(sorted(only.items())))


def steps_of(journeys: Mapping[str, str], record: str, nowhere: str) -> str:
    """One column a journey: the step, or `nowhere`; "" belongs to no figure."""
    return ", ".join(
        f"coalesce(nullif({record}.steps[${name}], ''), '{nowhere}') AS {name}" for name in journeys
    )


def slices(source: Source, name: str, days: Sequence[date], length: int) -> dict[str, object]:
    """Weeks (7) or months (31) from these first days, by the clock of the report."""
    zone = source.period.time_zone
    ends = [day + timedelta(days=length) for day in days]
    if length > 7:  # months end where the next begins
        ends = [end.replace(day=1) for end in ends]
    return {
        f"{name}s": [f"{day:%Y-%m-%d}" for day in days],
        f"{name}_starts": [format_instance(midnight(day, zone)) for day in days],
        f"{name}_ends": [format_instance(midnight(day, zone)) for day in ends],
    }


def slice_sql(name: str) -> str:
    """A relation of the slices of that name: from `s` to before `e`, called by its first day."""
    return (
        f"SELECT unnest(${name}_starts::VARCHAR[]) AS s, unnest(${name}_ends::VARCHAR[]) AS e,"
        f" unnest(${name}s::VARCHAR[]) AS first_day"
    )
