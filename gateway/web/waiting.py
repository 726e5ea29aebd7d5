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
LATER_S = 300
"""The same where nothing is made for now."""
GIVEN_UP = "given_up"
"""The step of what is not made any more."""


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


class GivenUpError(NotYetError):
    """An answer was tried to be made some times in vain, and is not tried for a while.

    Args:
        tries: how often.
    """

    def __init__(self, tries: int) -> None:
        super().__init__(Making(0, GIVEN_UP, tries))


def answer(pages: Pages) -> Callable[[Request, Exception], Awaitable[Response]]:
    """What whoever asks too early is told: a page that comes back by itself, or one sentence."""

    async def wait(request: Request, error: Exception) -> Response:
        assert isinstance(error, NotYetError)  # noqa: S101 - it is registered for nothing else
        is_given_up = isinstance(error, GivenUpError)
        retry_s = LATER_S if is_given_up else RETRY_S
        if is_file(request) or "text/html" not in request.headers.get("accept", ""):
            key = "waiting.given_up" if is_given_up else "waiting.file"
            language = preferences(request).language
            words = text(language, key, seconds=retry_s, tries=error.making.done)
            response: Response = PlainTextResponse(f"{words}\n", 503)
        else:
            data = {"making": error.making, "retry_s": retry_s}
            response = pages.render(request, View("waiting.html", data), 503)
        response.headers["retry-after"] = str(retry_s)
        return response

    return wait
