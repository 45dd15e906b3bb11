"""Processes for the campaign: forked, so that starting one costs no interpreter and no imports.

The mapping is loaded once and inherited; retries wait milliseconds instead of seconds. All else in
a child is what `travesia …` and `travesia sandbox` do.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from connector import cli, relationships, services
from connector.itsm import servicenow
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping
from tests.harness import environment

_SHIPPED = load_mapping()
_mapping = replace(_SHIPPED, moments=())
_is_whole = False
HARD_LIMIT_SECONDS = 300


@dataclass
class Child:
    """A forked process of ours."""

    pid: int
    code: int | None = None
    """Its exit code, negative for the signal that ended it; None while it lives."""

    def poll(self) -> int | None:
        """The exit code if it has ended."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def wait(self, seconds: float = HARD_LIMIT_SECONDS) -> int:
        """Wait for its end; a child that hangs is killed, and that is a failure."""
        end = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > end:
                self.kill()
                raise AssertionError(f"process {self.pid} did not end within {seconds} s")
            time.sleep(0.002)
        assert self.code is not None
        return self.code

    def signal(self, number: int) -> None:
        """Send a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, and take note of the end."""
        self.signal(signal.SIGKILL)
        while self.poll() is None:
            time.sleep(0.001)


def fork(task: Callable[[], int], output: Path) -> Child:
    """Run `task` in a child that writes to `output`; its answer is the exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid)
    code = 70
    try:
        _redirect(output)
        code = task()
    except BaseException as error:  # noqa: BLE001 - a child must never come back into the parent
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(output: Path) -> None:
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(handle, stream)
    # Whoever captured the parent's streams (pytest) has put others in their place.
    sys.stdout, sys.stderr = (os.fdopen(n, "w", closefd=False, encoding="utf-8") for n in (1, 2))
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def travesia(folder: Path, words: Sequence[str], output: Path) -> Child:
    """`travesia words…` in `folder`."""

    def task() -> int:
        become_travesia(folder)
        return cli.run(words)

    return fork(task, output)


def become_travesia(folder: Path) -> None:
    """Make this child what a freshly started `travesia` in `folder` would be."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment())
    quick: Any = partial(servicenow.Connection, first_wait_seconds=0.001, longest_wait_seconds=0.01)
    mock.patch.object(servicenow, "Connection", quick).start()
    mock.patch.object(services, "load_mapping", _loaded).start()
    if not _is_whole:
        mock.patch.object(relationships, "of_run", return_value=([], "")).start()


def _loaded(overlay: Path | None = None) -> Mapping:
    return load_mapping(overlay) if overlay else _mapping


def take_whole_mapping() -> None:
    """From now on children also decide moments of truth and engagement."""
    global _mapping, _is_whole
    _mapping, _is_whole = _SHIPPED, True
