"""What the store must be told of how the past is told: the shapes that history.toml fills.

The mapping's own words (`connector.journey.past`) fit them; the store knows nothing of mappings.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class BandRule(Protocol):
    """Evidence that turns a band into another, but for some touchpoints."""

    @property
    def from_band(self) -> str: ...
    @property
    def to_band(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def but(self) -> Sequence[str]: ...


class Milestone(Protocol):
    """A date of a record at which its columns held `values`."""

    @property
    def table(self) -> str: ...
    @property
    def column(self) -> str: ...
    @property
    def values(self) -> Mapping[str, str]: ...


class Past(Protocol):
    """What makes a record visible, and what is known of where it stood."""

    @property
    def visible_entries(self) -> Sequence[str]: ...
    @property
    def internal_entries(self) -> Sequence[str]: ...
    @property
    def internal_fields(self) -> Sequence[str]: ...
    @property
    def comment_touchpoint(self) -> str: ...
    @property
    def watchers(self) -> str: ...
    @property
    def consumers(self) -> Sequence[str]: ...
    @property
    def bands(self) -> Sequence[BandRule]: ...
    @property
    def milestones(self) -> Sequence[Milestone]: ...
