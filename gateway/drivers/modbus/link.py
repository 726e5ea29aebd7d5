"""What the units of one host and port share: its connections, and which framing it speaks."""

import asyncio
from collections.abc import Sequence

from gateway.drivers.api import NotConnectedError
from gateway.drivers.modbus.channel import Channel, Pauses
from gateway.drivers.modbus.config import Connection, Framing, shared
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.mbap import Transactions
from gateway.drivers.modbus.rtu import RtuLine

SILENT_SERIES = 3
"""After so many series in a row without an answer a connection is made anew: it may be half open,
or the other side may have lost its place in it."""

UNDECIDED_SERIES = 2
"""As many before the other framing is tried, where it is not known. One may have met a device
that is not ready yet."""

REDIAL_S = 1.0
"""After a failed attempt of one unit to connect, those of others fail at once for so long."""

_CLOSE_S = 1.0


class ModbusLink:
    """See :class:`gateway.drivers.api.Link`.

    Connections are opened by units that connect, as many as are allowed, and used by whoever has
    the turn. A unit's silence or time-out leaves them open.

    Args:
        connections: of the units; all have the same host and port.
    """

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._host, self._port = connections[0].host, connections[0].port
        self.turns: int = shared(connections, "connections") or 1
        self._framing: Framing = shared(connections, "framing") or Framing.AUTO
        self._pauses = Pauses(
            (shared(connections, "pause_after_connect_ms") or 0) / 1000,
            (shared(connections, "pause_between_requests_ms") or 0) / 1000,
        )
        self._users: set[ModbusDriver] = set()
        self._channels: list[Channel] = []
        self._dialling = 0
        self._failed: tuple[ModbusDriver, float, str] | None = None
        self._loss = "not connected"

    def driver(self, connection: Connection) -> ModbusDriver:
        """A driver for one unit."""
        return ModbusDriver(self, connection)

    # -- connecting -----------------------------------------------------------------------

    async def join(self, user: ModbusDriver) -> None:
        """Count a unit in, and open a connection unless there are enough.

        Raises:
            NotConnectedError: nobody answers.
        """
        self._forget_lost()
        if len(self._channels) + self._dialling < self.turns:
            self._fail_soon(user)
            try:
                await self._dial(self._framing)
            except NotConnectedError as error:
                self._failed = user, asyncio.get_running_loop().time(), str(error)
                raise
        self._users.add(user)

    def _fail_soon(self, user: ModbusDriver) -> None:
        """Many units that lost one server together knock once, not each for itself."""
        if self._failed is not None and self._failed[0] is not user:
            _, failed_at, why = self._failed
            if asyncio.get_running_loop().time() - failed_at < REDIAL_S:
                raise NotConnectedError(why)

    async def _dial(self, framing: Framing) -> Channel:
        series = RtuLine() if framing is Framing.RTU else Transactions()
        channel = Channel(series, self._pauses)
        loop = asyncio.get_running_loop()
        self._dialling += 1
        try:
            await loop.create_connection(lambda: channel, self._host, self._port)
        except (OSError, UnicodeError) as error:  # UnicodeError: no possible host name
            raise NotConnectedError(str(error)) from error
        finally:
            self._dialling -= 1
        self._failed = None
        self._channels.append(channel)
        return channel

    async def leave(self, user: ModbusDriver) -> None:
        """Count a unit out; the last one waits, shortly, until the sockets are closed."""
        self._users.discard(user)
        if not self._users:
            await self._close(self._channels)
            self._channels = []

    async def _close(self, channels: Sequence[Channel]) -> None:
        for channel in channels:
            channel.abort("closed")
        if channels:
            await asyncio.wait([channel.closed for channel in channels], timeout=_CLOSE_S)

    # -- using ----------------------------------------------------------------------------

    def channel(self, user: ModbusDriver) -> Channel:
        """A connection that nobody uses now.

        Raises:
            NotConnectedError: the unit is closed, or the connection was lost.
        """
        if user not in self._users:
            raise NotConnectedError("not connected")
        for channel in self._channels:
            if channel.is_open and not channel.is_busy:
                return channel
        self._forget_lost()
        raise NotConnectedError(self._loss)

    def _forget_lost(self) -> None:
        for channel in self._channels:
            if not channel.is_open:
                self._loss = channel.loss
        self._channels = [channel for channel in self._channels if channel.is_open]

    def is_undecided(self, channel: Channel) -> bool:
        """Whether another framing should be tried, since nobody answers in this one."""
        return self._framing is Framing.AUTO and channel.silences >= UNDECIDED_SERIES

    def heard(self, channel: Channel) -> None:
        """A unit answered over this connection: its framing is the right one."""
        if self._framing is Framing.AUTO:
            self._framing = channel.framing

    async def other_framing(self, channel: Channel) -> Channel:
        """A connection in RTU framing in place of one that was not answered in Modbus TCP.

        Raises:
            NotConnectedError: it cannot be made.
        """
        self._channels.remove(channel)
        await self._close([channel])
        return await self._dial(Framing.RTU)

    def silent(self, channel: Channel) -> None:
        """A series was not answered; a connection that is never answered is made anew."""
        is_guess = self._framing is Framing.AUTO and channel.framing is Framing.RTU
        if is_guess or channel.silences >= SILENT_SERIES:
            channel.abort(f"no answer to {channel.silences} requests in a row")
