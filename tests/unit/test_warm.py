"""The quick starts of the tests: what is forked behaves as what an operator starts."""

import subprocess
from pathlib import Path

import pytest

from tests.harness import Process, Start, environment, start_real


def told(process: Process) -> tuple[int | None, str, str]:
    out, said = process.communicate(timeout=60)
    return process.returncode, out, said


def test_a_forked_command_says_and_leaves_what_a_real_one_does(
    quick_start: Start, tmp_path: Path
) -> None:
    (tmp_path / "travesia.toml").write_text("[instancee]\n", encoding="utf-8")
    for words in (["status"], ["sync", "--limit", "0"], ["explain", "--help"]):
        forked = quick_start(words, tmp_path, environment())
        assert not isinstance(forked, subprocess.Popen)
        assert told(forked) == told(start_real(words, tmp_path, environment()))


def test_a_forked_command_lives_until_it_is_killed(quick_start: Start, tmp_path: Path) -> None:
    words = ["sandbox", "--port", "0", "--data", "data", "--seed", "empty"]
    process = quick_start(words, tmp_path, environment(), with_stderr=False)
    assert process.stdout
    while "sandbox ready" not in process.stdout.readline():
        assert process.poll() is None, "it ended before it was ready"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.05)
    process.kill()
    assert process.communicate(timeout=20)[1] == ""
    assert process.wait(20) == process.poll() == -9


def test_what_is_decided_at_the_import_starts_for_real(quick_start: Start, tmp_path: Path) -> None:
    process = quick_start(["status"], tmp_path, environment(TRAVESIA_LANG="es"))
    assert isinstance(process, subprocess.Popen)
    _code, _out, said = told(process)
    assert "no existe" in said or "No hay" in said
