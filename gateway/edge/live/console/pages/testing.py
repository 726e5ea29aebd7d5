"""A test of a device's connection, layer by layer: which one fails, and what to do."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.edge.control.testing import FindingNow, tested
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.live.console.tools import Results, Tools
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View


class TestingPage:
    """The page; the last test of a device stays on it for a while.

    Args:
        tools: the devices.
        now_ms: the gateway's clock.
    """

    def __init__(self, tools: Tools, now_ms: Callable[[], int]) -> None:
        self._tools = tools
        self._now_ms = now_ms
        self._done = Results[list[FindingNow]](now_ms)

    def routes(self, pages: Pages) -> list[Route]:
        """Its addresses: a form tests, the page shows what was found."""
        path = "/devices/{device}/test"
        return [
            Route(path, pages.endpoint(self.view), methods=["GET"]),
            Route(path, self.test, methods=["POST"]),
        ]

    async def view(self, request: Request) -> View:
        """What the last test has found."""
        runtime = self._tools.demand(request)
        data = {
            "device": runtime.record,
            "tabs": self._tools.tabs(runtime),
            "done": self._done.of(runtime.record.id),
        }
        return View("test.html", data)

    async def test(self, request: Request) -> Response:
        """Test it now, over its session if there is one."""
        await form_of(request)
        runtime = self._tools.demand(request)
        await self._done.keep(runtime.record.id, self._found(runtime))
        return RedirectResponse(f"/devices/{runtime.record.id}/test", 303)

    async def _found(self, runtime: DeviceRuntime) -> list[FindingNow]:
        return [one async for one in tested(runtime, self._now_ms)]
