"""What a driver does for one device, each call in the device's turn and under a time-out."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from gateway.core.batch import Reading, Status
from gateway.drivers.api import Arrivals, Driver, SubscribingDriver
from gateway.edge.device.model import DeviceModel, GroupModel

CLOSE_TIMEOUT_S = 2.0
"""A driver that does not close in time is left behind."""


class Connection:
    """A device's connection, which is opened again after each loss.

    Driver and plans are made once: what they learnt outlives a loss.

    Args:
        model: the device.
        driver: fresh, not connected.
        turn: the device's turn on what it is reached by. Whoever calls :meth:`connect` or
            :meth:`read` holds it, so that time-outs begin when it is granted.
    """

    def __init__(
        self, model: DeviceModel, driver: Driver, turn: AbstractAsyncContextManager[object]
    ) -> None:
        self._model = model
        self._driver = driver
        self.turn = turn
        self._plans: dict[str, Any] = {
            group.name: driver.plan(group.points) for group in model.groups if group.mode == "poll"
        }

    async def connect(self) -> None:
        """Open the connection; once more where it has ended."""
        async with asyncio.timeout(self._model.config.connect_timeout_ms / 1000):
            await self._driver.connect()

    async def read(self, group: GroupModel) -> Reading:
        """One reading of a polled group. This is the only place where one is attempted.

        Raises:
            TimeoutError: no answer within the device's ``timeout_ms``.
            DriverError: see :meth:`gateway.drivers.api.Driver.read`.
        """
        async with asyncio.timeout(self._model.config.timeout_ms / 1000):
            return await self._driver.read(self._plans[group.name])

    async def subscribe(self, group: GroupModel) -> Status:
        """Ask the device to push a group; one status a tag."""
        driver = cast("SubscribingDriver", self._driver)
        async with asyncio.timeout(self._model.config.connect_timeout_ms / 1000):
            return await driver.subscribe(group.name, group.points, group.interval_ms)

    async def arrivals(self) -> Sequence[Arrivals]:
        """Wait for what the device pushes."""
        return await cast("SubscribingDriver", self._driver).arrivals()

    async def close(self) -> None:
        """Release the connection.

        Raises:
            TimeoutError: the driver did not close in time; it is left behind.
        """
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await self._driver.close()
