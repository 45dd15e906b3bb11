"""All settings: `load_config` reads them, `Config` holds them."""

from connector.config.load import config_path, load_config
from connector.config.settings import DEFAULT_NAME, AlsoReport, Config
from connector.config.values import (
    check_instance_url,
    check_table,
    check_webhook_url,
    check_zone,
    did_you_mean,
    written_problem,
)

__all__ = [
    "DEFAULT_NAME",
    "AlsoReport",
    "Config",
    "check_instance_url",
    "check_table",
    "check_webhook_url",
    "check_zone",
    "config_path",
    "did_you_mean",
    "load_config",
    "written_problem",
]
