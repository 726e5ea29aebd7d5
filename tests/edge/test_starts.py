"""A herd that begins at once: some at a time, and nobody is left out or left behind."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from edge_config.loading.resolved import ResolvedDevice
from edge_config.models.gateway import DeviceConfig, ProfileConfig
from edge_config.models.validation import validated
from gateway.drivers.api import Driver, RefusedError
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua.driver import OpcUaDriver
from gateway.edge.device.links import AT_ONE_SERVER, Links
from gateway.edge.device.turns import Starts
from gateway.edge.live.view import Live
from tests.drivers.opcua.server import AsyncuaServer, point


async def test_places_are_given_in_turn() -> None:
    starts, order = Starts(2), list[int]()
    go = asyncio.Event()

    async def connect(number: int) -> None:
        async with starts.place():
            order.append(number)
            await go.wait()

    tasks = [asyncio.create_task(connect(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert order == [0, 1]
    tasks[2].cancel()
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 3, 4]


async def test_who_waits_for_the_network_keeps_nobody_waiting() -> None:
    starts = Starts(1, hold_s=0.01)
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(starts.place())
    for _ in range(3):  # given back once each: there is still one place
        async with starts.place():
            assert starts._places.locked()


def device(number: int, url: str) -> ResolvedDevice:
    connection = validated(SPEC.connection, {"url": url, "request_timeout_ms": 60_000})
    given: dict[str, Any] = {
        "id": f"d{number}",
        "driver": "opcua",
        "profile": "p",
        "asset_no": f"A{number}",
        "connection": {"url": url},
    }
    tag = {"name": "t", "address": "i=2258|datetime"}
    groups = [{"name": "g", "tags": [tag]}]
    given_profile = {"name": "p", "driver": "opcua", "source": "controller", "groups": groups}
    profile = validated(ProfileConfig, given_profile)
    return ResolvedDevice(validated(DeviceConfig, given), connection, profile, ())


@pytest.mark.timeout(600)
async def test_a_hundred_sessions_begin_at_one_server() -> None:
    with AsyncuaServer() as server:
        links = Links({"opcua": SPEC}, Live())
        ways = [links.join(device(number, server.url)) for number in range(100)]
        beginning, most = 0, 0

        async def connect(number: int) -> OpcUaDriver:
            nonlocal beginning, most
            way = ways[number]
            async with way.start():
                beginning += 1
                most = max(most, beginning)
                driver = way.make()
                assert isinstance(driver, OpcUaDriver)
                await driver.connect()
                assert not (await driver.subscribe("g", [point("Double", "float64")], 1000)).any()
                beginning -= 1
            return driver

        drivers = await asyncio.gather(*(connect(number) for number in range(100)))
        assert most == AT_ONE_SERVER
        server.tell(sessions=100)
        await asyncio.gather(*(driver.close() for driver in drivers))
        server.tell(sessions=0)


async def test_a_session_that_nobody_wants_any_more_is_closed() -> None:
    """Given up between the request for it and the answer, when it has no name yet."""
    with AsyncuaServer() as server:
        driver = OpcUaDriver(server.connection())
        for _ in range(3):
            server.tell(slow=0.2)
            connecting = asyncio.create_task(driver.connect())
            await asyncio.to_thread(server.tell, creating=True)
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            await driver.close()
        server.tell(sessions=0)


def test_the_library_is_loaded_before_anything_runs() -> None:
    """Its import takes half a second, in which nobody else would be read."""
    made: list[object] = []

    def make(connection: object) -> Driver:
        made.append(connection)
        raise RefusedError("asyncua is missing")

    links = Links({"opcua": replace(SPEC, make=make)}, Live())
    ways = [links.join(device(number, "opc.tcp://plc")) for number in range(2)]
    assert len(made) == 1
    with pytest.raises(RefusedError):
        ways[0].make()
