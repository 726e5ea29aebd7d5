"""What meters of one serial port or serial server share: the line, and who uses it."""

import asyncio
from collections.abc import Sequence

from gateway.drivers.api import NotConnectedError
from gateway.drivers.dlt645.config import Connection, port_of
from gateway.drivers.dlt645.driver import DltDriver
from gateway.drivers.dlt645.line import Line
from gateway.drivers.transport.tcp import TcpWay
from gateway.drivers.transport.way import Way

CLOSE_S = 1.0
"""Longest wait until a line is closed."""

SILENT_MOST = 3
"""After so many requests in a row without an answer, whoever was asked, a line is opened anew: a
serial server that was started anew leaves its connections half open."""


class DltLink:
    """See :class:`gateway.drivers.spec.Link`. A meter's silence leaves the line open.

    Args:
        connections: of the meters; all have the same serial port, or host and port.

    Attributes:
        meters: how many are configured.
    """

    turns = 1  # a line carries one question at a time

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._users: set[DltDriver] = set()
        self._line: Line | None = None
        self._way = _way(connections)
        self.meters = len(connections)

    def driver(self, connection: Connection) -> DltDriver:
        """A driver for one meter."""
        return DltDriver(self, connection)

    def configure(self, connections: Sequence[Connection]) -> None:
        """Follow what the meters say; a port that is to be set otherwise is opened anew."""
        self.meters = len(connections)
        way = _way(connections)
        if way != self._way:
            self._way = way
            if self._line is not None:
                self._line.abort("its settings were changed")

    async def join(self, user: DltDriver) -> None:
        """A meter begins to use the line.

        Raises:
            NotConnectedError: it cannot be opened.
        """
        self._users.add(user)
        await self.line(user)

    async def line(self, user: DltDriver) -> Line:
        """The open line, opened anew if it was lost since it served last, or is quite silent.

        Raises:
            NotConnectedError: it cannot be opened, or the meter is closed.
        """
        if user not in self._users:
            raise NotConnectedError("not connected")
        if self._line is not None and self._line.silences >= SILENT_MOST:
            await self._close("nobody answers")
        if self._line is None or self._line.loss:
            made = Line()
            await self._way.open(lambda: made)
            self._line = made
        return self._line

    async def leave(self, user: DltDriver) -> None:
        """A meter uses it no longer; the last one closes it."""
        self._users.discard(user)
        if not self._users:
            await self._close("closed")

    async def _close(self, why: str) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.abort(why)
            await asyncio.wait([line.closed], timeout=CLOSE_S)


def _way(connections: Sequence[Connection]) -> Way:
    port = port_of(connections)
    if port is None:
        return TcpWay(str(connections[0].host), connections[0].port or 0)
    from gateway.drivers.transport.serial_port import SerialWay  # noqa: PLC0415 - imports pyserial

    return SerialWay(port)
