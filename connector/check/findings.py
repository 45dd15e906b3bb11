"""What a look finds: one thing, how it stands, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "error"]
Aspect = Literal["", "read", "query", "columns", "write", "effects"]
"""Which right or property of a table it is about; "" is about something else."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `sentence` says what was found, `remedy` what to do ("" = nothing).

    With an `aspect`, `subject` is a table.
    """

    level: Level
    subject: str
    sentence: str
    remedy: str = ""
    aspect: Aspect = ""


def worst(findings: Sequence[Finding]) -> Level:
    """The worst level of all."""
    levels: tuple[Level, ...] = ("error", "warn", "ok")
    found = {finding.level for finding in findings}
    return next((level for level in levels if level in found), "ok")
