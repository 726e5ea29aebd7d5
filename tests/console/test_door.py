"""With the door of publication shut, no page, file, picture or answer shows a rate."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from starlette.routing import Route

from gateway.city.console.app import build
from gateway.city.rates.publishing import publish
from gateway.web.access.guard import Guard
from tests.console.town import PLACES, Town, town, uscc_of

K, N = (sum(place[at] for place in PLACES) for at in (4, 3))
COUNTED = ((K, N), (20, 36), *(place[4:2:-1] for place in PLACES[:3:2]))
RATE = re.compile("|".join(rf"(?<![\d.]){100 * k / n:.2f}(?!\d)" for k, n in COUNTED))
"""What the city, a county and two enterprises have, as it is shown."""
PLACE = {
    "uscc": uscc_of(0), "site": "1", "asset": "A-001", "area": "QZ-ZZXC",
}  # fmt: skip
NO_RATES = (".js", "/chart.json", "{name}", "/labels/file")
"""Ends of addresses of programs, of what a machine sent, of files that all may have, of labels."""
LINES = ("county", "industry", "enterprise")
DRAWN = {"/", "/wall", "/wall/{area}", "/enterprises/{uscc}/{site}/{asset}"}
"""Pages with pictures, which take seconds to draw: their files have the same figures."""
SHOWING = {
    "/", "/wall", "/print", "/details", "/industries", "/enterprises", "/enterprises/{uscc}",
    "/counties/{key}", "/industries/{key}", "/charts/trend.json", "/api/v1/figures",
}  # fmt: skip


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path / "city") as made:
        yield made


async def showing(app: Guard) -> set[str]:
    """Addresses of which the page, a file, or an answer shows a rate."""
    found = set()
    routes = [one for one in app._app.routes if isinstance(one, Route)]  # type: ignore[attr-defined]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        for one in routes:
            if "GET" not in (one.methods or ()) or one.path.endswith(NO_RATES):
                continue
            for address in _addresses(one.path):
                if RATE.search((await client.get(address)).text):
                    found.add(one.path)
    return found


def _addresses(path: str) -> list[str]:
    key = PLACES[0][0 if path.startswith("/counties") else 1]
    place = re.sub(r"\{(\w+)(:path)?\}", lambda name: PLACE.get(name[1], key), path)
    if path.startswith("/api/v1"):
        return [place, *(f"{place}?by={by}" for by in LINES)]
    files = [f"{place}?format=csv", f"{place}?format=json"]
    return files if path in DRAWN else [place, *files]


async def test_what_shows_a_rate_got_it_through_the_door(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, other = build(city.context), build(city.context)  # who has seen nothing yet
    assert await showing(app) >= SHOWING

    def shut(*_: Any) -> NoReturn:
        raise RuntimeError("the door is shut")

    for way in ("_for_reader", "_for_all"):
        monkeypatch.setattr(publish, way, shut)
    assert await showing(other) == set()
