"""A sample is drawn on the page, entered machine by machine, and ended by the command's rules."""

import io
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection, func, insert, select

from gateway.city.access.principal import EVERYTHING, Role
from gateway.city.db.schema.checking.samples import sample_entry
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.sampling.drawing import draw, seed_of
from gateway.city.rates.sampling.looks import looks
from tests.console.people import browser, invited, known, peopled, post
from tests.console.town import NOW_MS, PLACES, Town
from tests.console.walking import log_in, press
from tests.support.chromium import chromium

SHOTS = os.environ.get("SHOTS")
MONTH = "2025-10"
WANTED = {"month": MONTH, "definition": "ENR-A", "draws": "2", "machines": "1"}


def published(connection: Connection) -> None:
    taken = {"month": MONTH, "synthetic": True, "number": 1, "root": "ab" * 32}
    columns = {one.name: one for one in evidence_taking.columns}
    for name, column in columns.items():
        if name not in taken and not column.nullable and name != "id":
            taken[name] = 0 if column.type.python_type is int else ""
    connection.execute(insert(evidence_taking).values(taken))


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[Town, httpx.AsyncClient, str]]:
    async with peopled(tmp_path) as (town, base), browser(base) as officer:
        town.database.run_now(published)
        await known(town, officer, "wang.li", Role.BUREAU, "all")
        officer.cookies.set("lang", "zh")
        yield town, officer, base


def entries(town: Town) -> int:
    return town.database.read_now(
        lambda connection: connection.scalar(select(func.count()).select_from(sample_entry)) or 0
    )


def drawn_by_the_command(town: Town) -> list[tuple[str, str]]:
    found = town.database.read_now(
        draw, MONTH, 2, 1, NOW_MS,
        demonstration=True, definitions=builtin_definitions(), definition="ENR-A",
    )  # fmt: skip
    return [(one.uscc, one.asset_no) for one in found]


async def test_a_sample_is_drawn_entered_and_ended(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, base = made
    assert (await post(officer, "/samples/draw", **WANTED | {"draws": "1"})).status_code == 400
    many = await post(officer, "/samples/draw", **WANTED | {"draws": "400"})
    assert (many.status_code, "不能抽取 400 次" in many.text) == (409, True)
    unpublished = await post(officer, "/samples/draw", **WANTED | {"month": "2025-09"})
    assert (unpublished.status_code, "尚未公布" in unpublished.text) == (409, True)
    answer = await post(officer, "/samples/draw", **WANTED)
    assert (answer.status_code, answer.headers["location"]) == (303, "/samples/1")
    page = (await officer.get("/samples/1")).text
    seed = town.database.read_now(seed_of, MONTH, demonstration=True)
    assert seed in page and "已录入 0 台，共 2 台" in page
    rows = (await officer.get("/samples/1?format=json")).json()["rows"]
    assert [(row["uscc"], row["asset_no"]) for row in rows] == drawn_by_the_command(town)
    book = load_workbook(io.BytesIO((await officer.get("/samples/1?format=xlsx")).content))
    assert seed in str(book.active["B1"].value)
    assert "样本第 1 号" in (await officer.get("/samples")).text

    early = await post(officer, "/samples/1/end", note="")
    assert (early.status_code, "尚未录入的设备：2 台" in early.text) == (409, True)
    seen = {"seen": "connected", "basis": "0", "photo": "p-1"}
    assert (await post(officer, "/samples/1/1", **seen | {"seen": ""})).status_code == 400
    onward = await post(officer, "/samples/1/1", **seen)
    assert onward.headers["location"] == "/samples/1/2"
    second = await post(officer, "/samples/1/1", **seen | {"seen": "missing"})
    assert (second.status_code, "他人已录入" in second.text) == (409, True)
    assert entries(town) == 1
    basis = re.search(r'name="basis" value="(\d+)"', (await officer.get("/samples/1/1")).text)
    assert basis is not None
    changed = seen | {"seen": "unconnected", "basis": basis[1]}
    assert (await post(officer, "/samples/1/1", **changed)).status_code == 303
    last = await post(officer, "/samples/1/2", **seen)
    assert (last.headers["location"], entries(town)) == ("/samples/1", 3)
    assert (await post(officer, "/samples/1/9", **seen)).status_code == 404
    ended = await post(officer, "/samples/1/end", note="两人到场")
    assert ended.status_code == 303
    (look,) = town.database.read_now(looks, EVERYTHING, synthetic=True)
    assert (look.note, look.made_by, look.verified.rate) == ("两人到场", "wang.li", 1 / 2)
    assert (await post(officer, "/samples/1/end", note="")).status_code == 409
    over = await post(officer, "/samples/1/2", **seen | {"basis": "3"})
    assert (over.status_code, "核查已结束" in over.text) == (409, True)
    assert "两人到场" in (await officer.get("/samples")).text
    await _county_officer_sees_their_own(town, base, [row["uscc"] for row in rows])


async def _county_officer_sees_their_own(town: Town, base: str, usccs: list[str]) -> None:
    async with browser(base) as county:
        await known(town, county, "xian", Role.COUNTY, "county 330803")  # one small enterprise
        assert (await post(county, "/samples/draw", **WANTED)).status_code == 403
        page = await county.get("/samples/1?format=json")
        assert {row["uscc"] for row in page.json()["rows"]} <= set(usccs)
        others = [name for code, _, name, *_ in PLACES if code != "330803"]
        assert not any(name in page.text for name in others)
        foreign = await post(county, "/samples/1/1", seen="connected", basis="2", photo="")
        assert foreign.status_code in {404, 409}
        assert (await post(county, "/samples/1/end", note="")).status_code == 403
    async with browser(base) as auditor:
        await known(town, auditor, "shen", Role.AUDITOR, "all")
        assert "抽取样本" not in (await auditor.get("/samples?lang=zh")).text
        assert (await auditor.get("/samples/1/1")).status_code == 403


async def test_machines_are_entered_on_a_phone(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (town, base), chromium() as page:
        town.database.run_now(published)
        await log_in(page, base, invited(town, "li.wei", Role.BUREAU, "all"), "li.wei")
        await page.viewport(390, 800, mobile=True)
        await page.goto(f"{base}/samples?lang=zh")
        await press(page, "form[action$=draw]", "location.pathname === '/samples/1'")
        for name, path, language, scheme in (
            ("samples", "/samples", "zh", "light"),
            ("sample", "/samples/1", "en", "dark"),
            ("place", "/samples/1/1", "zh", "light"),
        ):
            await page.colours(scheme)
            await page.goto(f"{base}{path}?lang={language}")
            assert await page.barriers() == [], path
            assert await page.evaluate("document.documentElement.scrollWidth <= 390"), path
            if SHOTS:
                await page.screenshot(Path(SHOTS) / f"{name}.png")
        await page.evaluate("document.querySelector('[value=unconnected]').click()")
        await press(page, "form[action$='/1/1']", "location.pathname === '/samples/1/2'")
        assert page.problems == []
