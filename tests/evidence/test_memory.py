"""Memory of a full first sync: under 300 MB, and flat in the number of records."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory import Peak

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(900)]


def measured(uci: Path) -> dict[str, Peak]:
    """From a process of its own: this one has grown, and would be counted in."""
    command = [sys.executable, "-m", "benchmarks.memory", "--json", "--uci", str(uci)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr
    return {label: Peak(**peak) for label, peak in json.loads(done.stdout).items()}


def test_a_full_first_sync_stays_under_300_mb_and_does_not_grow_with_the_records(uci: Path) -> None:
    found = measured(uci)
    part, whole = found["part"], found["whole"]
    assert part.incidents < 5_500
    assert whole.incidents == 24_918
    assert whole.written >= 24_918  # and the changes and problems that incidents name
    assert whole.resident_mb < 300
    # The store's buffers fill to their limit; beyond it nothing grows. Linear growth would be 5x.
    assert whole.resident_mb < 1.4 * part.resident_mb
