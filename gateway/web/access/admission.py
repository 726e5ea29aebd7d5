"""Who is let in: by a token, or by a session that a login has opened; guesses are slowed."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request

from edge_config.models.base import ConsoleConfig
from gateway.throttle import Throttle, site_of
from gateway.web.access import sessions
from gateway.web.access.store import Sessions, Tokens

log = logging.getLogger(__name__)

StillAdmitted = Callable[[], Awaitable[object]]
"""Who asks, now; None: nobody who may look any more."""
_KEY = "qulink.still_admitted"
"""Where an ASGI scope says how to ask whether its visitor may still look."""
_VISITOR = "qulink.visitor"
"""Where an ASGI scope says who its visitor is."""


def system_ms() -> int:
    """The system clock, UTC milliseconds."""
    return time.time_ns() // 1_000_000


class TooManyGuessesError(Exception):
    """Wrong secrets came from this visitor; ``wait_s`` is how long none is looked at."""

    def __init__(self, wait_s: float) -> None:
        super().__init__()
        self.wait_s = math.ceil(wait_s)


@dataclass(slots=True)
class Admission:
    """Decides about visitors.

    Attributes:
        token: the console's; None: there is none.
        cookie: name of the cookie that holds a session's secret.
        kept: the sessions.
        holder: who a visitor is by the token, or without any login: what views are to know of it.
        now_ms: the clock, UTC milliseconds.
        clock_s: one that only runs, seconds.
        tokens: of programs; None: nobody has any.
    """

    token: str | None
    cookie: str
    kept: Sessions
    holder: object = True
    now_ms: Callable[[], int] = system_ms
    clock_s: Callable[[], float] = time.monotonic
    tokens: Tokens | None = None
    _throttle: Throttle = field(default_factory=Throttle)
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def has_login(self) -> bool:
        """Whether visitors must show who they are."""
        return self.token is not None or self.kept.is_by_name

    async def admits(self, request: Request) -> bool:
        """Whether a request shows the token or a session; sets who asks, how a stream asks again.

        Raises:
            SessionsAwayError: nobody can say whether its session lives.
            TokenEndedError: it shows a token of somebody that holds no more.
            TooManyGuessesError: it shows a token, and too many wrong ones came before.
        """
        request.scope[_VISITOR] = visitor = await self._visitor(request)
        return visitor is not None

    async def _visitor(self, request: Request) -> object | None:
        if not self.has_login:
            return self.holder
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._bearer(request, bearer.strip())
        secret = request.cookies.get(self.cookie, "")
        if not secret:
            return None
        request.scope[_KEY] = lambda: self.kept.visitor(secret, self.now_ms())
        return await self.kept.visitor(secret, self.now_ms())

    async def _bearer(self, request: Request, given: str) -> object | None:
        if self.tokens is None or not self.tokens.is_one(given):
            return self.holder if await self.is_token(request, given) else None
        if not self.tokens.opens(request.scope["path"]):
            return None
        visitor, tokens = site_of(address_of(request)), self.tokens
        self._demand_patience(visitor)
        found = await tokens.holder(given)
        if found is None:
            await self._count_wrong(visitor, visitor, "")
        else:
            self._throttle.right(visitor)
            request.scope[_KEY] = lambda: tokens.holder(given)
        return found

    async def is_token(self, request: Request, given: str) -> bool:
        """Whether a text is the token; a wrong one is counted against who sent it.

        Raises:
            TooManyGuessesError: too many wrong ones came before; this one was not looked at.
        """
        visitor = site_of(address_of(request))
        self._demand_patience(visitor)
        if self.token is not None and sessions.same(given, self.token):
            self._throttle.right(visitor)
            return True
        await self._count_wrong(visitor, visitor, "")
        return False

    async def log_in(self, request: Request, name: str, password: str) -> str | None:
        """Begin a session of a user; gives its cookie, None for a wrong name or password.

        One attempt is looked at after the other: many that come at the same moment are counted
        before the next is.

        Raises:
            SessionsAwayError: it cannot be kept.
            TooManyGuessesError: too many wrong ones came before, from there or for that name.
        """
        visitor, user = site_of(address_of(request)), f"user {name.casefold()}"
        async with self._one_by_one:
            self._demand_patience(visitor, user)
            secret = await self.kept.log_in(name, password, address_of(request), self.now_ms())
            for guesser in (visitor, user):
                if secret is not None:
                    self._throttle.right(guesser)
                else:
                    await self._count_wrong(guesser, visitor, name)
        return secret

    def _demand_patience(self, *guessers: str) -> None:
        wait_s = max(self._throttle.pause_s(one, self.clock_s()) for one in guessers)
        if wait_s:
            raise TooManyGuessesError(wait_s)

    async def _count_wrong(self, guesser: str, visitor: str, name: str) -> None:
        if self._throttle.wrong(guesser, self.clock_s()):
            what = "logins" if name else "tokens"
            log.warning("console: wrong %s from %s; further ones have to wait", what, visitor)
            await self.kept.note_guesses(visitor, self.now_ms(), name)

    async def open(self, request: Request) -> str:
        """Begin a session for who has shown the token; gives its cookie.

        Raises:
            SessionsAwayError: it cannot be kept.
        """
        return await self.kept.open(address_of(request), self.now_ms())

    async def end(self, request: Request) -> None:
        """End the session of a request.

        Raises:
            SessionsAwayError: that cannot be kept.
        """
        secret = request.cookies.get(self.cookie, "")
        if secret:
            await self.kept.end(secret, address_of(request), self.now_ms())


def admission(
    console: ConsoleConfig, kept: Sessions, holder: object, tokens: Tokens | None = None
) -> Admission:
    """The admission of a console; its token is read once, here.

    Raises:
        SecretUnavailableError: the token cannot be read, or is too short.
    """
    cookie = sessions.session_cookie(console.listen)
    return Admission(console.access_token(), cookie, kept, holder, tokens=tokens)


def address_of(request: Request) -> str:
    """Who asks, by network address; empty if the server does not know."""
    return request.client.host if request.client else ""


def visitor_of(request: Request) -> object:
    """Who asks, as :class:`Admission` found it; None: on an open page nobody has been asked."""
    return request.scope.get(_VISITOR)


async def still_admitted(request: Request) -> bool:
    """Whether who opened a stream may still look: its session may have ended meanwhile."""
    ask: StillAdmitted | None = request.scope.get(_KEY)
    return ask is None or await ask() is not None
