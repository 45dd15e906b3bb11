"""`travesia serve`: the jobs of the schedule, run once or by the clock."""

import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector import alerts, cli, pipeline, scheduler, services
from connector.cli import serve
from connector.cli.session import Session
from connector.config import load_config
from connector.errors import StoreError, UnavailableError
from connector.report.build import Choice
from connector.results import Options, RunResult
from tests.unit.cli.kit import NOW, SETTINGS, SHRUNK, Ran, lean, raiser, result, waiting_note


def note_run(ran: Ran, options: Options) -> RunResult:
    ran.append(options)
    return result()


def jobs_of(home: Path) -> list[scheduler.Job]:
    config = load_config(home / "travesia.toml", {})
    return serve.make_jobs(Session(), config, threading.Event())


def test_the_jobs_of_serve_run_the_pipeline_and_note_their_success(
    home: Path, monkeypatch: pytest.MonkeyPatch, ran: Ran, reported: list[tuple[Any, ...]]
) -> None:
    monkeypatch.setattr(pipeline, "run", lambda *arguments: note_run(ran, arguments[3]))
    monkeypatch.setattr(pipeline, "sweep", lambda *_, **_more: [])
    monkeypatch.setattr(services, "last_success", lambda *_: None)
    jobs = jobs_of(home)
    assert [job.name for job in jobs] == ["sync", "reconcile", "report"]
    assert [job.last_success() for job in jobs] == [None, None, None]
    for job in jobs:
        job.run()
    assert ran == [Options()]
    assert [order.languages for order, _instance in reported] == [("es", "en")]
    assert all(job.last_success() for job in jobs_of(home))


def test_a_sync_by_hand_counts_as_a_success_and_a_damaged_store_does_not_matter(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "last_success", lambda *_: NOW)
    assert jobs_of(home)[0].last_success() == NOW
    monkeypatch.setattr(services, "last_success", raiser(StoreError("damaged")))
    assert jobs_of(home)[0].last_success() is None


def test_a_report_of_its_own_has_its_own_time_scope_and_language(
    home: Path, reported: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "last_success", lambda *_: None)
    also = '{ name = "erp", cron = "5 8 2 * *", languages = ["es"], scope = "service=ERP",'
    settings = f'{SETTINGS}\n[report]\nalso = [{also} only = ["engagement"] }}]\n'
    (home / "travesia.toml").write_text(settings, encoding="utf-8")
    jobs = {job.name: job for job in jobs_of(home)}
    assert list(jobs) == ["sync", "reconcile", "report", "report-erp"]
    assert jobs["report-erp"].cron == "5 8 2 * *"
    jobs["report-erp"].run()
    ((order, _instance),) = reported
    assert order.languages == ("es",)
    assert order.choice == Choice("service=ERP", "previous", ("engagement",))
    assert jobs["report-erp"].last_success()
    assert jobs["report"].last_success() is None
    following = scheduler.next_times(load_config(home / "travesia.toml", {}), NOW)
    assert following["report-erp"] == datetime(2026, 12, 2, 7, 5, tzinfo=UTC)


def test_a_scheduled_sync_publishes_what_waits(
    home: Path, monkeypatch: pytest.MonkeyPatch, ran: Ran, reported: list[tuple[Any, ...]]
) -> None:
    monkeypatch.setattr(pipeline, "run", lambda *arguments: note_run(ran, arguments[3]))
    waiting_note(home)
    jobs_of(home)[0].run()
    ((order, instance),) = reported
    assert (order.languages, order.formats) == (("es",), ("md",))
    assert order.period_from == datetime(2026, 10, 1, tzinfo=UTC)
    assert instance is not None


def test_serve_once_knows_the_reports_of_the_settings(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "teller", lambda *_: print)
    also = '[report]\nalso = [{ name = "erp", cron = "5 8 2 * *" }]\n'
    (home / "travesia.toml").write_text(f"{SETTINGS}\n{also}", encoding="utf-8")
    assert cli.run(["serve", "--once", "report-erq"]) == 64
    assert "did you mean report-erp?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "outcome", "said"),
    [
        ("sync", {"refused": 2, "set_aside": 1}, "fields refused: 2, records set aside: 1"),
        ("sync", {}, "something could not be read"),
        ("reconcile", {}, "50 of 100 are missing; was a role lost?"),
    ],
)
def test_a_scheduled_run_that_is_not_whole_calls_for_a_person_and_counts_as_fresh(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    outcome: dict[str, int],
    said: str,
) -> None:
    lean(monkeypatch, lambda *_: result(outcome="partial", **outcome))
    monkeypatch.setattr(pipeline, "sweep", lambda *_, **_more: [SHRUNK])
    told: list[alerts.Alert] = []
    monkeypatch.setattr(alerts, "teller", lambda *_: told.append)
    assert cli.run(["serve", "--once", name]) == 6
    assert [(alert.kind, alert.job) for alert in told] == [("partial", name)]
    assert said in told[0].message
    monkeypatch.setattr(services, "last_success", lambda *_: None)
    [job] = [job for job in jobs_of(home) if job.name == name]
    assert job.last_success(), "it is not caught up at the next start"


@pytest.mark.parametrize(("error", "code"), [(None, 0), (UnavailableError("down"), 1)])
def test_serve_once_runs_one_job_and_leaves(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, code: int
) -> None:
    lean(monkeypatch, raiser(error) if error else lambda *_: result())
    assert cli.run(["serve", "--once", "sync"]) == code


def test_serve_ends_well_when_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    lean(monkeypatch, raiser(AssertionError()))
    monkeypatch.setattr(services, "last_success", lambda *_: datetime.now(UTC))
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    assert cli.run(["serve"]) == 0
    timer.join()
