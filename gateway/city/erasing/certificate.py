"""The certificate of an erasure: signed, and checked by anybody who has it. Pure.

The signature is Ed25519 over the certificate's other members as JSON with sorted keys, no blanks,
nothing escaped that need not be, in UTF-8: any language can check it.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = "qulink-erasure-certificate-1"
Certificate = Mapping[str, Any]
_SEALS = ("public_key", "signature")


class CertificateError(ValueError):
    """A certificate is none, or not as it was signed; the message says why."""


def octets(certificate: Certificate) -> bytes:
    """What is signed."""
    told = {name: value for name, value in certificate.items() if name not in _SEALS}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def digest(certificate: Certificate) -> str:
    """SHA-256 of what is signed, hex; the city's audit log has it."""
    return hashlib.sha256(octets(certificate)).hexdigest()


def signed(certificate: Certificate, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The certificate with signature and public key, in base64."""
    told = {"format": FORMAT, **certificate}
    public = key.public_key().public_bytes_raw()
    signature = key.sign(octets(told))
    return told | {
        "public_key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


def check(certificate: object) -> str:
    """Check the signature; returns the fingerprint of the key that made it.

    Who made it is known to who knows the fingerprint: the city's audit log has it.

    Raises:
        CertificateError: it is no certificate, or was changed since it was signed.
    """
    if not isinstance(certificate, dict) or certificate.get("format") != FORMAT:
        raise CertificateError(f"this is no erasure certificate: its 'format' is not {FORMAT}")
    try:
        public, signature = (base64.b64decode(certificate[name], validate=True) for name in _SEALS)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, octets(certificate))
    except (KeyError, TypeError, ValueError) as error:
        raise CertificateError(f"its signature cannot be read: {error}") from error
    except InvalidSignature as error:
        raise CertificateError("it was changed since it was signed") from error
    return fingerprint(public)


def fingerprint(public: bytes) -> str:
    """SHA-256 of a public key, hex."""
    return hashlib.sha256(public).hexdigest()
