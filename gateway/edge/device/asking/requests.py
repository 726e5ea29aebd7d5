"""What people ask of one device: carried out in its turn, between its readings.

The poller stays the one owner of the session: what is asked runs only while a session stands, and
a fault that says that it does not is the poller's, who closes the driver and connects anew.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from gateway.core.status import Reason
from gateway.drivers.api import Driver, DriverError, NotConnectedError
from gateway.edge.device.connection import Connection
from gateway.edge.device.model import DeviceModel
from gateway.edge.live.view import DeviceRecord

T = TypeVar("T")

MOST_WAITING = 32
"""So many requests of one device may wait or run; more are refused."""


class CannotAskError(Exception):
    """The device cannot be asked now; the message says which, where, why and what to do."""


class Requests:
    """What people ask of one device.

    Args:
        model: the device.
        record: says why it is down.
    """

    def __init__(self, model: DeviceModel, record: DeviceRecord) -> None:
        self._name = f"device {model.id} at {model.endpoint}"
        # Over a new connection subscriptions are made anew, which only the poller does.
        self._may_renew = all(group.mode == "poll" for group in model.groups)
        self._record = record
        self._connection: Connection | None = None
        self._session: asyncio.Timeout | None = None
        self._loss: DriverError | TimeoutError | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def answered(self, connection: Connection) -> AsyncIterator[None]:
        """Carry out what is asked while inside; whoever asks is told of a loss, nobody else."""
        self._connection, self._loss = connection, None
        try:
            yield
        finally:
            self._connection = None
            await self._end_all()
            self._loss = None

    @asynccontextmanager
    async def served(self, connection: Connection) -> AsyncIterator[None]:
        """The same for the poller, while a session stands.

        Raises:
            NotConnectedError: what was asked has found the connection lost.
            TimeoutError: it was not answered in time; a late answer must not reach a reading.
        """
        async with self.answered(connection):
            try:
                # Its own time is never over: a request that finds the session lost ends it.
                async with asyncio.timeout(None) as self._session:
                    yield
            except TimeoutError:
                if self._loss is None:
                    raise
                raise self._loss from None
            finally:
                self._session = None

    @property
    def is_served(self) -> bool:
        """Whether a session stands."""
        return self._connection is not None and self._loss is None

    async def _end_all(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(
        self, action: Callable[[Driver], Awaitable[T]], *, urgent: bool, repeatable: bool = False
    ) -> T:
        """Have the connected driver do something, in the device's turn.

        It never runs while the device is read, and the device's ``timeout_ms`` bounds it once its
        turn has come; whoever wants more than fits asks several times. What has begun runs to its
        end although the caller is cancelled, so that no answer is left behind.

        Args:
            action: awaits calls of the driver, and nothing else for long.
            urgent: before all readings that wait for their turn on what the device shares with
                others, after the one that runs; else after them.
            repeatable: may be done twice: again over a new connection if this one had ended,
                as devices end what is idle; not where groups are subscribed.

        Raises:
            CannotAskError: it is down, stopped or being connected, or too much waits already.
            NotConnectedError: the connection is lost, or was closed before it was done.
            NoResponseError: the device is silent; its session stands.
            DriverError: the device refused.
            TimeoutError: no answer in time; the poller connects anew.
        """
        connection = self._askable()
        job = self._carry_out(connection, action, urgent=urgent, repeatable=repeatable)
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def _askable(self) -> Connection:
        if self._connection is None or not self.is_served:
            raise CannotAskError(self._why_not())
        if len(self._tasks) >= MOST_WAITING:
            raise CannotAskError(f"{MOST_WAITING} requests of {self._name} wait already; ask later")
        return self._connection

    def _why_not(self) -> str:
        record = self._record
        if record.cause is Reason.STOPPED:
            return f"{self._name} is stopped: start it with `qulink device start`"
        if record.link == "down":
            why = f" ({record.cause.code}): {record.detail}" if record.detail else ""
            return f"{self._name} is down{why}; `qulink test` says where it fails"
        if self._loss is not None:
            return f"{self._name} was lost: {self._loss}; ask again"
        return f"{self._name} is being connected: ask again in a moment"

    async def _carry_out(
        self,
        connection: Connection,
        action: Callable[[Driver], Awaitable[T]],
        *,
        urgent: bool,
        repeatable: bool,
    ) -> T:
        try:
            async with connection.turn.beside(is_urgent=urgent):
                return await connection.do(action, may_renew=repeatable and self._may_renew)
        except (NotConnectedError, TimeoutError) as error:
            self._end_session(error)
            raise
        except asyncio.CancelledError:  # the session has ended; nobody else cancels it
            why = self._loss or "it was closed meanwhile"
            raise NotConnectedError(f"{self._name}: {why}; it may or may not be done") from None

    def _end_session(self, loss: DriverError | TimeoutError) -> None:
        if self._loss is not None:
            return
        self._loss = loss
        if self._session is not None:
            self._session.reschedule(asyncio.get_running_loop().time())
