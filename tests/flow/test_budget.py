"""When the hour's requests are used up a run ends cleanly, and the next one goes on from there."""

import json
from pathlib import Path

import duckdb
import pytest

from connector import cli, log
from tests.sandbox_instance import PASSWORD, USER, Api, make_instance, serving

BUDGET = 19
"""Requests: more than a run needs to begin with, fewer than it needs to read all."""

SETTINGS = """
[instance]
url = "{url}"
user = "{user}"
page_size = 4
workers = 2
requests_per_hour = {budget}
budget_wait_minutes = 0
max_clock_ahead_hours = 0
[extract]
tables = ["incident", "sc_task"]
history = false
"""


def sync(folder: Path, api: Api, budget: int) -> int:
    text = SETTINGS.format(url=api.base, user=USER, budget=budget)
    (folder / "travesia.toml").write_text(text, encoding="utf-8")
    try:
        return cli.run(["--verbose", "sync"])
    finally:
        log.configure()


def test_a_run_that_used_up_its_hour_goes_on_in_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAVESIA_PASSWORD", PASSWORD)
    (tmp_path / "instance").mkdir()
    instance = make_instance(tmp_path / "instance")
    with serving(instance) as api:
        codes, used = [], 0
        for budget in (BUDGET, BUDGET):
            codes.append(sync(tmp_path, api, budget))
            used = max(used, len((tmp_path / "travesia.requests").read_text().splitlines()))
        assert codes == [6, 6], "the second run finds the hour still used up"
        assert used == BUDGET
        said = capsys.readouterr().err
        assert f"{BUDGET} requests an hour is used up until" in said
        assert "raise [instance] requests_per_hour" in said
        assert json.loads((tmp_path / "travesia.status.json").read_text())["outcome"] != "failed"

        with duckdb.connect(str(tmp_path / "travesia.duckdb"), read_only=True) as store:
            outcomes = store.execute("SELECT outcome FROM run").fetchall()
            landed = store.execute("SELECT count(*) FROM current.incident").fetchall()[0][0]
            parts = store.execute("SELECT count(*) FROM shard WHERE after <> ''").fetchall()[0][0]
        assert outcomes == [("interrupted",), ("interrupted",)]
        assert 0 < landed < 20
        assert parts

        assert sync(tmp_path, api, 0) == 0
        with duckdb.connect(str(tmp_path / "travesia.duckdb"), read_only=True) as store:
            assert store.execute("SELECT count(*) FROM current.incident").fetchall() == [(20,)]
            assert store.execute("SELECT count(*) FROM shard").fetchall() == [(0,)]
