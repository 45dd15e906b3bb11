"""Logging in: what each request carries, and when a token is renewed.

Basic, the four OAuth 2.0 grants (grants.py), an API key, or a client certificate alone. Secrets
stay out of reprs, logs and URLs. Facts: servicenow-api.md §5 (tokens by form body only).
"""

import base64
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from connector.itsm.servicenow.decode import BadBody, decode_object
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.grants import Grant, grant_of
from connector.itsm.servicenow.settings import Connection

TOKEN_PATH = "/oauth_token.do"  # noqa: S105  # an address, not a secret
EXPIRY_MARGIN_SECONDS = 60.0
USUAL_LIFETIME_SECONDS = 1800.0
"""The platform's default, where an answer does not say; a 401 renews it before."""
FORM = "application/x-www-form-urlencoded"
API_KEY_HEADER = "x-sn-apikey"

Headers = Mapping[str, str]
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""What can stand in a header (RFC 6749 A.12)."""


class Login(Protocol):
    """What the session needs of a way to log in."""

    def headers(self) -> Headers:
        """The headers that log in now; none where the client certificate does."""
        ...

    def renew(self, refused: Headers) -> bool:
        """After a 401 for the headers `refused`: whether there are new ones worth trying."""
        ...


class Fixed:
    """The same headers for ever: a password, an API key, or nothing; a 401 is final."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __repr__(self) -> str:
        return "Fixed()"

    def headers(self) -> Headers:
        """The same for ever."""
        return self._headers

    def renew(self, refused: Headers) -> bool:  # noqa: ARG002  # the Protocol's shape
        """Never: the same secret would be refused again, and lock the account."""
        return False


def basic(user: str, secret: str) -> Fixed:
    """User and password with every request."""
    # UTF-8 as RFC 7617 §2.1 allows; requests itself would encode as Latin-1.
    pair = f"{user}:{secret}".encode()
    return Fixed({"Authorization": "Basic " + base64.b64encode(pair).decode()})


@dataclass(frozen=True)
class Token:
    """A token answer. `lifetime` in seconds; `refresh` where the instance hands one out."""

    access: str = field(repr=False)
    lifetime: float
    refresh: str = field(default="", repr=False)


class Bearer:
    """A token by some grant, renewed a minute early, by one thread for all."""

    def __init__(
        self,
        grant: Grant,
        ask: Callable[[Request], Token],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._grant = grant
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"Bearer({self._grant!r})"

    def headers(self) -> Headers:
        """The token's header; asks for a token first where there is none, or an old one."""
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._fetch()
            return self._header()

    def renew(self, refused: Headers) -> bool:
        """Ask for a new token, unless another thread did so already."""
        with self._lock:
            if refused == self._header():
                self._fetch()
            return True

    def _header(self) -> Headers:
        return {"Authorization": f"Bearer {self._token}"}

    def _fetch(self) -> None:
        self._token = ""
        token = self._ask(
            Request(
                "POST",
                TOKEN_PATH,
                body=urlencode(self._grant.form()).encode(),
                content_type=FORM,
                is_authorised=False,
                is_repeatable=True,
            )
        )
        self._grant.take(token.refresh)
        self._token = token.access
        # A very short-lived token is used for half its life rather than never.
        margin = min(EXPIRY_MARGIN_SECONDS, token.lifetime / 2)
        self._renew_at = self._clock() + token.lifetime - margin


def decode_token(body: bytes) -> Token:
    """A token answer. Raises BadBody."""
    answer = decode_object(body)
    token, refresh = answer.get("access_token"), answer.get("refresh_token")
    try:
        lifetime = float(answer.get("expires_in", USUAL_LIFETIME_SECONDS))
    except (TypeError, ValueError):
        lifetime = USUAL_LIFETIME_SECONDS
    if not 0 < lifetime < math.inf:
        lifetime = USUAL_LIFETIME_SECONDS  # a token that is dead already would be asked for always
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise BadBody("no token")
    return Token(token, lifetime, refresh if isinstance(refresh, str) else "")


def login_of(settings: Connection, ask: Callable[[Request], Token]) -> Login:
    """The way to log in that the settings name. Raises ConfigError on a key that is none."""
    match settings.auth:
        case "basic":
            return basic(settings.user, settings.secret)
        case "api_key":
            return Fixed({API_KEY_HEADER: settings.api_key})
        case "mutual_tls":
            return Fixed({})  # the certificate of the connection says it all
    return Bearer(grant_of(settings), ask)
