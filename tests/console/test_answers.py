"""Files, health, metrics, streams, errors and the demonstration's switch, over real HTTP."""

import asyncio
import contextlib
import csv
import html
import io
import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from markupsafe import Markup
from sqlalchemy import Connection, delete, insert, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.city.console.app import build
from gateway.city.console.charts import pictures
from gateway.city.console.charts.specifications import Shape, history_chart, history_rows
from gateway.city.console.queries.gaps import GapFilter, gap_count, gaps
from gateway.city.db import tables
from gateway.city.rates.definitions import DefinitionError
from gateway.city.stores.api import Point
from gateway.core.status import GOOD, Reason, uncertain
from gateway.web.tables import Table, as_csv
from tests.console.conftest import served
from tests.console.http import get, post
from tests.console.town import NOW_MS, Town, town, uscc_of

STREAM = {"accept": "text/event-stream"}


async def test_a_table_as_csv_and_json(address: str) -> None:
    answer = await get(f"{address}/?format=csv")
    assert (
        'filename="demonstration-ENR-A-2025-11-county.csv"' in answer.headers["content-disposition"]
    )
    assert answer.content.startswith("\ufeff".encode())
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    by_key = {row["key"]: row for row in rows}
    assert by_key["city"]["networked"] == "64"
    assert by_key["city"]["equipment"] == "138"
    assert by_key["city"]["pooled_percent"] == "46.38"
    assert by_key["330822"]["mean_percent"] == "47.92"
    assert all("演示数据" in row["data"] and row["definition"] == "ENR-A" for row in rows)
    body = (await get(f"{address}/?format=json")).json()
    assert body["demonstration"] is True
    assert body["rows"][0]["networked"] == 64
    assert (await get(f"{address}/?format=pdf")).status_code == 404


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/", 5),
        ("/enterprises", 6),
        ("/counties/330822", 2),
        ("/industries", 5),
        ("/industries/3451", 2),
        (f"/enterprises/{uscc_of(0)}", 24),
        (f"/enterprises/{uscc_of(0)}/1/A-001", 6),
        ("/gaps", 3),
        ("/quality", 10),
        ("/books", 1),
        ("/definitions", 4),
    ],
)
async def test_every_page_is_a_file_too(address: str, path: str, rows: int) -> None:
    page = await get(f"{address}{path}")
    assert "?format=csv" in page.text
    assert "?format=json" in page.text
    body = (await get(f"{address}{path}?format=json")).json()
    assert len(body["rows"]) == rows
    text = (await get(f"{address}{path}?format=csv")).content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == rows
    assert all("演示数据" in line["data"] for line in lines)


async def test_counts_of_findings_are_not_cut_at_what_a_page_shows(
    address: str, city: Town
) -> None:
    rows = [
        {
            "gateway": "gw-0", "uscc": uscc_of(0), "site_no": "1", "asset_no": f"X-{at}",
            "sample_count": 1, "first_ms": 1, "last_ms": 2,
        }
        for at in range(73)
    ]  # fmt: skip
    city.database.run_now(lambda connection: connection.execute(insert(tables.orphan), rows))
    assert "<dd>73</dd>" in (await get(f"{address}/quality")).text
    found = (await get(f"{address}/quality?format=json")).json()["rows"]
    assert sum(row["finding"] == "orphan" for row in found) == 73


async def test_a_large_city_fits_the_first_page(address: str, city: Town) -> None:
    rows = [
        {"id": f"zz-{at}", "uscc": uscc_of(0), "site_no": "1", "enrolled_ms": 1} for at in range(90)
    ]
    city.database.run_now(lambda connection: connection.execute(insert(tables.gateway), rows))
    page = (await get(f"{address}/?lang=en")).text
    assert "4 of 96 gateways online" in page
    assert ">gw-3<" in page, "a silent gateway is shown whatever their number"
    assert page.count('data-k="gw-') == 8


async def test_the_definition_says_which_figure_stands_large(tmp_path: Path) -> None:
    async with (
        town(tmp_path, headline="ENR-B") as made,
        served(build(made.context)) as base,
    ):
        page = (await get(f"{base}/?lang=zh")).text
        body = (await get(f"{base}/?format=json")).json()
        chart = (await get(f"{base}/charts/trend.json")).json()["datasets"]["actual"]
        mean = body["rows"][0]["mean_percent"]
        assert body["rows"][0]["pooled_percent"] != mean
        assert f'data-k="pooled">{mean}<span>' in page
        assert chart[-1]["text"] == mean
        assert "全市企业平均口径" in page


async def test_an_unknown_headline_is_told_at_the_start(tmp_path: Path) -> None:
    async with town(tmp_path, headline="ENR-Z") as made:
        with pytest.raises(DefinitionError, match="no definition 'ENR-Z'; there are ENR-A"):
            build(made.context)


