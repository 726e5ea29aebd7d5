"""Alerts and the watch-list in a real browser, as an officer uses them."""

from pathlib import Path

import pytest

from gateway.city.access.principal import Role
from gateway.city.alerts.alerting import Alerting
from tests.console.people import invited, peopled
from tests.console.town import uscc_of
from tests.console.walking import log_in, press
from tests.support.chromium import chromium

pytestmark = pytest.mark.long

LOOKS = (("zh", "light", 1280), ("en", "dark", 390))


async def test_an_officer_watches_and_sees_to_alerts(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), chromium() as page:
        made.clock.now_ms += 86_400_000  # a Monday
        context = made.context
        await Alerting(context.config, made.database, context.definitions, made.clock).look()
        await log_in(page, base, invited(made, "li.wei", Role.COUNTY, "county 330881"), "li.wei")
        await page.goto(f"{base}/enterprises/{uscc_of(3)}")
        await press(
            page, "form.watch", "document.querySelector('form.watch [value=remove]') !== null"
        )
        await page.goto(f"{base}/watch")
        assert "江山安泰消防器材有限公司" in await page.evaluate(
            "document.querySelector('main').innerText"
        )
        for language, scheme, width in LOOKS:
            await page.viewport(width, 800, mobile=width < 640)
            await page.colours(scheme)
            for path in ("/alerts", "/alerts?state=ended", "/watch"):
                address = f"{base}{path}{'&' if '?' in path else '?'}lang={language}"
                await page.goto(address)
                assert await page.barriers() == [], address
                fits = "document.documentElement.scrollWidth <= innerWidth"
                assert await page.evaluate(fits), address
        await page.goto(f"{base}/alerts?lang=zh")
        text = await page.evaluate("document.querySelector('main').innerText")
        assert "gw-3" in text
        assert "gw-0" not in text
        await press(
            page,
            "form[action$=acknowledge]",
            "document.querySelector('main td:last-child').innerText.includes('li.wei')",
        )
        assert page.problems == []
