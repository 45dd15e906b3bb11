"""HTTPS for the sandbox: a certificate of its own, and client certificates.

`prepare` writes what `--https` needs into the data folder: an authority's certificate, made for
this folder alone and its key thrown away, and the server's certificate and key for loopback names.
A client is given the authority to trust; nothing is ever to be verified less. Making certificates
needs the package `cryptography` (the extra `keys`).
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.errors import ConfigError
from connector.messages import _
from connector.sandbox.wire import Protocol


@dataclass(frozen=True)
class Tls:
    """Files of an HTTPS server; `client_ca` verifies client certificates where there is one."""

    authority: Path
    certificate: Path
    key: Path
    client_ca: Path | None = None


def prepare(folder: Path, client_ca: Path | None = None) -> Tls:
    """The folder's certificate, made where there is none or it is about to end.

    Raises ConfigError where `cryptography` is not installed or `client_ca` cannot be read.
    """
    if client_ca is not None:
        _check_authority(client_ca)
    made = Tls(
        folder / "sandbox-ca.pem",
        folder / "sandbox-certificate.pem",
        folder / "sandbox-key.pem",
        client_ca,
    )
    try:
        # The one thing here that needs `cryptography`, which is not always installed.
        from connector.sandbox import certificates  # noqa: PLC0415 - see above
    except ImportError as error:
        raise ConfigError(
            "sandbox",
            [_("--https needs the package cryptography; install travesia with the extra keys")],
        ) from error
    if not certificates.is_good(made.authority, made.certificate, made.key):
        folder.mkdir(parents=True, exist_ok=True)
        certificates.write(made.authority, made.certificate, made.key)
    return made


def _check_authority(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=str(path))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            str(path), [_("it is no file of certificates in PEM form; name one by --client-ca")]
        ) from error


# ── the client's certificate ─────────────────────────────────────────────────────────────────


class TlsProtocol(Protocol):
    """The sandbox's HTTP/1.1, with the client's certificate in the scope (ASGI's TLS extension)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn
        """Remember what TLS has verified; the handshake is over by now."""
        super().connection_made(transport)
        connection = transport.get_extra_info("ssl_object")
        presented = connection.getpeercert(binary_form=True) if connection else None
        if not presented:
            return
        chain = [ssl.DER_cert_to_PEM_cert(presented)]
        app = self.app

        async def with_certificate(scope: Any, receive: Any, send: Any) -> None:
            extensions = {**scope.get("extensions", {}), "tls": {"client_cert_chain": chain}}
            await app({**scope, "extensions": extensions}, receive, send)

        self.app = with_certificate


def client_certificate(scope: Mapping[str, Any]) -> str:
    """The PEM of the certificate that the client showed, '' where it showed none."""
    told = (scope.get("extensions") or {}).get("tls") or {}
    chain = list(told.get("client_cert_chain") or ())
    return chain[0] if chain else ""


def server_options(tls: Tls | None) -> dict[str, Any]:
    """What uvicorn must be told."""
    if tls is None:
        return {"http": Protocol}
    options: dict[str, Any] = {
        "ssl_certfile": str(tls.certificate),
        "ssl_keyfile": str(tls.key),
        "http": TlsProtocol,
    }
    if tls.client_ca:
        options |= {"ssl_ca_certs": str(tls.client_ca), "ssl_cert_reqs": ssl.CERT_OPTIONAL}
    return options
