"""Writing back, side by side with the peers.

    python -m benchmarks.write [--records 5000] [--few 200] [--runs 3] [--docs]

Ours is the whole step: plan, save the plan, mark, send, check every field of every reply, note it.
The peers only send, and send the very values that our step sent first. What takes a trip a record
writes `--few` records. All writes are verified at the server, value by value.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import side_by_side as bench
from benchmarks.side_by_side import Client, Goal, Median, Unequal

OURS, SHIPPED = "Travesía, up to 200 a batch, 4 workers", "Travesía, as shipped, 4 workers"
ONE_BY_ONE = "PySNC, update() one by one"
SEQUENTIAL = "requests, one by one"
THREADS = "requests, 16 threads"


@dataclass(frozen=True)
class Files:
    """What is written: the rows for our store, and the same updates for the peers."""

    rows: Path
    many: Path
    few: Path


@dataclass(frozen=True)
class Found:
    """Everything that one run measured."""

    free: Sequence[Median]
    """80 ms a request, a write costs the server nothing."""
    bound: Sequence[Median]
    """80 ms, 30 ms a write, 4 slots."""


def our_clients(files: Files) -> tuple[Client, Client]:
    """Large batches, and the shipped settings."""
    rows = {"rows": str(files.rows), "workers": 4}
    return (
        Client(OURS, "", "write", {**rows, "batch": 200}),
        Client(SHIPPED, "", "write", rows),
    )


def peers(files: Files) -> tuple[Client, ...]:
    """Every way that a peer has."""
    few, many = {"updates": str(files.few)}, {"updates": str(files.many)}
    return (
        Client("pysnow, update()", "pysnow", "write", few),
        Client(ONE_BY_ONE, "pysnc", "write", few),
        Client(SEQUENTIAL, "requests", "write", {**few, "threads": 1}),
        Client(THREADS, "requests", "write", {**many, "threads": 16}),
        Client("aiosnow, 16 gathered", "aiosnow", "write", {**many, "gathered": 16}),
        Client("PySNC, update_multiple, 100 at a time", "pysnc", "write", {**many, "batch": 100}),
        Client("PySNC, update_multiple, 200 at a time", "pysnc", "write", {**many, "batch": 200}),
    )


def prepare(folder: Path, count: int) -> Path:
    """Rows with our columns on them, as an instance that was provisioned holds them."""
    rows = folder / "rows.jsonl"
    command = [sys.executable, "-m", "benchmarks.ours", "rows", str(rows), str(count)]
    subprocess.run(command, check=True, cwd=bench.ROOT, stdout=subprocess.DEVNULL)
    return rows


def updates(folder: Path, rows: Path, server: bench.PageServer, few: int) -> Files:
    """What our step sends, as files for the peers."""
    setting = {"rows": str(rows), "workers": 4, "batch": 200}
    bench.run_once(Client("first", "", "write", setting), server)
    written = [json.dumps({"sys_id": i, "values": v}) for _t, i, v in server.call("written")]
    files = Files(rows, folder / "many.jsonl", folder / "few.jsonl")
    files.many.write_text("\n".join(written), encoding="utf-8")
    files.few.write_text("\n".join(written[:few]), encoding="utf-8")
    return files


def check_with(server: bench.PageServer, files: Files) -> bench.Check:
    """The server holds exactly what the client had to write."""

    def check(client: Client, told: bench.Told) -> None:
        path = Path(client.setting.get("updates", files.many))
        lines = path.read_text(encoding="utf-8").splitlines()
        wanted = {one["sys_id"]: one["values"] for one in map(json.loads, lines)}
        held = {sys_id: values for _table, sys_id, values in server.call("written")}
        if held != wanted or told.count != len(wanted):
            raise Unequal(f"{client.label}: wrote {len(held)} of {len(wanted)} as asked")

    return check


def measure(folder: Path, records: int, few: int, runs: int) -> Found:
    """Both servers, all clients."""
    rows = prepare(folder, records)
    with bench.page_server("--table", f"incident={rows}") as server:
        files = updates(folder, rows, server, few)
        check, rivals = check_with(server, files), peers(files)
        print("80 ms, a write costs nothing")
        server.costs(latency_ms=80)
        free = bench.measure((*our_clients(files), *rivals), server, check, runs)
        print("80 ms, 30 ms a write, 4 slots")
        server.costs(latency_ms=80, write_cost_ms=30, slots=4)
        some = [one for one in rivals if one.label in (SEQUENTIAL, THREADS)]
        bound = bench.measure((our_clients(files)[1], *some), server, check, runs)
    return Found(free, bound)


def goals(found: Found) -> list[Goal]:
    """What was aimed at."""
    ours = bench.find(found.free, OURS)
    many = max((m for m in found.free if "update_multiple" in m.client.label), key=lambda m: m.rate)
    slow, threads = bench.find(found.bound, SHIPPED), bench.find(found.bound, THREADS)
    return [
        Goal("80 ms, against PySNC's update_multiple at its best", ours.rate / many.rate, 4),
        Goal(
            "80 ms, against PySNC's update() one by one",
            ours.rate / bench.find(found.free, ONE_BY_ONE).rate,
            200,
        ),
        Goal("30 ms a write, 4 slots: share of the ceiling", slow.rate / (4 / 0.030), 0.9),
        Goal(
            "the same: requests against one a record",
            slow.requests / threads.requests,
            0.05,
            at_most=True,
        ),
    ]


def block(found: Found, asked: Any) -> str:
    """What docs/benchmarks.md says of it."""
    base = next(m for m in found.free if m.client.label == SEQUENTIAL)
    return "\n\n".join(
        [
            f"`python -m benchmarks.write --records {asked.records} --few {asked.few} --runs"
            f" {asked.runs}`: {bench.machine()}",
            f"**{asked.records:,} updates of nine fields ({asked.few} where each takes a trip),"
            " 80 ms a request, a write costs the server nothing:**",
            bench.table(found.free, base),
            "**The same, 30 ms a write, 4 slots (the ceiling is 133 writes a second):**",
            bench.table(found.bound, bench.find(found.bound, SEQUENTIAL)),
            "Written once more, unchanged: 0 requests (the benchmark ends if it were one).",
            bench.goals_table(goals(found)),
        ]
    )


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--few", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.records, asked.few, asked.runs)
    text = block(found, asked)
    print(text)
    if asked.docs:
        bench.write_block("write", text)


if __name__ == "__main__":
    main()
