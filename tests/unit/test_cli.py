"""The command line: what is asked reaches the pipeline, answers are told, errors have codes."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import typer

from connector import alerts, cli, log, pipeline, provisioning, reporting, scheduler, services
from connector.check import Finding
from connector.cli import period, serve
from connector.cli.app import app
from connector.cli.output import bars
from connector.cli.session import Session
from connector.cli.shape import global_first
from connector.config import load_config
from connector.context import silent
from connector.errors import (
    AuthenticationError,
    ConfigError,
    InterruptedRunError,
    RunInProgressError,
    StoreError,
    UnavailableError,
)
from connector.itsm.servicenow.settings import AuthKind
from connector.provision import Artefact, Provisioning, Scope, Step
from connector.reconcile import Swept
from connector.report.build import Choice
from connector.report.pending import Pending, Publications
from connector.results import Options, RunResult, TableCounts
from connector.store.changes import Change

pytestmark = pytest.mark.usefixtures("home")

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTINGS = """
[instance]
url = "http://127.0.0.1:9"
user = "travesia.integration"
time_zone = "Europe/Madrid"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with settings, where commands are run; the log is as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    (tmp_path / "travesia.toml").write_text(SETTINGS, encoding="utf-8")
    yield tmp_path
    log.configure()


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


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """The options of the runs that were started; each run answers `result()`."""
    options: Ran = []

    def run(*arguments: Any) -> RunResult:
        options.append(arguments[3])
        if arguments[6]:
            arguments[6].write(pipeline.plan_lines([change()]))
        return result()

    lean(monkeypatch, run)
    return options


def lean(monkeypatch: pytest.MonkeyPatch, run: Callable[..., RunResult]) -> None:
    """A pipeline without instance and mapping around `run`."""
    monkeypatch.setattr(services, "connect", lambda *_: FakeInstance())
    monkeypatch.setattr(services, "mapping_of", lambda _: "mapping")
    monkeypatch.setattr(pipeline, "run", run)


def raiser(error: Exception) -> Callable[..., Any]:
    def run(*_: Any) -> Any:
        raise error

    return run


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["synk"], "There is no command 'synk'; did you mean sync?"),
        (["zzz"], "There is no command 'zzz'; see travesia --help"),
        (["sync", "--dry-rum"], "There is no option --dry-rum; did you mean --dry-run?"),
        (["sync", "--xyz"], "There is no option --xyz; see --help"),
        (["sync", "--limit", "many"], "'many' is no whole number from 1 to 1000000"),
        (["sync", "--limit"], "--limit does not fit: does it need a value?"),
        (["sync", "--since", "yesterday"], "'yesterday' is not a date"),
        (["sync", "--since", "999999w"], "too far away"),
        (["sync", "INC0010042"], "Nothing was expected here: INC0010042"),
        (["sync", "--full", "--since", "2h"], "--full reads everything"),
        (["sync", "--record", "X", "--full"], "--record goes alone"),
        (["sync", "--record", ""], "--record is empty"),
        (["sync", "--record", " "], "--record is empty"),
        (["sync", "--since", ""], "is not a date"),
        (["sync", "--since", "0001-01-01"], "'0001-01-01' is too far back; give 1970-01-01"),
        (["sync", "--since", "1969-12-31"], "'1969-12-31' is too far back"),
        (["sync", "--since", "99999w"], "'99999w' is too far back"),
        (["sync", "--json", "--plan-file", "-"], "both want stdout"),
        (["explain"], "'NUMBER' is missing; see --help"),
        (
            ["report", "--format", "htm"],
            "'htm' is not one of html, md, csv, parquet, pdf; did you mean html?",
        ),
        (["report", "--from", "2026-11-01"], "a period needs both --from and --to"),
        (["report", "--from", "2026-11-02", "--to", "2026-11-01"], "--to lies before --from"),
        (["sandbox", "--seed", "uci", "--uci", "nowhere"], "nowhere does not exist"),
        (["sandbox", "--port", "70000"], "no whole number from 0 to 65535"),
        (["status", "-v", "-q"], "contradict each other"),
    ],
)
def test_a_wrong_command_line_exits_64_with_one_sentence(
    ran: Ran, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert cli.run(words) == 64
    told = capsys.readouterr()
    assert told.err.startswith("Error: ")
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert ran == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnavailableError("The instance does not answer"), 3),
        (AuthenticationError("The password was refused"), 4),
        (StoreError("The store is damaged"), 5),
        (RunInProgressError("Another run is at work"), 5),
        (InterruptedRunError("The run was stopped"), 130),
        (PermissionError(13, "Permission denied", "/root/plan"), 1),
    ],
)
def test_an_error_is_one_sentence_and_the_code_of_its_class(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: int,
) -> None:
    lean(monkeypatch, raiser(error))
    assert cli.run(["sync"]) == code
    told = capsys.readouterr().err
    sentence = "/root/plan: Permission denied" if isinstance(error, OSError) else str(error)
    assert told == f"Error: {sentence}\n"


