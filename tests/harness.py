"""Real processes for the flow tests: a sandbox over HTTP, and the `travesia` command.

Nothing here reaches into the connector: it is started, killed and looked at as an operator would.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol

import duckdb
import requests

from connector.config import Config

PASSWORD = "sandbox"
USER = "travesia.integration"
ASKED_FOR = ("asmt_assessment_instance", "sn_hr_le_case", "sc_cart_item")
"""Surveys, HR cases, carts: read because the tests, as an organisation may, ask for them."""
TRAVESIA = [sys.executable, "-m", "connector"]

OWN_RECORD_COLUMNS = (
    "u_journey_step",
    "u_journey_touchpoint",
    "u_journey_band",
    "u_journey_moment",
    "u_journey_outcome",
    "u_journey_value",
    "u_journey_since",
    "u_journey_why",
    "u_journey_rule",
    "u_journey_confidence",
)
PATH_DEPENDENT = {"u_journey_since"}


def environment(**more: str) -> dict[str, str]:
    """The environment of our own processes: English, no colours, the sandbox's password."""
    base = {k: v for k, v in os.environ.items() if not k.startswith("TRAVESIA_")}
    return {
        **base,
        "TRAVESIA_PASSWORD": PASSWORD,
        "TRAVESIA_LANG": "en",
        "NO_COLOR": "1",
        "COLUMNS": "120",
        **more,
    }


class Process(Protocol):
    """A started command: as much of `subprocess.Popen` as the tests use."""

    pid: int
    returncode: int | None
    stdout: IO[str] | None
    stderr: IO[str] | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Start(Protocol):
    """How `travesia words…` is started in a folder; its output comes by pipes."""

    def __call__(
        self,
        words: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        *,
        with_stderr: bool = True,
    ) -> Process: ...


def start_real(
    words: Sequence[str], folder: Path, env: Mapping[str, str], *, with_stderr: bool = True
) -> Process:
    """As an operator does: by the interpreter."""
    return subprocess.Popen(
        [*TRAVESIA, *words],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if with_stderr else None,
        text=True,
    )


_start: Start = start_real


@contextmanager
def starting(start: Start) -> Iterator[None]:
    """Inside the block commands are started this way."""
    global _start  # noqa: PLW0603 - one way at a time, for all that a test starts
    before, _start = _start, start
    try:
        yield
    finally:
        _start = before


@dataclass
class Sandbox:
    """A running sandbox."""

    url: str
    process: Process

    def control(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call a `/_sandbox/` endpoint: GET without a body, POST with one."""
        target = f"{self.url}/_sandbox/{path}"
        reply = (
            requests.get(target, timeout=120)
            if body is None
            else requests.post(target, json=body, timeout=600)
        )
        reply.raise_for_status()
        is_json = reply.headers["Content-Type"].split(";")[0] == "application/json"
        # Not `text`: where no charset is named, it would guess one from all the bytes of a dump.
        return reply.json()["result"] if is_json else reply.content.decode("utf-8")

    def advance(self, until: str) -> None:
        """Apply what was recorded up to `until`, and stand there, past `settle_seconds`."""
        self.control("advance", {"until": until})
        later = datetime.fromisoformat(until) + timedelta(seconds=5)
        self.control("clock", {"until": str(later)})

    def dump(self, table: str) -> dict[str, dict[str, str]]:
        """All records of a table as the instance holds them, by sys_id."""
        lines = self.control(f"dump?table={table}").splitlines()
        rows = [json.loads(line) for line in lines]
        return {row["sys_id"]: row for row in rows}

    def whole_dump(self) -> str:
        """Everything, for comparing before and after."""
        return str(self.control("dump"))

    def requests(self) -> dict[str, int]:
        """Counts of requests since the last reset, by kind; what rode in a batch counts apart."""
        said = self.control("requests")
        return {**said["requests"], **{f"batched {k}": v for k, v in said["batched"].items()}}

    def reset_requests(self) -> None:
        """Count from zero."""
        requests.delete(f"{self.url}/_sandbox/requests", timeout=30).raise_for_status()

    def api(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        """The Table API as a person with the admin's rights would use it."""
        reply = requests.request(
            method,
            f"{self.url}/api/now/{path}",
            json=body,
            auth=("admin", PASSWORD),
            headers={"Accept": "application/json"},
            timeout=60,
        )
        reply.raise_for_status()
        return reply.json()["result"] if reply.content else None


@contextmanager
def sandbox(data: Path, *arguments: str, **env: str) -> Iterator[Sandbox]:
    """Start a sandbox on a free port; it is gone afterwards."""
    words = ("sandbox", "--port", "0", "--data", str(data), *arguments)
    process = _start(words, Path.cwd(), environment(**env), with_stderr=False)
    try:
        yield Sandbox(_ready_url(process), process)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _ready_url(process: Process) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"sandbox ready: (http://\S+)", line):
            return found[1]
    raise AssertionError(f"the sandbox ended with {process.wait()} before it was ready")


