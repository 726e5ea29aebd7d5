"""Starting and stopping simulated lines: a small HTTP interface on loopback.

The city's console forwards its buttons here; ``qulink demo stop LINE`` calls it too.
"""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.demo.processes import Child, ProcessFailedError

UNKNOWN_LINE = 404
FAILED = 502


class Line:
    """A simulated line: its titles and its process."""

    def __init__(self, title_zh: str, title_en: str, child: Child, port: int) -> None:
        self.title_zh = title_zh
        self.title_en = title_en
        self.child = child
        self.port = port

    async def start(self) -> None:
        """Start the simulator and wait until it listens; harmless while it runs."""
        if not self.child.running:
            await self.child.start()
            await self.child.wait_for_port(self.port)

    async def stop(self) -> None:
        """Stop the simulator, as if the line lost its power."""
        await self.child.stop()


def build(lines: Mapping[str, Line]) -> Starlette:
    """The interface: ``GET /lines``, ``POST /lines/{id}/stop``, ``POST /lines/{id}/start``."""

    def describe(line_id: str, line: Line) -> dict[str, object]:
        return {
            "id": line_id,
            "title_zh": line.title_zh,
            "title_en": line.title_en,
            "running": line.child.running,
        }

    async def listing(_request: Request) -> JSONResponse:
        return JSONResponse([describe(line_id, line) for line_id, line in lines.items()])

    async def switch(request: Request) -> JSONResponse:
        line_id, action = request.path_params["line"], request.path_params["action"]
        line = lines.get(line_id)
        if line is None or action not in ("start", "stop"):
            return JSONResponse({"error": f"no line {line_id!r}"}, UNKNOWN_LINE)
        try:
            await (line.start() if action == "start" else line.stop())
        except ProcessFailedError as error:
            return JSONResponse({"error": str(error)}, FAILED)
        return JSONResponse(describe(line_id, line))

    return Starlette(
        routes=[
            Route("/lines", listing),
            Route("/lines/{line}/{action}", switch, methods=["POST"]),
        ]
    )
