"""Sessions of the city's console as rows of its database."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.access import users
from gateway.city.access.audit import Action, note
from gateway.city.access.password_rules import normal
from gateway.city.access.principal import Principal
from gateway.city.db.schema.access import console_session
from gateway.core.days import DAY_MS
from gateway.relational.database import Database, words
from gateway.web.access.passwords import is_password
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
_NO_TOKEN = ""


class CitySessions:
    """Sessions in a city's database.

    Args:
        database: of the city.
        token: the console's: with another one the sessions that it has opened end; None: it has
            none.
        holder: who has shown the token.
        is_by_name: people log in by name and password.
    """

    def __init__(
        self, database: Database, token: str | None, holder: Principal, *, is_by_name: bool
    ) -> None:
        self.is_by_name = is_by_name
        self._database = database
        self._token_digest = _NO_TOKEN if token is None else digest_of(token)
        self._holder = holder
        self._sure = OrderedDict[str, tuple[Principal, float]]()

    async def open(self, address: str, now_ms: int) -> str:
        """Begin a session of who has shown the token.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        secret = new_secret()
        digests = {"digest": digest_of(secret), "token_digest": self._token_digest}
        await self._run(_open, digests, address, now_ms)
        return secret

    async def log_in(self, name: str, password: str, address: str, now_ms: int) -> str | None:
        """Begin a session of a user; None: name or password is wrong.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        if not name.isprintable():  # PostgreSQL takes neither a zero nor half a character
            name = ""
        hashed = await self._run(users.password_of, name)
        if not await asyncio.to_thread(is_password, normal(password), hashed):
            return None
        secret = new_secret()
        digests = {"digest": digest_of(secret), "token_digest": _NO_TOKEN}
        # The password may have been taken away meanwhile.
        opened = await self._run(_open_of_user, digests, address, now_ms, name, hashed)
        return secret if opened else None

    async def open_outside(self, name: str, address: str, now_ms: int) -> str:
        """Begin a session of a user whom a provider has named.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        secret = new_secret()
        digests = {"digest": digest_of(secret), "token_digest": _NO_TOKEN, "user_name": name}
        await self._run(_open_outside, digests, address, now_ms)
        return secret

    async def enter(self, name: str, address: str, now_ms: int) -> str | None:
        """Begin a session of a user who shows nothing: for the buttons of a demonstration alone.

        Returns:
            The secret for its cookie; None: there is no such user, or one with a password.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        secret = new_secret()
        digests = {"digest": digest_of(secret), "token_digest": _NO_TOKEN}
        opened = await self._run(_open_of_guest, digests, address, now_ms, name)
        return secret if opened else None

    async def visitor(self, secret: str, now_ms: int) -> Principal | None:
        """Whose session it is; None: it has not begun, or has ended.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        digest = digest_of(secret)
        known, until_s = self._sure.get(digest, (None, 0.0))
        if until_s > time.monotonic():
            return known
        who = await self._run(_visitor, digest, self._token_digest, self._holder, now_ms)
        if who is None:
            self._sure.pop(digest, None)
            return None
        self._sure[digest] = (who, time.monotonic() + SURE_S)
        while len(self._sure) > _REMEMBERED:
            self._sure.popitem(last=False)
        return who

    def doubt(self) -> None:
        """Look at every session anew: some have ended, or their users have changed."""
        self._sure.clear()

    async def end(self, secret: str, address: str, now_ms: int) -> None:
        """End a session.

        Raises:
            SessionsAwayError: the database does not answer.
        """
        digest = digest_of(secret)
        self._sure.pop(digest, None)
        await self._run(_end, digest, address, now_ms)
        self._sure.pop(digest, None)  # who asked meanwhile may have been told that it lives

    async def note_guesses(self, address: str, now_ms: int, name: str = "") -> None:
        """Write down that somebody tries tokens, or passwords of a name."""
        try:
            await self._database.run(_note_guesses, address, now_ms, name)
        except SQLAlchemyError as error:
            log.error("the audit log misses wrong logins from %s: %s", address, words(error))  # noqa: TRY400 - a fault of the place

    async def _run(
        self, function: Callable[Concatenate[Connection, P], T], *given: P.args, **named: P.kwargs
    ) -> T:
        try:
            return await self._database.run(function, *given, **named)
        except SQLAlchemyError as error:
            raise SessionsAwayError(words(error)) from error


