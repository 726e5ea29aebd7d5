"""Pages that fail are logged once when it begins and once when it is over.

Open pages ask again every few seconds, so a database that is away would fill the log.
"""

import logging

from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)


class Faults:
    """ASGI middleware that logs what a page did not foresee.

    Args:
        app: the pages.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._failing: set[object] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an error goes on to whoever answers for it."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._begin(scope, error)
            raise
        self._end(scope)

    def _begin(self, scope: Scope, error: Exception) -> None:
        page = scope.get("endpoint")
        if page not in self._failing:
            self._failing.add(page)
            logger.error("console: page %r failed", scope["path"], exc_info=error)

    def _end(self, scope: Scope) -> None:
        page = scope.get("endpoint")
        if page in self._failing:
            self._failing.remove(page)
            logger.info("console: page %r works again", scope["path"])
