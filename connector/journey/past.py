"""How the past of a record is told: what the consumer saw, and where it stood. Pure data."""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Literal

BandName = Literal["visible", "provider_backstage", "consumer_backstage"]
Evidence = Literal["public_comment", "only_internal", "consumer_watches"]


@dataclass(frozen=True)
class BandRule:
    """Evidence that turns a band into another, but for some touchpoints."""

    from_band: BandName
    to_band: BandName
    evidence: Evidence
    but: tuple[str, ...] = ()


@dataclass(frozen=True)
class Milestone:
    """A date of a record at which its columns are known to have held `values`."""

    table: str
    column: str
    values: Dict[str, str]


@dataclass(frozen=True)
class Past:
    """What makes a record visible, and what is known of where it stood (mappings/history.toml)."""

    visible_entries: tuple[str, ...] = ()
    internal_entries: tuple[str, ...] = ()
    internal_fields: tuple[str, ...] = ()
    comment_touchpoint: str = ""
    waits: tuple[str, ...] = ()
    lasting_facts: tuple[str, ...] = ()
    told_days: int = 180
    """The past of what was closed so long ago is not told at first sight."""
    watchers: str = ""
    consumers: tuple[str, ...] = ()
    bands: tuple[BandRule, ...] = ()
    entry: Dict[str, str] = field(default_factory=dict)
    milestones: tuple[Milestone, ...] = ()

    def columns_of(self, table: str) -> tuple[str, ...]:
        """The columns of a table that telling its past needs, as far as they exist."""
        dates = [one.column for one in self.milestones if one.table == table]
        return tuple(dict.fromkeys((*dates, *([self.watchers] if self.watchers else []))))


NOTHING = Past()
"""Where no folder has a history.toml."""
