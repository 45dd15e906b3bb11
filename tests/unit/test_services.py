"""The services beside a run."""

from pathlib import Path

import pytest
import responses

from connector import services
from connector.config import Config
from connector.config.settings import MappingSettings
from connector.errors import BudgetSpentError, ConfigError


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


SECRETS = {
    "TRAVESIA_PASSWORD": "p",
    "TRAVESIA_CLIENT_SECRET": "c",
    "TRAVESIA_REFRESH_TOKEN": "r",
    "TRAVESIA_API_KEY": "k",
}


@pytest.mark.parametrize(
    ("auth", "more", "needed"),
    [
        ("basic", {"user": "u"}, {"PASSWORD"}),
        ("oauth_client_credentials", {"client_id": "i"}, {"CLIENT_SECRET"}),
        ("oauth_password", {"user": "u", "client_id": "i"}, {"PASSWORD", "CLIENT_SECRET"}),
        ("oauth_refresh_token", {"client_id": "i"}, {"CLIENT_SECRET", "REFRESH_TOKEN"}),
        ("api_key", {}, {"API_KEY"}),
    ],
)
def test_a_login_looks_only_for_the_secrets_that_it_needs(
    auth: str, more: dict[str, str], needed: set[str], tmp_path: Path
) -> None:
    instance = {"url": "https://example.service-now.com", "auth": auth, **more}
    config = Config.model_validate(
        {"instance": instance, "store": {"path": str(tmp_path / "s.duckdb")}}
    )
    names = {f"TRAVESIA_{name}" for name in needed}
    services.connect(config, {name: SECRETS[name] for name in names})
    for name in names:
        with pytest.raises(ConfigError, match=f"set the environment variable {name}"):
            services.connect(config, {n: SECRETS[n] for n in names - {name}})


def test_the_limits_of_the_settings_reach_the_client(tmp_path: Path) -> None:
    instance = {
        "url": "https://example.service-now.com",
        "user": "u",
        "workers": 3,
        "requests_per_hour": 2,
        "budget_wait_minutes": 0,
    }
    config = Config.model_validate(
        {"instance": instance, "store": {"path": str(tmp_path / "s.duckdb")}}
    )
    with responses.RequestsMock() as mock:
        mock.get(
            "https://example.service-now.com/api/now/table/sys_user",
            json={"result": []},
            headers={"Date": "Sun, 01 Nov 2026 08:00:00 GMT"},
        )
        tool = services.connect(config, SECRETS)
        assert tool.workers == 3
        tool.now()
        again = services.connect(config, SECRETS)  # as the next run does
        again.now()
        with pytest.raises(BudgetSpentError):
            again.now()
        assert len(mock.calls) == 2
    assert (tmp_path / "s.requests").exists()