def _open(connection: Connection, digests: Mapping[str, str], address: str, now_ms: int) -> None:
    _insert(connection, digests, address, now_ms)
    note(connection, now_ms, address, Action.LOGIN)


def _open_of_user(
    connection: Connection,
    digests: Mapping[str, str],
    address: str,
    now_ms: int,
    name: str,
    hashed: str,
) -> bool:
    """Begin a session; False: the user's password is another one now."""
    if users.password_of(connection, name) != hashed:
        return False
    _insert(connection, {**digests, "user_name": name}, address, now_ms)
    note(connection, now_ms, name, Action.LOGIN, detail=address)
    return True


def _open_outside(
    connection: Connection, digests: Mapping[str, str], address: str, now_ms: int
) -> None:
    _insert(connection, digests, address, now_ms)
    note(connection, now_ms, digests["user_name"], Action.LOGIN, detail=f"{address} oidc")


def _open_of_guest(
    connection: Connection, digests: Mapping[str, str], address: str, now_ms: int, name: str
) -> bool:
    """Begin a session of a user without a password; False: there is none of that name."""
    user = users.find(connection, name)
    if user is None or user.disabled_ms is not None or not user.is_invited:
        return False
    _insert(connection, {**digests, "user_name": name}, address, now_ms)
    note(connection, now_ms, name, Action.LOGIN, detail=address)
    return True


def _insert(connection: Connection, row: Mapping[str, str], address: str, now_ms: int) -> None:
    old = console_session.c.expires_ms < now_ms - KEPT_MS
    connection.execute(delete(console_session).where(old))
    times = {"opened_ms": now_ms, "expires_ms": now_ms + SESSION_S * 1000}
    connection.execute(insert(console_session).values(**row, **times, address=address[:64]))


def _note_guesses(connection: Connection, address: str, now_ms: int, name: str) -> None:
    # A name that is none may be a password that was typed into the wrong field.
    known = name if name and users.find(connection, name) is not None else ""
    note(connection, now_ms, address, Action.GUESSES, known)


def _visitor(
    connection: Connection, digest: str, token_digest: str, holder: Principal, now_ms: int
) -> Principal | None:
    """Whose session lives: a user's, or the token holder's; None: it does not."""
    columns = console_session.c
    query = select(columns.token_digest, columns.user_name).where(
        columns.digest == digest, columns.ended_ms.is_(None), columns.expires_ms > now_ms
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.user_name is None:
        return holder if row.token_digest == token_digest != _NO_TOKEN else None
    user = users.find(connection, row.user_name)
    return user.principal if user is not None and user.disabled_ms is None else None


def _end(connection: Connection, digest: str, address: str, now_ms: int) -> None:
    columns = console_session.c
    own = columns.digest == digest
    living = update(console_session).where(own, columns.ended_ms.is_(None))
    if connection.execute(living.values(ended_ms=now_ms)).rowcount:
        name = connection.scalar(select(columns.user_name).where(own))
        note(connection, now_ms, name or address, Action.LOGOUT, detail=address if name else "")


def end_all(connection: Connection, who: str, now_ms: int) -> int:
    """End all sessions, and write that down; returns how many there were."""
    columns = console_session.c
    living = update(console_session).where(columns.ended_ms.is_(None), columns.expires_ms > now_ms)
    ended = connection.execute(living.values(ended_ms=now_ms)).rowcount
    note(connection, now_ms, who, Action.SESSIONS_ENDED, detail=str(ended))
    return ended
