"""Addresses, names, health, streams and errors, over real HTTP."""

import html
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from markupsafe import Markup
from sqlalchemy import update

from gateway.city.console.charts import pictures
from gateway.city.db import tables
from gateway.web.tables import Table, as_csv
from tests.console.http import get, post
from tests.console.town import Town, uscc_of
from tests.support.city_db import drop_all
from tests.support.waiting import SOON_S

STREAM = {"accept": "text/event-stream"}


async def test_hostile_names_are_text(address: str, city: Town) -> None:
    attack = '<script>alert(1)</script>"><img src=x>'
    city.database.run_now(
        lambda connection: connection.execute(
            update(tables.enterprise)
            .where(tables.enterprise.c.uscc == uscc_of(0))
            .values(name=attack)
        )
    )
    for path in ("/", "/enterprises", f"/enterprises/{uscc_of(0)}", "/gaps"):
        page = (await get(address + path)).text
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert" in page, path


@pytest.mark.parametrize("asset_no", ["JX/2019/03", "..", "机 1#?%&", "a%2Fb", "A-1"])
async def test_a_machine_is_found_whatever_its_number(
    address: str, city: Town, asset_no: str
) -> None:
    city.database.run_now(
        lambda connection: connection.execute(
            update(tables.equipment_rows)
            .where(tables.equipment_rows.c.id == 1)
            .values(asset_no=asset_no)
        )
    )
    page = (await get(f"{address}/enterprises/{uscc_of(0)}")).text
    link = next(path for path in re.findall(r'href="([^"]+/1/[^"]+)"', page) if "A-0" not in path)
    assert link.rpartition("/")[2].strip(".")
    answer = await get(address + link)
    assert answer.status_code == 200
    assert html.escape(asset_no) in answer.text
    file = await get(f"{address}{link}?format=csv")
    assert (file.status_code, file.text.startswith("\ufefftag,")) == (200, True)
    assert "\n" not in file.headers["content-disposition"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("values-A-1", 'attachment; filename="values-A-1.csv"'),
        ("机 1#", "attachment; filename=\"__1_.csv\"; filename*=UTF-8''%E6%9C%BA%201%23.csv"),
        ('a"b/\r', "attachment; filename=\"a_b__.csv\"; filename*=UTF-8''a%22b%2F%0D.csv"),
    ],
)
def test_a_file_is_called_what_it_is_about(name: str, said: str) -> None:
    answer = as_csv(Table(name, ("a",), [], {}), demonstration=False)
    assert answer.headers["content-disposition"] == said


async def test_pages_that_do_not_exist(address: str) -> None:
    for path in (
        "/nothing",
        "/counties/999999",
        "/enterprises/X",
        f"/enterprises/{uscc_of(0)}/1/Z",
    ):
        answer = await get(f"{address}{path}?lang=en")
        assert answer.status_code == 404, path
        assert "No such page" in answer.text


async def test_a_wrong_method_is_not_called_a_failure_of_the_page(address: str) -> None:
    answer = await post(f"{address}/books?lang=en", {})
    assert answer.status_code == 405
    assert "Bad request" in answer.text


@pytest.mark.parametrize("name", ["..%2Fpages.py", "../pages.py", "%2e%2e/%2e%2e/serve.py", "x"])
async def test_no_file_but_the_consoles_own_is_served(address: str, name: str) -> None:
    page = (await get(address)).text
    digest = page.partition("/static/")[2].partition("/")[0]
    assert (await get(f"{address}/static/{digest}/{name}")).status_code == 404


async def test_health_names_the_parts(city: Town, address: str) -> None:
    answer = await get(f"{address}/healthz")
    assert answer.status_code == 200
    parts = {"console": "ok", "ingest": "ok", "database": "ok"}
    assert answer.json() == {"status": "ok", "parts": parts}
    city.database.run_now(drop_all)
    assert (await get(f"{address}/gaps?lang=en")).status_code == 500
    assert (await get(f"{address}/healthz")).status_code == 200
    assert (await get(f"{address}/metrics")).status_code == 200


async def test_a_sick_part_is_unhealthy(address: str, city: Town) -> None:
    city.health["broker"] = "broker does not answer"
    answer = await get(f"{address}/healthz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert parts.pop("broker") == "broker does not answer"
    assert set(parts.values()) == {"ok"}


async def test_a_stream_sends_only_what_changed(address: str, city: Town) -> None:
    path = f"{address}/enterprises/{uscc_of(0)}/1/A-001?lang=en"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=SOON_S) as client,
        client.stream("GET", path, headers=STREAM) as stream,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = _events(stream)
        first = await anext(events)
        assert set(first) == {"notice", "state", "values", "gaps"}
        city.speak(parts=777)
        second = await anext(events)
        assert set(second) == {"state", "values"}  # the gaps are as they were
        assert "777" in second["values"]


async def test_pictures_are_drawn_for_whole_pages_only(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update of a page or a file of its table must not cost a chart."""

    def refuse(_spec: str) -> Markup:
        raise AssertionError("a picture is drawn")

    monkeypatch.setattr(pictures, "_draw", refuse)
    for path in ("/", f"/enterprises/{uscc_of(0)}/1/A-001"):
        assert (await get(f"{address}{path}?format=csv")).status_code == 200
        async with (
            httpx.AsyncClient(trust_env=False, timeout=SOON_S) as client,
            client.stream("GET", f"{address}{path}", headers=STREAM) as stream,
        ):
            assert await anext(_events(stream))
        assert (await get(address + path)).status_code == 500


async def _events(stream: httpx.Response) -> AsyncIterator[dict[str, str]]:
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))
