"""The demonstration's switch for its lines."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.city.console.app import build
from tests.console.conftest import served
from tests.console.http import get, post
from tests.console.town import town


class Lines:
    """What the demonstration offers: lines that start and stop."""

    def __init__(self) -> None:
        self.running = {"bearing": True, "doors": True}

    async def list(self, _request: Request) -> Response:
        return JSONResponse(
            [
                {"id": name, "title_zh": f"{name} 线", "title_en": name, "running": on}
                for name, on in self.running.items()
            ]
        )

    async def change(self, request: Request) -> Response:
        name = request.path_params["line"]
        if name not in self.running:
            return Response(status_code=404)
        self.running[name] = request.path_params["action"] == "start"
        return Response(status_code=204)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/lines", self.list),
                Route("/lines/{line}/{action}", self.change, methods=["POST"]),
            ]
        )


@contextlib.asynccontextmanager
async def demonstration(folder: Path) -> AsyncIterator[tuple[Lines, str]]:
    """A console whose demonstration can be switched."""
    lines = Lines()
    async with (
        served(lines.app()) as control,
        town(folder, control=control) as made,
        served(build(made.context)) as base,
    ):
        yield lines, base


async def test_a_line_is_stopped_by_the_page(tmp_path: Path) -> None:
    async with demonstration(tmp_path) as (lines, base):
        page = await get(f"{base}/?lang=zh")
        assert "bearing 线" in page.text
        csrf = page.cookies["qulink_csrf"]
        cookies = {"cookie": f"qulink_csrf={csrf}"}
        stop = f"{base}/demo/lines/bearing/stop"
        assert (await post(stop, {}, headers=cookies)).status_code == 403
        assert (await post(stop, {"csrf": csrf})).status_code == 403
        assert lines.running["bearing"]
        stopped = await post(stop, {"csrf": csrf}, headers=cookies)
        assert (stopped.status_code, stopped.headers["location"]) == (303, "/#line-bearing")
        assert not lines.running["bearing"]
        unknown = f"{base}/demo/lines/unknown/stop"
        assert (await post(unknown, {"csrf": csrf}, headers=cookies)).status_code == 404
        strange = f"{base}/demo/lines/bearing/explode"
        assert (await post(strange, {"csrf": csrf}, headers=cookies)).status_code == 404


async def test_a_demonstration_that_does_not_answer(tmp_path: Path) -> None:
    async with (
        town(tmp_path, control="http://127.0.0.1:9") as made,
        served(build(made.context)) as base,
    ):
        page = await get(f"{base}/?lang=zh")
        assert page.status_code == 200
        csrf = page.cookies["qulink_csrf"]
        cookies = {"cookie": f"qulink_csrf={csrf}"}
        answer = await post(f"{base}/demo/lines/x/stop", {"csrf": csrf}, headers=cookies)
        assert answer.status_code == 502
