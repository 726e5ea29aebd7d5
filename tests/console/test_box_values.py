"""What a technician sees of values: bytes, byte orders, what is odd; and reading once, now."""

from pathlib import Path

import httpx
import pytest

from edge_config.loading.load import load_gateway
from gateway.core.status import Quality, Reason
from gateway.drivers.registry import installed
from gateway.edge.device.asking.alone import model_of
from gateway.edge.live.console.pages.values import shown
from gateway.edge.live.records import TagLive
from tests.console.box import box, device, meter
from tests.edge.one_device import configured
from tests.support.chromium import chromium
from tests.support.peers import free_port
from tests.support.waiting import SOON_S

TAGS = (
    {"name": "voltage", "address": "holding:0:float32", "unit": "V"},
    {"name": "turned", "address": "holding:2:float32", "unit": "V"},
    {"name": "pieces", "address": "holding:4:uint32", "role": "counter"},
    {"name": "scaled", "address": "holding:10", "scale": 0.1},
    {"name": "absent", "address": "holding:900"},
)
ROW = "[...document.querySelectorAll('[data-live=tags] tr')].find(r => r.innerText.includes('{}'))"


@pytest.mark.timeout(300)
async def test_a_wrong_byte_order_is_marked_and_the_right_one_stands_beside_it(
    tmp_path: Path,
) -> None:
    async with meter() as port:
        with box(tmp_path, device("press-1", TAGS, port=port)) as base:
            async with chromium() as page:
                for language, odd in (("zh", "可疑"), ("en", "odd:")):
                    await page.viewport(820, 1180)
                    await page.goto(f"{base}/devices/press-1?lang={language}")
                    await page.until(f"{ROW.format('2,881,880,064')} !== undefined")
                    right = await page.evaluate(f"{ROW.format('voltage')}.innerText")
                    assert "43 65 00 00" in right
                    assert odd not in right
                    for name, held, shown in (
                        ("turned", "00 00 43 65", "229.00"),
                        ("pieces", "ab c6 00 00", "43,974"),
                    ):
                        row = ROW.format(name)
                        text = await page.evaluate(f"{row}.innerText")
                        assert held in text
                        assert odd in text
                        beside = await page.evaluate(f"{row}.nextElementSibling.innerText")
                        assert all(one in beside for one in ("ABCD", "BADC", "CDAB", "DCBA"))
                        assert shown in beside
                    width = await page.evaluate("document.documentElement.scrollWidth")
                    assert width <= 820
                    assert await page.barriers() == []
                await page.click("form[action$='/read'] button")
                await page.until("document.querySelector('#read h2') !== null")
                read = await page.evaluate("document.querySelector('#read').innerText")
                assert "Read once at" in read
                assert "229.00 V" in read
                assert "2.10" in read
                assert "no such address" in read
                assert await page.barriers() == []
                assert page.problems == []


def test_of_two_machines_with_one_name_no_bytes_are_guessed(tmp_path: Path) -> None:
    tags = [
        {"name": "speed", "address": "holding:10", "asset_no": "A"},
        {"name": "speed", "address": "holding:0:float32", "asset_no": "B"},
        {"name": "alone", "address": "holding:12"},
    ]
    config = configured(tmp_path, "modbus", {"host": "127.0.0.1"}, tags)
    model = model_of(load_gateway(config, installed()), installed(), "press-1")
    known = (Quality.GOOD, Reason.NONE, 1)
    live = [TagLive("speed", "", "", "", "value", "g", 7, *known, raw=7) for _ in range(2)]
    live.append(TagLive("alone", "", "", "", "value", "g", 7, *known, raw=7))
    assert [(row.held, row.address) for row in shown(live, model)] == [
        ("", ""),
        ("", ""),
        ("00 07", "holding:12:uint16"),
    ]


@pytest.mark.timeout(300)
async def test_reading_once_needs_a_form_of_ours_and_says_why_it_failed(tmp_path: Path) -> None:
    one = device("press-1", TAGS, port=free_port())
    with box(tmp_path, one) as base:
        async with httpx.AsyncClient(
            base_url=base, follow_redirects=True, trust_env=False, timeout=SOON_S
        ) as visitor:
            assert (await visitor.get("/devices/press-1/read")).status_code == 405
            page = await visitor.get("/devices/press-1?lang=en")
            assert (await visitor.post("/devices/press-1/read")).status_code == 403
            form = {"csrf": visitor.cookies["qulink_csrf"]}
            assert (await visitor.post("/devices/press-9/read", data=form)).status_code == 404
            page = await visitor.post("/devices/press-1/read", data=form)
            assert page.status_code == 200
            assert "It could not be read" in page.text
            assert "device press-1 at 127.0.0.1" in page.text
