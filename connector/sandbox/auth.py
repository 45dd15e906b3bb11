"""Who is calling: basic authentication, and OAuth client credentials at /oauth_token.do.

Tokens live on the virtual clock. Refuses JSON at the token endpoint, as the platform does.
"""

import base64
import binascii
import secrets
from datetime import timedelta
from urllib.parse import parse_qsl

from connector.sandbox.answers import Answer, Request, encode, not_authenticated
from connector.sandbox.instance import (
    LOGINS,
    OAUTH_CLIENT,
    OAUTH_SECRET,
    OAUTH_USER,
    Instance,
    Token,
)

LIFESPAN = timedelta(seconds=1800)
"""Default lifespan of an access token for client credentials (client-credentials page)."""


def authenticate(instance: Instance, authorization: str) -> str:
    """The user_name behind an Authorization header. Raises ApiError 401."""
    scheme, _space, credentials = authorization.partition(" ")
    if scheme.lower() == "basic":
        return _basic(instance, credentials)
    if scheme.lower() == "bearer":
        return _bearer(instance, credentials.strip())
    raise not_authenticated()


def _basic(instance: Instance, credentials: str) -> str:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise not_authenticated() from None
    user, _colon, password = text.partition(":")
    if user in LOGINS and secrets.compare_digest(password.encode(), instance.password.encode()):
        return user
    raise not_authenticated()


def _bearer(instance: Instance, value: str) -> str:
    token = instance.tokens.get(value)
    if token is None or token.expires <= instance.clock.now():
        instance.tokens.pop(value, None)
        raise not_authenticated()
    return token.user


def give_token(instance: Instance, request: Request) -> Answer:
    """POST /oauth_token.do."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return _refused("invalid_request", "unspecified error")
    try:
        form = dict(parse_qsl(request.body.decode()))
    except UnicodeDecodeError:
        return _refused("invalid_request", "the body is not a form")
    if form.get("grant_type") != "client_credentials":
        return _refused("unsupported_grant_type", "only client_credentials is enabled here")
    if not _is_client(form):
        return _refused("invalid_client", "access_denied")
    value = secrets.token_urlsafe(48)
    instance.tokens[value] = Token(OAUTH_USER, instance.clock.now() + LIFESPAN)
    body = {
        "access_token": value,
        "scope": "useraccount",
        "token_type": "Bearer",
        "expires_in": int(LIFESPAN.total_seconds()) - 1,
    }
    return Answer(200, encode(body))


def _is_client(form: dict[str, str]) -> bool:
    given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}"
    return secrets.compare_digest(given.encode(), f"{OAUTH_CLIENT}:{OAUTH_SECRET}".encode())


def _refused(error: str, description: str) -> Answer:
    return Answer(401, encode({"error": error, "error_description": description}))
