"""The list of devices tells the truth: what is wrong with each, in both languages, and what to do.

A real gateway, a foreign Modbus server and a real browser.
"""

import asyncio
from pathlib import Path

import pytest

from tests.console.box import box, device, meter
from tests.edge.test_fault_ids import Slave
from tests.support.chromium import Page, chromium
from tests.support.peers import free_port

LINE = "[...document.querySelectorAll('tbody tr')].find(r => r.textContent.includes('{name}'))"
EXPECTED = {
    "right": ("good", "3 / 3", "已连接", "Up"),
    "partly": ("warn", "1 / 2", "地址不存在", "no such address"),
    "profile": ("bad", "0 / 7", "对照设备手册", "compare profile, addresses"),
    "nobody": ("bad", "0 / 1", "端口无人监听", "see the port"),
    "no-name": ("bad", "0 / 1", "主机名无法解析", "typing mistake"),
    "unit-9": ("bad", "0 / 1", "检查站号 9", "see unit 9"),
}


async def line(page: Page, name: str) -> str:
    text: str = await page.evaluate(f"{LINE.format(name=name)}.innerText")
    return " ".join(text.split())


@pytest.mark.timeout(300)
async def test_each_device_says_what_is_wrong_with_it_and_what_to_do(tmp_path: Path) -> None:
    silent = await asyncio.get_running_loop().create_server(Slave, "127.0.0.1", 0)
    async with meter() as port, silent:
        elsewhere = silent.sockets[0].getsockname()[1]
        devices = (
            device("right", ["holding:0:float32", "holding:10", "holding:10:int16"], port=port),
            device("partly", ["holding:10", "holding:900"], port=port),
            device("profile", [f"holding:{900 + at}" for at in range(7)], port=port),
            device("nobody", ["holding:0"], port=free_port()),
            device("no-name", ["holding:0"], host="no-such-plc.invalid"),
            device("unit-9", ["holding:0"], port=elsewhere, unit=9, request_timeout_ms=200),
        )
        with box(tmp_path, *devices) as base:
            async with chromium() as page:
                await page.viewport(820, 1180)
                for language, words in (("zh", 2), ("en", 3)):
                    await page.goto(f"{base}/?lang={language}")
                    for name, told in EXPECTED.items():
                        row = LINE.format(name=name)
                        await page.until(f"!!{row}.querySelector('.state-{told[0]}')")
                        await page.until(f"{row}.innerText.includes('{told[words]}')")
                        assert told[1] in await line(page, name)
                    width = await page.evaluate("document.documentElement.scrollWidth")
                    assert width <= 820
                    assert await page.barriers() == []
                said = await page.evaluate("document.querySelector('.rows .what').innerText")
                assert "gateway.yaml:" in said  # two values of one register, as check says
                assert "is of the same registers as" in said
                assert "unit 9" in await line(page, "unit-9")
                await page.goto(f"{base}/devices/nobody?lang=en")
                text = await page.evaluate("document.body.innerText")
                assert "nobody listens at the port" in text
                assert "unit 1" in text
                assert await page.barriers() == []
                assert page.problems == []
