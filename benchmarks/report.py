"""The monthly report over a million records: seconds and peak memory, each report in a process of
its own. `python -m benchmarks.report [--records 1000000] [--memory 512]`.

In every format, PDF included. The processor's seconds are those of the whole process: other work
on the machine shows in the clock, not in them.
The store is the sample of the golden reports, many times as large: invented, the same every time.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from connector.report.build import Choice, build_report
from connector.report.render import FORMATS, render_all
from connector.store.database import open_store
from connector.timestamps import parse_day
from tests.golden import sample
from tests.golden.rewrite import ALL, ZONE

CHOICES = {
    "month": Choice(),
    "chapters": Choice(only=ALL),
    "department": Choice("department=Finanzas"),
}
PER_INCIDENT = 2.75
"""Records of all tables that the sample has for each incident."""


def fill(path: Path, records: int) -> int:
    """Make the store; answers how many records it holds."""
    incidents = round(records / PER_INCIDENT)
    # Filling takes more than reading: only the latter is measured.
    made = sample.make_sample(incidents, incidents * 27 // 100)
    with sample.fill_store(path, made, memory_limit_mb=4096) as store:
        return int(store.value("SELECT count(*) FROM classification"))


def report(path: Path, name: str, memory: int) -> None:
    """Measure and render one report; print what it took."""
    with open_store(path, memory) as store:
        began = time.monotonic()
        made = build_report(
            store,
            sample.sample_mapping(),
            parse_day("2026-10-01", ZONE),
            parse_day("2026-11-01", ZONE),
            "en",
            ZONE,
            choice=CHOICES[name],
        )
        render_all(made, list(FORMATS))
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor, peak = used.ru_utime + used.ru_stime, used.ru_maxrss // 1024
    print(f"{name:12}{seconds:6.1f} s, processor {processor:6.1f} s{peak:7} MB", flush=True)


def main() -> None:
    """Fill once, then each report in a new process: a peak is never given back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--memory", type=int, default=512)
    parser.add_argument("--one", nargs=2, metavar=("PATH", "NAME"), help="of a store made before")
    parser.add_argument("--fill", metavar="PATH")
    asked = parser.parse_args()
    if asked.fill:
        print(f"{fill(Path(asked.fill), asked.records)} records", flush=True)
        return
    if asked.one:
        report(Path(asked.one[0]), asked.one[1], asked.memory)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.duckdb"
        # In a process of its own as well: a child inherits the peak of who starts it.
        _again("--records", str(asked.records), "--fill", str(path))
        for name in CHOICES:
            _again("--memory", str(asked.memory), "--one", str(path), name)


def _again(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "benchmarks.report", *words], check=True)


if __name__ == "__main__":
    main()
