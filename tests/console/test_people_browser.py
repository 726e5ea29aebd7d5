"""People's pages in a real browser: a link, a login, users, the own account; nobody is kept out."""

from pathlib import Path

import pytest

from gateway.city.access import tokens
from gateway.city.access.principal import Permission, Role
from gateway.city.access.tokens import Wish
from tests.console.people import PASSWORD, ROOT, invited, peopled
from tests.support.chromium import Page, chromium

pytestmark = pytest.mark.long

LEDGER = ("/ledger", "/ledger/enterprises", "/ledger/machines/1", "/ledger/machines/1/correct")
LOOKS = (("zh", "light", 1280), ("en", "dark", 390))


async def _send(page: Page, **fields: str) -> None:
    """Fill the form of the page's main part in, and send it."""
    for name, value in fields.items():
        await page.evaluate(f"document.querySelector('main [name={name}]').value = {value!r}")
    await page.evaluate("document.querySelector('main form').requestSubmit()")


async def test_a_user_comes_in_by_a_link_and_administers(tmp_path: Path) -> None:
    async with peopled(tmp_path) as (made, base), chromium() as page:
        link = invited(made, "li.wei", Role.ADMINISTRATOR, "all")
        invited(made, "wang.li", Role.COUNTY, "county 330822 330881")
        for language, scheme, width in LOOKS:
            await page.viewport(width, 800, mobile=width < 640)
            await page.colours(scheme)
            await _looks_right(page, f"{base}{link}?lang={language}")
            await _looks_right(page, f"{base}/login?lang={language}")
        await page.goto(f"{base}{link}?lang=zh")
        await _send(page, password=PASSWORD, again=PASSWORD)
        await page.until(
            "location.pathname === '/login' && document.querySelector('main [name=name]') !== null"
        )
        await _send(page, name="li.wei", password=PASSWORD)
        await page.until("location.pathname === '/'")
        for name in ("li.wei", "wang.li"):
            wish = Wish("每月报表", frozenset({Permission.FIGURES}))
            made.database.run_now(tokens.make, ROOT, name, wish, made.context.now_ms())
        for language, scheme, width in LOOKS:
            await page.viewport(width, 800, mobile=width < 640)
            await page.colours(scheme)
            for path in ("/users", "/account", "/tokens", *LEDGER):
                await _looks_right(page, f"{base}{path}?lang={language}")
        assert page.problems == []


async def _looks_right(page: Page, address: str) -> None:
    await page.goto(address)
    assert await page.barriers() == [], address
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
