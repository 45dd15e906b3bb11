"""How one ServiceNow instance is reached: the settings, checked before anything is sent.

Refuses plain HTTP beyond this machine, and addresses that carry a user, a path or a query.
"""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

import connector
from connector.errors import ConfigError
from connector.messages import _

AuthKind = Literal[
    "basic",
    "oauth_client_credentials",
    "oauth_password",
    "oauth_refresh_token",
    "oauth_jwt",
    "api_key",
    "mutual_tls",
]
JwtAlgorithm = Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]


@dataclass(frozen=True)
class Connection:
    """Everything that reaching an instance needs. Secrets and the proxy stay out of its repr."""

    url: str
    auth: AuthKind = "basic"
    user: str = ""
    secret: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    jwt_key_file: str = ""
    """A PEM file with our private key, without a passphrase."""
    jwt_key_id: str = ""
    """The `kid` that the instance knows the key by, where it asks for one."""
    jwt_algorithm: JwtAlgorithm = "RS256"
    client_certificate: str = ""
    client_key: str = ""
    """PEM files of the certificate that logs in by mutual TLS, and of its key."""
    proxy: str = field(default="", repr=False)
    """`http://proxy:3128`, perhaps with a user and password of its own."""
    ca_bundle: str = ""
    """A PEM file of certificate authorities to trust instead of the usual ones."""
    timeout_seconds: float = 75.0
    """How long to wait for an answer to begin; above the platform's own quota of 60 s."""
    page_size: int = 5000
    """The most records to ask for at once."""
    workers: int = 2
    """The most requests in flight at once."""
    requests_per_hour: int = 0
    """The most requests in any sixty minutes; 0 = no limit of ours."""
    longest_budget_seconds: float = 900.0
    """How long a run waits for that hour before it ends and leaves the rest to the next."""
    budget_file: str = ""
    """Where the hour's requests are remembered between runs; "" = nowhere."""
    max_attempts: int = 6
    user_agent: str = f"travesia/{connector.__version__}"
    first_wait_seconds: float = 2.0
    """The longest first pause after a failure; it doubles from there (full jitter)."""
    longest_wait_seconds: float = 60.0


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_settings(settings: Connection) -> str:
    """The instance's address without a trailing slash.

    Raises ConfigError with every problem found.
    """
    problems = [*_url_problems(settings.url), *_login_problems(settings), *_way_problems(settings)]
    if problems:
        raise ConfigError("[instance]", problems)
    return settings.url.rstrip("/")


def _url_problems(url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # Not quoted back: what stands there could be a password pasted into the wrong place.
        return [_("url is not an address; write it like https://example.service-now.com")]
    problems = []
    if parts.username or parts.password:
        problems.append(_("url must not carry a user or a password; use user and password_env"))
    if parts.path.strip("/") or parts.query or parts.fragment:
        problems.append(_("url must end after the host name; take away what follows it"))
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        problems.append(
            _("url uses plain http to {host}; only https keeps the password safe").format(
                host=parts.hostname
            )
        )
    return [*problems, *_port_problems(parts)]


def _port_problems(parts: SplitResult) -> list[str]:
    try:
        _port = parts.port
    except ValueError:
        return [_("url has a port that is no number between 0 and 65535")]
    return []


def _login_problems(settings: Connection) -> list[str]:
    missing = [
        _("{name} is missing for auth = {auth!r}").format(name=name, auth=settings.auth)
        for name, value in _needed(settings).items()
        if not value
    ]
    if not missing and settings.auth == "mutual_tls":
        return _certificate_problems(settings)
    return missing


def _needed(settings: Connection) -> Mapping[str, str]:
    """What a login cannot do without: the setting's name → its value."""
    s = settings
    user, password = {"user": s.user}, {"password": s.secret}
    client = {"client_id": s.client_id, "client_secret": s.client_secret}
    return {
        "basic": user | password,
        "oauth_client_credentials": client,
        "oauth_password": client | user | password,
        "oauth_refresh_token": client | {"refresh_token": s.refresh_token},
        "oauth_jwt": client | user | {"jwt_key_file": s.jwt_key_file},
        "api_key": {"api_key": s.api_key},
        "mutual_tls": {"client_certificate": s.client_certificate, "client_key": s.client_key},
    }[settings.auth]


def _certificate_problems(settings: Connection) -> list[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # With a password given, OpenSSL refuses an encrypted key; without, it asks the terminal.
        context.load_cert_chain(settings.client_certificate, settings.client_key, password="")
    except (OSError, ValueError):
        text = _(
            "client_certificate {certificate} and client_key {key} are no pair; give PEM files,"
            " the key without a passphrase"
        )
        names = {"certificate": settings.client_certificate, "key": settings.client_key}
        return [text.format(**names)]
    return []


def _way_problems(settings: Connection) -> list[str]:
    problems = []
    if settings.ca_bundle and not Path(settings.ca_bundle).is_file():
        problems.append(
            _("ca_bundle {path} is not a file; give the path of a PEM file").format(
                path=settings.ca_bundle
            )
        )
    if settings.proxy and urlsplit(settings.proxy).scheme not in ("http", "https"):
        problems.append(_("proxy is not an address; write it like http://proxy.example:3128"))
    above_zero = (
        settings.page_size,
        settings.workers,
        settings.max_attempts,
        settings.timeout_seconds,
    )
    if min(above_zero) <= 0:
        problems.append(
            _("page_size, workers, max_attempts and timeout_seconds must be above zero")
        )
    return problems
