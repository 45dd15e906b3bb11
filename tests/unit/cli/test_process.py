"""`travesia` as a process of its own: language and exit codes are decided at its start."""

import os
import re
import signal
import subprocess
import sys
from typing import Any

import pytest
import typer

from connector.cli.app import app

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
