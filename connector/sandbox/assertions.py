"""Signed assertions (JWT) for the bearer grant: whose signature, and whether the claims hold.

Keys are rows of sys_certificate: a PEM certificate or public key, named as the header's `kid` where
there is one. Needs the package `cryptography` (the extra `keys`); everything else of the sandbox
runs without it. Refuses any algorithm but RS and ES with SHA-2 (create-jwt-endpoint page): no
`none`, no shared secrets.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.sandbox.database import Database

SKEW_SECONDS = 300
"""Clock skew that the platform allows."""

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"})


class AssertionRefusedError(Exception):
    """The assertion is not good; the text says why."""


def registered(database: Database) -> dict[str, str]:
    """Name → PEM of every active row of sys_certificate."""
    if "sys_certificate" not in database.catalogue:
        return {}
    rows = database.engine.rows(
        "SELECT name, pem_certificate FROM sys_certificate WHERE active != 'false'"
    )
    return {name: pem for name, pem in rows}


def verified(assertion: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """The claims of an assertion that one of the keys has signed.

    Raises AssertionRefusedError.
    """
    parts = assertion.split(".")
    if len(parts) != 3:
        raise AssertionRefusedError("the assertion is no signed JWT")
    header, claims = _object(parts[0]), _object(parts[1])
    signed = f"{parts[0]}.{parts[1]}".encode("ascii", "replace")
    signature, algorithm = _decoded(parts[2]), str(header.get("alg", ""))
    if algorithm not in ALGORITHMS:
        raise AssertionRefusedError(f"the algorithm {algorithm} is not accepted")
    for pem in _candidates(header, keys):
        if _is_signed(pem, algorithm, signed, signature):
            return claims
    raise AssertionRefusedError("no registered key has signed it")


def _candidates(header: Mapping[str, Any], keys: Mapping[str, str]) -> Sequence[str]:
    if "kid" in header:
        return [pem for name, pem in keys.items() if name == header["kid"]]
    return list(keys.values())


def _object(part: str) -> dict[str, Any]:
    try:
        made = json.loads(_decoded(part))
    except ValueError:
        raise AssertionRefusedError("the assertion is no signed JWT") from None
    if not isinstance(made, dict):
        raise AssertionRefusedError("the assertion is no signed JWT")
    return made


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise AssertionRefusedError("the assertion is no signed JWT") from None


def subject(claims: Mapping[str, Any], client: str, now: datetime) -> str:
    """The user that the claims name, if they are for this client and in time.

    Raises AssertionRefusedError.
    """
    audience = claims.get("aud")
    if client not in (audience if isinstance(audience, list) else [audience]):
        raise AssertionRefusedError("aud is not the client ID")
    if claims.get("iss") != client:
        raise AssertionRefusedError("iss is not the client ID")
    if not claims.get("jti"):
        raise AssertionRefusedError("jti is missing")
    _check_times(claims, now.timestamp())
    return str(claims.get("sub", ""))


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    expires = claims.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise AssertionRefusedError("exp is missing")
    if expires + SKEW_SECONDS < now:
        raise AssertionRefusedError("the assertion has expired")
    begins = claims.get("nbf", now)
    if not isinstance(begins, int | float) or begins - SKEW_SECONDS > now:
        raise AssertionRefusedError("nbf is in the future")


def _is_signed(pem: str, algorithm: str, signed: bytes, signature: bytes) -> bool:
    try:
        # The one thing here that needs `cryptography`, which is not always installed.
        from connector.sandbox import signatures  # noqa: PLC0415 - see above
    except ImportError:
        raise AssertionRefusedError("the sandbox lacks the package cryptography") from None
    return signatures.is_signed(pem, algorithm, signed, signature)
