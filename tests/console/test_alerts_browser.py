"""Alerts and the watch-list in a real browser, as an officer uses them."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge_config.models.people.alerts import AlertsConfig
from edge_config.models.validation import validated
from gateway.city.access.principal import Role
from gateway.city.alerts.alerting import Alerting
from gateway.city.alerts.delivery import contacts
from gateway.city.alerts.delivery.contacts import Contact
from gateway.city.console.app import build
from gateway.city.console.context import ConsoleContext
from tests.console.conftest import served
from tests.console.people import invited
from tests.console.town import town, uscc_of
from tests.console.walking import log_in, press
from tests.support.chromium import Page, chromium

pytestmark = pytest.mark.long


def with_alerts(context: ConsoleContext, alerts: AlertsConfig) -> ConsoleContext:
    """The same console with other settings of alerts."""
    return replace(context, config=replace(context.config, alerts=alerts))


LOOKS = (("zh", "light", 1280), ("en", "dark", 390))


async def _keep_contact(page: Page, base: str, address: str) -> None:
    await page.goto(f"{base}/watch?lang=zh")
    await page.evaluate(f"document.querySelector('#contact [name=address]').value = {address!r}")
    await page.evaluate("document.querySelector('#contact form').requestSubmit()")
    ended = "document.readyState === 'complete' && (location.hash === '#contact' || "
    await page.until(ended + "location.pathname === '/watch/contact')")


async def test_an_officer_watches_and_sees_to_alerts(tmp_path: Path) -> None:
    mail = {"url": "smtps://mail.jxj.example.cn", "sender": "qulink@jxj.example.cn"}
    alerts = validated(AlertsConfig, {"mail": mail | {"domains": ["jxj.example.cn"]}})
    async with (
        town(tmp_path / "city", accounts=True) as made,
        served(build(with_alerts(made.context, alerts))) as base,
        chromium() as page,
    ):
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
        await _keep_contact(page, base, "li.wei@elsewhere.cn")
        refused = await page.evaluate("document.querySelector('#contact .bad').innerText")
        assert "不允许发往该域名" in refused
        await _keep_contact(page, base, "li.wei@jxj.example.cn")
        assert made.database.run_now(contacts.of, "li.wei") == Contact(
            "li.wei@jxj.example.cn", "zh"
        )
        marked = "document.querySelector('nav [aria-current]').getAttribute('href')"
        assert (await page.evaluate(marked)).startswith("/alerts")
