"""The demo shows the whole mapping: every table and every rule at least once on its last day."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.classify import ClassifyResult, classify
from connector.sandbox.seeds import DEMO_CLOCK
from tests.demo_store import SANDBOX, demo_rows, demo_store, ruled_tables
from tests.journey_kit import schema, shipped

NOW = DEMO_CLOCK + timedelta(seconds=5)

NOT_IN_THE_SANDBOX = {
    "idea": "the name of the idea table on older instances; here they are in im_idea_core",
    "u_journey_contact": "our own table, made by `travesia provision`",
}


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassifyResult]:
    folder: Path = tmp_path_factory.mktemp("demo")
    with demo_store(folder / "demo.duckdb", DEMO_CLOCK) as store:
        yield classify(store, shipped(), schema(), NOW, "r1", "Europe/Madrid")


def test_every_table_that_the_mapping_places_has_records() -> None:
    ruled = {table for rule in shipped().rules for table in rule.tables}
    assert ruled - set(SANDBOX.tables) == set(NOT_IN_THE_SANDBOX)
    assert [table for table in ruled_tables() if not demo_rows(DEMO_CLOCK).get(table)] == []


def test_every_rule_of_every_table_places_a_record(placed: ClassifyResult) -> None:
    idle = {
        table: [r.id for r in shipped().rules_of(table) if not placed.hits.get((table, r.id))]
        for table in ruled_tables()
    }
    assert {table: rules for table, rules in idle.items() if rules} == {}


def test_less_than_one_in_a_hundred_is_unclassified(placed: ClassifyResult) -> None:
    assert placed.records > 7_000
    unclassified = {one.table: one.unclassified for one in placed.tables if one.unclassified}
    assert sum(unclassified.values()) < placed.records / 100, unclassified


def test_most_of_the_demo_is_placed_with_confidence(placed: ClassifyResult) -> None:
    assert sum(one.low_confidence for one in placed.tables) < placed.records / 20
