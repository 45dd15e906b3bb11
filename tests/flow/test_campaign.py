"""The fault campaign, short: `make campaign` is the long one. What it does: tests/campaign."""

from pathlib import Path

from tests.campaign.__main__ import campaign

RUNS = 8


def test_whatever_fails_in_between_nothing_is_lost_doubled_or_touched(tmp_path: Path) -> None:
    tally, failures = campaign(RUNS, seed=2026, fresh_every=4, folder=tmp_path, say=False)
    assert failures == []
    assert (tally.runs, tally.fresh) == (RUNS, RUNS // 4)
    assert sum(tally.faults.values()) > 0, "faults struck"
    assert sum(tally.deeds.values()) > 0, "people worked"
