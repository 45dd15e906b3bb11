"""The fault campaign, short: `make campaign` is the long one. What it does: tests/campaign."""

from pathlib import Path

from tests.campaign.chunk import Chunk, Tally, make_template
from tests.campaign.installation import Installation
from tests.campaign.world import world

RUNS = 4
SEED = 2026


def test_whatever_fails_in_between_nothing_is_lost_doubled_or_touched(tmp_path: Path) -> None:
    template, tally = tmp_path / "template", Tally()
    make_template(template)
    with world(template / "instance", tmp_path / "instance") as running:
        installation = Installation(tmp_path, running.url, template / "blank.duckdb")
        chunk = Chunk(SEED, running, installation, tally, fresh_every=RUNS)
        chunk.begin()
        for number in range(1, RUNS + 1):
            assert chunk.run(number) == [], f"run {number}: {chunk.plan}"
        assert sum(tally.faults.values()) > 0, "faults struck"
        assert sum(tally.deeds.values()) > 0, "people worked"
        _a_loss_is_found(chunk)


def _a_loss_is_found(chunk: Chunk) -> None:
    """A row committed later than the lag, and no sweep: the verdict must see it."""
    open_ones = chunk.everybody.expected["incident"].items()
    sys_id = min(key for key, row in open_ones if row["state"] == "2")
    late = {"state": "6", "resolved_at": "2026-11-20 11:00:00"}
    chunk.world.control(
        "late", {"table": "incident", "sys_id": sys_id, "values": late, "minutes": 300}
    )
    chunk.everybody.expected["incident"][sys_id] |= late
    chunk.everybody.done.needs_sweep = False
    found = chunk.verdict("2026-11-20 12:00:00", RUNS)
    assert any(line.startswith("classified otherwise afresh: ") for line in found), found
    chunk.everybody.done.needs_sweep = True
    assert chunk.verdict("2026-11-20 12:00:00", RUNS) == [], "the sweep finds it"
