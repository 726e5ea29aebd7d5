"""The city's pages in a real browser: languages, colours, sizes, live updates, drill-down."""

import asyncio
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import insert

from gateway.city.db import tables
from tests.console.conftest import guarded
from tests.console.http import get
from tests.console.town import NOW_MS, Town, uscc_of
from tests.support.chromium import Page, chromium
from tests.support.peers import program

pytestmark = pytest.mark.long

FIRST = uscc_of(0)
PAGES = {
    "/": ("重点工业企业设备联网率", "Equipment networking rate"),
    "/enterprises": ("龙游青竹特种纸有限公司", "The heads of columns sort"),
    "/counties/330822": ("常山县", "Changshan"),
    "/industries": ("分行业联网率", "Rate by industry"),
    "/industries/3451": ("常山精工轴承有限公司", "Overview"),
    f"/enterprises/{FIRST}": ("磨床 1 号", "of 24 machines"),
    f"/enterprises/{FIRST}/findings": ("线索不改变任何数字", "They change no figure"),
    f"/enterprises/{FIRST}/1/A-001": ("工业互联网标识", "Last read back equal"),
    "/movers": ("个百分点", "What moved the rate"),
    f"/movers/{FIRST}": ("计入情况", "Counted otherwise"),
    "/details": ("联网率明细", "The rate in full"),
    "/search": ("在上方搜索框中输入", "Type a name or a number"),
    "/gaps": ("网关失去联系", "gateway silent"),
    "/quality": ("台账外设备", "Machines outside the ledger"),
    "/books": ("应采", "suppressed"),
    "/audit": ("审计日志", "month corrected"),
    "/definitions": ("待主管部门确认的问题", "Open questions for the bureau"),
}
WIDE = ("/books", "/definitions", "/details")  # so many columns that a phone pushes them
HIDDEN = """[...document.querySelectorAll('.table-wrap')]
    .filter(table => table.scrollWidth > table.clientWidth).map(table => table.innerText)"""
FURTHER = (f"/enterprises/{uscc_of(3)}/1/A-001", "/nothing")  # without data; an error
DESK, PHONE = (1280, 800), (390, 844)
LOOKS = (
    ("zh", True, (("light", DESK),)),
    ("en", False, (("dark", DESK), ("light", PHONE))),  # a window that is made smaller
    ("zh", True, (("dark", PHONE),)),
)
"""Language, whether axe-core judges, too, and one after the other how each page is shown."""
SHIFTS = """new Promise(done => new PerformanceObserver(list => done(
    list.getEntries().filter(e => e.value > 0.001).map(e => e.value)
)).observe({type: 'layout-shift', buffered: true}) || setTimeout(done, 500, []))"""
COLOURS = {"light": "rgb(245, 246, 244)", "dark": "rgb(15, 21, 20)"}


@pytest.mark.parametrize(("language", "is_judged", "shown"), LOOKS)
async def test_every_page_in_every_look(
    address: str, language: str, is_judged: bool, shown: tuple[tuple[str, tuple[int, int]], ...]
) -> None:
    async with chromium() as page:
        for path, words in PAGES.items():
            for at, (scheme, size) in enumerate(shown):
                await page.viewport(*size, mobile=size == PHONE)
                await page.colours(scheme)
                if at == 0:
                    await page.goto(f"{address}{path}?lang={language}")
                await _looks_right(page, path, words[0 if language == "zh" else 1], scheme, size[0])
            if is_judged:
                await _keeps_nobody_out(page, path)
        assert page.problems == []
        assert page.foreign(address) == []
        for path in FURTHER if is_judged else ():
            await page.goto(f"{address}{path}?lang={language}")
            await _keeps_nobody_out(page, path)


async def _keeps_nobody_out(page: Page, path: str) -> None:
    """Contrast, names, landmarks, keyboard: what axe-core can tell of WCAG 2 A and AA."""
    await page.until("document.querySelector('[data-chart]:not([data-interactive])') === null")
    assert await page.barriers() == [], path


