"""The screen on a wall: all of it fits, turns, pauses, and says how old it is."""

from fractions import Fraction

import pytest
from sqlalchemy import Connection, update
from starlette.exceptions import HTTPException

from gateway.city.access.principal import EVERYTHING, Scope, ScopeKind, parse_scope
from gateway.city.console.wall.page import _scope_of
from gateway.city.console.wall.tiles import beside, marks, tiles
from gateway.city.db import tables
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.publishing.publish import WHOLE, publish
from gateway.city.rates.reports.table import RateMonth
from tests.console.http import blocks, get
from tests.console.town import Town, uscc_of
from tests.support.chromium import Page, chromium

AREA = "QZ-ZZXC"
HALF = Cell(1, 2, 1, Fraction(50), Fraction(50))
OVERFLOWING = """[...document.querySelectorAll('.shown, .shown :is(div, ul, li)')]
    .filter(one => one.scrollHeight > one.clientHeight + 2
        || one.scrollWidth > one.clientWidth + 2)
    .map(one => one.outerHTML.slice(0, 80))"""
SMALLEST = """Math.min(...[...document.querySelectorAll('.wall-view.shown *, footer *')]
    .filter(one => one.textContent.trim() && one.offsetParent && !one.closest('svg'))
    .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
SCROLLS = "document.documentElement.scrollHeight > innerHeight"


def _in_area(connection: Connection) -> None:
    mine = update(tables.enterprise).where(tables.enterprise.c.uscc == uscc_of(5))
    connection.execute(mine.values(functional_area=AREA))


async def _fits(page: Page, height: int) -> None:
    for number in range(3):
        await page.until(f"document.body.dataset.shown === '{number}'")
        assert not await page.evaluate(SCROLLS), number
        assert await page.evaluate(OVERFLOWING) == [], number
        assert await page.evaluate(SMALLEST) >= height / 55, (
            "a fiftieth or so is read from five metres"
        )
        await page.press("ArrowRight")


@pytest.mark.long
async def test_the_screen_fits_turns_and_tells_its_age(address: str, city: Town) -> None:
    city.database.run_now(_in_area)
    async with chromium() as page:
        for width, height, language in ((1920, 1080, "zh"), (3840, 2160, "en")):
            await page.viewport(width, height)
            await page.goto(f"{address}/wall?seconds=300&lang={language}")
            await _fits(page, height)
        assert await page.barriers() == []
        await page.goto(f"{address}/wall?seconds=2&lang=zh")
        await page.until("document.body.dataset.shown === '2'")
        await page.click("[data-pause]")
        await page.until("document.querySelector('[data-pause]').textContent === '继续轮播'")
        told = "document.querySelector('[data-computed]')"
        await page.evaluate(f"{told}.dataset.computed -= 4000000")
        await page.until(
            "document.querySelector('[data-age]')?.textContent.includes('1 小时 6 分钟')"
        )
        await page.viewport(390, 844, mobile=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.problems == []


async def test_what_goes_on_now_stands_apart_from_the_rate(address: str) -> None:
    sent = await blocks(f"{address}/wall?lang=zh")
    assert set(sent) == {"notice", "asof", "rate", "trend", "map", "divisions", "now"}
    assert "89.06" in sent["now"]
    assert "89.06" not in sent["rate"]
    assert "46.38" in sent["rate"]
    assert "46.38" not in sent["now"]
    past = await blocks(f"{address}/wall?lang=zh&month=2025-08")
    assert "2025-08" in past["rate"]
    assert "4 / 6" in past["now"], "the live layer has no past"


async def test_a_functional_area_has_a_screen_of_its_own(address: str, city: Town) -> None:
    city.database.run_now(_in_area)
    page = (await get(f"{address}/wall/{AREA}?lang=zh")).text
    assert "园区大脑" in page
    assert ">0.00<span>%" in page
    assert "<b>0</b> / 8" in page
    assert "wall-tiles" not in page
    other = (await get(f"{address}/wall/QZ-ZHXC?lang=zh")).text
    assert "范围内没有企业" in other
    assert "0.00<span>%" not in other
    assert (await get(f"{address}/wall/QZ-X")).status_code == 404


def test_an_area_is_for_who_sees_all_of_it() -> None:
    own = Scope(ScopeKind.AREAS, frozenset({AREA}))
    assert _scope_of(EVERYTHING, AREA) == _scope_of(own, AREA) == own
    county = parse_scope("county 330803")
    assert _scope_of(county, "") == county
    for scope, area in ((county, AREA), (own, "QZ-ZHXC"), (EVERYTHING, "330803")):
        with pytest.raises(HTTPException):
            _scope_of(scope, area)


async def test_all_counties_have_a_tile_and_areas_none(city: Town, address: str) -> None:
    city.database.run_now(_in_area)
    page = (await get(f"{address}/wall?lang=zh")).text.partition("wall-tiles")[2]
    shown = page.partition("wall-marks")
    assert shown[0].count("<li") == 6
    assert "智造新城" not in shown[0]
    assert "智造新城</a> <b>0.00 %</b> 0 / 8" in shown[2]
    assert "开化县" in shown[0]


def test_a_code_without_a_tile_is_not_lost() -> None:
    month = RateMonth(
        builtin_definitions()["ENR-A"], "", "2025-11", "P", 0, 0, False,
        {"city": {"city": HALF}, "county": dict.fromkeys(("330822", "330801"), HALF)},
        {},
    )  # fmt: skip
    table = publish(month, WHOLE).table("county")
    assert [cell.key for cell in beside(table)] == ["330801"]
    found = {one.code: one.cell is not None for one in tiles(table, {})}
    assert len(found) == 6
    assert [code for code, has_cell in found.items() if has_cell] == ["330822"]
    assert [cell for _, _, cell in marks(table.of_which)] == [None, None]
