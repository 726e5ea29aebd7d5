"""One TCP connection to one unit: bytes in and out on the event loop's own call-backs.

An answer is checked and the next request written within ``data_received``; a poll of many
requests wakes its task once and costs one timer, which is cancelled before it can wake anybody.
"""

import asyncio
from collections.abc import Sequence
from typing import cast

from gateway.drivers.api import NotConnectedError
from gateway.drivers.modbus.mbap import Answer, Frame, ProtocolError, Transactions


class Link(asyncio.Protocol):
    """A connection until it is lost; then it is not used again.

    Args:
        name: endpoint and unit, for messages.
        window: most requests under way.
        timeout_s: longest silence while answers are missing, seconds.
    """

    def __init__(self, name: str, window: int, timeout_s: float) -> None:
        self._name = name
        self._timeout_s = timeout_s
        self._transactions = Transactions(window)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[list[Answer]] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._heard_at = 0.0
        self._lost = "not connected yet"
        self.closed: asyncio.Future[None] = self._loop.create_future()

    async def exchange(self, frames: Sequence[Frame]) -> list[Answer]:
        """Send requests, at most a window at a time; wait for all answers.

        Raises:
            NotConnectedError: the connection is lost, the unit is silent, or its answers are
                wrong. The link is dead afterwards.
        """
        if self._lost or self._transport is None:
            raise NotConnectedError(f"{self._name}: {self._lost}")
        if not frames:
            return []
        self._waiter = self._loop.create_future()
        self._heard_at = self._loop.time()
        self._watch = self._loop.call_later(self._timeout_s, self._check)
        self._transport.write(self._transactions.begin(frames))
        try:
            return await self._waiter
        except asyncio.CancelledError:
            if self._waiter.done() and not self._waiter.cancelled():
                self._waiter.exception()  # a loss at the same time is not news any more
            self.abort("a reading was given up; its answers must not reach the next one")
            raise
        finally:
            self._waiter = None
            self._watch.cancel()

    def data_received(self, data: bytes) -> None:
        """Check what came and send what is next."""
        missing = self._transactions.missing
        try:
            more = self._transactions.receive(data)
        except ProtocolError as error:
            self.abort(f"wrong answer: {error}")
            return
        if self._transactions.missing < missing:
            self._heard_at = self._loop.time()
        if more:
            cast("asyncio.Transport", self._transport).write(more)
        elif not self._transactions.missing and self._waiter and not self._waiter.done():
            self._waiter.set_result(self._transactions.answers)

    def _check(self) -> None:
        """Notice a silent unit."""
        if self._waiter is None or self._waiter.done():
            return
        left = self._heard_at + self._timeout_s - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._check)
        else:
            self.abort(f"no answer within {self._timeout_s * 1000:.0f} ms")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready; the event loop has set TCP_NODELAY, so small requests go at once."""
        self._transport = cast("asyncio.Transport", transport)
        self._lost = ""

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits."""
        self._fail(f"connection lost: {exc}" if exc else "the device closed the connection")
        if not self.closed.done():
            self.closed.set_result(None)

    def abort(self, why: str) -> None:
        """Drop the connection at once; later calls say why."""
        self._fail(why)
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, why: str) -> None:
        self._lost = self._lost or why
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(NotConnectedError(f"{self._name}: {self._lost}"))
