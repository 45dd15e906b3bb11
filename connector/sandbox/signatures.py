"""Whether a key made a signature: RSA and elliptic curves with SHA-2, by `cryptography`."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509 import load_pem_x509_certificate

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES = {"256": "secp256r1", "384": "secp384r1", "512": "secp521r1"}


def is_signed(pem: str, algorithm: str, signed: bytes, signature: bytes) -> bool:
    """Whether the key in this PEM (certificate or public key) made this signature.

    `algorithm` is RS or ES with 256, 384 or 512. A PEM that cannot be read has signed nothing.
    """
    try:
        key, size = _public_key(pem), algorithm[2:]
        if algorithm.startswith("RS"):
            return _check_rsa(key, size, signed, signature)
        return _check_curve(key, size, signed, signature)
    except (ValueError, InvalidSignature):
        return False


def _public_key(pem: str) -> object:
    data = pem.strip().encode()
    if b"BEGIN CERTIFICATE" in data:
        return load_pem_x509_certificate(data).public_key()
    return serialization.load_pem_public_key(data)


def _check_rsa(key: object, size: str, signed: bytes, signature: bytes) -> bool:
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    key.verify(signature, signed, padding.PKCS1v15(), _HASHES[size])
    return True


def _check_curve(key: object, size: str, signed: bytes, signature: bytes) -> bool:
    """JOSE writes r and s one after the other (RFC 7518 §3.4); X.509 wants them in DER."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != _CURVES[size]:
        return False
    half = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * half:
        return False
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(_HASHES[size]))
    return True
