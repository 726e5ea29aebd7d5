"""Looking for devices from the page: live, stopped, beside the gateway's own, and where not."""

import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console.box import box, device, meter
from tests.console.english import english_on
from tests.console.test_box_writing import TOKEN, visiting
from tests.support.chromium import Page, chromium
from tests.support.peers import free_port
from tests.support.waiting import SOON_S, until
from tests.survey import plant
from tests.survey.odd_units import OddUnits, holding
from tests.survey.test_probe import SDM630

pytestmark = pytest.mark.long

TEXT = "document.body.innerText"
QUICK = {"timeout_ms": "300", "pause_ms": "10", "unit": "1-3"}


@contextmanager
def box_with_token(folder: Path, *devices: dict[str, Any]) -> Iterator[str]:
    secret = folder / "token"
    secret.write_text(TOKEN)
    with box(folder, *devices, console={"token": {"file": str(secret)}}) as base:
        yield base


@asynccontextmanager
async def logged_in(base: str, path: str, language: str = "en") -> AsyncIterator[Page]:
    async with chromium() as page:
        await page.viewport(820, 1180)
        await page.goto(f"{base}/login?lang={language}&next={path}")
        await page.type("#token", TOKEN)
        await page.click("main button")
        await page.until("!!document.querySelector('[name=url]')")
        yield page


async def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.evaluate(f"document.querySelector('[name={name}]').value = ''")
        await page.type(f"[name={name}]", value)


def searches(url: str, whose: str = "ppid") -> list[int]:
    """Processes that look there, each by its parent or (``pid``) itself."""
    command = ["ps", "-wweo", f"{whose},args"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    ours = [line for line in listed.stdout.splitlines() if " -m gateway probe " in line]
    return [int(line.split()[0]) for line in ours if line.endswith(f" {url}")]


@pytest.mark.timeout(300)
async def test_units_are_found_identified_and_given_a_block_to_copy(tmp_path: Path) -> None:
    made = {"VendorName": "Eastron", "ProductCode": "SDM630"}
    async with meter() as port, plant.serving(plant.device(3, {0: [0]}, SDM630), **made) as other:
        with box_with_token(tmp_path, device("press-1", ["holding:10"], port=port)) as base:
            async with logged_in(base, "/probe") as page:
                await fill(page, url=f"tcp://127.0.0.1:{other}", **QUICK | {"unit": "３"})
                assert await page.barriers() == []
                await page.click("button.primary")
                await page.until(f"{TEXT}.includes('1 device found')")
                text = await page.evaluate(TEXT)
                assert "Eastron" in text
                assert "meter_sdm630" in text
                assert "profile: meter_sdm630" in await page.evaluate(
                    "document.querySelector('pre.copy').innerText"
                )
                assert await page.evaluate("document.documentElement.scrollWidth") <= 820
                assert await page.barriers() == []
                await page.goto(f"{base}/probe?lang=zh")
                assert "找到 1 台设备" in await page.evaluate(TEXT)
                html = await page.evaluate("document.querySelector('#search').outerHTML")
                assert [one for one in english_on(html) if "meter" not in one] == []  # a title
                assert await page.barriers() == []
                assert page.problems == []


@pytest.mark.timeout(300)
async def test_a_long_search_is_followed_and_stopped_and_what_was_found_stays(
    tmp_path: Path,
) -> None:
    odd = OddUnits({2: holding((0, 9))})
    async with meter() as port, odd.serving() as other:
        with box_with_token(tmp_path, device("press-1", ["holding:10"], port=port)) as base:
            async with logged_in(base, "/probe") as page:
                await fill(page, url=f"tcp://127.0.0.1:{other}", unit="1-247")
                await page.click("[name=map]")
                await page.click("button.primary")
                await page.until(f"{TEXT}.includes('1 found so far')")
                updates = await page.until("+document.documentElement.dataset.updates")
                await page.until(f"+document.documentElement.dataset.updates > {updates + 1}")
                assert await page.evaluate("document.querySelector('progress').max") == 247
                assert await page.barriers() == []
                async with visiting(base) as visitor:  # one at a time
                    again = await began(visitor, f"tcp://127.0.0.1:{other}")
                    assert "Another search goes on" in again.text
                await page.click("button.danger")
                await page.until(f"{TEXT}.includes('The search was ended early')")
                text = await page.evaluate(TEXT)
                assert "1 device found" in text
                assert "unit 2" in text
    assert max(unit for unit, *_ in odd.asked if unit not in (139, 193, 247)) < 200


async def began(visitor: httpx.AsyncClient, url: str, **more: str) -> httpx.Response:
    fields = {"csrf": visitor.cookies["qulink_csrf"], "driver": "modbus", "map": "on"}
    return await visitor.post("/probe", data={**fields, "url": url, **QUICK, **more})


async def shown(visitor: httpx.AsyncClient, words: str, path: str = "/probe") -> str:
    """The page, as soon as it says so."""
    text = ""

    async def says_so() -> bool:
        nonlocal text
        text = (await visitor.get(path)).text
        return words in text

    await until(says_so)
    return text


@pytest.mark.timeout(300)
async def test_where_the_gateway_itself_reads_it_is_asked_first_and_goes_on_afterwards(
    tmp_path: Path,
) -> None:
    async with meter() as port:
        devices = (
            device("press-1", ["holding:10"], port=port),
            device("elsewhere", ["holding:10"], port=free_port()),
        )
        with box_with_token(tmp_path, *devices) as base:
            async with visiting(base) as visitor:
                url = f"tcp://localhost:{port}"
                asked = await began(visitor, url)
                assert "The gateway itself reads press-1 there" in asked.text
                assert searches(url) == []
                await began(visitor, url, own="halt", unit="1", addresses="0-600")
                await shown(visitor, "does not read press-1 meanwhile")
                await shown(visitor, "Stopped", "/devices/press-1")
                await shown(visitor, "1 device found")
                await shown(visitor, "</svg>Up</span>", "/devices/press-1")
                await began(visitor, url, own="beside", unit="1", addresses="0-9")
                await until(lambda: searches(url))
                assert "meanwhile; it goes on" not in (await visitor.get("/probe")).text
                await shown(visitor, "1 device found")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"url": "tcp:/nowhere"}, "names no host and port"),
        ({"url": "tcp://8.8.8.8:502"}, "this is not in a plant&#39;s own network"),
        ({"url": "tcp://[::ffff:8.8.8.8]:502"}, "this is not in a plant&#39;s own network"),
        ({"url": "tcp://no-such-plc.invalid:502"}, "Nobody knows the name"),
        ({"url": "serial:///dev/watchdog"}, "this is no serial port of this box"),
        ({"url": "serial:///etc/passwd"}, "this is no serial port of this box"),
        ({"url": "tls://127.0.0.1:802?key_file=/etc/shadow"}, "tls: this names a file"),
        (
            {
                "driver": "opcua",
                "url": "opc.tcp://127.0.0.1:4840?username=x&password_file=/etc/shadow",
            },
            "password: this names a file",
        ),
        (
            {"driver": "opcua", "url": "opc.tcp://127.0.0.1:4840?certificate_file=/etc/shadow"},
            "certificate_file: this names a file",
        ),
        (
            {"driver": "opcua", "url": "opc.tcp://127.0.0.1?discovery_url=opc.tcp://8.8.8.8:4840"},
            "8.8.8.8: this is not in a plant",
        ),
        ({"url": "tcp://127.0.0.1:1", "pause_ms": "0"}, "at least 10 ms"),
    ],
)
async def test_what_nobody_may_look_for_from_the_page_is_said(
    shared_box: str, fields: dict[str, str], words: str
) -> None:
    async with visiting(shared_box) as visitor:
        answer = await began(visitor, **fields)
        assert words in answer.text, re.sub(r"<[^>]+>", " ", answer.text)[:1500]
        assert "Nothing was looked for" in answer.text


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("box")
    with box_with_token(folder, device("press-1", ["holding:10"], port=free_port())) as base:
        yield base


