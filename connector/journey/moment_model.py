"""Moments of truth as their owners wrote them. Pure data; what is decided when: `moments.py`.

A moment begins as a potential one, where its condition holds, at an instant of the record. The
first decisive evidence inside its window decides it; one whose window ends without any is neutral.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Literal

from connector.journey.texts import Text

Decided = Literal["positive", "negative", "neutral"]
Polarity = Literal["open", "positive", "negative", "neutral"]

START = "window.start"
END = "window.end"
WORDS = (START, END)
"""Instants that are no field: the evidence counts from the beginning, or only once time is up."""

YEARS = ("1981", "9970")
"""A text counts as an instant from the first of these years on, before the last: tools write the
ends of the calendar for "never", and windows that begin there would end outside it."""


@dataclass(frozen=True)
class Evidence:
    """What decides a moment: `when` (an encoded query) holds, since `at`.

    `at` are fields that hold an instant (the first filled one counts), or one of `WORDS`.
    `weight` is that of the moment unless this evidence weighs otherwise. An `optional` one may be
    out of the instance's reach without switching the moment off.
    """

    code: str
    polarity: Decided
    when: str
    at: tuple[str, ...]
    because: Text
    weight: int
    optional: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of `at`."""
        return tuple(name for name in self.at if name not in WORDS)

    @property
    def is_absence(self) -> bool:
        """Whether it says only that nothing else happened in time."""
        return self.at == (END,)


@dataclass(frozen=True)
class Window:
    """How long evidence counts: from `start` (fields; () = where the moment begins) so long.

    An empty start is still to come: the window runs on. `when` says for which records.
    """

    when: str = ""
    start: tuple[str, ...] = ()
    minutes: int = 0
    days: int = 0
    working_days: int = 0


@dataclass(frozen=True)
class Example:
    """Field values that must come to `polarity` on 15 January 2026, 12:00 UTC."""

    polarity: Polarity
    values: Dict[str, str]


@dataclass(frozen=True)
class Moment:
    """One moment of truth. `weight` (1 to 10) is against other moments of the same record.

    `starts` are fields that hold its first instant (the first filled one counts), less `lead_days`.
    The first of `windows` whose condition holds counts. `show` are the fields worth seeing beside
    the evidence. `off` says why no data of the tool can decide it (None = it can).
    """

    id: str
    name: Text
    tables: tuple[str, ...]
    weight: int
    when: str
    starts: tuple[str, ...]
    lead_days: int
    windows: tuple[Window, ...]
    evidence: tuple[Evidence, ...]
    turns_positive: Text
    show: tuple[str, ...] = ()
    examples: tuple[Example, ...] = field(default=())
    off: Text | None = None
    source: str = ""
    """`file:line` for messages."""

    def evidence_of(self, code: str) -> Evidence | None:
        """The evidence of that code."""
        return next((one for one in self.evidence if one.code == code), None)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every encoded query of the moment."""
        windows = [window.when for window in self.windows]
        return (self.when, *windows, *(one.when for one in self.evidence))

    @property
    def instants(self) -> tuple[str, ...]:
        """Every field that is read as an instant."""
        starts = [name for window in self.windows for name in window.start]
        return (*self.starts, *starts, *(name for one in self.evidence for name in one.fields))
