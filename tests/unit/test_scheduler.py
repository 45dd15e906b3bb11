"""The schedule: one run at a time, missed ones at once, and somebody told when it fails."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from connector import alerts, log, scheduler
from connector.alerts import Alert
from connector.config import Config, load_config
from connector.errors import (
    ConfigError,
    InterruptedRunError,
    PartialRunError,
    RunInProgressError,
    UnavailableError,
)
from connector.scheduler import Job, Successes, Watch

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NIGHTLY = "0 2 * * *"
HOOK = "https://hooks.example.com/secret-path"


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    with Path(os.devnull).open("w") as nowhere:
        log.configure(stream=nowhere)
        yield
    log.configure()


def nothing() -> None:
    return None


def job(name: str = "sync", **changes: Any) -> Job:
    settings: dict[str, Any] = {"cron": NIGHTLY, "run": nothing, "last_success": lambda: NOW}
    return Job(name, **(settings | changes))


def settings(folder: Path, text: str) -> Config:
    path = folder / "travesia.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, {})


class Told(list[Alert]):
    """A teller that keeps what it was told."""

    def __call__(self, alert: Alert) -> None:
        self.append(alert)


def raiser(error: Exception) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


def last_night(hour: int) -> datetime:
    return NOW.replace(hour=hour)


@pytest.mark.parametrize(
    ("last", "is_missed"),
    [
        (last_night(3), False),
        (last_night(1), True),
        (NOW - timedelta(days=9), True),
        (None, False),
    ],
)
def test_a_night_without_success_is_missed(last: datetime | None, is_missed: bool) -> None:
    one = job(last_success=lambda: last)
    trigger = scheduler.trigger_of(one, "UTC", "travesia.toml")
    assert scheduler.missed(one, trigger, NOW) is is_missed


def test_what_never_ran_runs_at_once_only_where_asked() -> None:
    one = job(last_success=lambda: None, runs_at_first_start=True)
    assert scheduler.missed(one, scheduler.trigger_of(one, "UTC", "x"), NOW)


def test_nights_are_those_of_the_configured_zone() -> None:
    """02:00 in Mexico City is 08:00 UTC: at 07:00 UTC the night is still to come."""
    one = job(last_success=lambda: NOW - timedelta(hours=20))
    trigger = scheduler.trigger_of(one, "America/Mexico_City", "x")
    assert not scheduler.missed(one, trigger, NOW.replace(hour=7))
    assert scheduler.missed(one, trigger, NOW.replace(hour=9))


def test_sunday_is_sunday() -> None:
    weekly = scheduler.trigger_of(job(cron="0 4 * * sun"), "UTC", "x")
    assert weekly.get_next_fire_time(None, NOW).isoformat() == "2026-11-22T04:00:00+00:00"


def test_the_report_comes_on_the_first_working_day_of_every_month() -> None:
    """Held against a plain calendar: two years, month by month."""
    trigger = scheduler.trigger_of(job("report", cron=Config().schedule.report), "UTC", "x")
    days = [datetime(2026, 1, 1, 7, tzinfo=UTC) + timedelta(days=n) for n in range(730)]
    working = [day for day in days if day.weekday() < 5]
    wanted = [
        next(day for day in working if (day.year, day.month) == (year, month))
        for year in (2026, 2027) for month in range(1, 13)
    ]  # fmt: skip
    found, now = [], datetime(2025, 12, 31, tzinfo=UTC)
    for _ in wanted:
        now = trigger.get_next_fire_time(None, now)
        found.append(now)
        now += timedelta(seconds=1)
    assert found == wanted


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 7 1 * *; 0 0 30 2 *"])
def test_a_day_that_never_comes_is_refused(cron: str) -> None:
    with pytest.raises(ConfigError, match=r"\[schedule\] sync '.*0 0 30 2 \*' never fires"):
        scheduler.trigger_of(job(cron=cron), "UTC", "travesia.toml")


def test_what_apscheduler_refuses_leaves_as_our_error() -> None:
    with pytest.raises(ConfigError, match="never fires"):
        scheduler.trigger_of(job(cron="0 2 * *"), "UTC", "travesia.toml")


def test_fires_that_pile_up_become_one_and_never_overlap() -> None:
    built = scheduler.build([job()], Config(), threading.Event(), Told(), NOW)
    built.start(paused=True)
    try:
        (added,) = built.get_jobs()
        assert (added.coalesce, added.max_instances, added.misfire_grace_time) == (True, 1, None)
        assert built._executors["default"]._pool._max_workers == 1
    finally:
        built.shutdown()


def test_an_empty_schedule_is_never() -> None:
    built = scheduler.build([job(cron="")], Config(), threading.Event(), Told(), NOW)
    assert built.get_jobs() == []


def test_missed_jobs_run_at_once_in_order_one_after_the_other() -> None:
    stop, ran, at_work = threading.Event(), [], []

    def work(name: str) -> Callable[[], None]:
        def run() -> None:
            at_work.append(name)
            assert at_work == [name], "two runs overlap"
            ran.append(name)
            at_work.remove(name)
            if name == "reconcile":
                stop.set()

        return run

    old = NOW - timedelta(days=40)
    jobs = [job(name, run=work(name), last_success=lambda: old) for name in ("sync", "reconcile")]
    told = Told()
    scheduler.serve(jobs, Config(), stop, told, clock=lambda: NOW, patrol=timedelta(seconds=5))
    assert ran == ["sync", "reconcile"]
    assert told == []


def test_nothing_runs_at_start_when_nothing_was_missed() -> None:
    stop = threading.Event()
    ran: list[str] = []

    looks = count()

    def clock() -> datetime:
        # The later looks come from the watch: by then missed jobs would have been started.
        if next(looks) > 1:
            stop.set()
        return NOW

    one = job(run=lambda: ran.append("sync"))
    scheduler.serve([one], Config(), stop, Told(), clock=clock, patrol=timedelta(milliseconds=10))
    assert ran == []


def test_sigterm_in_mid_run_ends_the_run_and_then_the_schedule() -> None:
    stop, ended = threading.Event(), []

    def run() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        stop.wait(5)
        ended.append("between two transactions")
        raise InterruptedRunError("stopped")

    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        told = Told()
        one = job(run=run, last_success=lambda: NOW - timedelta(days=2))
        scheduler.serve([one], Config(), stop, told, clock=lambda: NOW)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended == ["between two transactions"]
    assert told == []


def test_a_signal_that_the_thread_at_work_received_is_heard_as_well() -> None:
    """The kernel chooses the thread (after a suspension any): Python wakes only the main one."""
    stop, heard = threading.Event(), []

    def run() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        heard.append(stop.wait(10))

    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        one = job(run=run, last_success=lambda: NOW - timedelta(days=2))
        scheduler.serve([one], Config(), stop, Told(), clock=lambda: NOW)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [True]


def test_after_the_stop_a_waiting_job_does_not_begin() -> None:
    stop = threading.Event()
    stop.set()
    assert scheduler.run_job(job(run=raiser(AssertionError())), stop, Told()) == "failed"


def test_a_failed_run_is_told_with_its_sentence() -> None:
    told = Told()
    failing = job(run=raiser(UnavailableError("The instance does not answer")))
    assert scheduler.run_job(failing, threading.Event(), told) == "failed"
    assert told == [
        Alert("failed", "sync", "The scheduled sync failed: The instance does not answer")
    ]


def test_a_run_that_was_not_whole_is_told_although_it_finished() -> None:
    told = Told()
    partial = job(run=raiser(PartialRunError("Records set aside: 2")))
    assert scheduler.run_job(partial, threading.Event(), told) == "partial"
    assert told == [
        Alert("partial", "sync", "The scheduled sync needs a person: Records set aside: 2")
    ]


def test_an_unexpected_error_is_told_by_its_kind_alone() -> None:
    told = Told()
    scheduler.run_job(job(run=raiser(KeyError("Ana García"))), threading.Event(), told)
    assert told[0].message == "The scheduled sync failed: unexpected error KeyError; see the log"


@pytest.mark.parametrize("reason", [InterruptedRunError("stopped"), RunInProgressError("busy")])
def test_being_stopped_or_finding_another_run_is_no_alarm(reason: Exception) -> None:
    told = Told()
    assert scheduler.run_job(job(run=raiser(reason)), threading.Event(), told) == "failed"
    assert told == []


def test_an_outage_is_told_once_and_the_next_one_again() -> None:
    told, last = Told(), [NOW]
    watched = job(last_success=lambda: last[0], is_watched=True)
    other = job("report", last_success=lambda: None)
    watch = Watch([watched, other], timedelta(hours=26), told, NOW)
    watch.look(NOW + timedelta(hours=26))
    assert told == []
    for hours in (27, 28, 29):
        watch.look(NOW + timedelta(hours=hours))
    assert [alert.kind for alert in told] == ["overdue"]
    assert "No successful sync for more than 26 hours" in told[0].message
    last[0] = NOW + timedelta(hours=30)
    watch.look(NOW + timedelta(hours=31))
    watch.look(NOW + timedelta(hours=60))
    assert len(told) == 2


def test_before_the_first_success_the_watch_counts_from_its_start() -> None:
    told = Told()
    one = job(last_success=lambda: None, is_watched=True)
    watch = Watch([one], timedelta(hours=26), told, NOW)
    watch.look(NOW + timedelta(hours=25))
    assert told == []
    watch.look(NOW + timedelta(hours=27))
    assert len(told) == 1


def test_successes_survive_a_restart_and_a_damaged_note(tmp_path: Path) -> None:
    path = tmp_path / "travesia.schedule.json"
    notes = Successes(path)
    assert notes.last("sync") is None
    notes.note("sync", NOW, ["sync", "report"])
    notes.note("report", NOW + timedelta(hours=1), ["sync", "report"])
    assert Successes(path).last("sync") == NOW
    assert Successes(path).last("report") == NOW + timedelta(hours=1)
    path.write_text("{", encoding="utf-8")
    assert notes.last("sync") is None


def test_the_next_times_follow_the_settings(tmp_path: Path) -> None:
    config = settings(tmp_path, '[schedule]\ntime_zone = "Europe/Madrid"\nreport = ""\n')
    assert scheduler.next_times(config, NOW) == {
        "sync": datetime(2026, 11, 21, 1, 0, tzinfo=UTC),
        "reconcile": datetime(2026, 11, 22, 3, 0, tzinfo=UTC),
    }


def test_the_command_gets_the_message_and_no_secret(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    script = tmp_path / "notify.py"
    script.write_text(
        "import json, os, pathlib, sys\n"
        "kept = {k: v for k, v in os.environ.items() if 'TRAVESIA' in k}\n"
        "pathlib.Path(sys.argv[1]).write_text(json.dumps([kept, sys.stdin.read()]))\n",
        encoding="utf-8",
    )
    command = json.dumps([sys.executable, str(script), str(out)])
    config = settings(tmp_path, f"[schedule]\nalert_command = {command}\n")
    tell = alerts.teller(config, {"TRAVESIA_PASSWORD": "hunter2", "TRAVESIA_LANG": "es"})
    tell(Alert("failed", "sync", "It; failed $(really)"))
    assert json.loads(out.read_text(encoding="utf-8")) == [
        {
            "TRAVESIA_LANG": "es",
            "TRAVESIA_ALERT_KIND": "failed",
            "TRAVESIA_ALERT_JOB": "sync",
            "TRAVESIA_ALERT_MESSAGE": "It; failed $(really)",
        },
        "It; failed $(really)",
    ]


@pytest.mark.parametrize("command", [["/no/such/program"], ["false"], ["sleep", "5"]])
def test_a_command_that_fails_or_hangs_does_not_end_the_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr(alerts, "ALERT_TIMEOUT_SECONDS", 0.05)
    config = settings(tmp_path, f"[schedule]\nalert_command = {json.dumps(command)}\n")
    with (tmp_path / "log").open("w+", encoding="utf-8") as stream:
        log.configure(stream=stream)
        alerts.teller(config, dict(os.environ))(Alert("failed", "sync", "x"))
        stream.seek(0)
        assert "alert command failed" in stream.read()


def hooked(folder: Path) -> Config:
    return settings(
        folder,
        '[instance]\nurl = "https://example.service-now.com"\nuser = "me"\n'
        '[schedule]\nalert_webhook_env = "HOOK"\n',
    )


def test_the_webhook_gets_json(tmp_path: Path) -> None:
    body = {
        "text": "It failed",
        "kind": "failed",
        "job": "sync",
        "instance": "example.service-now.com",
    }
    with responses.RequestsMock() as mock:
        mock.post(HOOK, match=[matchers.json_params_matcher(body)])
        alerts.teller(hooked(tmp_path), {"HOOK": HOOK})(Alert("failed", "sync", "It failed"))


@pytest.mark.parametrize("answer", [{"status": 500}, {"status": 302}, {"body": OSError("no")}])
def test_a_webhook_that_fails_is_logged_without_its_url(
    tmp_path: Path, answer: dict[str, Any]
) -> None:
    if "body" in answer:
        answer = {"body": requests.ConnectionError(f"cannot reach {HOOK}")}
    with responses.RequestsMock() as mock, (tmp_path / "log").open("w+") as stream:
        mock.post(HOOK, headers={"Location": "https://elsewhere.example"}, **answer)
        log.configure(stream=stream)
        alerts.teller(hooked(tmp_path), {"HOOK": HOOK})(Alert("failed", "sync", "x"))
        stream.seek(0)
        written = stream.read()
    assert "alert webhook" in written
    assert "secret-path" not in written


@pytest.mark.parametrize(
    ("value", "said"),
    [("", "not set"), ("hooks.example.com/x", "whole URL"), ("http://a.b", "https")],
)
def test_a_webhook_variable_that_holds_no_url_is_refused_at_start(
    tmp_path: Path, value: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        alerts.teller(hooked(tmp_path), {"HOOK": value})
