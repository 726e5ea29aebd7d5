"""One driver against a device that a test scripts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from edge_config.models.validation import validated
from gateway.drivers.api import Driver, Point
from gateway.drivers.spec import DriverSpec

DEADLINE_S = 10.0


def points(spec: DriverSpec, *written: str) -> list[Point]:
    """Points by their addresses; each is named by the text form of its own."""
    addresses = [validated(spec.address, one) for one in written]
    return [Point(str(one), spec.kind(one), one) for one in addresses]


@asynccontextmanager
async def connected(
    spec: DriverSpec, serving: AbstractAsyncContextManager[int], **more: object
) -> AsyncIterator[Any]:
    """A connected driver of a device on loopback that is closed at the end."""
    async with serving as port, asyncio.timeout(DEADLINE_S):
        written = {"host": "127.0.0.1", "port": port, **more}
        driver = spec.make(validated(spec.connection, written))
        await driver.connect()
        try:
            yield driver
        finally:
            await driver.close()


async def values(driver: Driver, asked: Sequence[Point]) -> list[object]:
    """Of a reading that is all GOOD."""
    reading = await driver.read(driver.plan(asked))
    assert not reading.status.any()
    return [value for column in reading.columns for value in column.tolist()]
