"""How secrets are kept: hashed, or sealed where a protocol needs them in clear.

Passwords of people are hashed by ``gateway/web/access/passwords.py``.

Sealed ones need the key that stands in a file beside the database; a copy of the database alone
tells none of them.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from gateway.durable import make_folder, sync_folder

KEY_FILE = "node-seal.key"


class SealError(Exception):
    """The key of sealed secrets cannot be used; the message says what to do."""


def new_secret() -> str:
    """A secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """SHA-256, hexadecimal, of a secret that cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Seal:
    """Seals secrets with the key in a node's folder; the first call makes it.

    Raises:
        SealError: the file cannot be read, written or understood.
    """

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / KEY_FILE
        try:
            if not path.exists():
                _make(path)
            self._fernet = Fernet(path.read_bytes().strip())
        except OSError as error:
            raise SealError(f"cannot use {path}: {error.strerror}") from error
        except ValueError as error:
            raise SealError(
                f"{path} holds no key; restore it, or delete it and give out new secret keys"
            ) from error

    def close(self, secret: bytes) -> bytes:
        """A secret, sealed."""
        return self._fernet.encrypt(secret)

    def open(self, sealed: bytes) -> bytes:
        """A sealed secret in clear.

        Raises:
            SealError: it was sealed with another key.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SealError(
                f"a secret key was sealed with another {KEY_FILE}; restore that file, or give out "
                "a new secret key"
            ) from None


def _make(path: Path) -> None:
    """Write complete and private before it gets its name; whoever comes first wins."""
    make_folder(path.parent)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key())
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    sync_folder(path.parent)  # what was sealed with it must be opened tomorrow