@pytest.mark.timeout(300)
async def test_what_the_command_refuses_is_shown(shared_box: str) -> None:
    async with visiting(shared_box) as visitor:
        await began(visitor, "tcp://127.0.0.1:1", unit="5-300", tables="－－help")
        text = await shown(visitor, "The search found nothing out")
        assert "--unit: &#39;5-300&#39;" in text
        assert "--tables: there is no table &#39;--help&#39;" in text
        await began(visitor, f"tcp://127.0.0.1:{free_port()}")
        await shown(visitor, "cannot connect to Modbus unit 1")


@pytest.mark.timeout(300)
async def test_every_driver_that_looks_has_its_form(shared_box: str) -> None:
    async with visiting(shared_box) as visitor:
        for name in ("modbus", "opcua", "s7", "mc", "dlt645"):
            page = await visitor.get("/probe", params={"driver": name})
            assert f'name="driver" value="{name}"' in page.text
            assert "pause_ms" in page.text
        assert (await visitor.get("/probe", params={"driver": "x"})).status_code == 404


@pytest.mark.timeout(300)
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_a_search_ends_with_its_gateway(tmp_path: Path, end: signal.Signals) -> None:
    odd = OddUnits({2: holding((0, 9))})
    async with meter() as port, odd.serving() as other:
        with box_with_token(tmp_path, device("press-1", ["holding:10"], port=port)) as base:
            async with visiting(base) as visitor:
                url = f"tcp://127.0.0.1:{other}"
                await began(visitor, url, unit="1-247")
                await shown(visitor, "1 found so far")
            (gateway,) = searches(url)
            os.kill(gateway, end)
            await until(lambda: not searches(url))


@pytest.mark.timeout(300)
async def test_without_a_token_nobody_looks_for_devices(tmp_path: Path) -> None:
    async with meter() as port:
        with box(tmp_path, device("press-1", ["holding:10"], port=port)) as base:
            async with visiting(base, "") as visitor:
                assert "/probe" not in (await visitor.get("/")).text
                assert (await visitor.get("/probe")).status_code == 404
                assert (await began(visitor, "tcp://127.0.0.1:1")).status_code == 404
                assert (await visitor.post("/probe/stop")).status_code == 404


async def test_a_form_from_elsewhere_begins_nothing(shared_box: str) -> None:
    async with visiting(shared_box) as visitor:
        answer = await visitor.post("/probe", data={"driver": "modbus", "url": "tcp://127.0.0.1:1"})
        assert answer.status_code == 403
        assert (await visitor.post("/probe/stop")).status_code == 403
    async with httpx.AsyncClient(base_url=shared_box, trust_env=False, timeout=SOON_S) as stranger:
        await stranger.get("/login")
        answer = await began(stranger, "tcp://127.0.0.1:1")
        assert answer.status_code in (303, 401, 403)
    assert searches("tcp://127.0.0.1:1") == []
