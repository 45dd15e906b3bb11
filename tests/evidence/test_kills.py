"""Killed again and again in the replayed year, a store ends where an undisturbed one ends."""

import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.evidence.replaying import installed, start
from tests.harness import classifications

pytestmark = [pytest.mark.evidence, pytest.mark.timeout(1500)]


def test_killed_twenty_times_it_ends_where_an_undisturbed_twin_ends(
    tmp_path: Path, uci: Path
) -> None:
    dice = random.Random(498)  # noqa: S311 - a repeatable campaign, no secret
    with (
        start(tmp_path / "disturbed", uci, "2016-03-05 00:00:00") as disturbed,
        start(tmp_path / "quiet", uci, "2016-03-05 00:00:00") as quiet,
    ):
        killed, twin = (
            installed(tmp_path / "killed", disturbed),
            installed(tmp_path / "twin", quiet),
        )
        kills = 0
        day = 0
        while kills < 20:
            phase = dice.choice(["extract", "classify", "write_back", "write_back"])
            kills += killed.kill_in(phase, dice.uniform(0, 0.25))
            killed.sync()
            twin.sync()
            day += 1
            assert day < 60, f"only {kills} kills took place"
            for instance in (disturbed, quiet):
                instance.advance(str(datetime(2016, 3, 5) + timedelta(days=day)))  # noqa: DTZ001 - UTC text
        killed.sync()
        twin.sync()
        assert disturbed.dump("incident") == quiet.dump("incident")
        assert classifications(killed) == classifications(twin)
        for table in ("standing", "transition"):
            columns = "* EXCLUDE (run_id)" if table == "transition" else "*"
            query = f"SELECT {columns} FROM {table} ORDER BY ALL"
            assert killed.read(query) == twin.read(query), table
