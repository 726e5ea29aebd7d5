"""Whether who sits before a session is its user: the password is asked for again."""

import asyncio
import time
from collections.abc import Callable

from gateway.city.access import users
from gateway.city.access.password_rules import normal
from gateway.city.console.context import ConsoleContext
from gateway.throttle import Throttle
from gateway.web.access.passwords import is_password


class Proving:
    """Asks; a session that somebody left open is no place to guess passwords at.

    Args:
        context: of the console.
        clock_s: one that only runs, seconds.
    """

    def __init__(
        self, context: ConsoleContext, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._context = context
        self._clock_s = clock_s
        self._throttle = Throttle()
        self._one_by_one = asyncio.Lock()

    async def problem(self, name: str, given: str) -> str | None:
        """Why what was typed proves nothing, a key of the catalogue's ``password``; None: it does.

        Args:
            name: of the user whose session it is.
            given: the password, as it was typed.
        """
        async with self._one_by_one:
            if self._throttle.pause_s(name, self._clock_s()):
                return "patience"
            kept = await self._context.database.read(users.password_of, name)
            if await asyncio.to_thread(is_password, normal(given), kept):
                self._throttle.right(name)
                return None
            self._throttle.wrong(name, self._clock_s())
            return "current"
