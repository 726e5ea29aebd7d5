"""A test of a device's connection, layer by layer: which one fails, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.edge.control.testing import FindingNow, tested
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.live.console.tools import Results, Tools
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View


@dataclass(frozen=True, slots=True)
class Test:
    """One test, as far as it has come.

    Attributes:
        findings: of the steps that are over.
    """

    findings: list[FindingNow] = field(default_factory=list)


class TestingPage:
    """The page; the last test of a device stays on it for a while.

    Args:
        tools: the devices.
        now_ms: the gateway's clock.
    """

    def __init__(self, tools: Tools, now_ms: Callable[[], int]) -> None:
        self._tools = tools
        self._now_ms = now_ms
        self._running: dict[str, Test] = {}
        self._done = Results[Test](now_ms)

    def routes(self, pages: Pages) -> list[Route]:
        """Its addresses: a form tests, the page shows what was found."""
        path = "/devices/{device}/test"
        return [
            Route(path, pages.endpoint(self.view), methods=["GET"]),
            Route(path, self.test, methods=["POST"]),
        ]

    async def view(self, request: Request) -> View:
        """What the test that runs has found by now, or the last one."""
        runtime = self._tools.demand(request)
        device = runtime.record.id
        running, done = self._running.get(device), self._done.of(device)
        data = {
            "device": runtime.record,
            "tabs": self._tools.tabs(runtime),
            "done": done if running is None else None,
            "test": running or (done.result if done else None),
        }
        return View("test.html", data, ("test",), 0.5)

    async def test(self, request: Request) -> Response:
        """Begin to test it, over its session if there is one; the page shows how it goes on."""
        await form_of(request)
        runtime = self._tools.demand(request)
        response = RedirectResponse(f"/devices/{runtime.record.id}/test", 303)
        if runtime.record.id not in self._running:
            test = self._running[runtime.record.id] = Test()
            response.background = BackgroundTask(self._follow, runtime, test)
        return response

    async def _follow(self, runtime: DeviceRuntime, test: Test) -> None:
        device = runtime.record.id
        try:
            await self._done.keep(device, self._tested(runtime, test))
        finally:
            del self._running[device]

    async def _tested(self, runtime: DeviceRuntime, test: Test) -> Test:
        async for finding in tested(runtime, self._now_ms):
            test.findings.append(finding)
        return test
