"""Pulling records, side by side with the peers, each at its best setting.

    python -m benchmarks.pull [--records 100000] [--runs 3] [--docs]
    python -m benchmarks.pull --large 1000000 [--docs]

The same rows and fields for all, verified record by record (count and checksum), in one run, in
turns; medians and ratios. `--docs` writes docs/benchmarks.md; without it the block is printed.
`--large` holds our memory over so many records against that over `--records`, and our rate over
them against the peers that keep no row.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import side_by_side as bench
from benchmarks.side_by_side import Client, Goal, Median

_PLAIN = {"sysparm_display_value": "false", "sysparm_exclude_reference_link": "true"}

PULLED, STORED = "Travesía, parsed", "Travesía, stored and merged (DuckDB)"
OURS = (
    Client(PULLED, "", "pull", {"workers": 4, "page": 10_000}),
    Client(STORED, "", "store", {"workers": 4, "page": 10_000}, cores=2),
)
SHIPPED = Client("Travesía, parsed, as shipped (5,000, 2 workers)", "", "pull", {"workers": 2})
FAST = (
    Client("pysnow, 10,000 a page", "pysnow", "pull", {"page": 10_000}),
    Client("dlt, 10,000 a page, parsed", "dlt", "pull", {"page": 10_000}),
    Client("requests, offset, 10,000 a page", "requests", "pull", {"page": 10_000}),
)
OTHERS = (
    Client("Airbyte CDK, 10,000 a page", "airbyte", "pull", {"page": 10_000}, cores=2),
    Client("aiosnow, 10,000 a page", "aiosnow", "pull", {"page": 10_000, "params": _PLAIN}),
    Client("PySNC, 10,000 a page", "pysnc", "pull", {"page": 10_000}),
    Client("dlt, appended to DuckDB", "dlt", "store", {"page": 10_000, "write": "append"}, cores=2),
    Client("dlt, merged into DuckDB", "dlt", "store", {"page": 10_000, "write": "merge"}, cores=2),
)
DEFAULT = Client("PySNC, its default of 100 a page", "pysnc", "pull", {"page": 100})


@dataclass(frozen=True)
class Found:
    """Everything that one run measured."""

    records: int
    server_rate: float
    """Rows a second that the page server hands out to whoever only reads bytes."""
    far: Sequence[Median]
    """80 ms a request, a server that costs nothing."""
    bound: Sequence[Median]
    """80 ms, 100 µs a row, 4 slots."""


def measure(records: int, runs: int, *, with_default: bool = False) -> Found:
    """Both servers, all clients."""
    with bench.page_server("--records", str(records)) as server:
        check = bench.holds(server.call("expected")["incident"])
        warm(server)
        server_rate = max(bench.raw_rate(server, records) for _turn in range(3))
        print(f"page server alone: {server_rate:,.0f} rows/s")
        print("80 ms, free server")
        server.costs(latency_ms=80)
        far = bench.measure((*OURS, SHIPPED, *FAST, *OTHERS), server, check, runs)
        far += bench.measure((DEFAULT,) if with_default else (), server, check, 1)
        print("80 ms, 100 µs a row, 4 slots")
        server.costs(latency_ms=80, row_cost_us=100, slots=4)
        bound = bench.measure((*OURS, *FAST), server, check, runs)
    return Found(records, server_rate, far, bound)


def measure_some(clients: Sequence[Client], records: int, runs: int) -> list[Median]:
    """Some of the clients, at 80 ms."""
    with bench.page_server("--records", str(records)) as server:
        check = bench.holds(server.call("expected")["incident"])
        print(f"{records:,} records", flush=True)
        for client in (SHIPPED, *(one for one in clients if one.peer)):
            bench.run_once(client, server)
        server.costs(latency_ms=80)
        return bench.measure(clients, server, check, runs)


def warm(server: bench.PageServer) -> None:
    """Let the server make every view that a client will ask for."""
    server.costs()
    for client in (*OURS, FAST[0], OTHERS[2]):
        bench.run_once(client, server)


def goals(found: Found) -> list[Goal]:
    """What was aimed at (docs/benchmarks.md says what bounds what is missed)."""
    far, bound = found.far, found.bound
    pulled, stored = bench.find(far, PULLED), bench.find(far, STORED)
    rival = bench.best(far)
    leanest = min(m.cpu_per_100k for m in far if m.client.peer and m.client.job == "pull")
    rate = {
        "pulled": pulled.rate / rival.rate,
        "pysnc": pulled.rate / bench.best(far, "pull", "pysnc").rate,
        "stored": stored.rate / rival.rate,
        "dlt": stored.rate / bench.best(far, "store").rate,
        "bound": bench.find(bound, PULLED).rate / bench.best(bound).rate,
    }
    return [
        Goal(f"parsed, 80 ms, against the best peer ({rival.client.label})", rate["pulled"], 4),
        Goal("parsed, 80 ms, against PySNC's best setting", rate["pysnc"], 20),
        Goal("stored and merged against the best peer that only parses", rate["stored"], 1.5),
        Goal("stored and merged against dlt's faster pipeline into DuckDB", rate["dlt"], 8),
        Goal("80 ms, 100 µs a row, 4 slots, against the best peer", rate["bound"], 3.5),
        Goal(
            "client CPU, parsed, against the leanest peer",
            pulled.cpu_per_100k / leanest,
            0.7,
            at_most=True,
        ),
    ]


def memory_goals(few: Sequence[Median], many: Sequence[Median], times: float) -> list[Goal]:
    """The peak, and that it does not grow with the table."""
    said = []
    for label in (PULLED, STORED):
        one, other = (bench.find(found, label).resident_mb for found in (few, many))
        said += [
            Goal(f"{label}: peak over {times:.0f} times the records", other, 250, True, " MB"),
            Goal("the same, against the peak over the fewer", other / one, 1.2, True),
        ]
    return said


def rates(many: Sequence[Median]) -> list[Goal]:
    """The goals of `goals` that make sense where the start of a read weighs nothing."""
    rival = bench.best(many)
    return [
        Goal(f"{label}, against the best peer", bench.find(many, label).rate / rival.rate, wanted)
        for label, wanted in ((PULLED, 4), (STORED, 1.5))
    ]


def large_block(asked: Any) -> str:
    """Our memory over few and over many records; rates over many."""
    few = measure_some(OURS, asked.records, asked.runs)
    many = measure_some((*OURS, *FAST), asked.large, 1)
    return "\n\n".join(
        [
            f"`python -m benchmarks.pull --records {asked.records} --runs {asked.runs} --large"
            f" {asked.large}`: {bench.machine()}",
            f"**{asked.records:,} records, 80 ms:**",
            bench.table(few, few[0]),
            f"**{asked.large:,} records, 80 ms, one run:**",
            bench.table(many, bench.best(many)),
            bench.goals_table(
                [
                    *memory_goals(few, many, asked.large / asked.records),
                    *rates(many),
                ]
            ),
        ]
    )


def block(found: Found, asked: Any) -> str:
    """What docs/benchmarks.md says of it."""
    return "\n\n".join(
        [
            f"`python -m benchmarks.pull --records {asked.records} --runs {asked.runs}`:"
            f" {bench.machine()}",
            f"The page server alone hands out {found.server_rate / 1e6:.1f} million rows a second"
            " to a client that only reads bytes.",
            f"**{found.records:,} records, 80 ms a request, a server that costs nothing:**",
            bench.table(found.far, bench.best(found.far)),
            "**The same, 100 µs a row, 4 slots:**",
            bench.table(found.bound, bench.best(found.bound)),
            bench.goals_table(goals(found)),
        ]
    )


def main() -> None:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=0, help="our memory over so many records")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--default", action="store_true", help="PySNC's default too: 1,000 trips")
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md")
    asked = parser.parse_args()
    name = "large" if asked.large else "pull"
    if asked.large:
        text = large_block(asked)
    else:
        found = measure(asked.records, asked.runs, with_default=asked.default)
        text = block(found, asked)
    print(text)
    if asked.docs:
        bench.write_block(name, text)


if __name__ == "__main__":
    main()
