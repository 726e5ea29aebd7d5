"""Answers to challenges: who asks holds the key of an administrator (RFC 3652, 3.5). Pure.

A challenge is a nonce and the digest of the request; both are signed, or go through a secret key.
The nonce, and the salt of an answer, come in as arguments.
"""

import hashlib
import hmac
from struct import Struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from gateway.identifier.irp.octets import U32, Octets, WireError, blob, text

_SECRET_PBKDF2, _SECRET_SHA1 = 0x22, 0x02
_ITERATIONS, _KEY_OCTETS = 10_000, 20
MAX_ITERATIONS = 100_000
"""Of an answer that is checked; one that asks for more costs too much and is refused."""
SALT_SIZE = 16
_PARAMETERS = Struct(">II")
_HASHES: dict[str, type[SHA1 | SHA256]] = {
    **dict.fromkeys(("SHA-256", "SHA256"), SHA256),
    **dict.fromkeys(("SHA-1", "SHA1"), SHA1),
}
_RSA = "RSA_PUB_KEY"


def secret_answer(key: bytes, nonce: bytes, digest: bytes, salt: bytes) -> bytes:
    """Answer with a secret key, as of version 2.7 of the protocol.

    Args:
        key: the secret.
        nonce: of the challenge.
        digest: of the request, without its algorithm's number.
        salt: fresh, SALT_SIZE octets.
    """
    mac = _pbkdf2_mac(key, nonce + digest, salt, _ITERATIONS, _KEY_OCTETS)
    parameters = _PARAMETERS.pack(_ITERATIONS, 8 * _KEY_OCTETS)
    return bytes([_SECRET_PBKDF2]) + blob(salt) + parameters + blob(mac)


def old_secret_answer(key: bytes, nonce: bytes, digest: bytes) -> bytes:
    """Answer with a secret key, for peers of version 2.1 to 2.6."""
    return bytes([_SECRET_SHA1]) + _keyed_sha1(key, nonce, digest)


def is_secret_answer(answer: bytes, key: bytes, nonce: bytes, digest: bytes) -> bool:
    """Whether an answer was made with the secret key.

    Raises:
        WireError: a form that is not known, or more rounds than MAX_ITERATIONS.
    """
    octets = Octets(answer)
    (form,) = octets.take(1)
    if form == _SECRET_SHA1:
        return hmac.compare_digest(octets.take(octets.left), _keyed_sha1(key, nonce, digest))
    if form != _SECRET_PBKDF2:
        raise WireError(f"an answer of form {form:#x}")
    salt = octets.blob()
    iterations, bits = octets.unpack(_PARAMETERS)
    if not 1 <= iterations <= MAX_ITERATIONS or bits != 8 * _KEY_OCTETS:
        raise WireError(f"an answer of {iterations} rounds and {bits} bits")
    mac = octets.blob()
    octets.ended()
    return hmac.compare_digest(mac, _pbkdf2_mac(key, nonce + digest, salt, iterations, bits // 8))


def _pbkdf2_mac(key: bytes, over: bytes, salt: bytes, iterations: int, octets: int) -> bytes:
    """Each octet of the key goes in as the character of its number, in UTF-8: so others have it."""
    characters = key.decode("latin-1").encode()
    derived = hashlib.pbkdf2_hmac("sha1", characters, salt, iterations, octets)
    return hmac.new(derived, over, "sha1").digest()


def _keyed_sha1(key: bytes, nonce: bytes, digest: bytes) -> bytes:
    return hashlib.sha1(key + nonce + digest + key, usedforsecurity=False).digest()


def signed_answer(
    key: RSAPrivateKey, nonce: bytes, digest: bytes, *, is_old: bool = False
) -> bytes:
    """Answer with a private key: PKCS #1 v1.5 over SHA-256, or SHA-1 for peers before 2.7."""
    name = "SHA1" if is_old else "SHA-256"
    signature = key.sign(nonce + digest, PKCS1v15(), _HASHES[name]())
    return text(name) + blob(signature)


def is_signed_answer(answer: bytes, key: RSAPublicKey, nonce: bytes, digest: bytes) -> bool:
    """Whether an answer was signed with the private half of a key.

    Raises:
        WireError: another form, or a hash that is not known.
    """
    octets = Octets(answer)
    name, signature = octets.text(), octets.blob()
    octets.ended()
    algorithm = _HASHES.get(name.upper())
    if algorithm is None:
        raise WireError(f"a signature by {name!r}")
    return _is_signed(key, signature, nonce + digest, algorithm())


def _is_signed(key: RSAPublicKey, signature: bytes, over: bytes, by: HashAlgorithm) -> bool:
    try:
        key.verify(signature, over, PKCS1v15(), by)
    except InvalidSignature:
        return False
    return True


def write_rsa_key(key: RSAPublicKey) -> bytes:
    """Data of an HS_PUBKEY: as the protocol's authors write it, with an empty part at the end."""
    numbers = key.public_numbers()
    return text(_RSA) + bytes(2) + blob(_number(numbers.e)) + blob(_number(numbers.n)) + blob(b"")


def read_rsa_key(data: bytes) -> RSAPublicKey:
    """Key of an HS_PUBKEY; the empty part at the end may be missing.

    Raises:
        WireError: another kind of key, or none.
    """
    octets = Octets(data)
    if (kind := octets.text()) != _RSA:
        raise WireError(f"a key of kind {kind!r}; RSA is what is understood")
    octets.take(2)
    exponent, modulus = octets.blob(), octets.blob()
    if octets.left == U32.size:
        octets.blob()
    octets.ended()
    try:
        numbers = RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
        return numbers.public_key()
    except ValueError as error:
        raise WireError(f"a key that is none: {error}") from None


def _number(value: int) -> bytes:
    """With a sign: a zero before a highest bit that is set."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")
