"""What an open page does when its server fails, goes away or asks for a log-in again."""

import asyncio
import logging
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_config.models.base import ConsoleConfig
from gateway.city.console.app import build
from gateway.web.faults import Faults
from gateway.web.listen import bind
from gateway.web.serve import serve
from tests.console.conftest import guarded, served
from tests.console.town import Town, uscc_of
from tests.support.chromium import Page, chromium

MACHINE = f"/enterprises/{uscc_of(0)}/1/A-001?lang=en"
SHOWN = "document.querySelector('[data-k=parts]').textContent.trim()"
LOST = "document.documentElement.classList.contains('lost')"
WORDS = "document.querySelector('[data-loss]').innerText"
AGAIN_S = 40.0
"""A page is patient for 4 s, then asks every 3 s; a loaded machine takes longer."""


class Switch:
    """An application that can be made to fail, and that knows how many requests it answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.broken = False
        self.open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or do not."""
        answer = PlainTextResponse("broken", 500) if self.broken else self.app
        self.open += 1
        try:
            await answer(scope, receive, send)
        finally:
            self.open -= 1


async def _shows(page: Page, words: str) -> None:
    await page.until(f"{SHOWN} === {words!r}", AGAIN_S)


async def test_a_page_outlives_its_server(city: Town) -> None:
    app = build(city.context)
    listener = bind("127.0.0.1:0")
    listen = f"127.0.0.1:{listener.getsockname()[1]}"
    server = asyncio.ensure_future(serve(app, ConsoleConfig(), listener))
    async with chromium() as page:
        await page.viewport(390, 844, mobile=True)
        await page.goto(f"http://{listen}{MACHINE}")
        await page.until("Number(document.documentElement.dataset.updates) > 0")
        server.cancel()
        await asyncio.wait({server})
        await page.until(LOST, AGAIN_S)
        assert "Connection lost" in await page.evaluate(WORDS)
        assert await page.evaluate(f"{SHOWN} === '12,000'"), "what was known stays in sight"
        city.speak(parts=12_345)
        server = asyncio.ensure_future(serve(app, ConsoleConfig(), bind(listen)))
        await _shows(page, "12,345")
        assert not await page.evaluate(LOST)
        assert await page.evaluate(WORDS) == ""
    server.cancel()
    await asyncio.wait({server})


async def test_a_page_outlives_answers_that_are_errors(city: Town) -> None:
    """A browser never tries again after one."""
    switch = Switch(build(city.context))
    async with served(switch) as base, chromium() as page:
        await page.goto(base + MACHINE)
        await page.until("Number(document.documentElement.dataset.updates) > 0")
        switch.broken = True
        await _reconnect(page)
        await page.until(LOST, AGAIN_S)
        city.speak(parts=777)
        switch.broken = False
        await _shows(page, "777")


async def test_a_page_that_nobody_sees_holds_no_connection(city: Town) -> None:
    """A browser has but six for a site; with one for each tab the seventh never loads."""
    switch = Switch(build(city.context))
    async with served(switch) as base, chromium() as page:
        await page.goto(base + MACHINE)
        await page.until("Number(document.documentElement.dataset.updates) > 0")
        await page.until("document.querySelector('[data-interactive]') !== null")
        assert switch.open >= 1
        await _hidden(page, "true")
        async with asyncio.timeout(AGAIN_S):
            while switch.open:  # noqa: ASYNC110 - another process closes it
                await asyncio.sleep(0.05)
        city.speak(parts=777)
        await _hidden(page, "false")
        await _shows(page, "777")
        assert not await page.evaluate(LOST)


async def test_a_session_that_ended_leads_to_the_log_in(tmp_path: Path) -> None:
    async with (
        guarded(tmp_path, "correct horse battery") as base,
        chromium() as page,
    ):
        await page.goto(f"{base}/login?next=%2Fgaps")
        await page.type("#token", "correct horse battery")
        await page.click("main button")
        await page.until("Number(document.documentElement.dataset.updates) > 0")
        await page.forget()
        await _reconnect(page)
        await page.until("document.querySelector('[name=next]')?.value === '/gaps'", AGAIN_S)


async def _reconnect(page: Page) -> None:
    await _hidden(page, "true")
    await _hidden(page, "false")


async def _hidden(page: Page, value: str) -> None:
    """What a browser says when its tab is left or entered."""
    await page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: {value}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


async def test_a_fault_is_logged_once_at_its_start_and_once_at_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "gateway.web.faults")
    works = [True, False, False, True, True]

    async def page(_scope: Scope, _receive: Receive, _send: Send) -> None:
        if not works.pop(0):
            raise ZeroDivisionError

    faults = Faults(page)
    while works:
        await _ask(faults, fails=not works[0])
    assert [record.getMessage() for record in caplog.records] == [
        "console: page '/books' failed",
        "console: page '/books' works again",
    ]


async def _ask(app: ASGIApp, *, fails: bool) -> None:
    try:
        await app({"type": "http", "path": "/books"}, _nothing, _nowhere)
    except ZeroDivisionError:
        assert fails


async def _nothing() -> dict[str, str]:
    return {"type": "http.disconnect"}


async def _nowhere(_message: object) -> None:
    return None
