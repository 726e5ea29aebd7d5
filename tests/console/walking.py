"""What people do in a real browser, whatever the page."""

from tests.console.people import PASSWORD
from tests.support.chromium import Page


async def press(page: Page, form: str, wanted: str) -> None:
    """Send a form, and wait until something holds."""
    await page.evaluate(f"document.querySelector({form!r}).requestSubmit()")
    await page.until(wanted)


async def log_in(page: Page, base: str, link: str, name: str) -> None:
    """Choose a password behind a link and log in with it."""
    await page.goto(f"{base}{link}?lang=zh")
    for field in ("password", "again"):
        await page.evaluate(f"document.querySelector('main [name={field}]').value = {PASSWORD!r}")
    await press(page, "main form", "location.pathname === '/login'")
    await page.until("document.querySelector('main [name=name]') !== null")
    for field, value in (("name", name), ("password", PASSWORD)):
        await page.evaluate(f"document.querySelector('main [name={field}]').value = {value!r}")
    await press(page, "main form", "location.pathname === '/'")
