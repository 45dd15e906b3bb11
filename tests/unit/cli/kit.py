"""What the tests of the command line put in place of the pipeline, and what it answers."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector import pipeline, reporting, services
from connector.config import load_config
from connector.reconcile import Swept
from connector.report.pending import Pending, Publications
from connector.results import Options, RunResult, TableCounts
from connector.store.changes import Change

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTINGS = """
[instance]
url = "http://127.0.0.1:9"
user = "travesia.integration"
time_zone = "Europe/Madrid"
"""


class FakeInstance:
    """Knows the time, which is all that the command line asks of it."""

    def now(self) -> datetime:
        return NOW


def change(number: str = "INC0010042", field: str = "u_journey_step") -> Change:
    return Change("incident", number.lower(), number, field, "", "usar", is_healing=False)


def result(**values: Any) -> RunResult:
    settings: dict[str, Any] = {
        "run_id": "r1",
        "outcome": "succeeded",
        "high_mark": NOW,
        "tables": (TableCounts("incident", 3, 20, 19, 1, 1),),
        "planned_records": 1,
        "planned_changes": 1,
        "plan": (change(),),
        "is_sent": False,
        "confirmed": 0,
        "refused": 0,
        "set_aside": 0,
        "healed": 0,
        "messages": (),
        "seconds": 1.25,
    }
    return RunResult(**(settings | values))


Ran = list[Options]


def lean(monkeypatch: pytest.MonkeyPatch, run: Callable[..., RunResult]) -> None:
    """A pipeline without instance and mapping around `run`."""
    monkeypatch.setattr(services, "connect", lambda *_: FakeInstance())
    monkeypatch.setattr(services, "mapping_of", lambda _: "mapping")
    monkeypatch.setattr(pipeline, "run", run)


def raiser(error: Exception) -> Callable[..., Any]:
    def run(*_: Any) -> Any:
        raise error

    return run


def waiting_note(home: Path) -> Publications:
    """A publication that failed last night."""
    notes = reporting.publications_of(load_config(home / "travesia.toml", {}))
    note = Pending("2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00", "es", ("md",))
    notes.add(note, "the instance did not answer", NOW)
    return notes


SHRUNK = Swept("incident", 100, 1, 50, 0, "incident: 50 of 100 are missing; was a role lost?")