async def test_without_a_demonstration_nothing_says_so(tmp_path: Path) -> None:
    async with (
        town(tmp_path, demonstration=False) as made,
        served(build(made.context)) as base,
    ):
        page = (await get(f"{base}/?lang=zh")).text
        assert "演示数据" not in page
        assert 'watermark"' not in page
        rows = (await get(f"{base}/?format=json")).json()
        assert rows["demonstration"] is False
        assert rows["rows"][0]["networked"] is None  # synthetic evidence does not count


def test_text_that_looks_like_a_formula_is_disarmed() -> None:
    table = Table("t", ("a",), [{"a": "=1+1"}, {"a": -1}, {"a": "@x"}], {})
    body = bytes(as_csv(table, demonstration=False).body).decode("utf-8-sig")
    assert body.splitlines() == ["a", "'=1+1", "-1", "'@x"]


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
            update(tables.equipment).where(tables.equipment.c.id == 1).values(asset_no=asset_no)
        )
    )
    page = (await get(f"{address}/enterprises/{uscc_of(0)}")).text
    link = next(path for path in re.findall(r'href="([^"]+/1/[^"]+)"', page) if "A-0" not in path)
    assert link.rpartition("/")[2].strip(".")
    answer = await get(address + link)
    assert answer.status_code == 200
    assert html.escape(asset_no) in answer.text


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
    city.database.run_now(tables.metadata.drop_all)
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


async def test_a_value_that_no_longer_comes_says_why(address: str, city: Town) -> None:
    """Old values must never look like new ones."""
    lost = (await get(f"{address}/enterprises/{uscc_of(3)}/1/A-001?format=json")).json()["rows"]
    assert {row["cause"] for row in lost} == {"gateway_silent"}
    assert lost[0]["value"] is not None
    gaps = [
        {
            "gateway": "gw-0", "device": "a-001", "tag_group": group, "tags": json.dumps(tags),
            "tags_key": key, "cause": cause, "from_ms": NOW_MS - 1000, "to_ms": None,
        }
        for group, tags, key, cause in (
            ("fast", ["power"], "x", "range"), ("slow", [], "-", "late"),
        )
    ]  # fmt: skip
    city.database.run_now(lambda connection: connection.execute(insert(tables.gap), gaps))
    path = f"{address}/enterprises/{uscc_of(0)}/1/A-001"
    one = (await get(f"{path}?format=json")).json()["rows"]
    assert {row["tag"]: row["cause"] for row in one if row["cause"]} == {"power": "range"}
    city.clock.now_ms += 300_000
    page = (await get(f"{path}?lang=en")).text
    assert page.count("out of range") == 2, "once at the value, once among the gaps"
    assert page.count("5 min ago") == 6


async def test_a_stream_sends_only_what_changed(address: str, city: Town) -> None:
    path = f"{address}/enterprises/{uscc_of(0)}/1/A-001?lang=en"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=15) as client,
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
            httpx.AsyncClient(trust_env=False, timeout=15) as client,
            client.stream("GET", f"{address}{path}", headers=STREAM) as stream,
        ):
            assert await anext(_events(stream))
        assert (await get(address + path)).status_code == 500


async def _events(stream: httpx.Response) -> AsyncIterator[dict[str, str]]:
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def test_a_store_that_does_not_answer_is_not_called_a_time_without_values(
    address: str, city: Town, tmp_path: Path
) -> None:
    chart = f"{address}/enterprises/{uscc_of(0)}/1/A-001/chart.json?tag=power&lang=en"
    assert (await get(chart)).json()["datasets"]["nothing"] == []
    city.clock.now_ms += 3_600_000
    (words,) = (await get(chart)).json()["datasets"]["nothing"]
    assert words == {"text": "No values in this time."}
    with contextlib.closing(sqlite3.connect(tmp_path / "telemetry.db")) as telemetry:
        telemetry.executescript("DROP TABLE points;")
    (words,) = (await get(chart)).json()["datasets"]["nothing"]
    assert "does not answer" in words["text"]


def test_a_silence_breaks_the_curve() -> None:
    times = [*range(0, 10_000, 1000), *range(400_000, 410_000, 1000)]
    rows = history_rows([Point(time, 1.0) for time in times])
    assert [row["v"] for row in rows].count(None) == 1
    assert len(rows) == len(times) + 1
    assert history_rows([]) == []
    assert len(history_rows([Point(0, 1)])) == 1


def test_a_picture_has_no_marks_to_point_at() -> None:
    """Hundreds of invisible dots made a page ten times as large."""
    shapes: tuple[Shape, ...] = ("wide", "narrow", "interactive")
    layers = {
        shape: len(history_chart([Point(0, 1.0)], "t", "none", shape, (0, 1))["layer"])
        for shape in shapes
    }
    assert layers == {"wide": 3, "narrow": 3, "interactive": 4}


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


