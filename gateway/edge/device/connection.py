"""A device's connection: its driver with the plans it made, its turn, and its time-outs."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from gateway.core.batch import Status
from gateway.drivers.api import Arrivals, Driver, SubscribingDriver
from gateway.edge.device.model import DeviceModel, GroupModel
from gateway.edge.device.timeouts import Timeouts

CLOSE_TIMEOUT_S = 2.0
"""A driver that does not close in time is left behind."""


class Connection:
    """A device's connection, which is opened again after each loss.

    Driver and plans are made once: what they learnt outlives a loss.

    Args:
        model: the device.
        driver: fresh, not connected.
        turn: the device's turn on what it is reached by. Whoever calls :meth:`connect`, or reads,
            holds it, so that time-outs begin when it is granted.
        timeouts: those of all devices.

    Attributes:
        driver: what reads; each reading is ``in_time``.
        plans: what it reads of each polled group.
        turn: see above.
        in_time: ends a reading that takes longer than the device's ``timeout_ms``.
    """

    def __init__(
        self,
        model: DeviceModel,
        driver: Driver,
        turn: AbstractAsyncContextManager[object],
        timeouts: Timeouts,
    ) -> None:
        self._connect_s = model.config.connect_timeout_ms / 1000
        self.driver = driver
        self.turn = turn
        self.in_time = timeouts.after(model.config.timeout_ms / 1000)
        self.plans: dict[str, Any] = {
            group.name: driver.plan(group.points) for group in model.groups if group.mode == "poll"
        }

    async def connect(self) -> None:
        """Open the connection; once more where it has ended."""
        async with asyncio.timeout(self._connect_s):
            await self.driver.connect()

    async def subscribe(self, group: GroupModel) -> Status:
        """Ask the device to push a group; one status a tag."""
        driver = cast("SubscribingDriver", self.driver)
        async with asyncio.timeout(self._connect_s):
            return await driver.subscribe(group.name, group.points, group.interval_ms)

    async def arrivals(self) -> Sequence[Arrivals]:
        """Wait for what the device pushes."""
        return await cast("SubscribingDriver", self.driver).arrivals()

    async def close(self) -> None:
        """Release the connection.

        Raises:
            TimeoutError: the driver did not close in time; it is left behind.
        """
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await self.driver.close()


async def until_one_ends(*jobs: Coroutine[None, None, None]) -> None:
    """Run endless jobs side by side until one raises; raise that."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
