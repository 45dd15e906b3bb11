"""`travesia status`: what runs, what ran, what was set aside, what waits."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector import cli, services
from tests.unit.cli.kit import waiting_note


def status(**values: Any) -> services.Status:
    settings: dict[str, Any] = {"is_running": False, "now": {}}
    return services.Status(**(settings | values))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (status(), "Nothing ran yet."),
        (
            status(is_running=True, now={"kind": "sync", "phase": "extract", "pid": 7}),
            "A run is at work: sync, phase extract (process 7).",
        ),
        (
            status(now={"phase": "end", "outcome": "failed", "message": "Disk full"}),
            "The last run ended: failed.\n  Disk full",
        ),
        (status(now={"phase": "write_back"}), "The last run died; the next one goes on"),
        (status(now={"phase": "end", "outcome": "finished"}), "No run is at work."),
    ],
)
def test_status_says_what_happens_now(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: services.Status,
    said: str,
) -> None:
    monkeypatch.setattr(services, "status", lambda _: found)
    assert cli.run(["status"]) == 0
    assert said in capsys.readouterr().out


def test_status_shows_runs_cursors_and_what_was_set_aside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = datetime(2026, 11, 20, 1, 0)  # noqa: DTZ001 - as the store keeps it: UTC without saying so
    found = status(
        now={"phase": "end", "outcome": "finished"},
        runs=(
            {
                "kind": "sync",
                "started_at": at,
                "finished_at": at + timedelta(seconds=75),
                "outcome": "partial",
                "counts": '{"planned": 12, "confirmed": 9}',
            },
        ),
        cursors=(
            {"table_name": "incident", "updated_on": "2026-11-20 00:59:58", "is_complete": True},
        ),
        set_aside=tuple(
            {
                "table_name": "incident",
                "sys_id": f"id{n}",
                "field": "",
                "reason": "Data policy",
                "attempts": 3,
                "last_at": at,
            }
            for n in range(21)
        ),
    )
    monkeypatch.setattr(services, "status", lambda _: found)
    cli.run(["status"])
    out = capsys.readouterr().out
    assert "2026-11-20 02:00" in out, "times are those of the schedule's zone"
    for said in ("partial", "12", "75", "2026-11-20 00:59:58", "Data policy", "21 in all"):
        assert said in out
    assert "By the schedule, only while travesia serve is running:\n  sync       20" in out
    cli.run(["status", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert data["runs"][0]["started_at"] == "2026-11-20T01:00:00Z"
    assert data["runs"][0]["counts"]["confirmed"] == 9
    assert set(data["next"]) == {"sync", "reconcile", "report"}
    assert len(data["set_aside"]) == 21


def test_what_waits_to_be_published_is_shown_by_status(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting_note(home)
    assert cli.run(["status"]) == 0
    told = capsys.readouterr().out
    assert "waits to be published, tried 1 time: the instance did not answer" in told
    assert cli.run(["status", "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["publications"]
    assert shown["note"]["language"] == "es"