@pytest.mark.parametrize("page", ["0", "1", "-1", "x", "999999999"])
async def test_gaps_by_page_and_filter(address: str, city: Town, page: str) -> None:
    rows = [
        {
            "gateway": "gw-0", "device": "", "tag_group": "", "tags": "[]", "tags_key": "-",
            "cause": "late", "from_ms": 1_000_000 * at, "to_ms": 1_000_000 * at + 5_000,
        }
        for at in range(1, 61)
    ]  # fmt: skip
    city.database.run_now(lambda connection: connection.execute(insert(tables.gap), rows))
    answer = await get(f"{address}/gaps?cause=late&page={page}&lang=en")
    assert answer.status_code == 200
    shown = answer.text.count("<tr><td>")
    assert shown == {"0": 50, "1": 10, "-1": 50, "x": 50, "999999999": 50}[page]
    file = (await get(f"{address}/gaps?cause=late&format=json")).json()
    assert len(file["rows"]) == 60
    assert {row["cause_en"] for row in file["rows"]} == {"read too late"}


async def test_the_trend_ends_in_the_headline_figure(address: str, city: Town) -> None:
    """Both are asked for at different times; they must not contradict each other."""
    chart = f"{address}/charts/trend.json"
    first = (await get(chart)).json()["datasets"]["actual"][-1]["text"]
    most = delete(tables.evidence).where(tables.evidence.c.equipment_id != 1)
    city.database.run_now(lambda connection: connection.execute(most))
    deadline = time.monotonic() + 15
    while (shown := (await get(f"{address}/?format=json")).json()["rows"][0])["networked"] != 1:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    last = (await get(chart)).json()["datasets"]["actual"][-1]
    assert last["text"] == shown["pooled_percent"] == "0.72" != first


async def test_gaps_that_last_come_first_on_every_page(address: str, city: Town) -> None:
    """Whatever pages are asked for, each gap stands on exactly one of them."""
    rows = [
        {
            "gateway": "gw-1", "device": f"d-{at}", "tag_group": "", "tags": "[]", "tags_key": "-",
            "cause": "late", "from_ms": 1_000 + at, "to_ms": None if at % 2 else 9_000_000,
        }
        for at in range(140)
    ]  # fmt: skip
    city.database.run_now(lambda connection: connection.execute(insert(tables.gap), rows))
    wanted, places = GapFilter(gateway="gw-1"), list[tuple[bool, int]]()
    for offset in range(0, 150, 50):
        page = city.database.run_now(gaps, wanted, 50, offset)
        places += [(row.to_ms is not None, -row.from_ms) for row in page]
    assert len(places) == 140
    assert places == sorted(places)
    assert city.database.run_now(gap_count, wanted) == 140
    assert city.database.run_now(gap_count, GapFilter(gateway="gw-1", only_open=True)) == 70


async def test_a_city_of_many_gateways_types_an_id_and_turns_pages(
    address: str, city: Town
) -> None:
    rows = [
        {"id": f"zz-{at:03d}", "uscc": uscc_of(0), "site_no": "1", "enrolled_ms": 1}
        for at in range(250)
    ]
    day = {"epoch": "0" * 16, "device": "a", "day": date(2025, 11, 23), "dropped": "{}"}
    counts = dict.fromkeys(("due", "ok", "failed", "skipped", "suppressed", "buffered"), 0)
    books = [{"gateway": row["id"], **day, **counts} for row in rows]

    def fill(connection: Connection) -> None:
        connection.execute(insert(tables.gateway), rows)
        connection.execute(insert(tables.edge_books), books)

    city.database.run_now(fill)
    assert '<input name="gateway"' in (await get(f"{address}/gaps")).text
    first = (await get(f"{address}/books?lang=en")).text
    assert first.count('<tr><th scope="row"') == 50
    assert 'rel="next"' in first
    last = (await get(f"{address}/books?lang=en&page=5")).text
    assert last.count('<tr><th scope="row"') == 1
    assert len((await get(f"{address}/books?format=json")).json()["rows"]) == 251


async def test_a_value_in_doubt_says_so_and_why(address: str, city: Town) -> None:
    path = f"{address}/enterprises/{uscc_of(0)}/1/A-001"
    for status, quality, reason in (
        (uncertain(Reason.LAST_USABLE), "uncertain", "last_usable"),
        (uncertain(Reason.NONE), "uncertain", ""),
        (GOOD, "good", ""),
    ):
        city.speak(parts=1, status=status)
        rows = (await get(f"{path}?format=json")).json()["rows"]
        assert {(row["quality"], row["reason"]) for row in rows} == {(quality, reason)}
        text = (await get(f"{path}?format=csv")).content.decode("utf-8-sig")
        assert {row["quality"] for row in csv.DictReader(io.StringIO(text))} == {quality}
        for language, words in (("zh", "存疑"), ("en", "uncertain")):
            page = (await get(f"{path}?lang={language}")).text
            assert page.count(words) == (len(rows) if quality == "uncertain" else 0)
    city.speak(parts=1, status=uncertain(Reason.CLOCK_DOUBT))
    assert "存疑 · 网关时钟存疑" in (await get(f"{path}?lang=zh")).text
