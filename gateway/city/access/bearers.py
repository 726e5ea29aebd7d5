"""API tokens at the door: looked up in the city's database, and for a moment remembered."""

import time
from collections import OrderedDict
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from gateway.city.access import tokens
from gateway.city.access.principal import Principal
from gateway.city.access.sessions import SURE_S
from gateway.city.access.tokens import Shown, State
from gateway.core.days import SHANGHAI
from gateway.relational.database import Database, words
from gateway.web.access.store import SessionsAwayError, TokenEndedError, digest_of
from gateway.web.formats import moment

OPENS = "/api/"
"""A token opens addresses below it and no page: pages show more than a token is made for."""
_REMEMBERED = 1_000


class CityTokens:
    """API tokens of a city's users.

    Args:
        database: of the city.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(self, database: Database, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._now_ms = now_ms
        self._sure = OrderedDict[str, tuple[Shown, float]]()

    def is_one(self, text: str) -> bool:
        """Whether a text has the form of a token."""
        return tokens.is_token(text)

    def opens(self, path: str) -> bool:
        """Whether an address may be asked for by a token at all."""
        return path.startswith(OPENS)

    async def holder(self, text: str) -> Principal | None:
        """Who asks by a token; None: it is none of ours.

        Raises:
            SessionsAwayError: the database does not answer.
            TokenEndedError: it is one, and holds no more.
        """
        digest, now_ms = digest_of(text), self._now_ms()
        found, until_s = self._sure.get(digest, (None, 0.0))
        if found is None or until_s <= time.monotonic():
            found = await self._found(text, now_ms)
            if found is None:
                return None
            self._remember(digest, found)
        if found.state is State.HOLDS and found.until_ms > now_ms:
            return found.principal
        raise TokenEndedError(_why(found))

    def doubt(self) -> None:
        """Look at every token anew: some have ended, or their users have changed."""
        self._sure.clear()

    async def _found(self, text: str, now_ms: int) -> Shown | None:
        try:
            return await self._database.run(tokens.shown, text, now_ms)
        except SQLAlchemyError as error:
            raise SessionsAwayError(words(error)) from error

    def _remember(self, digest: str, found: Shown) -> None:
        self._sure[digest] = (found, time.monotonic() + SURE_S)
        while len(self._sure) > _REMEMBERED:
            self._sure.popitem(last=False)


def _why(found: Shown) -> str:
    if found.state is State.REVOKED:
        return "this token was revoked"
    if found.state is State.EMPTY:
        return "the user of this token may nothing of what it was made for any more"
    return f"this token expired on {moment(found.until_ms)} ({SHANGHAI})"