@dataclass
class Connector:
    """One installation: a folder with a config and a store."""

    folder: Path
    url: str
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_config()

    def write_config(self, **sections: dict[str, Any]) -> None:
        """Write travesia.toml: the instance, and what a test sets."""
        merged: dict[str, dict[str, Any]] = {
            # The sandbox's clock is moved as the tests need it, also past this machine's.
            "instance": {"url": self.url, "user": USER, "max_clock_ahead_hours": 0},
            "extract": {"tables": [*Config().extract.tables, *ASKED_FOR]},
            "write_back": {
                "enabled": True,
                "max_records_per_run": 1_000_000,
                "settled_days": 3650,
                "backfill_days": 36500,
            },
        }
        for name, values in [*self.settings.items(), *sections.items()]:
            merged[name] = {**merged.get(name, {}), **values}
        lines = []
        for name, values in merged.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(v)}" for key, v in values.items()), ""]
        (self.folder / "travesia.toml").write_text("\n".join(lines), encoding="utf-8")

    @property
    def store(self) -> Path:
        return self.folder / "travesia.duckdb"

    def start(self, *arguments: str, **env: str) -> Process:
        """Start `travesia …` in the folder."""
        return _start(arguments, self.folder, environment(**env))

    def call(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `travesia …` to its end, whatever that is."""
        process = self.start(*arguments, **env)
        try:
            out, said = process.communicate(timeout=900)
        except BaseException:
            process.kill()
            process.communicate()
            raise
        assert process.returncode is not None
        return subprocess.CompletedProcess([*TRAVESIA, *arguments], process.returncode, out, said)

    def do(self, *arguments: str) -> str:
        """Run `travesia …`, which must succeed; answers its stdout."""
        done = self.call(*arguments)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def sync(self, *arguments: str) -> dict[str, Any]:
        """`travesia sync --json …`, which must succeed."""
        found = json.loads(self.do("sync", "--json", *arguments))
        assert isinstance(found, dict)
        return found

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published snapshot."""
        path = self.store.with_name("travesia.snapshot.duckdb")
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def status(self) -> dict[str, Any]:
        """The sidecar's last word."""
        path = self.store.with_name("travesia.status.json")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return dict(found)

    def kill_in(self, phase: str, after: float, *arguments: str) -> bool:
        """Start a sync and `kill -9` it `after` seconds into `phase`; answers whether it lived."""
        before = self.status().get("run_id")
        process = self.start("sync", "--json", *arguments)
        reached: float | None = None
        try:
            while process.poll() is None:
                now = self.status()
                is_there = now.get("run_id") != before and now.get("phase") == phase
                if is_there and reached is None:
                    reached = time.monotonic()
                if reached is not None and time.monotonic() - reached >= after:
                    process.send_signal(signal.SIGKILL)
                    return True
                time.sleep(0.002)
            return False
        finally:
            process.communicate()


CLASSIFIED = (
    "table_name, sys_id, rule_id, touchpoint, steps, band, is_potential_moment, outcome, phase,"
    " value, confidence, inherited_from"
)


def classifications(connector: Connector) -> list[tuple[Any, ...]]:
    """Everything a classification says, apart from which run said it."""
    return connector.read(f"SELECT {CLASSIFIED} FROM classification ORDER BY 1, 2")


def journey_fields(
    instance: Sandbox, table: str, *, path_dependent: bool = False
) -> dict[str, dict[str, str]]:
    """Our fields on every record of a table."""
    columns = [c for c in OWN_RECORD_COLUMNS if path_dependent or c not in PATH_DEPENDENT]
    return {
        sys_id: {column: row.get(column, "") for column in columns}
        for sys_id, row in instance.dump(table).items()
    }
