"""What every peer's script shares: its arguments, its tally, and what it tells of itself.

Only the standard library: this runs in the environments of the peers. A script is called with the
job, the page server's address and a setting, and prints one line of JSON. Seconds and processor
time are those of the job, without imports; a record counts once it is in the client's hands as
Python values, its key and its number taken.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

FIELDS = (
    *("sys_id", "sys_created_on", "sys_updated_on", "sys_mod_count", "number", "state"),
    *("priority", "category", "contact_type", "caller_id", "assignment_group"),
    "short_description",
)
USER, PASSWORD = "travesia", "benchmark"
TABLE = "/api/now/table/incident"


class Tally:
    """Counts records, and sums what only the right records sum to (`page_rows.checksum`)."""

    def __init__(self) -> None:
        self.count = 0
        self.checksum = 0
        self.seconds = self.cpu_seconds = self.resident_mb = 0.0
        self.start()

    def start(self) -> None:
        """The job begins now: what came before was preparation."""
        self._began, self._busy = time.perf_counter(), time.process_time()
        self._is_over = False

    def stop(self) -> None:
        """The job is done; what follows only proves it."""
        if not self._is_over:
            self.seconds = time.perf_counter() - self._began
            self.cpu_seconds = time.process_time() - self._busy
            self.resident_mb = _peak_mb()
        self._is_over = True

    def page(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Take in (sys_id, number) of one page."""
        found = list(map(hash, pairs))
        self.count += len(found)
        self.checksum = (self.checksum + sum(found)) & 0xFFFFFFFFFFFFFFFF

    def add(self, other: "Tally") -> None:
        """Take in what another one counted (one a thread)."""
        self.count += other.count
        self.checksum = (self.checksum + other.checksum) & 0xFFFFFFFFFFFFFFFF

    def records(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Take in one page of records whose values are plain strings."""
        self.page((record["sys_id"], record["number"]) for record in records)


Job = Callable[[str, dict[str, Any], Tally], None]


def wanted(ids: str) -> list[tuple[str, dict[str, str]]]:
    """The updates to send: a file of one sys_id and its values a line."""
    with open(ids, encoding="utf-8") as lines:  # noqa: PTH123  # pathlib would count in memory
        return [(one["sys_id"], one["values"]) for one in map(json.loads, lines)]


def main(jobs: Mapping[str, Job]) -> None:
    """`<job> <url> <setting as JSON>` → one line of JSON."""
    job, url, setting = sys.argv[1:4]
    tally = Tally()
    jobs[job](url, json.loads(setting), tally)
    tally.stop()
    told = {
        "seconds": tally.seconds,
        "cpu_seconds": tally.cpu_seconds,
        "count": tally.count,
        "checksum": tally.checksum,
        "resident_mb": tally.resident_mb,
    }
    print(json.dumps(told))


def _peak_mb() -> float:
    """The peak of this very process image: unlike ru_maxrss it forgets who started it (proc(5))."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:  # noqa: PTH123  # pathlib would count in memory
            return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0.0
