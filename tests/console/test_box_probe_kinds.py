"""Looking for devices from the page: every driver that can, and the gateway's own serial line."""

# ruff: noqa: F811 - fixtures of another module

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.console.test_box_probe import (
    began,
    box_with_token,
    searches,
    shared_box,  # noqa: F401 - a fixture
    shown,
)
from tests.console.test_box_writing import visiting
from tests.drivers.dlt645.peers import OTHER, line, meter
from tests.drivers.mc.peers import virtual_plc
from tests.drivers.modbus.lines.bus import bus
from tests.drivers.opcua.server import AsyncuaServer
from tests.drivers.s7.peers import snap7_server
from tests.support.waiting import until

Peer = Callable[[], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def cpu() -> AsyncIterator[str]:
    with snap7_server() as server:
        yield f"tcp://127.0.0.1:{server.port}"


@asynccontextmanager
async def controller() -> AsyncIterator[str]:
    with virtual_plc() as (port, _):
        yield f"tcp://127.0.0.1:{port}"


@asynccontextmanager
async def electricity() -> AsyncIterator[str]:
    async with line(meter(OTHER)) as (_, proxy):
        yield f"tcp://127.0.0.1:{proxy.port}"


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    with AsyncuaServer() as found:
        yield found.url


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("driver", "peer", "words"),
    [
        ("s7", cpu, ("CPU in rack 0, slot 1", "rack: 0", "PUT/GET")),
        ("mc", controller, ("MELSEC controller in 3e frames", "frame: 3e")),
        ("dlt645", electricity, (f"meter {OTHER}", f'meter: "{OTHER}"')),
        ("opcua", server, ("variables", "None/None", "url: opc.tcp://")),
    ],
)
async def test_devices_of_every_driver_are_found(
    shared_box: str, driver: str, peer: Peer, words: tuple[str, ...]
) -> None:
    async with peer() as url, visiting(shared_box) as visitor:
        await began(visitor, url, driver=driver)
        text = (await shown(visitor, f"driver: {driver}")).replace("&#34;", '"')
        assert "1 device found" in text
        assert [one for one in words if one not in text] == []


def on_line(name: str, path: Path, unit: int) -> dict[str, Any]:
    tags = [{"name": "t0", "address": "holding:0"}]
    connection = {"serial": {"port": str(path), "baud": 115_200}, "unit": unit}
    return {"id": name, "tags": tags, "connection": connection}


@pytest.mark.timeout(300)
async def test_a_serial_line_of_the_gateway_is_lent_and_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "line"
    folder.mkdir()
    async with bus(folder, "rtu", dead=(1, 3, 4, 139, 193, 247)) as wire:
        path = Path(wire.terminal.link)
        with box_with_token(tmp_path, on_line("meter-2", path, 2)) as base:
            async with visiting(base) as visitor:
                await shown(visitor, "</svg>Up</span>", "/devices/meter-2")
                url = f"serial://{path}?baud=115200"
                wanted = {"unit": "1-4", "addresses": "0-3", "tables": "holding"}
                for own in ("", "beside"):  # two programs cannot have one port
                    asked = await began(visitor, url, own=own, **wanted)
                    assert "open to one program only" in asked.text
                    assert "Look beside them" not in asked.text
                    assert searches(url) == []
                await began(visitor, url, own="halt", **wanted)
                text = await shown(visitor, "1 device found")
                assert "unit 2" in text
                polls = wire.asked[2]
                await shown(visitor, "</svg>Up</span>", "/devices/meter-2")
                await until(lambda: wire.asked[2] > polls + 2)


@pytest.mark.timeout(300)
async def test_devices_go_on_though_the_search_in_their_place_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "line"
    folder.mkdir()
    async with bus(folder, "rtu", dead=tuple(range(3, 248))) as wire:
        path = Path(wire.terminal.link)
        with box_with_token(tmp_path, on_line("meter-2", path, 2)) as base:
            async with visiting(base) as visitor:
                await shown(visitor, "</svg>Up</span>", "/devices/meter-2")
                url = f"serial://{path}?baud=115200"
                await began(visitor, url, own="halt", unit="3-247")
                await shown(visitor, "does not read meter-2 meanwhile")
                await until(lambda: searches(url))
                for process in searches(url, whose="pid"):
                    os.kill(process, signal.SIGKILL)
                await shown(visitor, "The search found nothing out")
                await shown(visitor, "</svg>Up</span>", "/devices/meter-2")
