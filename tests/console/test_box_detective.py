"""The register detective as a page: what a panel shows finds the reading, in a real browser."""

from pathlib import Path

import pytest

from tests.console.box import box, device, meter
from tests.support.chromium import Page, chromium

TEXT = "document.body.innerText"
FIRST = "document.querySelector('#found tbody tr').innerText"


async def ask(
    page: Page, address: str, count: str, shows: str, button: str = "button.primary"
) -> None:
    for name, text in (("address", address), ("count", count), ("shows", shows)):
        await page.evaluate(f"document.querySelector('[name={name}]').value = ''")
        await page.type(f"[name={name}]", text)
    await page.evaluate("window.asked = true")
    await page.click(f"form.asked {button}")
    await page.until("window.asked === undefined && !!document.querySelector('#found')")


@pytest.mark.timeout(300)
async def test_what_a_panel_shows_finds_the_reading(tmp_path: Path) -> None:
    async with meter() as port:
        with box(tmp_path, device("press-1", ["holding:0:float32"], port=port)) as base:
            async with chromium() as page:
                await page.viewport(820, 1180)
                await page.goto(f"{base}/devices/press-1?lang=en")
                await page.until(f"{TEXT}.includes('229.00')")
                await page.click("a[href$='/detective']")
                await page.until("!!document.querySelector('form.asked')")
                await ask(page, "0x2", "４", "229.0 V")
                assert "holding:2:float32:CDAB" in await page.evaluate(FIRST)
                assert "229.00 V" in await page.evaluate(FIRST)
                assert "Look 1: the panel showed 229.0 V" in await page.evaluate(TEXT)
                assert await page.evaluate("document.documentElement.scrollWidth") <= 820
                assert await page.barriers() == []
                await ask(page, "10", "1", "2.1")
                assert 'address: "holding:10:uint16", scale: 0.1' in await page.evaluate(FIRST)
                await page.click("summary")
                assert "0015" in await page.evaluate("document.querySelector('.cells').innerText")
                await ask(page, "10", "1", "77")
                assert "Look 2" in await page.evaluate(TEXT)
                assert "No reading of these registers agrees" in await page.evaluate(TEXT)
                await ask(page, "10", "1", "2.1", button="[name=anew]")
                assert "holding:10:uint16" in await page.evaluate(FIRST)
                await ask(page, "0", "12", "")
                assert "229.00" in await page.evaluate("document.querySelector('#found').innerText")
                assert "Look 1" not in await page.evaluate(TEXT)
                for address, count, words in (
                    ("x", "4", "no whole number"),
                    ("0", "900", "1 to 125"),
                ):
                    await ask(page, address, count, "")
                    assert words in await page.evaluate(TEXT)
                assert page.problems == []