async def _looks_right(page: Page, path: str, words: str, scheme: str, width: int) -> None:
    text = await page.evaluate("document.body.innerText")
    assert words in text, path
    assert "演示数据" in text, path
    await page.until(f"document.documentElement.scrollWidth <= {width}")
    if path not in WIDE:
        assert await page.evaluate(HIDDEN) == [], path
    background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == COLOURS[scheme], path


async def test_paper_is_white_signed_and_without_buttons(address: str) -> None:
    shown = "getComputedStyle(document.querySelector('{}')).display"
    async with chromium() as page:
        await page.goto(f"{address}/?lang=zh&theme=dark")
        assert await page.evaluate(shown.format(".sign")) == "none"
        await page.command("Emulation.setEmulatedMedia", media="print")
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == "rgb(255, 255, 255)"
        assert await page.evaluate(shown.format(".sign")) == "block"
        assert await page.evaluate(shown.format(".demo-banner")) == "flex"
        for hidden in (".nav", ".tools", ".downloads"):
            assert await page.evaluate(shown.format(hidden)) == "none"


async def test_language_and_theme_are_remembered(address: str) -> None:
    async with chromium() as page:
        await page.colours("light")
        await page.goto(f"{address}/gaps?lang=zh")
        await page.click("[data-language]")
        await page.until("document.documentElement.lang === 'en'")
        await page.goto(f"{address}/books")
        assert await page.evaluate("document.documentElement.lang") == "en"
        await page.click("[data-theme-toggle]")
        await page.until("document.documentElement.dataset.theme === 'dark'")
        await page.goto(f"{address}/gaps")
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == COLOURS["dark"]
        assert page.problems == []


async def test_from_the_city_down_to_a_machine(address: str) -> None:
    async with chromium() as page:
        await page.viewport(1280, 800)
        await page.goto(f"{address}/?lang=zh&month=2025-10")
        await page.press("/")
        await page.until("document.activeElement.name === 'q'")
        await page.type("[data-search]", "磨床 1 号 精工")
        await page.press("Enter")
        await page.until("document.querySelectorAll('main .what a').length === 2")
        assert await page.evaluate("new URLSearchParams(location.search).get('month')") == "2025-10"
        await page.goto(f"{address}/?lang=zh")
        await page.click("a[href='/counties/330822']")
        await page.until("document.querySelector('h1').textContent === '常山县'")
        await page.click(f"main a[href='/enterprises/{FIRST}']")
        await page.until("document.querySelector('h1').textContent === '常山精工轴承有限公司'")
        await page.click(f"main a[href='/enterprises/{FIRST}/1/A-001']")
        await page.until("document.querySelector('h1').textContent === '磨床 1 号'")
        assert await page.evaluate("document.querySelector('.qr svg path') !== null")
        assert page.problems == []


