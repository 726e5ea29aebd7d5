"""Logins over HTTP, and the tokens that they give."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from weakref import WeakValueDictionary

from sqlalchemy import Connection
from starlette.requests import Request

from gateway.core.days import DAY_MS, day_of
from gateway.identifier.node import rules
from gateway.identifier.node.http.requests import Refusal, read_body
from gateway.identifier.node.keeping import audit, secrets, users
from gateway.identifier.node.keeping.audit import Action
from gateway.identifier.node.rights.principal import NOBODY, Principal, principal_of
from gateway.identifier.node.rules import Json
from gateway.identifier.password import travelling
from gateway.relational.database import Database
from gateway.throttle import Throttle, site_of
from gateway.web.access.passwords import is_password

log = logging.getLogger(__name__)

TOKEN_LIFE_MS = DAY_MS
MAX_LOGIN_BYTES = 4 * 1024
"""Before a login nobody has a right to our memory."""
_ABSENT = secrets.digest_of(secrets.new_secret())
"""Compared with where there is no such application, so that the time does not tell it."""


class Logins:
    """Logins of applications, and of people by their passwords.

    Args:
        database: of the node.
        now_ms: the clock, UTC milliseconds.
        clock_s: one that only runs, seconds, for pauses after wrong logins.
    """

    def __init__(
        self, database: Database, now_ms: Callable[[], int], clock_s: Callable[[], float]
    ) -> None:
        self._database = database
        self._now_ms = now_ms
        self._clock_s = clock_s
        self._throttle = Throttle()
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    async def plain(self, request: Request) -> Json:
        """A login with the secret or the password itself.

        Raises:
            Refusal: it is wrong, or wrong ones came too often.
        """
        return await self._login(request, _by_plain)

    async def hashed(self, request: Request) -> Json:
        """A login with the day's hash of an application's secret; raises as :meth:`plain` does."""
        today = day_of(self._now_ms()).isoformat()
        return await self._login(
            request,
            lambda connection, name, password: _by_hash(connection, name, password, today),
        )

    async def _login(
        self, request: Request, user_by: Callable[[Connection, str, str], str | None]
    ) -> Json:
        body = await read_body(request, MAX_LOGIN_BYTES)
        given = body if isinstance(body, dict) else {}
        name, password = str(given.get("username", "")), str(given.get("password", ""))
        return {"token": await self._entered(request, user_by, name, password)}

    async def by_password(self, request: Request, name: str, password: str) -> str:
        """The token of a person who logs in; raises as :meth:`plain` does."""
        return await self._entered(request, _by_password, name, password)

    async def _entered(
        self,
        request: Request,
        user_by: Callable[[Connection, str, str], str | None],
        name: str,
        password: str,
    ) -> str:
        visitor = site_of(request.client.host) if request.client else ""
        # Of many that come together each one is counted before the next is looked at.
        lock = self._locks.setdefault(visitor, asyncio.Lock())
        async with lock:
            if self._throttle.pause_s(visitor, self._clock_s()):
                raise Refusal(rules.TOO_OFTEN)
            token = await self._database.run(self._token, user_by, name, password, visitor)
            if token is None:
                await self._count_wrong(visitor)
                raise Refusal(rules.WRONG_LOGIN)
            self._throttle.right(visitor)
        return token

    async def _count_wrong(self, visitor: str) -> None:
        if self._throttle.wrong(visitor, self._clock_s()):
            log.warning("node: wrong logins from %s; further ones have to wait", visitor)
            await self._database.run(
                audit.note, self._now_ms(), visitor, Action.GUESSES, "", "further ones have to wait"
            )

    def _token(
        self,
        connection: Connection,
        user_by: Callable[[Connection, str, str], str | None],
        name: str,
        password: str,
        visitor: str,
    ) -> str | None:
        user = user_by(connection, name, password) if _can_be_name(name) else None
        if user is None:
            return None
        now_ms = self._now_ms()
        audit.note(connection, now_ms, user, Action.LOGIN, name, visitor)
        return users.new_token(connection, user, now_ms, now_ms + TOKEN_LIFE_MS)

    async def authorise(self, request: Request) -> str:
        """The token of a request.

        Raises:
            Refusal: it has none that lives.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            who = await self._database.read(known_by, token, self._now_ms())
            if who is not NOBODY:
                return token
        raise Refusal(rules.NOT_LOGGED_IN, status=-1)


def known_by(connection: Connection, token: str, now_ms: int) -> Principal:
    """Who is known by a token; :data:`NOBODY` if it does not live."""
    return principal_of(connection, users.token_user(connection, token, now_ms))


def _can_be_name(name: str) -> bool:
    """PostgreSQL takes neither a zero nor half a character."""
    return name.isprintable()


def _by_hash(connection: Connection, name: str, password: str, today: str) -> str | None:
    user, digest = users.credential_of(connection, name) or (None, _ABSENT)
    return user if _same(password, travelling(digest, today)) else None


def _by_plain(connection: Connection, name: str, password: str) -> str | None:
    user, digest = users.credential_of(connection, name) or (None, _ABSENT)
    if _same(secrets.digest_of(password), digest):
        return user
    return _by_password(connection, name, password)


def _by_password(connection: Connection, name: str, password: str) -> str | None:
    return name if is_password(password, users.password_of(connection, name)) else None


def _same(given: str, expected: str) -> bool:
    """Compare in constant time; JSON can hold half a surrogate pair, which is no UTF-8."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
