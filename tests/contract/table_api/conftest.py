"""The sandbox's Table API over real HTTP: one for all that read, a fresh one to write."""

from collections.abc import Iterator

import pytest

from tests.sandbox_instance import Api, make_instance, serving


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """For tests that only read."""
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """For tests that write."""
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client
