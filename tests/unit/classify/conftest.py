"""A real store to classify."""

from pathlib import Path

import pytest

from tests.journey_kit import Kit


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)
