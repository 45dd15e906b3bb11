"""Who is calling: basic, bearer token, API key, or a client certificate that TLS has verified.

Tokens live on the virtual clock; `oauth` hands them out. A key or secret in the URL opens nothing:
it would stand in every log on the way.
"""

import base64
import binascii
import re
import secrets
import ssl

from connector.sandbox.answers import Request, not_authenticated
from connector.sandbox.instance import API_KEY, API_KEY_USER, LOGINS, Instance

API_KEY_HEADER = "x-sn-apikey"

_RESOURCE = re.compile(r"/api/now/(?:v\d+/)?(\w+)")


def authenticate(instance: Instance, request: Request) -> str:
    """The user_name behind a call. Raises ApiError 401.

    What is offered first counts: a wrong key is not made good by a right certificate.
    """
    if key := request.headers.get(API_KEY_HEADER):
        return _by_key(instance, request.path, key)
    scheme, _space, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(instance, credentials)
    if scheme.lower() == "bearer":
        return _bearer(instance, credentials.strip())
    if request.certificate and not scheme:
        return _by_certificate(instance, request.certificate)
    raise not_authenticated()


def is_login(instance: Instance, user: str, password: str) -> bool:
    """Whether this user may log in and this is the password."""
    is_right = secrets.compare_digest(password.encode(), instance.password.encode())
    return user in LOGINS and is_right


def _basic(instance: Instance, credentials: str) -> str:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise not_authenticated() from None
    user, _colon, password = text.partition(":")
    if is_login(instance, user, password):
        return user
    raise not_authenticated()


def _bearer(instance: Instance, value: str) -> str:
    token = instance.tokens.get(value)
    if token is None or token.expires <= instance.clock.now():
        instance.tokens.pop(value, None)
        raise not_authenticated()
    return token.user


def _by_key(instance: Instance, path: str, key: str) -> str:
    """Each API needs an access policy of its own for keys (configure-api-key page)."""
    apis = instance.policies.api_key_apis
    found = _RESOURCE.match(path)
    is_open = not apis or (found is not None and found[1] in apis)
    if is_open and secrets.compare_digest(key.encode(), API_KEY.encode()):
        return API_KEY_USER
    raise not_authenticated()


def _by_certificate(instance: Instance, pem: str) -> str:
    """The user to whom sys_user_certificate maps this certificate (set-up-mutual-auth page)."""
    if "sys_user_certificate" in instance.database.catalogue:
        rows = instance.database.engine.rows(
            "SELECT u.user_name, c.pem_certificate FROM sys_user_certificate c "
            "JOIN sys_user u ON u.sys_id = c.user WHERE c.active != 'false'"
        )
        presented = ssl.PEM_cert_to_DER_cert(pem)
        for user, known in rows:
            if _der(known) == presented and user in LOGINS:
                return user
    raise not_authenticated()


def _der(pem: str) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(pem.strip())
    except (ValueError, binascii.Error):
        return b""
