"""What every test gets: a clean environment, English texts, no socket beyond loopback.

And a look through all that it printed, logged and wrote, for secrets (tests/secrets_kit.py).
"""

import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

from connector import messages
from tests import harness, warm
from tests.secrets_kit import files_that_show, shows

# Machines are noisy: how long an example takes is no property of the code.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

_real_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise AssertionError(f"a test tried to reach {address[0]}")
    _real_connect(self, address)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("TRAVESIA_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("COLUMNS", raising=False)  # workers have it: tables would be cut
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)
    token = messages._language.set("en")
    yield
    messages._language.reset(token)
    structlog.reset_defaults()  # a command configured it for this test's streams, which close


@pytest.fixture(scope="session", autouse=True)
def quick_start() -> Iterator[harness.Start]:
    """What the harness starts is forked from a process that has imported everything."""
    with warm.server() as start, harness.starting(start):
        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After each test: no secret may show in its output, its log or the files it left."""
    report = yield
    if call.when == "teardown" and (places := _where_secrets_show(item, report)):
        report.outcome = "failed"
        report.longrepr = f"secrets show in {', '.join(places)}"
    return report


def _where_secrets_show(item: pytest.Item, report: pytest.TestReport) -> list[str]:
    places = [name for name, text in report.sections if shows(text)]
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    return places + (files_that_show(folder) if isinstance(folder, Path) else [])
