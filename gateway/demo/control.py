"""Starting and stopping simulated lines: a small HTTP interface on loopback.

The city's console forwards its buttons here; ``qulink demo stop LINE`` calls it too.
"""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.demo.cast import Line
from gateway.demo.processes import Child

UNKNOWN_LINE = 404


def build(lines: Mapping[str, Line], simulators: Mapping[str, Child]) -> Starlette:
    """The interface: ``GET /lines``, ``POST /lines/{id}/stop``, ``POST /lines/{id}/start``.

    Args:
        lines: simulated lines by id.
        simulators: the process of each; to stop one is as if the line lost its power.
    """

    def describe(line: Line) -> dict[str, object]:
        return {
            "id": line.id,
            "title_zh": line.title_zh,
            "title_en": line.title_en,
            "running": simulators[line.id].running,
        }

    async def listing(_request: Request) -> JSONResponse:
        return JSONResponse([describe(line) for line in lines.values()])

    async def switch(request: Request) -> JSONResponse:
        line_id, action = request.path_params["line"], request.path_params["action"]
        if line_id not in lines or action not in ("start", "stop"):
            return JSONResponse({"error": f"no line {line_id!r}"}, UNKNOWN_LINE)
        simulator = simulators[line_id]
        # Without waiting for it to answer: the console must not hang on a line that does not start.
        await (simulator.spawn() if action == "start" else simulator.stop(timeout_s=0))
        return JSONResponse(describe(lines[line_id]))

    return Starlette(
        routes=[
            Route("/lines", listing),
            Route("/lines/{line}/{action}", switch, methods=["POST"]),
        ]
    )
