"""What a page says while something that it shows is made for the first time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.web.i18n import text
from gateway.web.pages import Pages, View, preferences
from gateway.web.tables import is_file

RETRY_S = 3
"""When whoever was told to wait is to ask again."""


@dataclass(frozen=True, slots=True)
class Making:
    """How far the work is that a page waits for.

    Attributes:
        since_ms: when it was begun, UTC milliseconds.
        step: what is done now: a key of the catalogue's table ``waiting``.
        done: how much of the step.
        total: of how much; 0: that is not known.
    """

    since_ms: int
    step: str = "page"
    done: int = 0
    total: int = 0


class NotYetError(Exception):
    """An answer is being made for the first time, and takes longer than a visitor waits.

    Args:
        making: how far it is.
    """

    def __init__(self, making: Making) -> None:
        super().__init__(f"not yet made: {making.step}, {making.done} of {making.total}")
        self.making = making


def answer(pages: Pages) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What whoever asks too early is told: a page that comes back by itself, or one sentence."""

    async def wait(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotYetError)  # noqa: S101 - it is registered for nothing else
        if is_file(request) or "text/html" not in request.headers.get("accept", ""):
            words = text(preferences(request).language, "waiting.file", seconds=RETRY_S)
            response: Response = PlainTextResponse(f"{words}\n", 503)
        else:
            data = {"making": error.making, "retry_s": RETRY_S}
            response = pages.render(request, View("waiting.html", data), 503)
        response.headers["retry-after"] = str(RETRY_S)
        return response

    return wait
