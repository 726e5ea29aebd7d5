"""A device's connection: its driver with the plans it made, its turn, and its time-outs."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

from gateway.core.batch import Reading, Status
from gateway.drivers.api import (
    Arrivals,
    Driver,
    NotConnectedError,
    SubscribingDriver,
)
from gateway.drivers.extras import (
    LendingDriver,
    Notice,
    NoticingDriver,
    Resting,
    RestingPlan,
    TellingDriver,
)
from gateway.edge.device.knowledge.keeper import KnowledgeKeeper
from gateway.edge.device.model import DeviceModel, GroupModel
from gateway.edge.device.standing.faults import NoConnectionInTimeError
from gateway.edge.device.timeouts import Timeouts
from gateway.edge.device.turns import Turn

T = TypeVar("T")

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
        knowledge: what is known of the device before.

    Attributes:
        driver: what reads.
        turn: see above.
    """

    def __init__(
        self,
        model: DeviceModel,
        driver: Driver,
        turn: Turn,
        timeouts: Timeouts,
        knowledge: KnowledgeKeeper,
    ) -> None:
        self._config = model.config
        self._connect_s = model.config.connect_timeout_ms / 1000
        self.driver = driver
        self._telling = cast("TellingDriver", driver) if hasattr(driver, "remarks") else None
        noticing = hasattr(driver, "notices")
        self._noticing = cast("NoticingDriver", driver) if noticing else None
        self.turn = turn
        self._renewals = 0
        self._in_time = timeouts.after(model.config.timeout_ms / 1000)
        self._plans: dict[str, Any] = {}
        if hasattr(driver, "lend"):
            cast("LendingDriver", driver).lend(self._away)
        knowledge.adopt_driver(model, driver)
        for group in model.groups:
            if group.mode == "poll":
                plan = self._plans[group.name] = driver.plan(group.points)
                knowledge.adopt(model, group, plan)

    async def connect(self) -> None:
        """Open the connection; once more where it has ended.

        Raises:
            NoConnectionInTimeError: it says which setting bounds the wait.
        """
        try:
            async with asyncio.timeout(self._connect_s):
                await self.driver.connect()
        except TimeoutError as error:
            wait = f"{self._config.connect_timeout_ms} ms (connect_timeout_ms)"
            raise NoConnectionInTimeError(f"no connection within {wait}") from error

    def read(self, group: str, *, may_renew: bool = False) -> Awaitable[Reading]:
        """Read a polled group once.

        Devices, and firewalls before them, end what is idle. One that does so within the
        interval would never be read if each tick only found the end.

        Args:
            group: its name.
            may_renew: whether to read once over a new connection if this one has ended.

        Raises:
            TimeoutError: it took too long; it says what had come, and what to change.
        """
        plan = self._plans[group]
        return self.do(lambda driver: driver.read(plan), may_renew=may_renew)

    async def do(self, action: Callable[[Driver], Awaitable[T]], *, may_renew: bool = False) -> T:
        """Have the driver do something, within the device's time-out.

        Args:
            action: what to do with it.
            may_renew: as of :meth:`read`.

        Raises:
            TimeoutError: as of :meth:`read`.
        """
        try:
            return await self._in_its_time(action)
        except NotConnectedError:
            if not may_renew:
                raise
        self._renewals += 1
        with suppress(TimeoutError):  # what does not close in time is left behind
            await self.close()
        await self.connect()
        return await self._in_its_time(action)

    async def _in_its_time(self, action: Callable[[Driver], Awaitable[T]]) -> T:
        try:
            with self._in_time:
                return await action(self.driver)
        except TimeoutError as error:
            raise TimeoutError(self._too_slow()) from error

    async def _away(self, seconds: float) -> None:
        """Let others have the device's turn for so long; its time-out stands still meanwhile."""
        with self._in_time.stopped():
            await self.turn.away(seconds)

    def _too_slow(self) -> str:
        ms = self._config.timeout_ms
        progress = self._telling.progress() if self._telling else ""
        if not progress:
            return f"no answer in time, within {ms} ms (timeout_ms)"
        return f"{progress} within {ms} ms (timeout_ms): raise timeout_ms, or ask for less at once"

    @property
    def renewals(self) -> int:
        """Connections that were made anew within readings, without a loss."""
        return self._renewals + (self._telling.renewals if self._telling else 0)

    def remarks(self) -> Sequence[str]:
        """What the driver has to say of the device since the last call."""
        return self._telling.remarks() if self._telling else ()

    def notices(self) -> Sequence[Notice]:
        """What the driver says that stands of the device now."""
        return self._noticing.notices() if self._noticing else ()

    def resting(self) -> Sequence[Resting]:
        """What of the device is left alone for now, of all groups that are polled."""
        plans = [plan for plan in self._plans.values() if hasattr(plan, "resting")]
        return [one for plan in plans for one in cast("RestingPlan", plan).resting()]

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
