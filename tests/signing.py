"""Keys, certificates and assertions for tests of logins."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA key for the whole test run: making them takes long."""
    return rsa.generate_private_key(65537, 2048)


@cache
def curve_key(bits: str = "256") -> ec.EllipticCurvePrivateKey:
    """A key on the NIST curve that goes with a hash of that size."""
    curves = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}
    return ec.generate_private_key(curves[bits])


def public_pem(key: Key) -> str:
    """The public key as PEM."""
    encoding, shape = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, shape).decode()


def _part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(claims: dict[str, object], key: Key, algorithm: str, **header: str) -> str:
    """A JWT with these claims."""
    text = f"{_part({'alg': algorithm, 'typ': 'JWT', **header})}.{_part(claims)}"
    return f"{text}.{_part(_signature(text.encode(), key, algorithm[2:]))}"


def _signature(text: bytes, key: Key, size: str) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), _HASHES[size])
    half = (key.curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(key.sign(text, ec.ECDSA(_HASHES[size])))
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def certificate(
    name: str, key: Key, signer: Key | None = None, issuer: str = "", *, is_ca: bool = False
) -> x509.Certificate:
    """A certificate of a year; signed by itself where no signer is given."""

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now, by = datetime.now(UTC), signer or key
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer or name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identifier, critical=False)
        .sign(by, hashes.SHA256())
    )


def pem(made: x509.Certificate) -> str:
    """A certificate as PEM."""
    return made.public_bytes(serialization.Encoding.PEM).decode()


def write_key(path: Path, key: Key) -> Path:
    """A private key as a PEM file, without a password."""
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
