"""What the stations behind one port share: its connection, and who uses it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle

from gateway.drivers.mc import codec
from gateway.drivers.mc.channel import Channel
from gateway.drivers.mc.config import Connection, Frame, Transport
from gateway.drivers.mc.driver import McDriver
from gateway.drivers.transport.tcp import TcpWay
from gateway.drivers.transport.udp import UdpWay
from gateway.drivers.transport.way import Way

_WAYS: Mapping[Transport, Callable[[str, int], Way]] = {
    Transport.TCP: TcpWay,
    Transport.UDP: UdpWay,
}
CLOSE_S = 1.0
"""Longest wait until a socket is closed."""


class McLink:
    """See :class:`gateway.drivers.spec.Link`. In 4E frames a station's silence leaves it open.

    Args:
        connections: of the stations; all have the same host, port, transport and frame.
    """

    turns = 1  # modules put requests of one connection into a queue of their own

    def __init__(self, connections: Sequence[Connection]) -> None:
        first = connections[0]
        self._frame = first.frame
        self._way = _WAYS[first.transport](first.host, first.port)
        self._serials = cycle(range(codec.SERIALS))
        self._users: set[McDriver] = set()
        self._channel: Channel | None = None

    def configure(self, _connections: Sequence[Connection]) -> None:
        """Nothing of it is set: what it is reached by is its key."""

    def driver(self, connection: Connection) -> McDriver:
        """A driver for one station."""
        return McDriver(self, connection)

    async def join(self, user: McDriver) -> Channel:
        """A station begins to use the connection, which is made anew if it was lost.

        Raises:
            NotConnectedError: it cannot be made.
        """
        if self._channel is None or self._channel.loss:
            self._channel = await self.open(self._frame)
        self._users.add(user)
        return self._channel

    async def leave(self, user: McDriver) -> None:
        """A station uses it no longer; the last one closes it, and waits, shortly, for that."""
        self._users.discard(user)
        channel = self._channel
        if channel is not None and not self._users:
            self._channel = None
            channel.abort("closed")
            await asyncio.wait([channel.closed], timeout=CLOSE_S)

    async def open(self, frame: Frame) -> Channel:
        """A connection in such frames.

        Raises:
            NotConnectedError: it cannot be made.
        """
        inbox = codec.Inbox(frame, is_datagrams=self._way.is_datagrams)
        channel = Channel(inbox, self._serials if frame is Frame.E4 else None)
        await self._way.open(lambda: channel)
        return channel
