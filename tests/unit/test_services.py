"""The services beside a run."""

from pathlib import Path

import pytest

from connector import services
from connector.config import Config
from connector.config.settings import MappingSettings
from connector.errors import ConfigError


def test_the_shown_journey_must_be_one_of_the_mappings() -> None:
    config = Config(mapping=MappingSettings(journey="travesía"))
    with pytest.raises(ConfigError, match=r"no journey 'travesía'; did you mean travesia\?"):
        services.mapping_of(config)
    config = Config(mapping=MappingSettings(journey="itil4"))
    assert "itil4" in services.mapping_of(config).journeys


def test_before_the_first_run_there_is_a_status_and_no_success(tmp_path: Path) -> None:
    config = Config.model_validate({"store": {"path": str(tmp_path / "s.duckdb")}})
    assert services.status(config).is_running is False
    assert services.last_success(config, "sync") is None
