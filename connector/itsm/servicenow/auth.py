"""Logging in: basic, or OAuth 2.0 client credentials. Secrets stay out of reprs, logs and URLs.

Token facts: servicenow-api.md §5 (form body only; asked for again rather than refreshed).
"""

import base64
import threading
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlencode

from connector.itsm.servicenow.decode import BadBody, decode_object
from connector.itsm.servicenow.gate import Request
from connector.itsm.servicenow.settings import Connection

TOKEN_PATH = "/oauth_token.do"  # noqa: S105  # an address, not a secret
EXPIRY_MARGIN_SECONDS = 60.0
FORM = "application/x-www-form-urlencoded"


class Login(Protocol):
    """What the session needs of a way to log in."""

    def header(self) -> str:
        """The Authorization header to send now."""
        ...

    def renew(self, refused: str) -> bool:
        """After a 401 for the header `refused`: whether there is a new one worth trying."""
        ...


class Basic:
    """User and password with every request; a 401 is final."""

    def __init__(self, user: str, secret: str) -> None:
        # UTF-8 as RFC 7617 §2.1 allows; requests itself would encode as Latin-1.
        pair = f"{user}:{secret}".encode()
        self._header = "Basic " + base64.b64encode(pair).decode()

    def __repr__(self) -> str:
        return "Basic()"

    def header(self) -> str:
        """The same for ever."""
        return self._header

    def renew(self, refused: str) -> bool:  # noqa: ARG002  # the Protocol's shape
        """Never: the same password would be refused again, and lock the account."""
        return False


class Token(Protocol):
    """Sends a token request and answers (token, lifetime in seconds)."""

    def __call__(self, request: Request) -> tuple[str, float]: ...


class ClientCredentials:
    """A token by client id and secret, renewed a minute early, by one thread for all."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        ask: Token,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._form = {"client_id": client_id, "client_secret": client_secret}
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return "ClientCredentials()"

    def header(self) -> str:
        """The token's header; asks for a token first where there is none, or an old one."""
        with self._lock:
            if not self._token or self._clock() >= self._renew_at:
                self._fetch()
            return f"Bearer {self._token}"

    def renew(self, refused: str) -> bool:
        """Ask for a new token, unless another thread did so already."""
        with self._lock:
            if refused == f"Bearer {self._token}":
                self._fetch()
            return True

    def _fetch(self) -> None:
        self._token = ""
        form = {"grant_type": "client_credentials", **self._form}
        self._token, lifetime = self._ask(
            Request(
                "POST",
                TOKEN_PATH,
                body=urlencode(form).encode(),
                content_type=FORM,
                is_authorised=False,
                is_repeatable=True,
            )
        )
        # A very short-lived token is used for half its life rather than never.
        margin = min(EXPIRY_MARGIN_SECONDS, lifetime / 2)
        self._renew_at = self._clock() + lifetime - margin


def decode_token(body: bytes) -> tuple[str, float]:
    """A token answer → (token, lifetime in seconds). Raises BadBody."""
    answer = decode_object(body)
    token = answer.get("access_token")
    try:
        lifetime = float(answer.get("expires_in", 0))
    except (TypeError, ValueError):
        lifetime = 0.0
    if not isinstance(token, str) or not token:
        raise BadBody("no token")
    return token, lifetime


def login_of(settings: Connection, ask: Token) -> Login:
    """The way to log in that the settings name."""
    if settings.auth == "basic":
        return Basic(settings.user, settings.secret)
    return ClientCredentials(settings.client_id, settings.client_secret, ask)
