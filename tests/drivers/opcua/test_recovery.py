"""Servers that die, freeze, come back changed: what the driver says, and that it goes on."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.core.status import GOOD
from gateway.drivers.api import Arrivals, NotConnectedError, RefusedError
from gateway.drivers.kit.conformance import FaultProxy
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import URI, AsyncuaServer, ForeignServer, point

QUICK = {"publishing_ms": 50, "keepalive_ms": 100, "request_timeout_ms": 2_000}
POINTS = [point("Item.0", "float64"), point("String", "string")]


async def reconnect(driver: OpcUaDriver, timeout_s: float = 30.0) -> None:
    """The poller's part in small: try until it works, then subscribe anew."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                await driver.connect()
                codes = await driver.subscribe("g", POINTS, 100)
            except NotConnectedError:
                await asyncio.sleep(0.05)
            else:
                assert not codes.any()
                return


async def until_lost(driver: OpcUaDriver, timeout_s: float = 20.0) -> NotConnectedError:
    """Take arrivals until the loss is reported."""
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                await driver.arrivals()
            except NotConnectedError as error:
                return error


async def first_values(driver: OpcUaDriver) -> dict[int, object]:
    values: dict[int, object] = {}
    async with asyncio.timeout(60):
        while len(values) < len(POINTS):
            for one in await driver.arrivals():
                values |= flat(one)
    return values


def flat(one: Arrivals) -> dict[int, object]:
    assert not one.status.any()
    values = [value for column in one.columns for value in column.tolist()]
    return dict(zip(one.index.tolist(), values, strict=True))


async def test_killed_and_back_with_other_namespace_indexes(driver_for: Connect, pki: Path) -> None:
    with ForeignServer(pki, items=2) as server:
        driver = driver_for(server.connection(**QUICK))
        before = asyncio.all_tasks()
        plan = driver.plan(POINTS)
        await reconnect(driver)
        index = driver._open().namespaces.uris.index(URI)
        assert await first_values(driver) == {0: 0.0, 1: "衢州 press"}
        server.kill()
        assert "127.0.0.1" in str(await until_lost(driver))
        with pytest.raises(NotConnectedError):
            await driver.read(plan)
        await driver.close()
        assert asyncio.all_tasks() == before, "the library's own tasks are gone too"
        server.start(extraNamespaces=3)
        await reconnect(driver)
        assert driver._open().namespaces.uris.index(URI) == index + 3
        assert await first_values(driver) == {0: 0.0, 1: "衢州 press"}
        server.set("Item.0", 5.5)
        (arrivals,) = await driver.arrivals()
        assert flat(arrivals) == {0: 5.5}
        reading = await driver.read(plan)
        assert reading.status.tolist() == [GOOD, GOOD]


async def test_a_frozen_server_is_noticed_by_its_silence(driver_for: Connect, pki: Path) -> None:
    """The connection stays open and nothing comes: no error ever arrives by itself."""
    with ForeignServer(pki, items=1) as server:
        driver = driver_for(server.connection(**QUICK))
        await reconnect(driver)
        await first_values(driver)
        server.freeze()
        said = str(await until_lost(driver))
        assert "no sign of life from the subscription of group 'g'" in said
        with pytest.raises(NotConnectedError):
            await driver.read(driver.plan(POINTS))
        await driver.close()
        with pytest.raises(NotConnectedError, match="no answer in time"):
            await driver.connect()
        server.thaw()
        await reconnect(driver)
        assert await first_values(driver) == {0: 0.0, 1: "衢州 press"}


async def test_a_timed_out_read_leaves_nothing_for_the_next(driver_for: Connect, pki: Path) -> None:
    """Cancelled by the poller's timeout; after close and connect answers are those asked for."""
    with ForeignServer(pki, items=2) as server:
        driver = driver_for(server.connection())
        await driver.connect()
        plan = driver.plan([point("Item.1", "float64")])
        server.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await driver.read(plan)
        await driver.close()
        server.thaw()
        before = asyncio.all_tasks()
        await driver.connect()
        reading = await driver.read(plan)
        assert reading.columns[0].tolist() == [1.0]
        await driver.close()
        assert asyncio.all_tasks() == before