def test_a_fault_of_ours_shows_its_stack_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, raiser(KeyError("Ana García")))
    assert cli.run(["sync"]) == 1
    told = capsys.readouterr().err
    assert "a fault of Travesía (KeyError)" in told
    assert "García" not in told
    assert cli.run(["sync", "--traceback"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


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


def test_the_second_signal_is_no_longer_held_back(capsys: pytest.CaptureFixture[str]) -> None:
    with Session().stopping() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(1)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert "once more to stop at once" in capsys.readouterr().err


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


def test_global_options_may_stand_anywhere_before_two_dashes() -> None:
    words = ["sync", "--config", "a.toml", "--full", "-v", "--config=b.toml", "--", "-q"]
    assert global_first(words) == [
        *("--config", "a.toml", "-v", "--config=b.toml"),
        *("sync", "--full", "--", "-q"),
    ]
    assert global_first(["sync", "-c"]) == ["-c", "sync"]


@pytest.mark.usefixtures("ran")
def test_the_settings_named_behind_the_command_are_read(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "other.toml").write_text("[instancee]\n", encoding="utf-8")
    assert cli.run(["sync", "--config", "other.toml"]) == 2
    assert "other.toml: line 1, [instancee]: there is no such section; did you mean instance?" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "words",
    [
        ["sync"],
        ["reconcile"],
        ["provision"],
        ["serve"],
        ["report"],
        ["status"],
        ["explain", "INC0010042"],
        ["check", "--config", "travesia.toml"],
    ],
)
def test_without_settings_a_command_says_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (home / "travesia.toml").unlink()
    assert cli.run(words) == 2
    assert "run `travesia init`" in capsys.readouterr().err


def test_settings_without_an_instance_are_not_enough_to_sync(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "travesia.toml").write_text("[mapping]\n", encoding="utf-8")
    assert cli.run(["sync"]) == 2
    assert "no instance is configured" in capsys.readouterr().err


def test_check_without_settings_checks_the_mapping_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "travesia.toml").unlink()
    asked = []

    def check(config: Any, _environment: Any) -> list[Finding]:
        asked.append(config.has_instance)
        return [Finding("ok", "mapping", "2 journeys")]

    monkeypatch.setattr(services, "check", check)
    assert cli.run(["check"]) == 0
    assert asked == [False]
    out = capsys.readouterr().out
    assert "✓ mapping: 2 journeys" in out
    assert "No instance is configured: the mapping alone was checked." in out


