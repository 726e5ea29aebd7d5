"""Somebody's way through the console in a browser: they click, look, and are refused.

With a folder it takes the pictures of docs/roles.md on the way.
"""

import asyncio
import base64
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gateway.city.access.principal import Role
from tests.support.chromium import Page

WIDTH, HEIGHT = 1280, 860


@dataclass(frozen=True, slots=True)
class Walk:
    """One role's way.

    Attributes:
        page: of the browser.
        base: address of the console.
        language: ``zh`` or ``en``.
        role: who walks.
        pictures: where pictures go; None: none are taken.
    """

    page: Page
    base: str
    language: str
    role: Role
    pictures: Path | None = None

    async def enter(self) -> None:
        """Come in by the role's button."""
        await self.page.forget()
        await self.page.goto(f"{self.base}/login?lang={self.language}")
        await self.lacks_element("input[type=search]")  # there is nothing to search yet
        await self.page.click(f"button[value={self.role}]")
        await self._there("/")

    async def open(self, path: str) -> None:
        """Open an address that somebody has kept."""
        await self.page.goto(f"{self.base}{path}")
        await self._there(path)

    async def follow(self, path: str) -> None:
        """Click the link that leads to an address, and be there."""
        await self.page.click(f'a[href="{path}"]')
        await self._there(path)

    async def shows(self, *texts: str) -> None:
        """Wait until the page says all of it."""
        for text in texts:
            await self.page.until(f"document.body.textContent.includes({json.dumps(text)})")

    async def lacks(self, *texts: str) -> None:
        """The page as it stands says nothing of it."""
        shown = await self.page.evaluate("document.body.textContent")
        assert [text for text in texts if text in shown] == []

    async def lacks_element(self, selector: str) -> None:
        """There is no such element."""
        find = f"document.querySelector({json.dumps(selector)}) === null"
        assert await self.page.evaluate(find), selector

    async def is_refused(self, path: str, status: int) -> None:
        """An address answers that it is not theirs (404), or nothing for their role (403)."""
        asked = f"fetch({json.dumps(path)}).then(answer => answer.status)"
        assert await self.page.evaluate(asked) == status, path

    async def searches(self, words: str) -> None:
        """Type into the box and press enter."""
        await self.page.type("input[type=search]", words)
        await self.page.press("Enter")
        await self._there(f"/search?q={quote(words)}")

    async def look(self) -> None:
        """Take the role's picture of the page, as the window shows it."""
        if self.pictures is None:
            return
        await self.page.until("document.querySelector('main .chart, main table') !== null")
        shot = await self.page.command("Page.captureScreenshot", format="webp", quality=55)
        ending = "" if self.language == "en" else f".{self.language}"
        file = self.pictures / f"{self.role}{ending}.webp"
        await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))

    async def _there(self, path: str) -> None:
        here = f"location.pathname + location.search === {json.dumps(path)}"
        loaded = "document.readyState === 'complete' && performance.timing.loadEventEnd > 0"
        shown = "document.querySelector('h1') !== null"
        waiting = "document.querySelector('meta[http-equiv=refresh]') !== null"
        await self.page.until(f"{here} && {loaded} && {shown} && !({waiting})")
