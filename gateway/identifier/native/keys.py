"""With what an administrator proves himself: a secret, or a private key. Pure.

A key is known by the value that holds it, written ``index:handle``: ``300:88.999.QZ01/ADMIN``.
"""

from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.identifier.irp.bodies import Proof
from gateway.identifier.irp.proofs import old_secret_answer, secret_answer, signed_answer
from gateway.identifier.irp.values import Reference

SECRET_KEY, PUBLIC_KEY = "HS_SECKEY", "HS_PUBKEY"
_LEAST_BITS = 2048
_SINCE = (2, 7)
"""Version of the protocol since which answers are made with newer hashes."""


class KeyFileError(Exception):
    """A file holds no private key that can be used."""


class Key(Protocol):
    """A key of an administrator."""

    @property
    def name(self) -> Reference:
        """The value that holds the key, or its public half."""
        ...

    def prove(self, nonce: bytes, digest: bytes, salt: bytes, version: tuple[int, int]) -> Proof:
        """The answer to a challenge; takes milliseconds.

        Args:
            nonce: of the challenge.
            digest: of the own request, without its algorithm's number.
            salt: fresh, ``SALT_SIZE`` octets.
            version: of the protocol, which both sides speak.
        """
        ...


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A secret that the server knows, too (HS_SECKEY)."""

    name: Reference
    secret: bytes = field(repr=False)

    def prove(self, nonce: bytes, digest: bytes, salt: bytes, version: tuple[int, int]) -> Proof:
        """See ``Key``."""
        if version < _SINCE:
            answer = old_secret_answer(self.secret, nonce, digest)
        else:
            answer = secret_answer(self.secret, nonce, digest, salt)
        return Proof(SECRET_KEY, self.name.handle, self.name.index, answer)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key whose public half the server knows (HS_PUBKEY)."""

    name: Reference
    key: RSAPrivateKey = field(repr=False)

    def prove(self, nonce: bytes, digest: bytes, salt: bytes, version: tuple[int, int]) -> Proof:  # noqa: ARG002 - as ``Key`` has it
        """See ``Key``."""
        answer = signed_answer(self.key, nonce, digest, is_old=version < _SINCE)
        return Proof(PUBLIC_KEY, self.name.handle, self.name.index, answer)


def key_name(text: str) -> Reference:
    """``index:handle`` of a key.

    Raises:
        ValueError: it is none.
    """
    index, colon, handle = text.partition(":")
    if not (colon and index.isascii() and index.isdecimal() and "/" in handle):
        raise ValueError("must be index:handle of the key, as 300:88.999.QZ01/ADMIN")
    return Reference(handle, int(index))


def read_private_key(pem: bytes, password: bytes | None) -> RSAPrivateKey:
    """The RSA key of a PEM file.

    Raises:
        KeyFileError: another kind of key or none, too short a one, or a wrong password.
    """
    try:
        key = load_pem_private_key(pem, password)
    except (TypeError, ValueError) as error:  # TypeError: a password is missing, or too many
        raise KeyFileError(f"no private key in PEM, or another password: {error}") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_BITS:
        raise KeyFileError(f"an RSA key of {_LEAST_BITS} bits or more is what is understood")
    return key
