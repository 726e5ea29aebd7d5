"""How passwords of people are kept: hashed by Argon2id, so that who reads them cannot use them."""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

_SALT_OCTETS = 16
_HASH_OCTETS = 32
_PASSES, _LANES, _MEMORY_KIB = 2, 1, 19 * 1024
"""Of Argon2id: 19 MiB and some 30 ms, as OWASP's Password Storage Cheat Sheet asks for."""
_NOBODYS = (
    "$argon2id$v=19$m=19456,t=2,p=1$f0ySJPJEzEe3V/IbzyhpbQ"
    "$Lgry0U9zmVPfEUXtNxa4GsSVulwLQO/CBF/ot2EN17Y"
)
"""What a password is compared with where there is none."""
_SCRYPT_MEMORY = 64 * 1024 * 1024


def hash_password(password: str) -> str:
    """A password as it is kept: a PHC string, ``$argon2id$v=19$m=19456,t=2,p=1$salt$hash``."""
    return _argon2(os.urandom(_SALT_OCTETS)).derive_phc_encoded(_octets(password))


def is_password(given: str, kept: str) -> bool:
    """Whether a password is the one that is kept; it takes as long where none is.

    Args:
        given: what somebody has typed.
        kept: by :func:`hash_password`, or by scrypt, as qulink kept them before; empty: none is.
    """
    if kept.startswith("scrypt$"):
        return _is_of_scrypt(given, kept)
    try:
        Argon2id.verify_phc_encoded(_octets(given), kept or _NOBODYS)
    except InvalidKey:
        return False
    return bool(kept)


def _is_of_scrypt(given: str, kept: str) -> bool:
    _, n, r, p, salt, expected = kept.split("$")
    derived = hashlib.scrypt(
        _octets(given), salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p),
        maxmem=_SCRYPT_MEMORY,
    )  # fmt: skip
    return hmac.compare_digest(derived, bytes.fromhex(expected))


def _argon2(salt: bytes) -> Argon2id:
    return Argon2id(
        salt=salt, length=_HASH_OCTETS, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB
    )


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
