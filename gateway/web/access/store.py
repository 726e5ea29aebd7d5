"""Sessions of a console: who has shown the token, until when, and that it has ended.

A cookie holds a random secret of its own for each login; what is kept of it is a hash, so that
nobody who reads the table or the memory can use it.
"""

import hashlib
import secrets
from typing import Protocol

SESSION_S = 12 * 3600


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


class NoSessions:
    """Of a console without a token: nobody logs in."""

    async def open(self, address: str, now_ms: int) -> str:  # noqa: ARG002 - as the others
        """There is nothing to show for one.

        Raises:
            SessionsAwayError: always.
        """
        raise SessionsAwayError("a console without a token has no sessions")

    async def lives(self, secret: str, now_ms: int) -> bool:  # noqa: ARG002 - there is none
        """Never."""
        return False

    async def end(self, secret: str, address: str, now_ms: int) -> None:
        """There is none."""

    async def note_guesses(self, address: str, now_ms: int) -> None:
        """There is nothing to guess."""
