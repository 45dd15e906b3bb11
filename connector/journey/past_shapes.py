"""The shape of history.toml, as people write it, and whether its names are known."""

from collections.abc import Collection, Iterator
from typing import Literal

from pydantic import Field

from connector.journey.near import hint
from connector.journey.past import BandName, BandRule, Evidence, Milestone, Past
from connector.journey.shapes import File, Name
from connector.messages import _


class BandText(File):
    """One `[[band]]`."""

    from_: BandName = Field(alias="from")
    to: BandName
    evidence: Evidence
    except_: list[Name] = Field(default_factory=list, alias="except")


class MilestoneText(File):
    """One `[[milestone]]`."""

    table: Name
    at: Name
    values: dict[Name, str] = Field(default_factory=dict)


class PastFile(File):
    """history.toml"""

    visible_entries: list[Name] = Field(default_factory=list)
    internal_entries: list[Name] = Field(default_factory=list)
    internal_fields: list[Name] = Field(default_factory=list)
    comment_touchpoint: Name | Literal[""] = ""
    waits_for_consumer: list[Name] = Field(default_factory=list)
    lasting_facts: list[Name] = Field(default_factory=list)
    told_days: int = Field(default=180, ge=0, le=3660)
    watchers: Name | Literal[""] = ""
    consumers: list[Name] = Field(default_factory=list)
    band: list[BandText] = Field(default_factory=list)
    entry: dict[Name, Name] = Field(default_factory=dict)
    milestone: list[MilestoneText] = Field(default_factory=list)

    def past(self) -> Past:
        """As the domain has it."""
        return Past(
            visible_entries=tuple(self.visible_entries),
            internal_entries=tuple(self.internal_entries),
            internal_fields=tuple(self.internal_fields),
            comment_touchpoint=self.comment_touchpoint,
            waits=tuple(self.waits_for_consumer),
            lasting_facts=tuple(self.lasting_facts),
            told_days=self.told_days,
            watchers=self.watchers,
            consumers=tuple(self.consumers),
            bands=tuple(
                BandRule(one.from_, one.to, one.evidence, tuple(one.except_)) for one in self.band
            ),
            entry=dict(self.entry),
            milestones=tuple(Milestone(m.table, m.at, dict(m.values)) for m in self.milestone),
        )


def check_past(
    past: Past, source: str, touchpoints: Collection[str], tables: Collection[str]
) -> Iterator[str]:
    """Every touchpoint and table that history.toml names and nobody knows, as sentences."""
    named = [past.comment_touchpoint, *past.waits, *past.entry.values()]
    named += [name for one in past.bands for name in one.but]
    for name in dict.fromkeys(name for name in named if name and name not in touchpoints):
        yield _("{source}: there is no touchpoint {name}{hint}").format(
            source=source, name=name, hint=hint(name, touchpoints)
        )
    for name in dict.fromkeys((*past.entry, *(one.table for one in past.milestones))):
        if name not in tables:
            yield _("{source}: there is no table {name}{hint}").format(
                source=source, name=name, hint=hint(name, tables)
            )
