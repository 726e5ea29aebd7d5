"""Opens the connections of one link."""

from asyncio import get_running_loop
from collections.abc import Sequence
from random import randrange

from gateway.drivers.api import RefusedError
from gateway.drivers.modbus.channel import Channel
from gateway.drivers.modbus.config import LINES, Connection, Framing
from gateway.drivers.modbus.framing.ascii import AsciiLine
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.orderly import Orderly
from gateway.drivers.modbus.framing.rtu import RtuLine
from gateway.drivers.modbus.pauses import Pauses
from gateway.drivers.modbus.reach.quiet import Quiet
from gateway.drivers.modbus.reach.way import timing_of, way_of
from gateway.drivers.modbus.reach.window import may_find


class Dialling:
    """The way to the units of one link, and what outlasts its connections.

    Args:
        connections: of the units; all have the same endpoint.
        pauses: waits of the link.

    Attributes:
        not_before: units that are not to be asked yet, and until when.
    """

    def __init__(self, connections: Sequence[Connection], pauses: Pauses) -> None:
        self.way = way_of(connections)
        self._timing = timing_of(connections)
        self._kind = _kind_of(connections)
        self._pauses = pauses
        # What one connection did not hear may come over the next one: a line keeps no more order.
        self.not_before: dict[int, float] = {}
        self._given_up_by: set[tuple[int, int]] = set()
        self._first_s = 0.0  # when the way was first taken

    def follow(self, connections: Sequence[Connection]) -> bool:
        """Take over what the units say of the way; whether that is another one now."""
        before, self.way = self.way, way_of(connections)
        self._timing, self._kind = timing_of(connections), _kind_of(connections)
        return self.way != before

    async def dial(self, framing: Framing) -> Channel:
        """One connection.

        Raises:
            NotConnectedError: it cannot be made.
            RefusedError: certificates are refused.
        """
        series = self._series(framing)
        self._first_s = self._first_s or get_running_loop().time()
        first_s = self._first_s if isinstance(series, RtuLine) else 0.0
        quiet = Quiet(self._pauses, self._timing, self.not_before, first_s)
        series.is_datagrams = self.way.is_datagrams
        channel = Channel(series, self._pauses, quiet)
        try:
            await self.way.open(lambda: channel)
        except RefusedError as error:
            raise RefusedError(f"{self.way.endpoint}: {error}") from error
        return channel

    def _series(self, framing: Framing) -> Transactions | RtuLine:
        if framing in LINES:
            line = AsciiLine if framing is Framing.ASCII else RtuLine
            return line(self._given_up_by)
        # Ids begin anywhere, so that no answer of an earlier connection passes for one of this.
        return self._kind(randrange(65_536))  # noqa: S311 - no secret


def _kind_of(connections: Sequence[Connection]) -> type[Transactions]:
    return Orderly if may_find(connections) else Transactions
