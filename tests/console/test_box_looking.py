"""Frames of a device, live and before a fault, and the test of a connection, on the page."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.console.box import box, device, meter
from tests.edge.test_fault_ids import Slave
from tests.support.chromium import chromium
from tests.support.peers import free_port

TEXT = "document.body.innerText"


@pytest.mark.timeout(300)
async def test_frames_are_shown_live_and_those_before_a_fault_stay(tmp_path: Path) -> None:
    async with chromium() as page, AsyncExitStack() as machine:
        port = await machine.enter_async_context(meter())
        with box(tmp_path, device("press-1", ["holding:10", "holding:900"], port=port)) as base:
            await page.viewport(820, 1180)
            await page.goto(f"{base}/devices/press-1/frames?lang=zh")
            await page.until(f"{TEXT}.includes('异常码 2')")
            text = await page.evaluate(TEXT)
            assert "→ 发送" in text
            assert "← 接收" in text
            assert "00 06 01 03 00 0a 00 01" in text  # of a request, after its number
            assert await page.evaluate("document.documentElement.scrollWidth") <= 820
            assert await page.barriers() == []
            updates = await page.until("+document.documentElement.dataset.updates")
            await page.until(f"+document.documentElement.dataset.updates > {updates + 1}")
            assert "断开之前的报文" not in await page.evaluate(TEXT)
            await machine.aclose()
            await page.until(f"{TEXT}.includes('断开之前的报文')")
            await page.click("summary")
            await page.until("document.querySelector('details').open")
            before = await page.evaluate("document.querySelector('details').innerText")
            assert "异常码 2" in before
            assert await page.barriers() == []


@pytest.mark.timeout(300)
async def test_a_test_of_the_connection_says_which_layer_fails(tmp_path: Path) -> None:
    silent = await asyncio.get_running_loop().create_server(Slave, "127.0.0.1", 0)
    async with silent, meter() as port:
        elsewhere = silent.sockets[0].getsockname()[1]
        devices = (
            device("right", ["holding:10"], port=port),
            device("nobody", ["holding:0"], port=free_port()),
            device("unit-9", ["holding:0"], port=elsewhere, unit=9, request_timeout_ms=200),
        )
        with box(tmp_path, *devices) as base:
            async with chromium() as page:
                await page.viewport(820, 1180)
                for name, words in (
                    ("right", "1 of 1 are readable"),
                    ("nobody", "nobody listens at the port"),
                    ("unit-9", "unit 1"),
                ):
                    await page.goto(f"{base}/devices/{name}/test?lang=en")
                    assert "Tested at" not in await page.evaluate(TEXT)
                    await page.click(f"form[action='/devices/{name}/test'] button")
                    await page.until(f"{TEXT}.includes('Tested at')")
                    text = await page.evaluate(TEXT)
                    assert words in text
                    assert ("failed" in text) is (name != "right")
                    assert await page.barriers() == []
                await page.goto(f"{base}/devices/nobody/test?lang=zh")
                assert "端口无人监听" in await page.evaluate(TEXT)
                assert page.problems == []


@pytest.mark.timeout(300)
async def test_the_steps_of_a_test_are_shown_as_they_end(tmp_path: Path) -> None:
    silent = await asyncio.get_running_loop().create_server(Slave, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    slow = device("unit-9", ["holding:0"], port=port, unit=9, request_timeout_ms=2_500)
    async with silent, chromium() as page:
        with box(tmp_path, slow) as base:
            await page.goto(f"{base}/devices/unit-9/test?lang=en")
            await page.click("form[action='/devices/unit-9/test'] button")
            await page.until(f"{TEXT}.includes('a step may take') && {TEXT}.includes('Route')")
            assert "Tested at" not in await page.evaluate(TEXT)
            assert await page.barriers() == []
            await page.until(f"{TEXT}.includes('Tested at')")
            assert "failed" in await page.evaluate(TEXT)
            assert page.problems == []
