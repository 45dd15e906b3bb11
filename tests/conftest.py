"""What every test gets: a clean environment, English texts, and no socket beyond loopback."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from connector import messages

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
