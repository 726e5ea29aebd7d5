"""The city's key for certificates: Ed25519, made at first use, readable by its owner only."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from gateway.durable import make_folder, sync_names

FILE = "certificates.key"
"""In the city's data folder; back it up: what it has signed is known by it."""


class KeyUnusableError(Exception):
    """The key cannot be read or made; the message says why and what to do."""


def city_key(folder: Path) -> Ed25519PrivateKey:
    """The key of a city, made if there is none.

    Args:
        folder: the city's data folder.

    Raises:
        KeyUnusableError: the file is no such key, or cannot be read or written.
    """
    file = folder / FILE
    try:
        make_folder(folder)
        if not file.exists():
            _make(file)
        key = load_pem_private_key(file.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyUnusableError(f"cannot use the city's key {file}: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusableError(f"{file} is no Ed25519 key; restore it, or move it away")
    return key


def _make(file: Path) -> None:
    made = Ed25519PrivateKey.generate()
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
        stream.write(pem)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)  # whole, or not at all
    sync_names(file)
