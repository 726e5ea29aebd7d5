"""Sessions of a console: who has shown the token, until when, and that it has ended.

A cookie holds a random secret of its own for each login; what is kept of it is a hash, so that
nobody who reads the table or the memory can use it.
"""

import hashlib
import secrets
from typing import Protocol

SESSION_S = 12 * 3600
MOST_SESSIONS = 1_000
"""Kept in memory; of more the oldest end."""


class SessionsAwayError(Exception):
    """Nobody can say whether a session lives: what keeps them does not answer."""


class Sessions(Protocol):
    """Where the sessions of a console are kept."""

    async def open(self, address: str, now_ms: int) -> str:
        """Begin a session of a visitor; gives the secret for its cookie.

        Raises:
            SessionsAwayError: it cannot be kept.
        """

    async def lives(self, secret: str, now_ms: int) -> bool:
        """Whether a session has begun and not ended.

        Raises:
            SessionsAwayError: that cannot be known now.
        """

    async def end(self, secret: str, address: str, now_ms: int) -> None:
        """End a session, if there is one.

        Raises:
            SessionsAwayError: that cannot be kept.
        """

    async def note_guesses(self, address: str, now_ms: int) -> None:
        """Keep that somebody tries tokens; if that cannot be kept, the log has it."""


def new_secret() -> str:
    """A fresh secret for a cookie."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a secret: 64 hex digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class MemorySessions:
    """Sessions of a box: they end with its process."""

    def __init__(self) -> None:
        self._ends_ms: dict[str, int] = {}

    async def open(self, address: str, now_ms: int) -> str:  # noqa: ARG002 - kept by others
        """Begin a session."""
        living = [(key, end) for key, end in self._ends_ms.items() if end > now_ms]
        self._ends_ms = dict(living[-MOST_SESSIONS + 1 :])
        secret = new_secret()
        self._ends_ms[digest_of(secret)] = now_ms + SESSION_S * 1000
        return secret

    async def lives(self, secret: str, now_ms: int) -> bool:
        """Whether it has begun and not ended."""
        return self._ends_ms.get(digest_of(secret), 0) > now_ms

    async def end(self, secret: str, address: str, now_ms: int) -> None:  # noqa: ARG002 - as above
        """End it."""
        self._ends_ms.pop(digest_of(secret), None)

    async def note_guesses(self, address: str, now_ms: int) -> None:
        """The log has it; a box keeps no other record."""
