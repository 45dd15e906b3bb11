"""The sidecar: lock and status in one small file."""

import errno
import fcntl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from connector import pipeline
from connector.errors import AuthenticationError, RunInProgressError, StoreError
from connector.store.lock import is_locked, locked, read_status, sidecar_path
from tests.unit.test_pipeline import Site


def test_a_second_run_is_refused_and_told_what_the_first_does(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    with locked(store) as status:
        status.say(phase="extract", run_id="r1")
        assert is_locked(store)
        with pytest.raises(RunInProgressError, match=r"process \d+, phase extract"), locked(store):
            pass
    assert not is_locked(store)


def test_the_status_stays_readable_after_the_run(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    with locked(store) as status:
        status.say(phase="a very long phase name", extra="x" * 500)
        status.say(phase="end", extra="")
    assert read_status(store)["phase"] == "end"


def test_a_broken_sidecar_is_no_status_and_no_lock(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    assert read_status(store) == {}
    assert not is_locked(store)
    sidecar_path(store).write_text('{"phase": "ext', encoding="utf-8")
    assert read_status(store) == {}
    with locked(store) as status:
        status.say(phase="start")
    assert read_status(store)["phase"] == "start"


def test_a_look_at_the_wrong_instant_turns_no_run_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "s.duckdb"
    with locked(store):
        pass
    with sidecar_path(store).open("rb") as looker:
        fcntl.flock(looker, fcntl.LOCK_SH)
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 3:
                fcntl.flock(looker, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", sleep)
        with locked(store):
            assert is_locked(store)
    assert sum(slept) < 0.5


def test_the_lock_falls_with_a_killed_process(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    code = (
        "import os, pathlib, sys\n"
        "from connector.store.lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1])) as status:\n"
        "    status.say(phase='write_back')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store)], check=False)
    assert done.returncode == -9
    assert read_status(store)["phase"] == "write_back"
    with locked(store):
        pass


def full(*_arguments: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_as_the_stores_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sidecar is the first thing that a run writes."""
    monkeypatch.setattr("os.pwrite", full)
    with (
        pytest.raises(StoreError, match=r"The disk of the store .* is full") as caught,
        locked(tmp_path / "s.duckdb") as status,
    ):
        status.say(phase="start")
    assert caught.value.exit_code == 5


def test_why_a_run_failed_is_told_though_the_sidecar_cannot_say_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path)
    site.run()

    def fail(*_arguments: object) -> None:
        monkeypatch.setattr("os.pwrite", full)
        raise AuthenticationError("the login was refused")

    monkeypatch.setattr(pipeline, "take_in", fail)
    with pytest.raises(AuthenticationError, match="the login was refused"):
        site.run()
