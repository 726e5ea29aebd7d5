"""No English sentence is left on the Chinese pages of a box whose devices have every fault.

A real gateway, foreign Modbus servers, and devices of all drivers that nobody answers for.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console.box import box, device, meter
from tests.console.english import english, english_on
from tests.edge.test_fault_ids import Slave
from tests.support.peers import free_port
from tests.support.waiting import SOON_S, until

STARTING = re.compile("连接中(?!断)")
TABS = ("", "/frames", "/test", "/detective")


class Mute(asyncio.Protocol):
    """Takes what is sent, and answers nothing."""


def _others(dead: int, mute: int) -> Iterator[dict[str, Any]]:
    """Devices of the other drivers: nobody listens, and nobody answers."""
    here = {"host": "127.0.0.1", "port": dead}
    silent = {**here, "port": mute}
    tags: dict[str, list[dict[str, Any]]] = {
        "mc": [{"name": "t", "address": "D100"}],
        "s7": [{"name": "t", "address": "MW10"}],
        "dlt645": [{"name": "t", "address": "02010100"}],
        "opcua": [{"name": "t", "address": "nsu=http://acme;s=Speed|float64"}],
    }
    for driver, tag in tags.items():
        for name, at in (("dead", here), ("mute", silent)):
            more = {"meter": "000000000012"} if driver == "dlt645" else {}
            url = {"url": f"opc.tcp://127.0.0.1:{at['port']}"}
            connection = url if driver == "opcua" else {**at, **more}
            yield {
                "id": f"{driver}-{name}",
                "driver": driver,
                "tags": tag,
                "connection": connection,
            }


@asynccontextmanager
async def visitor(base: str) -> AsyncIterator[httpx.AsyncClient]:
    options = {"base_url": base, "follow_redirects": True, "trust_env": False, "timeout": SOON_S}
    async with httpx.AsyncClient(**options) as one:  # type: ignore[arg-type]
        await one.get("/?lang=zh")
        yield one


def test_english_is_found() -> None:
    assert english("设备 press-1: no answer to the request") == ["no answer to the request"]
    assert english("Modbus TCP 与 RTU，framing: rtu") == []
    assert english_on("<p>see unit, here and there</p><p class='mono'>a b c d e</p>") == [
        "see unit, here and there"
    ]
    assert english_on("<p>看 <code>see unit and wiring now</code></p>") == []


@pytest.mark.timeout(300)
async def test_no_english_sentence_is_left_on_the_chinese_pages(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    silent = await loop.create_server(Slave, "127.0.0.1", 0)
    mute = await loop.create_server(Mute, "127.0.0.1", 0)
    async with meter() as port, meter() as slow, silent, mute:
        unheard, mutes = (one.sockets[0].getsockname()[1] for one in (silent, mute))
        devices = [
            device("right", ["holding:0:float32", "holding:10", "holding:10:int16"], port=port),
            device("partly", ["holding:10", "holding:900:float32"], port=port),
            device("profile", [f"holding:{900 + at}" for at in range(7)], port=port),
            device("nobody", ["holding:0"], port=free_port()),
            device("no-name", ["holding:0"], host="no-such-plc.invalid"),
            device("no-port", ["holding:0"]) | {"connection": {"serial": "/dev/no-such-port"}},
            device("unit-9", ["holding:0"], port=unheard, unit=9, request_timeout_ms=200),
            device("slow", ["holding:0:float32"], port=slow, baud=300),
            *_others(free_port(), mutes),
        ]
        city = {"kind": "qulink", "url": f"mqtt://127.0.0.1:{free_port()}"}
        with box(tmp_path, *devices, northbound=[city]) as base:
            async with visitor(base) as one:
                await _settled(one)
                assert await _left(one, ["/", "/lines"]) == {}
                first = (await one.get("/")).text
                assert "表号 000000000012" in first
                assert "检查站号 9" in first
                for each in devices:
                    here = f"/devices/{each['id']}"
                    csrf = {"csrf": one.cookies["qulink_csrf"]}
                    assert (await one.post(f"{here}/test", data=csrf)).status_code == 200
                    assert (await one.post(f"{here}/read", data=csrf)).status_code == 200
                    assert await _left(one, [f"{here}{tab}" for tab in TABS]) == {}


async def _settled(one: httpx.AsyncClient) -> None:
    async def is_settled() -> bool:
        return not STARTING.search((await one.get("/")).text)

    await until(is_settled)


async def _left(one: httpx.AsyncClient, paths: list[str]) -> dict[str, list[str]]:
    """English that is left, by page."""
    pages = {path: await one.get(path) for path in paths}
    found = {path: english_on(page.text) for path, page in pages.items() if page.is_success}
    return {path: runs for path, runs in found.items() if runs}
