"""A journey that only a waiting mapping brings is not shown yet, and stops nothing meanwhile."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from connector import pipeline, reporting, services, workbench
from connector.config import Config
from connector.config.settings import MappingSettings
from connector.errors import ConfigError
from connector.export.run import Wanted
from connector.journey import fields
from connector.journey.mapping import load_mapping
from connector.journey.model import Mapping
from connector.reporting import Order
from connector.results import Options, RunResult
from tests.journey_kit import NOW
from tests.unit.test_pipeline import Site
from tests.unit.test_third_journey import journey_file, overlay


@dataclass
class Waiting:
    """A site that ran once with the shipped mapping; then its settings name a new journey."""

    site: Site
    mapping: Mapping
    config: Config

    def run(self, plan_to: StringIO | None = None, *, dry_run: bool = False) -> RunResult:
        self.site.instance.clock += timedelta(days=1)
        stop = threading.Event()
        options = Options(dry_run=dry_run)
        return pipeline.run(
            self.config, self.site.instance, self.mapping, options, stop, plan_to=plan_to
        )


@pytest.fixture(scope="module")
def brings_a_journey(tmp_path_factory: pytest.TempPathFactory) -> Mapping:
    folder = tmp_path_factory.mktemp("waiting")
    return load_mapping(overlay(folder, "journeys/ciclo.toml", journey_file()))


@pytest.fixture
def waiting(tmp_path: Path, brings_a_journey: Mapping) -> Waiting:
    site = Site(tmp_path)
    site.run()
    config = site.config.model_copy(update={"mapping": MappingSettings(journey="ciclo")})
    return Waiting(site, brings_a_journey, config)


def test_the_run_goes_on_with_the_mapping_in_force_and_writes_nothing(waiting: Waiting) -> None:
    waiting.site.instance.sent.clear()
    found = waiting.run()
    assert (found.outcome, found.is_sent) == ("partial", False)
    assert waiting.mapping.hash in " ".join([found.held_back, *found.messages])
    assert waiting.site.instance.sent == []


def test_the_dry_run_plans_no_step_of_a_journey_that_nobody_accepted(waiting: Waiting) -> None:
    waiting.site.spoil()
    plan = StringIO()
    waiting.run(plan, dry_run=True)
    (line,) = [one for one in plan.getvalue().splitlines() if fields.STEP in one]
    assert '"to": "usar"' in line


def test_a_word_puts_it_in_force_and_then_it_is_written(waiting: Waiting) -> None:
    waiting.run()
    workbench.accept(waiting.config, waiting.mapping, waiting.mapping.hash)
    waiting.run()
    assert {row[fields.STEP] for row in waiting.site.instance.tables["incident"]} == {"en_marcha"}


def test_reports_and_coverage_show_the_usual_journey_meanwhile(
    waiting: Waiting, tmp_path: Path
) -> None:
    waiting.run()
    order = Order(NOW - timedelta(days=30), NOW, ("en",), ("md",), tmp_path)
    (made,) = reporting.report(waiting.config, waiting.mapping, order, None)
    assert not made.problems
    assert "Provide and use" in made.files[0].read_text(encoding="utf-8")
    covered = workbench.coverage(waiting.config, waiting.mapping, "en")
    assert [step.step for step in covered.steps][-2:] == ["usar", "medir"]


def test_an_export_of_it_is_refused_and_not_empty(waiting: Waiting, tmp_path: Path) -> None:
    wanted = Wanted(("xes",), "ciclo", "en", with_people=False)
    with pytest.raises(ConfigError, match="look at travesia plan"):
        services.export(waiting.config, waiting.mapping, wanted, tmp_path)
    assert not list(tmp_path.glob("*.xes"))
    named_none = Wanted(("xes",), "", "en")
    (path,) = services.export(waiting.config, waiting.mapping, named_none, tmp_path)
    assert path.name == "travesia_travesia_en.xes"
    assert 'key="kind" value="step"' in path.read_text(encoding="utf-8")
