"""Publications that did not come through: a small JSON beside the store, so that none is lost.

A note says what is to be published, not what was in it: it is measured again. Damaged notes only
mean that somebody has to publish by hand; what waits is shown by `travesia status`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from connector.report.figures import Compared


@dataclass(frozen=True)
class Pending:
    """One report of one language. Periods as ISO 8601 with their offset."""

    period_from: str
    period_to: str
    language: str
    formats: tuple[str, ...]
    scope: str = ""
    compared: Compared = "previous"
    only: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same report, whatever its formats."""
        parts = (self.period_from, self.period_to, self.scope, ",".join(self.only), self.language)
        return "|".join(parts)


@dataclass(frozen=True)
class Waiting:
    """A note with its history: why it waits, how often it was tried, since when."""

    note: Pending
    reason: str
    attempts: int
    since: str


class Publications:
    """What waits to be published."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def listed(self) -> list[Waiting]:
        """Everything that waits, oldest first."""
        return sorted(self._read().values(), key=lambda one: (one.since, one.note.key))

    def waiting(self) -> list[Pending]:
        """What is to be published again."""
        return [one.note for one in self.listed()]

    def add(self, note: Pending, reason: str, at: datetime) -> None:
        """Note a failure; one that is known already keeps its first date."""
        known = self._read()
        old = known.get(note.key)
        known[note.key] = Waiting(
            note,
            reason,
            old.attempts + 1 if old else 1,
            old.since if old else at.isoformat(timespec="seconds"),
        )
        self._write(known)

    def done(self, note: Pending) -> None:
        """It came through: nothing waits any more."""
        known = self._read()
        if known.pop(note.key, None):
            self._write(known)

    def _read(self) -> dict[str, Waiting]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
            waiting = [_waiting(one) for one in found]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return {one.note.key: one for one in waiting}

    def _write(self, known: Mapping[str, Waiting]) -> None:
        beside = self._path.with_suffix(".new")
        content = [asdict(one) for one in known.values()]
        beside.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(self._path)


def _waiting(data: dict[str, Any]) -> Waiting:
    note = data["note"]
    compared = cast("Compared", note["compared"])
    lists = {name: tuple(note[name]) for name in ("formats", "only")}
    return Waiting(
        Pending(**{**note, **lists, "compared": compared}),
        data["reason"],
        int(data["attempts"]),
        data["since"],
    )
