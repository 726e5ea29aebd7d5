"""The connections of one link: as many as are allowed, needed, and served by the other side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.drivers.api import NotConnectedError
from gateway.drivers.modbus.channel import Channel

LIMIT_S = 600.0
"""A server that took fewer connections than are allowed is tried with one more after so long:
others may have used the rest."""

ROOM_S = 1.0
"""A connection that the other side ends within this time after one more was opened had to make
room for that; one that ends later was only idle."""

_CLOSE_S = 1.0


class Pool:
    """Opens connections one by one, the next when all before it have been answered.

    Serial servers take few connections. One more is refused, closed at once, accepted and never
    answered, or it ends the oldest. So a connection is worth nothing before its first answer; one
    that turns out to be too many shows how many there can be, and nobody has to know that number.

    Args:
        dial: opens one connection.
    """

    def __init__(self, dial: Callable[[], Awaitable[Channel]]) -> None:
        self._dial = dial
        self._channels: list[Channel] = []
        self._idle: list[Channel] = []
        self._is_dialling = False
        self._waiting: list[asyncio.Future[None]] = []
        # how many are served, and until when we say so
        self._limit: tuple[int, float] | None = None
        self._most = 1
        self._loss = "not connected"

    # -- how many -------------------------------------------------------------------------

    @property
    def usable(self) -> int:
        """How many readings can be under way at once: one more than are proven to be served."""
        if self._most == 1:
            return 1
        return max(1, min(self._most, self._limited(), self._proven() + 1))

    def allow(self, most: int) -> None:
        """Open at most so many connections from now on."""
        self._most = most
        for channel in self._idle[: max(0, len(self._channels) - most)]:
            channel.abort("fewer connections are allowed")
        self._forget_lost()

    def _limited(self) -> int:
        if self._limit is not None and asyncio.get_running_loop().time() > self._limit[1]:
            self._limit = None
        return self._limit[0] if self._limit else self._most

    def _proven(self) -> int:
        return sum(channel.has_answered and channel.is_open for channel in self._channels)

    def _learn_limit(self) -> None:
        self._limit = self._proven(), asyncio.get_running_loop().time() + LIMIT_S

    # -- opening and closing --------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether there is no connection, nor soon will be."""
        self._forget_lost()
        return not self._channels and not self._is_dialling

    async def opened(self) -> Channel:
        """One more connection; the caller has it until it gives it back.

        Raises:
            NotConnectedError: nobody answers.
        """
        self._is_dialling = True
        try:
            channel = await self._dial()
        finally:
            self._is_dialling = False
            self._wake()
        self._channels.append(channel)
        return channel

    def abort(self, why: str) -> None:
        """Drop all; whoever uses one is told why."""
        for channel in self._channels:
            channel.abort(why)

    async def close(self) -> None:
        """Close all, and wait, shortly, until the sockets are closed."""
        channels, self._channels, self._idle = self._channels, [], []
        await _closed(channels)

    async def drop(self, channel: Channel) -> None:
        """Close one, and wait: some servers take the next one only then."""
        await _closed([channel])
        self._forget_lost()

    def _forget_lost(self) -> None:
        lost = [channel for channel in self._channels if not channel.is_open]
        if not lost:
            return
        self._loss = lost[-1].loss
        self._channels = [channel for channel in self._channels if channel.is_open]
        self._idle = [channel for channel in self._idle if channel.is_open]
        if any(channel.ended_s and self.is_doubtful(channel) for channel in lost):
            self._learn_limit()

    def _has_given_way(self, channel: Channel) -> bool:
        """Whether the other side ended it because one more was opened."""
        return any(
            one.is_open
            and channel.opened_s < one.opened_s <= channel.ended_s < one.opened_s + ROOM_S
            for one in self._channels
        )

    # -- using ----------------------------------------------------------------------------

    def idle(self) -> Channel | None:
        """A connection that nobody uses now, for the caller until it gives it back."""
        while self._idle:
            channel = self._idle.pop()
            if channel.is_open:
                return channel
        return None

    async def obtain(self, timeout_s: float) -> Channel:
        """The same; opened, or waited for, if all are in use.

        Args:
            timeout_s: longest wait for one more to be opened.

        Raises:
            NotConnectedError: all are lost.
        """
        while True:
            channel = self.idle()
            if channel is not None:
                return channel
            if self.is_empty:
                raise NotConnectedError(self._loss)
            if self._is_dialling or len(self._channels) >= self.usable:
                await self._change()
                continue
            try:
                async with asyncio.timeout(timeout_s):
                    return await self.opened()
            # A full queue drops the attempt instead of refusing it: it only takes for ever.
            except (NotConnectedError, TimeoutError):
                self._learn_limit()

    def give_back(self, channel: Channel) -> None:
        """Use it no longer; others may."""
        if channel.is_open and len(self._channels) > self._most:
            channel.abort("fewer connections are allowed")
        elif channel.is_open:
            self._idle.append(channel)
        self._wake()

    async def _change(self) -> None:
        change = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        await change

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():
                change.set_result(None)

    # -- connections that are not served --------------------------------------------------

    def is_doubtful(self, channel: Channel) -> bool:
        """Whether there may be one too many, and it is this one.

        Either it has never been answered, while others have, or it was ended for another.
        """
        if channel.has_answered:
            return self._has_given_way(channel)
        return self._proven() > 0

    def reject(self, channel: Channel) -> None:
        """Another connection was answered at once where a doubtful one was not."""
        channel.abort("the other side serves no further connection")
        self._learn_limit()


async def _closed(channels: Sequence[Channel]) -> None:
    for channel in channels:
        channel.abort("closed")
    if channels:
        await asyncio.wait([channel.closed for channel in channels], timeout=_CLOSE_S)
