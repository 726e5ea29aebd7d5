"""Devices that are left alone for now: until when, what was learnt of them, how they answer."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.console.box import box, device, meter
from tests.console.english import english_on
from tests.edge.test_fault_ids import Slave
from tests.support.chromium import Page, chromium
from tests.support.peers import free_port

TEXT = "document.body.innerText"
AGAIN = r"/[2-9]\d* failures in a row · tried again at \d\d:\d\d:\d\d/"


async def seen(page: Page, pattern: str) -> str:
    """The text of the page, as soon as it fits."""
    await page.until(f"{pattern}.test({TEXT})")
    return str(await page.evaluate(TEXT))


@pytest.mark.timeout(300)
async def test_failures_in_a_row_and_the_next_attempt_are_told_until_it_answers(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with chromium() as page:
        with box(tmp_path, device("press-1", ["holding:10"], port=port)) as base:
            await page.viewport(820, 1180)
            for path in ("/devices/press-1", "/lines"):
                await page.goto(f"{base}{path}?lang=en")
                text = await seen(page, AGAIN)
                assert "an answer is awaited for 1,000 ms" in text
                assert await page.barriers() == []
            await page.goto(f"{base}/lines?lang=zh")
            await seen(page, r"/连续失败 \d+ 次 · 将于 \d\d:\d\d:\d\d 重试/")
            assert english_on(await page.evaluate("document.querySelector('main').outerHTML")) == []
            async with meter(port):
                await page.goto(f"{base}/devices/press-1?lang=en")
                text = await seen(page, r"/answers in [\d.,]+ ms, at most [\d.,]+ ms/")
                assert "in a row" not in text
                usual, slowest = re.findall(r"([\d.,]+) ms", text)[:2]
                assert 0 < float(usual) <= float(slowest.replace(",", ""))
            await page.goto(f"{base}/devices/press-1?lang=en")
            await seen(page, AGAIN)
            assert page.problems == []


@pytest.mark.timeout(300)
async def test_what_is_refused_is_named_with_when_it_is_asked_for_again(tmp_path: Path) -> None:
    async with meter() as port, chromium() as page:
        one = device("press-1", ["holding:10", "holding:900"], port=port, request_timeout_ms=700)
        with box(tmp_path, one) as base:
            await page.viewport(820, 1180)
            await page.goto(f"{base}/devices/press-1?lang=en")
            await seen(page, "/1 request is left alone/")
            await page.click("details summary")
            text = await seen(page, r"/again after [\d,]+ readings?/")
            assert "holding 900" in text
            assert "an answer is awaited for 700 ms" in text
            assert await page.barriers() == []
            await page.goto(f"{base}/devices/press-1?lang=zh")
            await seen(page, "/1 个请求因设备拒绝或不应答而暂停/")
            assert await page.barriers() == []


@pytest.mark.timeout(300)
async def test_a_silent_unit_beside_one_that_answers_is_left_alone_by_itself(
    tmp_path: Path,
) -> None:
    silent = await asyncio.get_running_loop().create_server(Slave, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, chromium() as page:
        devices = [
            device(f"unit-{unit}", ["holding:0"], port=port, unit=unit, request_timeout_ms=200)
            for unit in (1, 9)
        ]
        with box(tmp_path, *devices) as base:
            await page.goto(f"{base}/lines?lang=en")
            await seen(page, AGAIN)
            rows = await page.evaluate(
                "[...document.querySelectorAll('tbody tr')].map(row => row.innerText)"
            )
            assert [("in a row" in row, "unit-9" in row) for row in rows] == [
                (False, False),
                (True, True),
            ]
