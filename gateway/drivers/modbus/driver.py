"""The Modbus TCP driver: one connection to one unit."""

import asyncio
from collections.abc import Sequence

from gateway.core.batch import Reading
from gateway.drivers.api import DriverError, NotConnectedError, Point, Value
from gateway.drivers.modbus import codec, values
from gateway.drivers.modbus.config import Address, Connection, endpoint
from gateway.drivers.modbus.link import Link
from gateway.drivers.modbus.mbap import frame
from gateway.drivers.modbus.poll import ReadPlan
from gateway.drivers.modbus.values import DataType, Encoding

_CLOSE_S = 1.0


class ModbusDriver:
    """Reads and writes one unit. See :class:`gateway.drivers.api.Driver` for the contract."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = f"Modbus unit {connection.unit} at {endpoint(connection)}"
        self._link: Link | None = None

    async def connect(self) -> None:
        """Open the TCP connection; whether the unit answers shows at the first reading."""
        await self.close()
        connection = self._connection
        link = Link(self._name, connection.window, connection.request_timeout_ms / 1000)
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: link, connection.host, connection.port)
        except (OSError, UnicodeError) as error:  # UnicodeError: no possible host name
            raise NotConnectedError(f"cannot connect to {self._name}: {error}") from error
        self._link = link

    def plan(self, points: Sequence[Point]) -> ReadPlan:
        """Merge the points into the fewest requests."""
        return ReadPlan(self._connection, points)

    async def read(self, plan: ReadPlan) -> Reading:
        """Read all points of a plan once."""
        link = self._alive()
        steps = plan.poll()
        try:
            frames = next(steps)
            while True:
                frames = steps.send(await link.exchange(frames))
        except StopIteration as done:
            reading: Reading = done.value
            return reading

    async def write(self, point: Point, value: Value) -> None:
        """Write one value and check the device's echo.

        Bits of a register are refused: writing one would need the others read first, and what
        the machine changes in between would be lost.
        """
        request = self._write_request(point, value)
        (answer,) = await self._alive().exchange([frame(self._connection.unit, request)])
        if isinstance(answer, int):
            reason = codec.reason_for(answer).code
            raise DriverError(
                f"{self._name} refused to write {point.name} ({point.address}): "
                f"{reason} (exception {answer})"
            )

    def _write_request(self, point: Point, value: Value) -> codec.Request:
        address: Address = point.address
        if not address.table.is_writable or address.bit is not None:
            what = "a bit of a register" if address.bit is not None else f"table {address.table}"
            raise DriverError(f"cannot write {point.name} ({address}): {what} cannot be written")
        try:
            return (
                _coil(address, value, self._connection)
                if address.table.is_bits
                else _registers(address, value, self._connection)
            )
        except ValueError as error:
            raise DriverError(f"cannot write {point.name} ({address}): {error}") from error

    def _alive(self) -> Link:
        if self._link is None:
            raise NotConnectedError(f"{self._name}: not connected")
        return self._link

    async def close(self) -> None:
        """Drop the connection and wait, shortly, until the socket is closed."""
        link, self._link = self._link, None
        if link is not None:
            link.abort("closed")
            await asyncio.wait([link.closed], timeout=_CLOSE_S)


def _coil(address: Address, value: Value, connection: Connection) -> codec.Request:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is no bool")  # noqa: TRY004 - one error for a wrong value
    if connection.write_multiple:
        return codec.write_bits(address.address, [value])
    return codec.write_bit(address.address, value)


def _registers(address: Address, value: Value, connection: Connection) -> codec.Request:
    if address.type is DataType.STRING:
        encoding = address.encoding or Encoding.ASCII
        words = values.encode_text(address.span, encoding, address.order, value)
    else:
        words = values.encode_number(address.type, address.order, value)
    if address.span == 1 and not connection.write_multiple:
        return codec.write_register(address.address, words)
    return codec.write_registers(address.address, words)
