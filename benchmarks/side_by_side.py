"""One run, many clients: starts the page server and each client, verifies, takes medians.

The page server has one core and the clients another, where the machine has two. This process stays
small on purpose and imports nothing heavy: Linux counts the memory of whoever starts a process as
that process's own peak (see benchmarks/memory.py). Nothing here judges by seconds; a client whose
records do not sum up to what the server holds ends the run.
"""

import contextlib
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".peers"
"""Environments of the peers, one each; not under version control."""
DOCS = ROOT / "docs" / "benchmarks.md"
SERVER_CORE, CLIENT_CORE = 1, 0


@dataclass(frozen=True)
class Client:
    """Who does a job, and how: the interpreter's environment ("" is ours), script, setting."""

    label: str
    peer: str
    job: str
    setting: Mapping[str, Any] = field(default_factory=dict)
    cores: int = 1
    """1: the clients' core; more: wherever there is room, beside the server as well."""


@dataclass(frozen=True)
class Told:
    """One measured run of a client. The peak is the operating system's word (VmHWM, or wait4)."""

    seconds: float
    cpu_seconds: float
    count: int
    checksum: int
    resident_mb: float
    requests: int

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.count / self.seconds


@dataclass(frozen=True)
class Median:
    """Several runs of a client, each figure its own median."""

    client: Client
    runs: int
    rate: float
    cpu_per_100k: float
    resident_mb: float
    requests: int
    slowest: float
    fastest: float


class Unequal(Exception):
    """A client lost, doubled or made up records."""


def median(client: Client, told: Sequence[Told]) -> Median:
    """The medians, and how far the rates lay apart."""
    rates = [one.rate for one in told]
    return Median(
        client,
        len(told),
        statistics.median(rates),
        statistics.median(one.cpu_seconds / one.count * 100_000 for one in told),
        statistics.median(one.resident_mb for one in told),
        round(statistics.median(one.requests for one in told)),
        min(rates),
        max(rates),
    )


def environment() -> dict[str, str]:
    """For servers and clients: one hash seed, so that their checksums are comparable."""
    return {**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}


def _pinned(core: int) -> Callable[[], None] | None:
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return None
    return lambda: os.sched_setaffinity(0, {core})


@dataclass(frozen=True)
class PageServer:
    """A page server in a process of its own."""

    url: str

    def call(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Its controls: GET without a body, POST with one."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_bench/{path}", data, timeout=600) as reply:  # noqa: S310  # our own process
            return json.loads(reply.read())

    def costs(self, **knobs: float) -> None:
        """What requests take from now on."""
        self.call("settings", knobs)


@contextlib.contextmanager
def page_server(*arguments: str) -> Iterator[PageServer]:
    """Start one; it is gone afterwards."""
    command = [sys.executable, "-m", "benchmarks.page_server", *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_pinned(SERVER_CORE),  # noqa: PLW1509  # no threads here
    )
    try:
        assert process.stdout is not None
        found = re.search(r"ready: (\S+)", process.stdout.readline())
        assert found, "the page server did not start"
        yield PageServer(found[1])
    finally:
        process.terminate()
        process.communicate()


def raw_rate(server: PageServer, records: int, page: int = 10_000) -> float:
    """Rows a second to a client that reads bytes and looks at nothing: the server's own limit."""
    target = "/api/now/table/incident?sysparm_exclude_reference_link=true&sysparm_no_count=true"
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    began = time.perf_counter()
    for offset in range(0, records, page):
        connection.request("GET", f"{target}&sysparm_offset={offset}&sysparm_limit={page}")
        reply = connection.getresponse()
        while reply.read(1 << 20):
            pass
    seconds = time.perf_counter() - began
    connection.close()
    return records / seconds


def python_of(peer: str) -> str:
    """The interpreter of a peer's environment, made from its pinned requirements at need."""
    if not peer:
        return sys.executable
    home = PEERS / peer
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        pinned = ROOT / "benchmarks" / "peers" / "requirements" / f"{peer}.txt"
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(pinned)], check=True)
        (home / "ready").touch()
    return str(python)


def run_once(client: Client, server: PageServer) -> Told:
    """One run in a process of its own. Raises Unequal if it ends badly or tells nothing."""
    server.call("reset", {})
    with tempfile.TemporaryDirectory() as folder:
        setting = json.dumps({"folder": folder, **client.setting})
        script = (
            [str(ROOT / "benchmarks" / "peers" / f"{client.peer}_peer.py")]
            if client.peer
            else ["-m", "benchmarks.ours"]
        )
        pin = _pinned(CLIENT_CORE) if client.cores == 1 else None
        process = subprocess.Popen(
            [python_of(client.peer), *script, client.job, server.url, setting],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=pin,  # noqa: PLW1509  # no threads here
        )
        output, usage = _ended(process)
    told = [line for line in output.splitlines() if line.startswith('{"seconds"')]
    if process.returncode or not told:
        raise Unequal(f"{client.label} ended with {process.returncode}:\n{output[-2000:]}")
    said = json.loads(told[-1])
    said["resident_mb"] = said["resident_mb"] or usage.ru_maxrss / 1024
    return Told(**said, requests=server.call("counts")["requests"])


