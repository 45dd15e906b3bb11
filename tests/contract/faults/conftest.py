"""A sandbox whose faults and limits a test may set, over real sockets.

How the connector's own client fares under them is in `tests/contract/test_client_under_faults.py`.
"""

from collections.abc import Iterator

import pytest

from tests.sandbox_instance import Api, make_instance, serving


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(make_instance(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client
