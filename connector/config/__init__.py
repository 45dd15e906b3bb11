"""All settings: `load_config` reads them, `Config` holds them."""

from connector.config.load import config_path, load_config
from connector.config.settings import DEFAULT_NAME, Config
from connector.config.values import check_webhook_url, did_you_mean

__all__ = [
    "DEFAULT_NAME",
    "Config",
    "check_webhook_url",
    "config_path",
    "did_you_mean",
    "load_config",
]
