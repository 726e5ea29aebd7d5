"""One device at work: connect, read on nominal ticks, notice losses, keep its books.

A driver raises; this is the one place that reconnects and backs off. Bad is data: whatever is
not read is counted with its reason.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.core.batch import Reading, Status
from gateway.core.outcome import Outcome
from gateway.core.slots import slot_width_ms
from gateway.drivers.api import Arrivals, Driver, DriverError, NoResponseError
from gateway.edge.device.asking.requests import Requests
from gateway.edge.device.bookkeeping.bookkeeper import Bookkeeper
from gateway.edge.device.bookkeeping.ticks import Group, Past
from gateway.edge.device.connection import Connection, until_one_ends
from gateway.edge.device.links import Way
from gateway.edge.device.model import DeviceModel
from gateway.edge.device.standing.faults import ENDED, Loss, loss_of
from gateway.edge.device.standing.reports import Reports
from gateway.edge.device.standing.standing import Standing
from gateway.edge.device.surroundings import Surroundings
from gateway.edge.live.view import DeviceRecord
from gateway.retry import heed_cancellation

T = TypeVar("T")

CANCEL_AGAIN_S = 5.0
"""A library may lose a cancellation, as ``asyncio.wait_for`` of Python 3.11 does when the answer
comes in the same moment. Longer than it takes to close a connection in order."""


class DeviceRuntime:
    """One device; can be started and stopped again and again, and leaves all to a successor.

    Args:
        model: what to read.
        way: how it is reached.
        past: what is known of the device.
        shared: what it shares with the other devices.
        record: the device in the live view; its link and counters are kept here.
    """

    def __init__(
        self,
        model: DeviceModel,
        way: Way,
        past: Past,
        shared: Surroundings,
        record: DeviceRecord,
    ) -> None:
        self.model = model
        self.record = record
        self.groups = [Group.of(group, past.progress.get(group.name)) for group in model.groups]
        self.books = Bookkeeper.of(model, self.groups, past, shared)
        self._way = way
        self._connection: Connection | None = None
        self._shared = shared
        self._now_ms = shared.clock.now_ms
        self._reports = Reports(model)
        self._standing = Standing(
            model, self.books, self._reports, shared.live, record, shared.clock.now_ms
        )
        self._requests = Requests(model, record)
        self._polled = [group for group in self.groups if group.model.mode == "poll"]
        self._subscribed = [group for group in self.groups if group.model.mode == "subscribe"]
        self._task: asyncio.Task[None] | None = None
        self._owes_again = False  # subscribed values that stand still may have been lost

    # -- start and stop -------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether it is started; the device may be lost all the same."""
        return self._task is not None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Read the device from now on, in a task of the group."""
        if self._task is None:
            self._task = tasks.create_task(self.run())

    async def halt(self) -> None:
        """End reading and close the connection; the books stay as they are, as at a kill."""
        task, self._task = self._task, None
        while task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=CANCEL_AGAIN_S)

    async def stop(self) -> None:
        """End reading on purpose: from now on ticks are skipped with the cause ``stopped``."""
        await self.halt()
        self._begin_afresh()  # as whoever starts it again wants it to
        self._standing.stopped()

    @property
    def is_connected(self) -> bool:
        """Whether a session stands, so that the device can be asked."""
        return self._requests.is_served

    async def ask(
        self, action: Callable[[Driver], Awaitable[T]], *, urgent: bool, repeatable: bool = False
    ) -> T:
        """Have the connected driver do what a person asks for: see :meth:`Requests.ask`."""
        return await self._requests.ask(action, urgent=urgent, repeatable=repeatable)

    def forget_sent(self, upto_ms: int) -> None:
        """What was sent up to a time is lost on its way: send the next good value of each tag."""
        for group in self.groups:
            group.processor.forget_sent(upto_ms)
        self._owes_again = bool(self._subscribed)

    def send_again(self) -> None:
        """Send what stands still and was lost on its way; a server does not report it again."""
        if self._owes_again and self._standing.is_up:
            self._owes_again = False
            for group in self._subscribed:
                if (outcome := group.processor.send_again(self._now_ms())) is not None:
                    self._record(group, outcome, group.ticks.counted_ms)

    # -- sessions -------------------------------------------------------------------------

    async def run(self) -> None:
        """Connect and read until cancelled."""
        while True:
            await self._back_off(await self._session())

    async def _back_off(self, loss: Loss) -> None:
        heed_cancellation()  # the fault may be what a driver made of it
        self._standing.lost(loss)
        await asyncio.sleep(self._standing.pause_ms(loss.cause) / 1000)

    async def _session(self) -> Loss:
        """From opening the connection to its loss; returns why it ended."""
        is_broken = False
        try:
            await self._serve(self._prepared())
        except (TimeoutError, DriverError) as error:
            return loss_of(error)
        except Exception as error:  # noqa: BLE001 - one driver's bug must not end the gateway
            self._bug(error)
            is_broken = True
            return loss_of(error)
        finally:
            if self._connection is not None:
                await self._close(self._connection)
            if is_broken:  # what a driver with a bug has learnt is not worth keeping
                self._begin_afresh()
        return ENDED

    def _begin_afresh(self) -> None:
        self._connection = None
        self._shared.knowledge.forget(self.model.id)

    def _prepared(self) -> Connection:
        if self._connection is None:
            make, turn, _ = self._way
            driver, shared = make(), (self._shared.timeouts, self._shared.knowledge)
            self._connection = Connection(self.model, driver, turn, *shared)
            self.record.ask(driver)
            self.record.resting = self._connection.resting
        return self._connection

    async def _serve(self, connection: Connection) -> None:
        async with self._way.start():
            async with connection.turn:
                await connection.connect()
            answers = [await connection.subscribe(group.model) for group in self._subscribed]
        self._reports.note(connection.notices())
        self.books.connected(self._now_ms())
        for group, status in zip(self._subscribed, answers, strict=True):
            self._answered(group, status)
        async with self._requests.served(connection):
            await self._receive(connection)

    def _receive(self, connection: Connection) -> Awaitable[None]:
        if not self._subscribed:
            return self._poll(connection)
        if not self._polled:
            return self._listen(connection)
        return until_one_ends(self._poll(connection), self._listen(connection))

    async def _close(self, connection: Connection) -> None:
        try:
            await connection.close()
        except TimeoutError:
            self._reports.unclosed()
        except Exception as error:  # noqa: BLE001 - as above
            self._bug(error)

    def _bug(self, error: Exception) -> None:
        self.record.driver_bugs += 1
        self._reports.bug(error)

    # -- polling --------------------------------------------------------------------------

    async def _poll(self, connection: Connection) -> None:
        only = self._polled[0] if len(self._polled) == 1 else None
        while True:
            group = only or min(self._polled, key=Group.next_tick)
            tick_ms = group.next_tick()
            if tick_ms > self._now_ms():
                await self._shared.alarms.wait(tick_ms)
                continue
            try:
                async with connection.turn:
                    await self._read_tick(connection, group)
            except NoResponseError as error:  # the session stands; others may share its link
                await self._back_off(loss_of(error))

    async def _read_tick(self, connection: Connection, group: Group) -> None:
        """Read a group at its newest tick that has come; older ones are skipped.

        The order matters. The tick is chosen when the turn is granted, which may take, and before
        it is read, so that a commit in between does not count it. Values are recorded before gaps
        are judged, without a pause between, so that one commit has both.
        """
        now_ms = self._now_ms()
        if not self._standing.is_up:
            self.books.connected(now_ms)
        tick_ms = self.books.begin(group, now_ms)
        try:
            reading = await self._reading(connection, group)
            self.record.groups[group.name].raw = reading
            tick_ms = self.books.tick_of(group, tick_ms)
            outcome = group.processor.process(reading, tick_ms)
            self._standing.serves(tick_ms)
            self._record(group, outcome, tick_ms)
            self.books.recorded(group, tick_ms)
        finally:
            self.books.end(group)
        self.books.judge(group, outcome.status, tick_ms)

    async def _reading(self, connection: Connection, group: Group) -> Reading:
        before = connection.renewals
        # What was never up is lost, and subscriptions would have to be made anew too.
        may_renew = self._standing.is_up and not self._subscribed
        try:
            return await connection.read(group.name, may_renew=may_renew)
        finally:
            self.record.renewals += connection.renewals - before
            for remark in connection.remarks():
                self._reports.remark(remark)

    def _record(self, group: Group, outcome: Outcome, tick_ms: int) -> None:
        if self._shared.clock.in_doubt:
            outcome = outcome.in_doubt()
        self._shared.sinks.deliver(self.model.id, group.name, outcome, group.progress(tick_ms))
        self.record.count(outcome)

    # -- listening ------------------------------------------------------------------------

    def _answered(self, group: Group, status: Status) -> None:
        """The device has answered a subscription: which tags it refuses."""
        now_ms = self._now_ms()
        outcome = group.processor.judge_items(status)
        self._standing.serves(now_ms)
        counted_ms = group.ticks.counted_ms
        self._shared.sinks.deliver(self.model.id, group.name, outcome, group.progress(counted_ms))
        self.books.judge(group, outcome.status, now_ms)

    async def _listen(self, connection: Connection) -> None:
        slot_ms = slot_width_ms(min(group.model.interval_ms for group in self._subscribed))
        while True:
            deliveries = await connection.arrivals()
            try:
                await self._shared.alarms.wait_for_company(slot_ms)
            except asyncio.CancelledError:  # lost or stopped: what came before is not
                self._arrived(deliveries)
                raise
            self._arrived(deliveries)
            self._reports.note(connection.notices())  # items are asked for again meanwhile

    def _arrived(self, deliveries: Sequence[Arrivals]) -> None:
        groups = {group.name: group for group in self._subscribed}
        for delivery in deliveries:
            self._process(groups[delivery.group], delivery)

    def _process(self, group: Group, delivery: Arrivals) -> None:
        now_ms = self._now_ms()
        self._standing.serves(now_ms)
        self.books.catch_up(now_ms)
        outcome = group.processor.process_arrivals(
            delivery.index, delivery.time_ms, delivery.columns, delivery.status, now_ms
        )
        self._record(group, outcome, group.ticks.counted_ms)
        self.books.judge(group, outcome.status, now_ms)