async def test_a_cancelled_connect_leaves_no_socket(driver_for: Connect) -> None:
    """Somebody listens and never answers."""
    writers: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    connection = ForeignServer(Path()).connection(url=f"opc.tcp://127.0.0.1:{port}")
    before = asyncio.all_tasks()
    driver = driver_for(connection)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await driver.connect()
    await driver.close()
    assert len(writers) == 1
    writers[0].close()
    silent.close()
    assert not [task for task in asyncio.all_tasks() - before if "opcua" in repr(task)]


async def test_connecting_may_be_cancelled_at_any_moment(driver_for: Connect) -> None:
    """With every piece that the server sends, from the first to the last."""
    with AsyncuaServer() as server:
        async with FaultProxy(server.port) as proxy:
            driver = driver_for(server.connection(url=f"opc.tcp://127.0.0.1:{proxy.port}"))
            before, pieces = asyncio.all_tasks(), 0
            while True:
                pieces += 1
                if await connected_within(driver, proxy, pieces):
                    break
                await driver.close()
                async with asyncio.timeout(60):
                    await proxy.deserted()
                assert asyncio.all_tasks() == before
            assert pieces > 5


async def connected_within(driver: OpcUaDriver, proxy: FaultProxy, pieces: int) -> bool:
    """Connect, and cancel it when so many pieces have come."""
    connecting = asyncio.create_task(driver.connect())
    left = pieces

    def count(data: bytes) -> bytes:
        nonlocal left
        left -= 1
        if not left:
            connecting.cancel()
        return data

    proxy.alter = count
    with suppress(asyncio.CancelledError):
        await connecting
    return not connecting.cancelled()


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 64, b"ACKF\xff\xff\xff\x7f" + b"x" * 64],
    ids=["closes", "http", "zeros", "huge"],
)
async def test_what_is_no_opc_ua_server_is_no_connection(
    driver_for: Connect, answer: bytes
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read(16)
            writer.write(answer)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        served.set()

    served = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = ForeignServer(Path()).connection(
        url=f"opc.tcp://127.0.0.1:{port}", request_timeout_ms=1_000
    )
    with pytest.raises(NotConnectedError, match=f"connect to 127.0.0.1:{port}"):
        await driver_for(connection).connect()
    await served.wait()
    server.close()


async def test_a_subscription_that_the_server_ends_is_a_loss(
    driver_for: Connect, pki: Path
) -> None:
    """Deleted behind our back, as a server does after its lifetime."""
    with ForeignServer(pki, items=1) as server:
        driver = driver_for(server.connection(**QUICK))
        await reconnect(driver)
        await first_values(driver)
        assert driver._groups is not None
        await driver._open().services.delete_subscriptions(list(driver._groups.subscriptions))
        assert not isinstance(await until_lost(driver), RefusedError)


async def test_an_answer_with_too_few_results_says_so(driver_for: Connect) -> None:
    points = [point("Double", "float64"), point("Int32", "int32")]
    with AsyncuaServer() as server:
        driver = driver_for(server.connection())
        await driver.connect()
        server.tell(short="create_monitored_items")
        with pytest.raises(NotConnectedError, match=r"asked for 2 monitored items, .* answered 1"):
            await driver.subscribe("g", points, 100)
        server.tell(short="write")
        with pytest.raises(NotConnectedError, match=r"asked for 1 result, .* answered 0"):
            await driver.write(points[0], 2.5)
        server.tell(short="read")
        with pytest.raises(NotConnectedError, match="asked for 2 values, the server answered 1"):
            await driver.read(driver.plan(points))
        with pytest.raises(NotConnectedError, match="asked for 4 values, the server answered 3"):
            await driver.connect()