def test_check_exits_2_when_a_finding_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [
        Finding("ok", "clock", "in order"),
        Finding("warn", "sc_task", "hidden column"),
        Finding("error", "incident", "no such table", "check its name"),
    ]
    monkeypatch.setattr(services, "check", lambda *_: findings)
    assert cli.run(["check"]) == 2
    out = capsys.readouterr().out
    assert "✗ incident: no such table\n  → check its name" in out
    assert "1 in order, 1 to look at, 1 wrong." in out
    assert cli.run(["check", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)[2]["remedy"] == "check its name"


def test_provision_shows_first_and_makes_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    column = Artefact("sys_dictionary", "id", {"name": "incident", "element": "u_journey_step"})

    def provision(_config: Any, _environment: Any, scope: Scope, *, apply: bool) -> Provisioning:
        assert "incident" in scope.tables
        asked.append(apply)
        return Provisioning((Step("create", column, "id", column.fields),))

    monkeypatch.setattr(provisioning, "provision", provision)
    assert cli.run(["provision"]) == 0
    assert "travesia provision --apply makes it" in capsys.readouterr().out
    assert cli.run(["provision", "--apply"]) == 0
    assert "1 thing was made" in capsys.readouterr().out
    assert asked == [False, True]


def test_provision_with_a_conflict_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        provisioning,
        "provision",
        lambda *_, **_more: Provisioning((), ("Column x is an integer",)),
    )
    assert cli.run(["provision"]) == 2
    assert "Column x is an integer" in capsys.readouterr().err


def test_reconcile_asks_a_person_with_exit_6(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, raiser(AssertionError()))
    monkeypatch.setattr(pipeline, "sweep", lambda *_, **_more: [SHRUNK])
    assert cli.run(["reconcile"]) == 6
    told = capsys.readouterr()
    assert "incident" in told.out
    assert told.err == "Error: incident: 50 of 100 are missing; was a role lost?\n"


