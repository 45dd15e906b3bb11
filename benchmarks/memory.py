"""Resident memory of a full first sync: some 5,000 incidents against the whole UCI year.

    python -m benchmarks.memory --uci ../shared/data/uci-498

Each size runs in an instance and a store of its own, written back in full, through the real
command; the peak is what the operating system says of that one process (wait4). It is measured
from a small process: Linux counts the memory of whoever starts a process as that process's own
peak (getrusage(2): ru_maxrss is kept over execve), so a large parent would be measured instead.
"""

import argparse
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.harness import Connector, sandbox

SIZES = {"part": "2016-03-16 00:00:00", "whole": "2017-03-01 00:00:00"}
"""Label → the instant up to which the log is loaded."""


@dataclass(frozen=True)
class Peak:
    """What one first sync took."""

    incidents: int
    written: int
    resident_mb: float
    seconds: float


def first_sync(folder: Path, uci: Path, until: str) -> Peak:
    """Load the log up to `until`, sync and write back everything."""
    arguments = ("--seed", "uci", "--uci", str(uci), "--until", until, "--frozen")
    with sandbox(folder / "instance", *arguments) as instance:
        connector = Connector(folder / "connector", instance.url)
        connector.do("provision", "--apply")
        instance.control("clock", {"until": until[:-1] + "5"})
        process = connector.start("--quiet", "sync")
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output, errors = process.communicate()
        assert process.returncode == 0, output + errors
        counts = json.loads(
            connector.read("SELECT counts FROM run WHERE kind = 'sync' ORDER BY started_at DESC")[
                0
            ][0]
        )
        seconds = connector.read("SELECT date_diff('second', started_at, finished_at) FROM run")[0][
            0
        ]
        incidents = connector.read("SELECT count(*) FROM current.incident")[0][0]
        return Peak(incidents, counts["confirmed"], usage.ru_maxrss / 1024, seconds)


def measure(uci: Path) -> dict[str, Peak]:
    """Both sizes, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        return {
            label: first_sync(Path(folder) / label, uci, until) for label, until in SIZES.items()
        }


def main() -> None:
    """Print the table and the ratio."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--uci", type=Path, default=Path("../shared/data/uci-498"))
    arguments.add_argument("--json", action="store_true", help="for a test to read")
    asked = arguments.parse_args()
    found = measure(asked.uci.resolve())
    if asked.json:
        print(json.dumps({label: asdict(peak) for label, peak in found.items()}))
        return
    print("| first sync | incidents | written | peak resident MB | seconds |")
    print("|---|--:|--:|--:|--:|")
    for label, peak in found.items():
        print(
            f"| {label} | {peak.incidents:,} | {peak.written:,} | {peak.resident_mb:.0f}"
            f" | {peak.seconds:.0f} |"
        )
    ratio = found["whole"].resident_mb / found["part"].resident_mb
    more = found["whole"].incidents / found["part"].incidents
    print(f"\n{more:.1f} times the records, {ratio:.2f} times the memory")


if __name__ == "__main__":
    main()
