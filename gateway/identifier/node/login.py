"""Who may ask the embedded node: logins, and the tokens that they give."""

import hmac
import logging
import secrets
from collections.abc import Callable

from starlette.requests import Request

from gateway.core.days import DAY_MS, day_of
from gateway.identifier.node import rules
from gateway.identifier.node.credentials import NodeCredentials
from gateway.identifier.node.requests import Refusal, read_body
from gateway.identifier.node.rules import Json
from gateway.identifier.password import login_password
from gateway.throttle import Throttle, site_of

log = logging.getLogger(__name__)

TOKEN_LIFE_MS = DAY_MS
MAX_TOKENS = 1_000
MAX_LOGIN_BYTES = 4 * 1024
"""Before a login nobody has a right to our memory."""


class Logins:
    """Logins of the node's only application identity.

    Args:
        credentials: user name and secret.
        now_ms: the clock, UTC milliseconds.
        clock_s: one that only runs, seconds, for pauses after wrong logins.
    """

    def __init__(
        self,
        credentials: NodeCredentials,
        now_ms: Callable[[], int],
        clock_s: Callable[[], float],
    ) -> None:
        self._credentials = credentials
        self._now_ms = now_ms
        self._clock_s = clock_s
        self._throttle = Throttle()
        self._tokens: dict[str, int] = {}

    async def plain(self, request: Request) -> Json:
        """A login with the secret itself.

        Raises:
            Refusal: it is wrong, or wrong ones came too often.
        """
        return await self._login(request, self._credentials.secret)

    async def hashed(self, request: Request) -> Json:
        """A login with the day's hash of the secret; raises as :meth:`plain` does."""
        today = day_of(self._now_ms())
        return await self._login(request, login_password(self._credentials.secret, today))

    async def _login(self, request: Request, expected: str) -> Json:
        visitor = site_of(request.client.host) if request.client else ""
        body = await read_body(request, MAX_LOGIN_BYTES)
        # Nothing is awaited from here on: of many that come together each one is counted before
        # the next is looked at.
        if self._throttle.pause_s(visitor, self._clock_s()):
            raise Refusal(rules.TOO_OFTEN)
        if not self._is_right(body, expected):
            if self._throttle.wrong(visitor, self._clock_s()):
                log.warning("node: wrong logins from %s; further ones have to wait", visitor)
            raise Refusal(rules.WRONG_LOGIN)
        self._throttle.right(visitor)
        return {"token": self._new_token()}

    def _is_right(self, body: object, expected: str) -> bool:
        given = body if isinstance(body, dict) else {}
        username, password = given.get("username", ""), given.get("password", "")
        # Both are compared in any case, so that the time does not tell which one is wrong.
        right_user = _same(str(username), self._credentials.username)
        return _same(str(password), expected) and right_user

    def _new_token(self) -> str:
        now = self._now_ms()
        living = [(token, end) for token, end in self._tokens.items() if end > now]
        self._tokens = dict(living[-MAX_TOKENS + 1 :])
        token = secrets.token_urlsafe(32)
        self._tokens[token] = now + TOKEN_LIFE_MS
        return token

    def authorise(self, request: Request) -> None:
        """Let a request with a token pass.

        Raises:
            Refusal: it has none that lives.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._tokens.get(token, 0) <= self._now_ms():
            raise Refusal(rules.NOT_LOGGED_IN, status=-1)


def _same(given: str, expected: str) -> bool:
    """Compare in constant time; JSON can hold half a surrogate pair, which is no UTF-8."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
