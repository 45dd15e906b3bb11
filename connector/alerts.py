"""Who is told when a scheduled run fails: a command, a webhook. Never raises while telling."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import requests

from connector import log
from connector.config import Config, check_webhook_url
from connector.errors import ConfigError
from connector.messages import _

_log = log.get("scheduler")

ALERT_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Alert:
    """What somebody is told; `message` holds no personal data."""

    kind: Literal["failed", "partial", "overdue"]
    job: str
    message: str


Teller = Callable[[Alert], None]


def teller(config: Config, environment: Mapping[str, str]) -> Teller:
    """Who is told: the command and the webhook of the settings. Raises ConfigError.

    A teller never raises: an alert that does not come through is logged, and the schedule goes on.
    """
    url = _webhook_url(config, environment)
    command = config.schedule.alert_command
    # The command gets the environment without the secrets, which are none of its business.
    clean = {k: v for k, v in environment.items() if k not in config.secret_variables}
    host = urlsplit(config.instance.url).hostname or ""

    def tell(alert: Alert) -> None:
        if command:
            _run_command(command, clean, alert)
        if url:
            _post(url, alert, host)

    return tell


def _webhook_url(config: Config, environment: Mapping[str, str]) -> str:
    variable = config.schedule.alert_webhook_env
    if not variable:
        return ""
    try:
        if not environment.get(variable):
            raise ValueError(_("the variable is not set"))
        return check_webhook_url(environment[variable])
    except ValueError as error:
        problem = _("[schedule] alert_webhook_env {variable}: {reason}").format(
            variable=variable, reason=error
        )
        raise ConfigError(config.source, [problem]) from error


def _run_command(command: Sequence[str], environment: Mapping[str, str], alert: Alert) -> None:
    variables = {
        "TRAVESIA_ALERT_KIND": alert.kind,
        "TRAVESIA_ALERT_JOB": alert.job,
        "TRAVESIA_ALERT_MESSAGE": alert.message,
    }
    try:
        subprocess.run(  # noqa: S603 - a list from the operator's own settings, no shell
            list(command),
            env={**environment, **variables},
            input=alert.message.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=ALERT_TIMEOUT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        # Not the error's text: it repeats the whole command, which may hold a key.
        _log.error("alert command failed", program=Path(command[0]).name, kind=type(error).__name__)


def _post(url: str, alert: Alert, host: str) -> None:
    body = {"text": alert.message, "kind": alert.kind, "job": alert.job, "instance": host}
    try:
        response = requests.post(
            url, json=body, timeout=ALERT_TIMEOUT_SECONDS, allow_redirects=False
        )
        if not response.ok or response.is_redirect:
            _log.error("alert webhook refused", status=response.status_code)
    except requests.RequestException as error:
        # Not the error's text: it repeats the URL, which is a secret.
        _log.error("alert webhook failed", kind=type(error).__name__)
