"""Servers that change while they are read: sizes of arrays, meanings of values."""

import asyncio
from collections.abc import Iterator

import pytest

from gateway.core.status import GOOD, Reason, bad, uncertain
from gateway.drivers.api import Point
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import URI, AsyncuaServer, point
from tests.drivers.opcua.test_parts import tag

THIRD = tag(f"nsu={URI};s=Temps", "[2]", "float64", "third")
SHORTER = [1.0, 2.0]
SEMANTICS = 0x4000


@pytest.fixture(scope="module")
def server() -> Iterator[AsyncuaServer]:
    with AsyncuaServer() as running:
        yield running


async def pushed(driver: OpcUaDriver) -> tuple[object, int]:
    """The newest value that comes, and its status."""
    async with asyncio.timeout(60):
        (arrivals,) = await driver.arrivals()
    return arrivals.columns[-1].tolist()[-1], int(arrivals.status[-1])


async def subscribed(driver: OpcUaDriver, one: Point) -> tuple[object, int]:
    await driver.connect()
    await driver.subscribe("g", [one], 50)
    return await pushed(driver)


async def test_an_array_that_becomes_shorter_and_longer(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    driver = driver_for(server.connection(publishing_ms=50))
    assert await subscribed(driver, THIRD) == (3.0, GOOD)
    plan = driver.plan([THIRD])
    server.set("Temps", SHORTER)
    assert (await pushed(driver))[1] == bad(Reason.TYPE)
    assert (await driver.read(plan)).status.tolist() == [bad(Reason.TYPE)]
    assert "has no part '[2]' that is one value" in driver.tag_faults()["third"].words
    server.set("Temps", [9.0, 9.0, 7.5, 9.0])
    assert await pushed(driver) == (7.5, GOOD)
    assert (await driver.read(plan)).status.tolist() == [GOOD]
    server.set("Temps", [1.0, 2.0, 3.0])


async def test_a_value_whose_unit_changed_is_not_good_and_is_told(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    """The server says so once; that it did stands until the session ends."""
    driver = driver_for(server.connection(publishing_ms=50))
    assert await subscribed(driver, point("Double", "float64")) == (1.5, GOOD)
    assert driver.notices() == []
    server.set("Double", 34.7, code=SEMANTICS)
    assert await pushed(driver) == (34.7, uncertain(Reason.SOURCE))
    server.set("Double", 1.5)
    assert await pushed(driver) == (1.5, GOOD)
    (notice,) = driver.notices()
    assert "unit, range or structure of 'Double' changed: compare them" in notice.words
