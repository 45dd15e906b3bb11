"""What keeps a run from writing, though writing is on: a copy of the instance, the hour."""

import threading
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from connector import pipeline, reporting
from connector.config import Config
from connector.config.settings import (
    ExtractSettings,
    InstanceSettings,
    StoreSettings,
    WriteBackSettings,
)
from connector.errors import InstanceError
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping as JourneyMapping
from connector.reporting import Order
from connector.results import Options, RunResult
from connector.store.database import open_store
from connector.timestamps import format_instance
from tests.fakes import FakeInstance
from tests.unit.test_write_back import NOW, record

PRODUCTION = "instance_id=one instance_name=production"


@cache
def mapping() -> JourneyMapping:
    return load_mapping()


class Site:
    """One instance with two incidents, and a configuration that writes them."""

    def __init__(self, folder: Path, **write_back: object) -> None:
        rows = [record("a" * 32), record("b" * 32)]
        self.instance = FakeInstance(NOW, {"incident": rows}, page_size=50)
        self.instance.said_identity = PRODUCTION
        self.config = Config(
            instance=InstanceSettings(url=self.instance.url, max_clock_ahead_hours=0),
            store=StoreSettings(path=folder / "s.duckdb"),
            extract=ExtractSettings(tables=("incident",), history=False),
            write_back=WriteBackSettings(enabled=True, tables=("incident",), **write_back),  # type: ignore[arg-type]
        )

    def run(self, **options: bool) -> RunResult:
        """A night later."""
        self.instance.sent.clear()
        self.instance.clock += timedelta(days=1)
        return pipeline.run(
            self.config,
            self.instance,
            mapping(),
            Options(**options),  # type: ignore[arg-type]  # flags
            threading.Event(),
        )

    def spoil(self) -> None:
        """Somebody overwrites our field: there is something to write again."""
        row = self.instance.tables["incident"][0]
        row.update(u_journey_step="nothing", sys_mod_count="9")
        row["sys_updated_on"] = format_instance(self.instance.clock + timedelta(hours=1))


def publish(site: Site) -> None:
    asked = site.config.report
    order = Order(NOW, NOW, ("en",), tuple(asked.formats), asked.out)
    reporting.report(site.config, mapping(), order, site.instance)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_run_writes_to_the_instance_that_it_saw_first(site: Site) -> None:
    assert site.run().confirmed == 2
    site.spoil()
    assert site.run().confirmed == 1


def test_a_copy_of_the_instance_is_read_and_not_written_until_a_person_accepts_it(
    site: Site,
) -> None:
    site.run()
    site.spoil()
    site.instance.said_identity = "instance_id=two instance_name=test"
    found = site.run()
    assert site.instance.sent == []
    assert (found.outcome, found.is_sent) == ("partial", False)
    assert "instance_name=test" in found.held_back
    assert "travesia sync --accept-instance" in found.held_back
    assert site.run(dry_run=True).held_back == found.held_back
    with pytest.raises(InstanceError, match="nothing is published"):
        publish(site)
    accepted = site.run(accept_instance=True)
    assert (accepted.confirmed, accepted.held_back) == (1, "")
    assert site.run().outcome == "succeeded"


@pytest.mark.parametrize("said", ["", "instance_name=production", f"{PRODUCTION} "])
def test_a_right_that_was_revoked_makes_no_other_instance(site: Site, said: str) -> None:
    site.run()
    site.spoil()
    site.instance.said_identity = said
    assert site.run().confirmed == 1


def test_outside_the_hours_the_plan_is_saved_and_nothing_is_sent(tmp_path: Path) -> None:
    site = Site(tmp_path, window="20:00-06:00")  # it is noon there
    found = site.run()
    assert site.instance.sent == []
    assert (found.outcome, found.is_sent, found.planned_records) == ("succeeded", False, 2)
    assert "20:00-06:00" in found.messages[-1]
    with open_store(site.config.store.path) as store:
        statuses = store.read("SELECT DISTINCT status FROM change")
    assert statuses == [{"status": "planned"}]
    site.instance.clock += timedelta(hours=9)
    assert site.run().confirmed == 2


def test_what_somebody_wrote_in_between_is_counted_in_the_result(site: Site) -> None:
    site.instance.crossed = {"a" * 32}
    assert site.run().concurrent == 1


def test_a_sweep_after_a_sync_compares_keys_once_and_counts_after(site: Site) -> None:
    site.run()
    stop = threading.Event()
    ways = [
        [found.by for found in pipeline.sweep(site.config, site.instance, mapping(), stop)]
        for _week in range(2)
    ]
    assert ways == [["keys"], ["counts"]]
    (full,) = pipeline.sweep(site.config, site.instance, mapping(), stop, all_keys=True)
    assert full.by == "keys"
