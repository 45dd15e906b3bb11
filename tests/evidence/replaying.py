"""The replayed year as tests start it: a sandbox over the UCI log, and an installation."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

from tests.harness import Connector, Sandbox, sandbox

START = "2016-04-01 00:00:00"


def night(n: int) -> str:
    return str(datetime.fromisoformat(START) + timedelta(days=n))


def start(data: Path, uci: Path, until: str = START) -> AbstractContextManager[Sandbox]:
    return sandbox(data, "--seed", "uci", "--uci", str(uci), "--until", until, "--frozen")


def installed(folder: Path, instance: Sandbox) -> Connector:
    connector = Connector(folder, instance.url)
    connector.do("provision", "--apply")
    return connector
