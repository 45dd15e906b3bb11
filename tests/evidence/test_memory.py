"""Memory of a full first sync: under 300 MB, and flat in the number of records."""

from pathlib import Path

import pytest

from benchmarks.memory import measure

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(900)]


def test_a_full_first_sync_stays_under_300_mb_and_does_not_grow_with_the_records(uci: Path) -> None:
    found = measure(uci)
    part, whole = found["part"], found["whole"]
    assert part.incidents < 5_500
    assert whole.incidents == 24_918
    assert whole.written >= 24_918  # and the changes and problems that incidents name
    assert whole.resident_mb < 300
    # The store's buffers fill to their limit; beyond it nothing grows. Linear growth would be 5x.
    assert whole.resident_mb < 1.4 * part.resident_mb