@pytest.fixture
def reported(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The arguments of the reports that were asked for, after config and mapping."""
    asked: list[tuple[Any, ...]] = []

    def report(
        _config: Any, _mapping: Any, order: reporting.Order, instance: Any
    ) -> list[reporting.ReportResult]:
        asked.append((order, instance))
        return [
            reporting.ReportResult(language, (home / f"{language}.html",), None)
            for language in order.languages
        ]

    lean(monkeypatch, raiser(AssertionError()))
    monkeypatch.setattr(reporting, "report", report)
    return asked


def test_the_last_day_of_a_report_is_included_in_the_instances_zone(
    reported: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--from", "2026-01-01", "--to", "2026-03-31", "--lang", "es"]
    assert cli.run([*words, "--format", "md", "--format", "md", "--out", "here"]) == 0
    start, end = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert reported == [(reporting.Order(start, end, ("es",), ("md",), Path("here")), None)]
    assert "es.html" in capsys.readouterr().out


def test_a_report_without_options_is_the_month_before_as_the_settings_say(
    reported: list[tuple[Any, ...]], home: Path
) -> None:
    assert cli.run(["report"]) == 0
    ((order, _instance),) = reported
    assert order.languages == ("es", "en")
    assert order.formats == ("html", "md", "csv")
    assert order.out.resolve() == home / "reports"
    assert order.choice == Choice()


def test_scope_comparison_and_chapters_reach_the_report(
    reported: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--scope", "service=ERP", "--compare", "year", "--only", "sla,moments"]
    assert cli.run([*words, "--only", "band"]) == 0
    assert reported[0][0].choice == Choice("service=ERP", "year", ("sla", "moments", "band"))
    assert cli.run(["report", "--only", "durration"]) == 2
    assert "did you mean durations" in capsys.readouterr().err
    assert len(reported) == 1


def test_a_spoiled_file_is_told_after_the_others_are_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lean(monkeypatch, raiser(AssertionError()))
    result = reporting.ReportResult("es", (home / "es.csv",), None, ("md.j2 is broken",))
    monkeypatch.setattr(reporting, "report", lambda *_: [result])
    assert cli.run(["report"]) == 6
    told = capsys.readouterr()
    assert "es.csv" in told.out
    assert "md.j2 is broken" in told.err


def test_the_month_before_is_whole_in_its_zone() -> None:
    now = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)  # in Madrid it is March
    assert period.month_before(now, "Europe/Madrid") == (
        datetime(2026, 1, 31, 23, tzinfo=UTC),
        datetime(2026, 2, 28, 23, tzinfo=UTC),
    )


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


def test_init_with_yes_writes_ten_lines_that_load(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--config", "new.toml", "--url", "http://127.0.0.1:8080/", "--yes"]
    assert cli.run(words) == 0
    text = (home / "new.toml").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 10
    config = load_config(home / "new.toml", {})
    assert config.instance.url == "http://127.0.0.1:8080"
    assert not config.write_back.enabled
    steps = capsys.readouterr().out.splitlines()[1:]
    assert steps[0].startswith("  export TRAVESIA_PASSWORD=")
    purposes = ("the password", "does the instance", "what our columns", "what would be written")
    assert len({line.index(text) for line, text in zip(steps, purposes, strict=True)}) == 1


@pytest.mark.parametrize("option", ["--url", "--user"])
def test_init_takes_an_empty_answer_for_an_answer(
    home: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert cli.run(["init", "--yes", "--config", "new.toml", option, ""]) == 64
    assert "an answer is needed" in capsys.readouterr().err
    assert not (home / "new.toml").exists()


def test_init_asks_five_questions_and_asks_again_what_does_not_fit(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(
        [
            "http://example.com",
            "https://example.com",
            "oauth_client_credentials",
            'a"b',
            "UTC",
            "es",
        ]
    )
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    assert cli.run(["init", "--config", "new.toml"]) == 0
    assert "use https" in capsys.readouterr().err
    config = load_config(home / "new.toml", {})
    assert (config.instance.auth, config.instance.client_id) == ("oauth_client_credentials", 'a"b')
    assert config.mapping.language == "es"
    assert list(answers) == []


@pytest.mark.parametrize("auth", sorted(get_args(AuthKind)))
@pytest.mark.parametrize("in_files", [False, True])
def test_init_writes_every_login_that_the_client_knows(
    home: Path, auth: AuthKind, in_files: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what it wrote, and the secrets where it said, the client finds nothing missing."""
    words = ["init", "--config", "new.toml", "--url", "https://example.com", "--yes"]
    folder = ["--secret-files", str(home)] if in_files else []
    assert cli.run([*words, "--auth", auth, *folder]) == 0
    config = load_config(home / "new.toml", {})
    said = capsys.readouterr().out
    environment = {}
    for name in SECRETS:
        (home / name).write_text("s3cret", encoding="utf-8")
        if f"export TRAVESIA_{name.upper()}=…" in said:
            environment[f"TRAVESIA_{name.upper()}"] = "s3cret"
        assert (str(home / name) in said) <= in_files
    assert config.instance.auth == auth
    assert bool(environment) == (not in_files and auth != "mutual_tls")
    if auth not in ("oauth_jwt", "mutual_tls"):  # there the files of keys are still to come
        services.connect(config, environment)
        return
    with pytest.raises(ConfigError) as caught:
        services.connect(config, environment)
    assert "secret is missing" not in str(caught.value)
    for key in ("jwt_key_file", "client_key"):
        if value := getattr(config.instance, key):
            assert str(value) in said
            assert str(value) in str(caught.value)


SECRETS = ("password", "client_secret", "refresh_token", "api_key")


def test_init_asks_only_what_the_login_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answers = {"Log in by": "oauth_jwt", "Address": "https://example.com"}

    def prompt(question: str, default: str, **_more: object) -> str:
        asked.append(question)
        return next((a for start, a in answers.items() if question.startswith(start)), default)

    monkeypatch.setattr("typer.prompt", prompt)
    assert cli.run(["init", "--config", "new.toml"]) == 0
    assert len(asked) == 7
    assert [text for text in asked if "OAuth" in text or "User" in text or "private key" in text]
    assert not any("certificate" in text for text in asked)


@pytest.mark.parametrize(
    ("auth", "option"), [("api_key", "--user"), ("basic", "--client-key"), ("basic", "--client-id")]
)
def test_init_refuses_what_does_not_go_with_the_login(
    home: Path, auth: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--config", "new.toml", "--yes", "--auth", auth, option, "x"]
    assert cli.run(words) == 64
    assert f"{option} does not go with --auth {auth}" in capsys.readouterr().err
    assert not (home / "new.toml").exists()


def test_init_never_overwrites(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "--yes"]) == 2
    assert (home / "travesia.toml").read_text(encoding="utf-8") == SETTINGS
    assert "the file exists and stays as it is" in capsys.readouterr().err


def test_init_into_a_folder_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["init", "--yes", "--config", "no/travesia.toml"]) == 2
    assert "cannot write it: No such file" in capsys.readouterr().err


