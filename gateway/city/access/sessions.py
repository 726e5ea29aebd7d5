"""Sessions of the city's console as rows of its database."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.access.audit import Action, note
from gateway.city.db.schema.access import console_session
from gateway.core.days import DAY_MS
from gateway.relational.database import Database, words
from gateway.web.access.store import SESSION_S, SessionsAwayError, digest_of, new_secret

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

SURE_S = 5.0
"""A session that lived so long ago still does: open pages ask every two seconds. One that is ended
at the console ends at once, one that a command ends within this time."""
KEPT_MS = 30 * DAY_MS
"""How long the row of a session that has expired is kept."""
_REMEMBERED = 1_000


class CitySessions:
    """Sessions in a city's database.

    Args:
        database: of the city.
        token: the console's: with another one all sessions end.
    """

    def __init__(self, database: Database, token: str) -> None:
        self._database = database
        self._token_digest = digest_of(token)
        self._sure_until = OrderedDict[str, float]()

    async def open(self, address: str, now_ms: int) -> str:
        """Begin a session.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        secret = new_secret()
        digests = {"digest": digest_of(secret), "token_digest": self._token_digest}
        await self._run(_open, digests, address, now_ms)
        return secret

    async def lives(self, secret: str, now_ms: int) -> bool:
        """Whether a session has begun and not ended.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        digest = digest_of(secret)
        if self._sure_until.get(digest, 0.0) > time.monotonic():
            return True
        if not await self._run(_lives, digest, self._token_digest, now_ms):
            self._sure_until.pop(digest, None)
            return False
        self._sure_until[digest] = time.monotonic() + SURE_S
        while len(self._sure_until) > _REMEMBERED:
            self._sure_until.popitem(last=False)
        return True

    async def end(self, secret: str, address: str, now_ms: int) -> None:
        """End a session.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        digest = digest_of(secret)
        self._sure_until.pop(digest, None)
        await self._run(_end, digest, address, now_ms)
        self._sure_until.pop(digest, None)  # who asked meanwhile may have been told that it lives

    async def note_guesses(self, address: str, now_ms: int) -> None:
        """Write down that somebody tries tokens."""
        try:
            await self._database.run(note, now_ms, address, Action.GUESSES)
        except SQLAlchemyError as error:
            log.error("the audit log misses wrong tokens from %s: %s", address, words(error))  # noqa: TRY400 - a fault of the place

    async def _run(
        self, function: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs
    ) -> T:
        try:
            return await self._database.run(function, *given, **named)
        except SQLAlchemyError as error:
            raise SessionsAwayError(words(error)) from error


def _open(connection: Connection, digests: Mapping[str, str], address: str, now_ms: int) -> None:
    old = console_session.c.expires_ms < now_ms - KEPT_MS
    connection.execute(delete(console_session).where(old))
    times = {"opened_ms": now_ms, "expires_ms": now_ms + SESSION_S * 1000}
    connection.execute(insert(console_session).values(**digests, **times, address=address[:64]))
    note(connection, now_ms, address, Action.LOGIN)


def _lives(connection: Connection, digest: str, token_digest: str, now_ms: int) -> bool:
    columns = console_session.c
    query = select(columns.digest).where(
        columns.digest == digest,
        columns.token_digest == token_digest,
        columns.ended_ms.is_(None),
        columns.expires_ms > now_ms,
    )
    return connection.execute(query).one_or_none() is not None


def _end(connection: Connection, digest: str, address: str, now_ms: int) -> None:
    columns = console_session.c
    living = update(console_session).where(columns.digest == digest, columns.ended_ms.is_(None))
    if connection.execute(living.values(ended_ms=now_ms)).rowcount:
        note(connection, now_ms, address, Action.LOGOUT)


def end_all(connection: Connection, who: str, now_ms: int) -> int:
    """End all sessions, and write that down; returns how many there were."""
    columns = console_session.c
    living = update(console_session).where(columns.ended_ms.is_(None), columns.expires_ms > now_ms)
    ended = connection.execute(living.values(ended_ms=now_ms)).rowcount
    note(connection, now_ms, who, Action.SESSIONS_ENDED, detail=str(ended))
    return ended
