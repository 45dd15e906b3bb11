"""The OAuth 2.0 grants that ServiceNow takes: what the form of a token request holds.

Facts: servicenow-api.md §5. A JWT is made anew for every request, as the instance refuses a `jti`
that it saw before; there is no refresh token for it. Keys with a passphrase are refused.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from connector.errors import ConfigError
from connector.itsm.servicenow.settings import Connection
from connector.messages import _

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_LIFETIME = timedelta(minutes=5)
"""The instance allows its clock and ours to differ by 300 s; longer would only help a thief."""


class Grant(Protocol):
    """Why the instance should hand out a token."""

    def form(self) -> Mapping[str, str]:
        """The fields of the next token request."""
        ...

    def take(self, refresh_token: str) -> None:
        """Told of the refresh token in an answer, "" for none."""
        ...


class Standing:
    """The same form each time: client credentials, or the client with a user's password."""

    def __init__(self, kind: str, **fields: str) -> None:
        self._form = {"grant_type": kind, **fields}

    def __repr__(self) -> str:
        return f"Standing({self._form['grant_type']!r})"

    def form(self) -> Mapping[str, str]:
        """The same each time."""
        return self._form

    def take(self, refresh_token: str) -> None:
        """Not needed: a new token is simply asked for."""


class Refresh:
    """By a refresh token that a person obtained once; a newer one in an answer replaces it."""

    def __init__(self, refresh_token: str, **client: str) -> None:
        self._token = refresh_token
        self._client = client

    def __repr__(self) -> str:
        return "Refresh()"

    def form(self) -> Mapping[str, str]:
        """With the newest refresh token that is known."""
        return {"grant_type": "refresh_token", "refresh_token": self._token, **self._client}

    def take(self, refresh_token: str) -> None:
        """The next request uses it; it is kept in memory only."""
        self._token = refresh_token or self._token


class Jwt:
    """By a JWT that our private key signs: `iss` and `aud` the client, `sub` the user."""

    def __init__(self, settings: Connection) -> None:
        self._settings = settings
        self._key = _private_key(settings)

    def __repr__(self) -> str:
        return "Jwt()"

    def form(self) -> Mapping[str, str]:
        """With a new JWT: the instance takes each `jti` once."""
        return {"grant_type": JWT_BEARER, "assertion": self._assertion(), **_client(self._settings)}

    def take(self, refresh_token: str) -> None:
        """None comes with this grant."""

    def _assertion(self) -> str:
        import jwt  # noqa: PLC0415  # with cryptography some 15 MB, needed by this login only

        now, client_id = datetime.now(UTC), self._settings.client_id
        claims = {
            "iss": client_id,
            "aud": client_id,
            "sub": self._settings.user,
            "iat": now,
            "exp": now + JWT_LIFETIME,
            "jti": uuid.uuid4().hex,
        }
        kid = self._settings.jwt_key_id
        algorithm = self._settings.jwt_algorithm
        return jwt.encode(claims, self._key, algorithm, headers={"kid": kid} if kid else None)


def grant_of(settings: Connection) -> Grant:
    """The grant that the settings name. Raises ConfigError on a key file that holds no key."""
    client = _client(settings)
    match settings.auth:
        case "oauth_password":
            return Standing("password", username=settings.user, password=settings.secret, **client)
        case "oauth_refresh_token":
            return Refresh(settings.refresh_token, **client)
        case "oauth_jwt":
            return Jwt(settings)
    return Standing("client_credentials", **client)


def _client(settings: Connection) -> dict[str, str]:
    return {"client_id": settings.client_id, "client_secret": settings.client_secret}


def _private_key(settings: Connection) -> Any:
    """The key object, for signing. Raises ConfigError."""
    import jwt  # noqa: PLC0415  # see above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415  # as jwt

    path, algorithm = settings.jwt_key_file, settings.jwt_algorithm
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
        # Signing shows whether the kind of key fits: RS256 wants RSA, ES256 the curve P-256.
        jwt.encode({}, key, algorithm)  # type: ignore[arg-type]  # that is what is tried
    except (OSError, ValueError, TypeError, jwt.exceptions.PyJWTError):
        problem = _(
            "jwt_key_file {path} holds no private key for {algorithm}; give a PEM file without a"
            " passphrase, or another jwt_algorithm"
        ).format(path=path, algorithm=algorithm)
        # Not chained: what a library says of a key may quote it.
        raise ConfigError("[instance]", [problem]) from None
    return key
