"""One task a device: connect, read on nominal ticks, notice losses, keep the books of it.

A driver raises; this is the one place that reconnects, times out and backs off. Bad is data:
whatever is not read is counted with its reason.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager

from gateway.core.batch import Reading, Status
from gateway.core.schedule import backoff_ms
from gateway.core.status import FIRST_BAD, Reason
from gateway.drivers.api import (
    Arrivals,
    Driver,
    DriverError,
    NoResponseError,
    NotConnectedError,
    SubscribingDriver,
)
from gateway.edge.buffer.recorder import Recorder
from gateway.edge.device.account import Account
from gateway.edge.device.model import Device, Group
from gateway.edge.device.reports import Reports
from gateway.edge.live.view import DeviceRecord, Live

LONGEST_SLEEP_MS = 1_000
"""Sleeps are cut to this, so that a step of the clock is noticed."""

CLOSE_TIMEOUT_S = 2.0
"""A driver that does not close in time is left behind."""


class Poller:
    """Reads one device for ever.

    Args:
        device: what to read.
        make: a new driver; no I/O.
        turn: the device's turn on what it is reached by; time-outs begin when it is granted.
        account: the books and gaps of the device.
        recorder: takes what was read.
        live: told about the link.
        record: the device in the live view; told about values.
        now_ms: the gateway's clock, UTC milliseconds.
    """

    def __init__(
        self,
        *,
        device: Device,
        make: Callable[[], Driver],
        turn: AbstractAsyncContextManager[object],
        account: Account,
        recorder: Recorder,
        live: Live,
        record: DeviceRecord,
        now_ms: Callable[[], int],
    ) -> None:
        self._device = device
        self._make = make
        self._turn = turn
        self._account = account
        self._recorder = recorder
        self._live = live
        self._record = record
        self._now_ms = now_ms
        self._driver: Driver | None = None
        self._is_up = False
        self._failures = 0
        self._reports = Reports(device)

    async def run(self) -> None:
        """Connect and read until cancelled."""
        while True:
            await self._back_off(*await self._session())

    async def _back_off(self, cause: Reason, detail: str) -> None:
        self._lost(cause, detail)
        await asyncio.sleep(self._wait_ms(cause) / 1000)

    async def _session(self) -> tuple[Reason, str]:
        """One connection, from opening it to its loss; returns why it ended."""
        is_broken = False
        try:
            await self._serve(self._prepared())
        except TimeoutError:
            return Reason.TIMEOUT, "no answer in time"
        except DriverError as error:
            return error.reason, str(error)
        except Exception as error:  # noqa: BLE001 - one driver's bug must not end the gateway
            self._bug(error)
            is_broken = True
            return Reason.DRIVER_BUG, f"{type(error).__name__}: {error}"
        finally:
            if self._driver is not None:
                await self._close(self._driver)
            if is_broken:
                self._driver = None
        return Reason.DISCONNECTED, "the driver ended"

    def _prepared(self) -> Driver:
        """The driver, and the plans that it made: what they learnt outlives a connection."""
        if self._driver is None:
            self._driver = driver = self._make()
            for group in self._device.groups:
                group.plan = driver.plan(group.points) if group.mode == "poll" else None
        return self._driver

    async def _close(self, driver: Driver) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await driver.close()
        except TimeoutError:
            self._reports.unclosed()
        except Exception as error:  # noqa: BLE001 - as above
            self._bug(error)

    def _bug(self, error: Exception) -> None:
        self._record.driver_bugs += 1
        self._reports.bug(error)

    async def _serve(self, driver: Driver) -> None:
        async with self._turn:
            await self._connect(driver)
        polled = [group for group in self._device.groups if group.mode == "poll"]
        subscribed = [group for group in self._device.groups if group.mode == "subscribe"]
        answers = [await self._subscribe(driver, group) for group in subscribed]  # type: ignore[arg-type]
        self._account.connected(self._now_ms())
        for group, status in zip(subscribed, answers, strict=True):
            self._subscribed(group, status)
        if not subscribed:
            await self._poll(driver, polled)
        elif not polled:
            await self._listen(driver)  # type: ignore[arg-type]
        else:
            await _either(self._poll(driver, polled), self._listen(driver))  # type: ignore[arg-type]

    async def _connect(self, driver: Driver) -> None:
        async with asyncio.timeout(self._device.config.connect_timeout_ms / 1000):
            await driver.connect()

    # -- polling --------------------------------------------------------------------------

    async def _poll(self, driver: Driver, groups: Sequence[Group]) -> None:
        while True:
            group = min(groups, key=Group.next_tick)
            wait_ms = group.next_tick() - self._now_ms()
            if wait_ms > 0:
                await asyncio.sleep(min(wait_ms, LONGEST_SLEEP_MS) / 1000)
                continue
            try:
                async with self._turn:
                    await self._poll_once(driver, group)
            except NoResponseError as error:  # the session stands; others may share its link
                await self._back_off(error.reason, str(error))

    async def _poll_once(self, driver: Driver, group: Group) -> None:
        """Read a group at its newest tick that has come; older ones are skipped.

        The tick is chosen when the turn is granted: a link may have kept the device waiting.
        """
        now_ms = self._now_ms()
        if not self._is_up:
            self._account.connected(now_ms)
        tick_ms = self._account.begin(group, now_ms)
        try:
            self._take(group, await self._read(driver, group), tick_ms)
        finally:
            group.reading_ms = None

    async def _read(self, driver: Driver, group: Group) -> Reading:
        """One reading; over a new connection if the one that served has ended since.

        Devices, and firewalls before them, end what is idle. One that does so within the
        interval would never be read if each tick only found the end.
        """
        try:
            return await self._attempt(driver, group)
        except NotConnectedError:
            if not self._is_up or any(one.mode == "subscribe" for one in self._device.groups):
                raise
        self._record.renewals += 1
        await self._close(driver)
        await self._connect(driver)
        return await self._attempt(driver, group)

    async def _attempt(self, driver: Driver, group: Group) -> Reading:
        async with asyncio.timeout(self._device.config.timeout_ms / 1000):
            return await driver.read(group.plan)

    def _take(self, group: Group, reading: Reading, tick_ms: int) -> None:
        outcome = group.processor.process(reading, tick_ms)
        self._serves(tick_ms)
        self._recorder.take(self._device.id, group.name, outcome, group.progress(tick_ms))
        group.last_tick_ms = tick_ms
        self._account.judge(group, outcome.status, tick_ms)
        self._record.polls += 1
        self._record.take(group.name, outcome)

    # -- listening ------------------------------------------------------------------------

    async def _subscribe(self, driver: SubscribingDriver, group: Group) -> Status:
        async with asyncio.timeout(self._device.config.connect_timeout_ms / 1000):
            return await driver.subscribe(group.name, group.points, group.interval_ms)

    def _subscribed(self, group: Group, status: Status) -> None:
        now_ms = self._now_ms()
        outcome = group.processor.judge_items(status)
        self._serves(now_ms)
        group.bad_items = int((outcome.status >= FIRST_BAD).sum())
        self._account.judge(group, outcome.status, now_ms)
        self._record.take(group.name, outcome)

    async def _listen(self, driver: SubscribingDriver) -> None:
        groups = {group.name: group for group in self._device.groups}
        while True:
            for delivery in await driver.arrivals():
                self._arrived(groups[delivery.group], delivery)

    def _arrived(self, group: Group, delivery: Arrivals) -> None:
        now_ms = self._now_ms()
        self._serves(now_ms)
        self._account.settle(now_ms)
        outcome = group.processor.process_arrivals(
            delivery.index, delivery.time_ms, delivery.columns, delivery.status, now_ms
        )
        group.bad_items = int((outcome.status >= FIRST_BAD).sum())
        progress = group.progress(group.last_tick_ms)
        self._recorder.take(self._device.id, group.name, outcome, progress)
        self._account.judge(group, outcome.status, now_ms)
        self._record.polls += 1
        self._record.take(group.name, outcome)

    # -- losses ---------------------------------------------------------------------------

    def _lost(self, cause: Reason, detail: str) -> None:
        now_ms = self._now_ms()
        self._is_up = False
        self._failures += 1
        self._record.failures += 1
        self._account.lost(cause, now_ms)
        self._live.set_link(self._device.id, "down", now_ms, cause, detail)
        self._reports.lost(cause, detail, _seconds())

    def _serves(self, time_ms: int) -> None:
        """Values come, from ``time_ms`` on if they did not before."""
        self._reports.serves(_seconds())
        if self._is_up:
            return
        self._is_up, self._failures = True, 0
        self._account.back(time_ms)
        self._live.set_link(self._device.id, "up", self._now_ms())

    def _wait_ms(self, cause: Reason) -> int:
        config = self._device.config
        longest = max(config.retry_min_ms, config.retry_max_ms)
        first = longest if cause is Reason.REFUSED else config.retry_min_ms
        return backoff_ms(self._failures, first, longest, random.random())  # noqa: S311 - jitter


def _seconds() -> float:
    return asyncio.get_running_loop().time()


async def _either(*jobs: Coroutine[None, None, None]) -> None:
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
