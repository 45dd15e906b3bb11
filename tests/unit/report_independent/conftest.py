"""The world that is counted apart, in a store, and the report of it."""

from collections.abc import Iterator

import pytest

from connector.report.report import Report
from connector.store.database import Store
from tests.golden.sample import fill_store, insert_rows
from tests.unit.report_independent.world import CHAPTERS, World, make_world, report_of


@pytest.fixture(scope="package")
def world() -> World:
    return make_world()


@pytest.fixture(scope="package")
def store(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with fill_store(tmp_path_factory.mktemp("store") / "s.duckdb", world.sample) as store:
        store.execute("DELETE FROM moment")
        insert_rows(store, "moment", world.moments, list(world.moments[0]))
        insert_rows(store, "band_piece", world.pieces, list(world.pieces[0]))
        yield store


@pytest.fixture(scope="package")
def report(store: Store) -> Report:
    return report_of(store, *CHAPTERS)
