"""The sidecar: lock and status in one small file."""

import subprocess
import sys
from pathlib import Path

import pytest

from connector.errors import RunInProgressError
from connector.store.lock import is_locked, locked, read_status, sidecar_path


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
