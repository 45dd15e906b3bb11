"""The token endpoint, /oauth_token.do: four grants, tokens on the virtual clock.

Shapes of servicenow-api.md §5. Refuses JSON, as the platform does, and whatever stands in the URL
unless `glide.oauth.allow.parameters.in.post.body.only` is false. Client credentials are enabled
here unless their property says false; a real instance needs it to say true.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from connector.sandbox import assertions, properties
from connector.sandbox.answers import Answer, Request, encode
from connector.sandbox.auth import is_login
from connector.sandbox.instance import (
    LOGINS,
    OAUTH_CLIENT,
    OAUTH_SECRET,
    OAUTH_USER,
    Instance,
    Refresh,
    Token,
)

LIFESPAN = timedelta(seconds=1800)
"""Default lifespan of an access token (client-credentials page)."""

REFRESH_LIFESPAN = timedelta(days=100)
"""Lifespan of a refresh token; the platform's default is not documented on the pages read."""

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_BODY_ONLY = "glide.oauth.allow.parameters.in.post.body.only"
_PASSWORD_OFF = "glide.oauth.inbound.ropc.grant_type.disabled"  # noqa: S105 - a property's name
_CLIENT_ON = "glide.oauth.inbound.client.credential.grant_type.enabled"
_SECRETS = frozenset({"client_secret", "password", "refresh_token", "assertion", "code"})

Form = dict[str, str]


class _GrantError(Exception):
    """Answered with 401 and the two documented keys; never leaves this module."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


def give_token(instance: Instance, request: Request) -> Answer:
    """POST /oauth_token.do."""
    try:
        form = _form(instance, request)
        grant = _grant(instance, form.get("grant_type", ""))
        if not _is_client(form):
            raise _GrantError("invalid_client", "access_denied")
        return Answer(200, encode(grant(instance, form)))
    except _GrantError as error:
        told = {"error": error.error, "error_description": error.description}
        return Answer(401, encode(told))


def _form(instance: Instance, request: Request) -> Form:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise _GrantError("invalid_request", "unspecified error")
    try:
        form = dict(parse_qsl(request.body.decode()))
    except UnicodeDecodeError:
        raise _GrantError("invalid_request", "the body is not a form") from None
    if properties.value(instance.database, _BODY_ONLY).lower() == "false":
        return {**request.parameters, **form}
    if _SECRETS & request.parameters.keys():
        raise _GrantError("invalid_request", "parameters are taken from the POST body only")
    return form


def _is_client(form: Form) -> bool:
    given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}"
    return secrets.compare_digest(given.encode(), f"{OAUTH_CLIENT}:{OAUTH_SECRET}".encode())


Grant = Callable[[Instance, Form], dict[str, object]]


def _grant(instance: Instance, name: str) -> Grant:
    database = instance.database
    is_off = (name == "password" and properties.is_on(database, _PASSWORD_OFF)) or (
        name == "client_credentials"
        and properties.value(database, _CLIENT_ON, "true").lower() != "true"
    )
    if is_off or name not in _GRANTS:
        raise _GrantError("unsupported_grant_type", f"{name or 'no grant type'} is not enabled")
    return _GRANTS[name]


# ── grants ───────────────────────────────────────────────────────────────────────────────────


def _client_credentials(instance: Instance, _form: Form) -> dict[str, object]:
    return _told(instance, _issue(instance, OAUTH_USER))


def _password(instance: Instance, form: Form) -> dict[str, object]:
    user = form.get("username", "")
    if not is_login(instance, user, form.get("password", "")):
        raise _GrantError("access_denied", "the user name or the password is wrong")
    access = _issue(instance, user)
    value = secrets.token_urlsafe(48)
    expires = instance.clock.now() + REFRESH_LIFESPAN
    instance.refresh_tokens[value] = Refresh(user, expires, access)
    return {**_told(instance, access), "refresh_token": value}


def _refresh(instance: Instance, form: Form) -> dict[str, object]:
    """While the access token lives, asking again returns the very same one."""
    value = form.get("refresh_token", "")
    known = instance.refresh_tokens.get(value)
    if known is None or known.expires <= instance.clock.now():
        raise _GrantError("invalid_grant", "the refresh token is unknown or has expired")
    current = instance.tokens.get(known.access)
    if current is None or current.expires <= instance.clock.now():
        known.access = _issue(instance, known.user)
    return {**_told(instance, known.access), "refresh_token": value}


def _jwt(instance: Instance, form: Form) -> dict[str, object]:
    """No refresh token; every call needs a new assertion (create-jwt-endpoint page)."""
    try:
        claims = assertions.verified(
            form.get("assertion", ""), assertions.registered(instance.database)
        )
        user = assertions.subject(claims, OAUTH_CLIENT, instance.clock.now())
    except assertions.AssertionRefusedError as error:
        raise _GrantError("invalid_grant", str(error)) from None
    identity = str(claims["jti"])
    if identity in instance.used_assertions:
        raise _GrantError("invalid_grant", "this jti has been used")
    if user not in LOGINS:
        raise _GrantError("invalid_grant", "the subject is no user that may log in")
    instance.used_assertions.add(identity)
    return _told(instance, _issue(instance, user))


_GRANTS: dict[str, Grant] = {
    "client_credentials": _client_credentials,
    "password": _password,
    "refresh_token": _refresh,
    JWT_BEARER: _jwt,
}


def _issue(instance: Instance, user: str) -> str:
    value = secrets.token_urlsafe(48)
    instance.tokens[value] = Token(user, instance.clock.now() + LIFESPAN)
    return value


def _told(instance: Instance, access: str) -> dict[str, object]:
    expires: datetime = instance.tokens[access].expires
    left = int((expires - instance.clock.now()).total_seconds())
    return {
        "access_token": access,
        "scope": "useraccount",
        "token_type": "Bearer",
        "expires_in": max(left - 1, 0),
    }
