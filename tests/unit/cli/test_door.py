"""The command line: what was typed is understood or refused in a sentence; errors have codes."""

import os
import signal
from pathlib import Path

import pytest

from connector import cli
from connector.cli.output import bars
from connector.cli.session import Session
from connector.cli.shape import global_first
from connector.context import silent
from connector.errors import (
    AuthenticationError,
    InterruptedRunError,
    RunInProgressError,
    StoreError,
    UnavailableError,
)
from tests.unit.cli.kit import Ran, lean, raiser


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


def test_the_second_signal_is_no_longer_held_back(capsys: pytest.CaptureFixture[str]) -> None:
    with Session().stopping() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(1)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert "once more to stop at once" in capsys.readouterr().err


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


def test_bars_are_only_for_a_person_at_a_terminal() -> None:
    with bars(Session()) as progress:
        assert progress is silent