async def test_the_code_on_the_page_holds_the_identifier(address: str, tmp_path: Path) -> None:
    reader = program("zbarimg", "zbar-tools")
    for scheme in ("light", "dark"):
        picture = tmp_path / f"{scheme}.png"
        async with chromium() as page:
            await page.viewport(390, 844, mobile=True)
            await page.colours(scheme)
            await page.goto(f"{address}/enterprises/{FIRST}/1/A-001?lang=zh")
            await page.screenshot(picture, whole=False)
        found = await asyncio.to_thread(
            subprocess.run,
            [reader, "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)],
            check=True,
            capture_output=True,
        )
        assert found.stdout.decode().strip() == "88.999.00000001/PM.20251123.000001"


async def test_values_change_without_reload(address: str, city: Town) -> None:
    async with chromium() as page:
        await page.goto(f"{address}/enterprises/{FIRST}/1/A-001?lang=en")
        shown = "document.querySelector('[data-k=parts]').textContent.trim()"
        await page.until(f"{shown} === '12,000'")
        await page.evaluate("window.tile = document.querySelector('#tag-parts')")
        await page.evaluate("window.tile.focus()")
        city.speak(parts=12_345)
        await page.until(f"{shown} === '12,345'")
        same = "window.tile === document.querySelector('#tag-parts')"
        assert await page.evaluate(same), "a click or the focus would be lost"
        assert await page.evaluate("document.activeElement === window.tile")
        assert page.problems == []


async def test_a_new_gap_and_a_lost_gateway_appear(address: str, city: Town) -> None:
    async with chromium() as page:
        await page.goto(f"{address}/?lang=en")
        gateways = "document.querySelector('[data-live=gateways]').innerText"
        assert (await page.evaluate(gateways)).count("Silent") == 1
        city.live.silent("gw-4")
        city.database.run_now(
            lambda connection: connection.execute(
                insert(tables.gap).values(
                    gateway="gw-4", device="", tag_group="", tags="[]", tags_key="-",
                    cause="gateway_silent", from_ms=NOW_MS - 1_000,
                )
            )
        )  # fmt: skip
        await page.until(f"{gateways}.split('Silent').length === 3")
        gaps = "document.querySelector('[data-live=gaps]').innerText"
        await page.until(f"{gaps}.includes('gw-4') && {gaps}.includes('gateway silent')")


async def test_charts_become_interactive_under_the_strict_policy(address: str) -> None:
    async with chromium() as page:
        assert '<div class="chart-wide"><svg' in (await get(f"{address}/?lang=zh")).text
        await page.goto(f"{address}/?lang=zh")
        await page.until("document.querySelector('[data-interactive]') !== null")
        text = await page.evaluate("document.querySelector('.chart-live svg').textContent")
        assert "60.00" in text
        assert "60.00" in text
        await page.until("Number(document.documentElement.dataset.updates) > 0")
        assert await page.evaluate(SHIFTS) == [], "nothing may jump under a reader's eyes"
        assert page.problems == []
        assert page.foreign(address) == []


async def test_the_legend_explains_the_doubt_that_the_curve_shows(address: str, city: Town) -> None:
    keys = "[...document.querySelectorAll('.doubts span')].filter(key => key.offsetHeight)"
    legend = f"{keys}.map(key => key.innerText).join()"
    tag = f"{address}/enterprises/{FIRST}/1/A-001?lang=en&tag="
    async with chromium() as page:
        await page.goto(f"{tag}temperature")
        assert await page.evaluate(legend) == ""
        await page.goto(f"{tag}spindle_speed")
        assert await page.evaluate(legend) == "uncertain,repeated or made up,time in doubt"
        await page.until("document.querySelector('[data-interactive]') !== null")
        city.clock.now_ms += 450_000  # the values in doubt leave the chart one after the other
        await page.until(f"{legend} === 'repeated or made up,time in doubt'")
        city.clock.now_ms += 3_600_000
        await page.until(f"{legend} === ''")
        assert page.problems == []


async def test_the_history_follows_the_store(address: str, city: Town) -> None:
    async with chromium() as page:
        await page.goto(f"{address}/enterprises/{FIRST}/1/A-001?tag=temperature")
        await page.until("document.querySelector('[data-interactive]') !== null")
        await page.evaluate("performance.clearResourceTimings()")
        asked = (
            "performance.getEntriesByType('resource').filter(e => e.name.includes('chart.json'))"
        )
        await page.until(f"{asked}.length >= 1")
        assert page.problems == []


async def test_the_token_opens_the_console(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, "correct horse battery\n") as base,
        chromium() as page,
    ):
        await page.goto(f"{base}/gaps?lang=zh")
        await page.until("location.pathname === '/login'")
        await page.type("#token", "wrong")
        await page.click("main button")
        await page.until("document.querySelector('[role=alert]') !== null")
        await page.type("#token", "correct horse battery")
        await page.click("main button")
        await page.until("location.pathname === '/gaps'")
        cookies = (await page.command("Network.getCookies"))["cookies"]
        session = next(one for one in cookies if one["name"] == "qulink_session_8080")
        assert session["httpOnly"]
        assert session["sameSite"] == "Lax"
        assert "correct" not in session["value"]
        assert page.foreign(base) == []