def _ended(process: "subprocess.Popen[str]") -> tuple[str, Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    output = process.stdout.read()
    errors = process.stderr.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    return output + errors, usage


Check = Callable[[Client, Told], None]
"""Raises Unequal unless a run did all of its job, and nothing else."""


def holds(expected: Mapping[str, int]) -> Check:
    """Every record of the server, once."""

    def check(client: Client, told: Told) -> None:
        if (told.count, told.checksum) != (expected["count"], expected["checksum"]):
            raise Unequal(f"{client.label}: {told.count} records, expected {dict(expected)}")

    return check


def measure(clients: Sequence[Client], server: PageServer, check: Check, runs: int) -> list[Median]:
    """Every client `runs` times, in turns, so that a busy minute of the machine meets all."""
    told: dict[str, list[Told]] = {}
    for turn in range(runs):
        for client in clients:
            one = run_once(client, server)
            check(client, one)
            told.setdefault(client.label, []).append(one)
            print(f"  {turn + 1}/{runs} {client.label}: {one.rate:,.0f} records/s", flush=True)
    return [median(client, told[client.label]) for client in clients]


def find(medians: Sequence[Median], label: str) -> Median:
    """The one with that label."""
    return next(one for one in medians if one.client.label == label)


def best(medians: Sequence[Median], job: str = "pull", peer: str = "") -> Median:
    """The fastest peer at a job (or the fastest setting of one)."""
    rivals = [m for m in medians if m.client.peer and m.client.job == job]
    return max((m for m in rivals if not peer or m.client.peer == peer), key=lambda m: m.rate)


@dataclass(frozen=True)
class Goal:
    """A figure held against what it should be at least (or at most)."""

    text: str
    found: float
    wanted: float
    at_most: bool = False
    unit: str = "×"

    @property
    def is_met(self) -> bool:
        """Whether it holds."""
        return self.found <= self.wanted if self.at_most else self.found >= self.wanted

    def row(self) -> str:
        """A row of the table of goals."""
        sign = "≤" if self.at_most else "≥"
        by = abs(self.found - self.wanted) / self.wanted
        word = "met" if self.is_met else f"missed by {by:.0%}"
        told, asked = (f"{v:,.2f}{self.unit}" for v in (self.found, self.wanted))
        return f"| {self.text} | {told} | {sign} {asked} | {word} |"


def goals_table(goals: Sequence[Goal]) -> str:
    """The table of goals."""
    rows = ["| goal | found | wanted | |", "|---|--:|--:|---|", *(goal.row() for goal in goals)]
    return "\n".join(rows)


def table(medians: Sequence[Median], base: Median, memory: bool = True) -> str:
    """The table of clients; `ratio` is against `base`."""
    rows = [
        "| client | records/s | spread | ratio | CPU s per 100,000 | peak MB | requests |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in medians:
        spread = f"{one.slowest:,.0f}-{one.fastest:,.0f}"
        resident = f"{one.resident_mb:.0f}" if memory else ""
        rows.append(
            f"| {one.client.label} | {one.rate:,.0f} | {spread} | {one.rate / base.rate:.2f}"
            f" | {one.cpu_per_100k:.2f} | {resident} | {one.requests:,} |"
        )
    return "\n".join(rows)


def machine() -> str:
    """Where and when it was measured: cores, Python, load average, versions of everybody."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    said = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    pins = [*_pinned_versions(ROOT / "constraints.txt", "requests", "urllib3", "msgspec", "duckdb")]
    for pinned in sorted((ROOT / "benchmarks" / "peers" / "requirements").glob("*.txt")):
        name = {"airbyte": "airbyte-cdk"}.get(pinned.stem, pinned.stem)
        if name != "requests":
            pins += _pinned_versions(pinned, name)
    return f"{said}; load average at the end {load}. {', '.join(pins)}."


def _pinned_versions(path: Path, *names: str) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _equals, version = line.partition("==")
        if name.lower() in names:
            yield f"{name} {version}"


def write_block(name: str, text: str, docs: Path = DOCS) -> None:
    """Put a generated block into the page, between its two marks."""
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    page = docs.read_text(encoding="utf-8")
    if begin not in page:
        page = f"{page.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = page.split(begin)
    _old, after = rest.split(end)
    docs.write_text(f"{before}{begin}\n{text.strip()}\n{end}{after}", encoding="utf-8")
