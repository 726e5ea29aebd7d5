"""Sessions of a console: who has logged in, until when, and that it has ended.

A cookie holds a random secret of its own for each login; what is kept of it is a hash, so that
nobody who reads the table or the memory can use it.
"""

import hashlib
import secrets
from typing import Protocol

SESSION_S = 12 * 3600


class SessionsAwayError(Exception):
    """Nobody can say whether a session lives: what keeps them does not answer."""


class TokenEndedError(Exception):
    """A token of somebody was shown, and holds no more; the message says why."""


class Tokens(Protocol):
    """Secrets of programs, which ask in the name of somebody for some addresses only."""

    def is_one(self, text: str) -> bool:
        """Whether a text has the form of a token."""

    def opens(self, path: str) -> bool:
        """Whether an address may be asked for by a token at all."""

    async def holder(self, text: str) -> object | None:
        """Who asks by a token, as views are to know it; None: it is none.

        Raises:
            SessionsAwayError: that cannot be known now.
            TokenEndedError: it is one, and holds no more.
        """


class Sessions(Protocol):
    """Where the sessions of a console are kept."""

    is_by_name: bool
    """Whether people log in by name and password, and not by the console's token."""

    async def open(self, address: str, now_ms: int) -> str:
        """Begin a session of who has shown the token; gives the secret for its cookie.

        Raises:
            SessionsAwayError: it cannot be kept.
        """

    async def log_in(self, name: str, password: str, address: str, now_ms: int) -> str | None:
        """Begin a session of a user; gives the secret for its cookie.

        Returns:
            None: name or password is wrong; it takes as long to say so.

        Raises:
            SessionsAwayError: it cannot be kept.
        """

    async def visitor(self, secret: str, now_ms: int) -> object | None:
        """Whose session it is, as views are to know it; None: it has not begun, or has ended.

        Raises:
            SessionsAwayError: that cannot be known now.
        """

    async def end(self, secret: str, address: str, now_ms: int) -> None:
        """End a session, if there is one.

        Raises:
            SessionsAwayError: that cannot be kept.
        """

    async def note_guesses(self, address: str, now_ms: int, name: str = "") -> None:
        """Keep that somebody tries tokens, or passwords of a name; else the log has it."""


def new_secret() -> str:
    """A fresh secret for a cookie."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a secret: 64 hex digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class NoSessions:
    """Of a console without a login: nobody logs in."""

    is_by_name = False

    async def open(self, address: str, now_ms: int) -> str:  # noqa: ARG002 - as the others
        """There is nothing to show for one.

        Raises:
            SessionsAwayError: always.
        """
        raise SessionsAwayError("a console without a login has no sessions")

    async def log_in(self, name: str, password: str, address: str, now_ms: int) -> None:
        """Nobody is known."""

    async def visitor(self, secret: str, now_ms: int) -> None:
        """Nobody."""

    async def end(self, secret: str, address: str, now_ms: int) -> None:
        """There is none."""

    async def note_guesses(self, address: str, now_ms: int, name: str = "") -> None:
        """There is nothing to guess."""