def test_init_refuses_a_wrong_option_before_it_writes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["init", "--yes", "--config", "new.toml", "--time-zone", "Europe/Madird"]
    assert cli.run(words) == 64
    assert "did you mean Europe/Madrid?" in capsys.readouterr().err
    assert not (home / "new.toml").exists()


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


def waiting_note(home: Path) -> Publications:
    """A publication that failed last night."""
    notes = reporting.publications_of(load_config(home / "travesia.toml", {}))
    note = Pending("2026-10-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00", "es", ("md",))
    notes.add(note, "the instance did not answer", NOW)
    return notes


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


SHRUNK = Swept("incident", 100, 1, 50, 0, "incident: 50 of 100 are missing; was a role lost?")


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


def test_bars_are_only_for_a_person_at_a_terminal() -> None:
    with bars(Session()) as progress:
        assert progress is silent


# What follows starts real processes: language and exit codes are decided at start.


def started(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return subprocess.run(
        [sys.executable, "-m", "connector", *words],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_process_ends_with_the_code_of_the_error() -> None:
    assert started("sync", "--limit", "0").returncode == 64
    missing = started("sync")
    assert missing.returncode == 2
    assert "TRAVESIA_PASSWORD" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_without_a_command_the_help_is_shown() -> None:
    shown = started(TRAVESIA_LANG="en")
    assert shown.returncode == 64
    assert "Every day" in shown.stdout


ALL_HELP = """
import os
import typer
from connector import cli
from connector.cli.app import app
for columns in ("80", "120"):
    os.environ["COLUMNS"] = columns
    for name in [[], *([name] for name in typer.main.get_command(app).commands)]:
        cli.run([*name, "--help"])
    print(end="\\f")
"""


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_help_page_is_wider_than_the_terminal_and_no_example_is_broken(language: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", ALL_HELP],
        env={**os.environ, "TRAVESIA_LANG": language},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    narrow, wide, _ = shown.split("\f")
    check_pages(narrow, 80)
    check_pages(wide, 120)


def check_pages(shown: str, columns: int) -> None:
    assert max(len(line) for line in shown.splitlines()) <= columns
    pages = re.split(r"^ \S+ travesia", shown, flags=re.MULTILINE)[1:]
    commands: Any = typer.main.get_command(app)
    assert len(pages) == 1 + len(commands.commands)
    for page in pages:
        foot = page.rpartition("╯")[2]
        heading, *examples = [line for line in foot.splitlines() if line.strip()]
        assert heading.strip().endswith(":")
        assert examples
        assert all(line.startswith("   travesia ") for line in examples), examples


def test_sigterm_ends_a_waiting_process_gracefully() -> None:
    """Nobody listens on port 9: the client waits between its attempts, and a signal ends that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "connector", "-v", "sync"],
        env={**os.environ, "TRAVESIA_PASSWORD": "x", "TRAVESIA_LANG": "en"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    # It waits only after the first attempt.
    first = next((line for line in process.stderr if " again " in line), None)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert first, told
    assert process.returncode == 130, told
    assert "Error: " in told.splitlines()[-1]
