"""What the library's client does otherwise than it comes: limits, signs of life, renewal."""

import asyncio
import gc
from pathlib import Path
from struct import pack, unpack
from typing import Any

import pytest

from gateway.core.status import GOOD
from gateway.drivers.api import NotConnectedError
from gateway.drivers.kit.conformance import FaultProxy
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting import session
from gateway.drivers.opcua.connecting.client import GatewayClient, new_client
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import AsyncuaServer, ForeignServer, point
from tests.drivers.opcua.test_foreign import collect, flat
from tests.drivers.opcua.test_security import secured, trust_server
from tests.support.waiting import SOON_S

ITEMS = [point(f"Item.{n}", "float64") for n in range(3_000)]


def takes_one_short_chunk(data: bytes) -> bytes:
    """The Acknowledge message (Part 6, 7.1.2.4) of a controller with little room for requests."""
    if not data.startswith(b"ACKF"):
        return data
    _, sends, _, _ = unpack("<4I", data[12:28])
    return data[:12] + pack("<4I", 8_192, sends, 8_192, 1) + data[28:]


async def test_a_server_that_takes_one_short_chunk_may_send_long_responses(
    driver_for: Connect, pki: Path
) -> None:
    with ForeignServer(pki, items=1_000) as server:
        async with FaultProxy(server.port) as proxy:
            proxy.alter = takes_one_short_chunk
            url = f"opc.tcp://127.0.0.1:{proxy.port}"
            driver = driver_for(server.connection(url=url, max_nodes_per_call=50))
            await driver.connect()
            assert not (await driver.subscribe("g", ITEMS[:1_000], 500)).any()
            await collect(driver, 1_000)
            server.tell(ramp=500)  # from now on all of them change at once
            # a busy server tells of some of them piece by piece
            came = (await collect(driver, 10_000, SOON_S))["g"]
            assert max(len(one.index) for one in came) >= 400, "more than 8 kB at once"


async def test_long_requests_are_cut_into_chunks_that_the_server_takes(
    driver_for: Connect, pki: Path
) -> None:
    transport = {"receiveBufferSize": 8_192, "sendBufferSize": 65_535}
    transport |= {"maxMessageSize": 1_000_000, "maxChunkCount": 50}
    limits = {"maxNodesPerRead": 3_000}
    with ForeignServer(pki, items=3_000, transport=transport, limits=limits) as server:
        driver = driver_for(server.connection())
        await driver.connect()
        reading = await driver.read(driver.plan(ITEMS))
        assert flat(reading.columns) == list(range(3_000))


async def test_signs_of_life_follow_the_time_out_that_the_server_grants(
    driver_for: Connect,
) -> None:
    """We ask for a minute; a session that is silent for a second is gone here."""
    with AsyncuaServer() as server:
        server.tell(session_ms=1_000)
        async with FaultProxy(server.port) as proxy:
            driver = driver_for(server.connection(url=f"opc.tcp://127.0.0.1:{proxy.port}"))
            await driver.connect()
            signs = asyncio.Event()
            left = 5

            def count(data: bytes) -> bytes:
                nonlocal left
                left -= 1
                if not left:
                    signs.set()
                return data

            proxy.alter = count
            async with asyncio.timeout(60):
                await signs.wait()
            reading = await driver.read(driver.plan([point("Double", "float64")]))
            assert reading.status.tolist() == [GOOD]


@pytest.fixture
def short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels must be renewed after three seconds; a busy machine has one more for it."""

    def short(connection: Connection, url: str | None = None, **more: Any) -> GatewayClient:
        client = new_client(connection, url, **more)
        client.secure_channel_timeout = 4_000
        return client

    monkeypatch.setattr(session, "new_client", short)


@pytest.mark.parametrize("security", ["none", "basic256sha256"])
@pytest.mark.usefixtures("short_lived")
async def test_a_channel_is_renewed_while_values_flow(
    foreign: ForeignServer, driver_for: Connect, tmp_path: Path, security: str
) -> None:
    if security != "none":
        await trust_server(driver_for(secured(foreign, tmp_path)), tmp_path)
    fields = {"security": security, "certificate_dir": tmp_path, "publishing_ms": 50}
    driver = driver_for(foreign.connection(**fields))
    await driver.connect()
    await driver.subscribe("g", [point("Item.20", "float64")], 50)
    await collect(driver, 1)
    protocol = driver._open()._client.uaclient.protocol
    assert protocol is not None
    tokens: set[int] = set()
    value = 0.0
    async with asyncio.timeout(60):
        while len(tokens) < 2:
            tokens.add(protocol._connection.security_token.TokenId)
            value += 1
            foreign.set("Item.20", value)
            came = (await collect(driver, 1))["g"]
            assert [flat(one.columns) for one in came] == [[value]]
            assert not any(one.status.any() for one in came)


@pytest.mark.usefixtures("short_lived")
async def test_a_channel_that_cannot_be_renewed_is_a_lost_connection(
    driver_for: Connect, pki: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ForeignServer(pki, items=1) as server:
        driver = driver_for(server.connection(request_timeout_ms=1_500))
        await driver.connect()
        renewing = driver._open()._client._renew_channel_task
        assert renewing is not None
        server.freeze()
        async with asyncio.timeout(60):
            await asyncio.wait([renewing])
        with pytest.raises(NotConnectedError):
            await driver.read(driver.plan([point("Double", "float64")]))
        await driver.close()
        server.thaw()
        del renewing
        gc.collect()  # an error that nobody looked at would be logged now
        assert not caplog.records
