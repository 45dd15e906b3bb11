"""`travesia sync` and `reconcile`: what is asked reaches the pipeline, what it did is told."""

import errno
import json
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector import cli, pipeline
from connector.errors import InterruptedRunError
from connector.results import Options, RunResult
from tests.unit.cli.kit import NOW, SETTINGS, SHRUNK, Ran, change, lean, raiser, result


def test_sync_hands_every_option_to_the_pipeline(ran: Ran) -> None:
    assert cli.run(["sync", "--dry-run", "--table", "incident", "--table", "sc_task"]) == 0
    assert cli.run(["sync", "--full", "--limit", "20"]) == 0
    assert cli.run(["sync", "--record", "INC0010042"]) == 0
    assert ran == [
        Options(dry_run=True, tables=("incident", "sc_task")),
        Options(full=True, limit=20),
        Options(record="INC0010042"),
    ]


def test_a_plan_that_cannot_be_written_is_told_by_its_name_and_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, raiser(OSError(errno.ENOSPC, "No space left on device")))
    for place in ("plan.jsonl", "no/such/folder/plan.jsonl"):
        assert cli.run(["sync", "--dry-run", "--plan-file", place]) == 1
        said = capsys.readouterr().err
        assert f"The plan {place} cannot be written (No s" in said
        assert len(said.splitlines()) == 1
    assert not list(home.glob("plan.jsonl*"))


def test_a_sync_that_only_writes_relationships_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    (home / "travesia.toml").write_text(
        SETTINGS + "[write_back]\nenabled = true\n", encoding="utf-8"
    )
    rows = {"planned_relationships": 2, "confirmed_relationships": 2, "is_sent": True}
    lean(
        monkeypatch,
        lambda *_: result(plan=(), planned_records=0, planned_changes=0, **rows),
    )
    assert cli.run(["sync"]) == 0
    said = capsys.readouterr().out
    assert "Planned 2 relationships." in said
    assert "relationships confirmed: 2" in said


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("2026-11-01", datetime(2026, 10, 31, 23, tzinfo=UTC)),
    ],
)
def test_since_counts_on_the_instances_clock_in_its_zone(
    ran: Ran, text: str, since: datetime
) -> None:
    cli.run(["sync", "--since", text])
    assert ran == [Options(since=since)]


def test_a_partial_run_shows_its_result_and_exits_6(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, lambda *_: result(outcome="partial", refused=2, set_aside=1))
    assert cli.run(["sync", "--json"]) == 6
    told = capsys.readouterr()
    assert json.loads(told.out)["set_aside"] == 1
    assert "fields refused: 2, records set aside: 1" in told.err


def test_sigterm_in_mid_run_lets_the_run_end_and_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def run(*arguments: Any) -> RunResult:
        stop: threading.Event = arguments[4]
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
        ended.append("between two transactions")
        raise InterruptedRunError("stopped")

    lean(monkeypatch, run)
    before = signal.getsignal(signal.SIGTERM)
    assert cli.run(["sync"]) == 130
    assert ended == ["between two transactions"]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.usefixtures("ran")
def test_the_dry_run_prints_the_plan_that_a_file_holds_byte_for_byte(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert cli.run(["sync", "--dry-run", "--plan-file", "plan.jsonl"]) == 0
    shown = capsys.readouterr()
    assert "INC0010042" in shown.out
    assert "Would write 1 field on 1 record; nothing was written." in shown.out
    assert "plan.jsonl" in shown.err
    assert cli.run(["sync", "--dry-run", "--plan-file", "-"]) == 0
    assert capsys.readouterr().out == (home / "plan.jsonl").read_text(encoding="utf-8")
    assert (home / "plan.jsonl").read_text("utf-8") == pipeline.plan_lines([change()])


def test_a_long_plan_is_cut_for_people_and_says_where_all_of_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tuple(change(f"INC{n:07}") for n in range(20))
    lean(monkeypatch, lambda *_: result(plan=plan, planned_records=50))
    cli.run(["sync", "--dry-run"])
    out = capsys.readouterr().out
    assert "INC0000019" in out
    assert "30 more records; --plan-file FILE has the whole plan" in out


def test_rows_of_relationships_are_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    lean(monkeypatch, lambda *_: result(plan=(), planned_records=0, planned_relationships=2))
    cli.run(["sync", "--dry-run"])
    assert "Would write 2 relationships; nothing was written." in capsys.readouterr().out
    settings = home / "travesia.toml"
    writing = "\n[write_back]\nenabled = true\n"
    settings.write_text(settings.read_text("utf-8") + writing, encoding="utf-8")
    told = {"planned_relationships": 2, "confirmed_relationships": 1}
    lean(monkeypatch, lambda *_: result(**told))
    cli.run(["sync"])
    out = capsys.readouterr().out
    assert "Planned 1 field on 1 record and 2 relationships." in out
    assert "relationships confirmed: 1 (" in out


@pytest.mark.usefixtures("ran")
def test_sync_with_writing_off_says_how_to_turn_it_on(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["sync"])
    out = capsys.readouterr().out
    assert "writing is off" in out
    assert "[write_back] enabled = true" in out


@pytest.mark.usefixtures("ran")
def test_json_is_one_document_and_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["sync", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["high_mark"] == "2026-11-20T12:00:00Z"
    assert found["plan"][0]["number"] == "INC0010042"
    cli.run(["-q", "sync"])
    assert capsys.readouterr() == ("", "")


def test_reconcile_asks_a_person_with_exit_6(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, raiser(AssertionError()))
    monkeypatch.setattr(pipeline, "sweep", lambda *_, **_more: [SHRUNK])
    assert cli.run(["reconcile"]) == 6
    told = capsys.readouterr()
    assert "incident" in told.out
    assert told.err == "Error: incident: 50 of 100 are missing; was a role lost?\n"
