"""The password of an SNMS login as it travels. Pure."""

from datetime import date
from hashlib import sha256


def _hex(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def login_password(secret: str, day: date) -> str:
    """``sha256hex(sha256hex(secret) + yyyy-MM-dd)`` for ``/identity/token/v1``.

    Args:
        secret: the application identity's secret.
        day: the node's local day.
    """
    return travelling(_hex(secret), day.isoformat())


def travelling(digest: str, day: str) -> str:
    """The same of a secret of which only the SHA-256 is kept.

    Args:
        digest: hexadecimal.
        day: as 2026-11-01.
    """
    return _hex(digest + day)
