"""How many requests are worked at: more are refused at once, with room kept for ``/healthz``."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_REQUESTS = 200
"""Requests and streams of updates that are answered at a time."""
MOST_CHECKS = 20
"""Further ones for :data:`HEALTH`: a watchdog must not take a crowd for a fault."""
HEALTH = "/healthz"


class Load:
    """ASGI middleware that refuses what would be too much at a time.

    Args:
        app: what answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        most = MOST_REQUESTS + (MOST_CHECKS if scope.get("path") == HEALTH else 0)
        if self._requests >= most:
            busy = PlainTextResponse("too many requests at a time\n", 503, {"retry-after": "5"})
            await busy(scope, receive, send)
            return
        self._requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1
