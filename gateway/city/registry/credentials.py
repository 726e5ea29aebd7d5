"""Credentials of gateways at the broker: made here once, kept only as mosquitto's hash.

mosquitto's password file has lines ``user:$7$iterations$salt$hash`` (PBKDF2 with SHA-512; salt and
hash in base64).
"""

import base64
import fcntl
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.durable import sync_folder

ITERATIONS = 210_000
"""OWASP's figure for PBKDF2-HMAC-SHA512."""
_SALT_BYTES = 12
_CREDENTIAL_BYTES = 24


def new_credential() -> str:
    """A random credential of 192 bits, safe in a URL and in YAML."""
    return secrets.token_urlsafe(_CREDENTIAL_BYTES)


def password_line(user: str, credential: str, iterations: int = ITERATIONS) -> str:
    """One line of a mosquitto password file, without the newline."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", credential.encode(), salt, iterations)
    return f"{user}:$7${iterations}${_base64(salt)}${_base64(digest)}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def set_line(file: Path, user: str, line: str | None) -> None:
    """Replace, add or (with None) remove the line of a user; the file changes in one step.

    Who changes it at the same time waits: no line is lost.

    Raises:
        OSError: the file or its folder cannot be read or written.
    """
    with _alone(file):
        before = _lines(file)
        after = [old for old in before if not old.startswith(f"{user}:")]
        if line is not None:
            after.append(line)
        _replace(file, "".join(f"{text}\n" for text in after))


def users(file: Path) -> list[str]:
    """The users of a password file, in its order; those of lines that are none included.

    Raises:
        OSError: the file cannot be read.
    """
    return [line.partition(":")[0] for line in file.read_text(encoding="utf-8").splitlines()]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Have the file for oneself. What is locked stands beside it: the file itself is replaced."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(file.with_name(f".{file.name}.lock"), flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(file: Path, text: str) -> None:
    """Write beside the file with its owner and mode, then rename over it."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if file.exists():
            status = file.stat()
            temporary.chmod(status.st_mode & 0o777)
            if os.geteuid() == 0:
                os.chown(temporary, status.st_uid, status.st_gid)
        temporary.replace(file)
        # Else a revoked password could be back after a power cut.
        sync_folder(file.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
