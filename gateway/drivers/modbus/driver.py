"""The Modbus driver: one unit, reached over a link that other units may share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.core.batch import Reading
from gateway.drivers.api import (
    DriverError,
    NoResponseError,
    NotConnectedError,
    Point,
    Value,
)
from gateway.drivers.modbus import codec, values
from gateway.drivers.modbus.channel import Channel, Unit
from gateway.drivers.modbus.config import (
    REQUEST_TIMEOUT_MS,
    Address,
    Connection,
    Framing,
    endpoint,
)
from gateway.drivers.modbus.plan import CODES, LAYOUTS
from gateway.drivers.modbus.values import DataType, Encoding
from gateway.drivers.toolkit.layout import Kept
from gateway.drivers.toolkit.reading import ReadPlan, UnansweredError

if TYPE_CHECKING:
    from gateway.drivers.modbus.link import ModbusLink


class _DoubtError(Exception):
    """No answer over a connection that was never answered, though others to its server were."""


class UnitPlan(ReadPlan):
    """The plan of one unit; it keeps the layout that equal units share."""

    def __init__(self, kept: Kept) -> None:
        super().__init__(kept.layout, CODES)
        self.kept = kept


class ModbusDriver:
    """Reads and writes one unit. See :class:`gateway.drivers.api.Driver` for the contract.

    Args:
        link: what the units of its host and port share.
        connection: the unit's own settings.
    """

    def __init__(self, link: "ModbusLink", connection: Connection) -> None:
        self._link = link
        self._connection = connection
        self._timeout_ms = connection.request_timeout_ms or REQUEST_TIMEOUT_MS
        self._unit = Unit(connection.unit, connection.window, self._timeout_ms / 1000)
        self._name = f"Modbus unit {connection.unit} at {endpoint(connection)}"

    async def connect(self) -> None:
        """Join the link; whether the unit answers shows at the first reading."""
        await self.close()
        try:
            await self._link.join(self)
        except NotConnectedError as error:
            raise NotConnectedError(f"cannot connect to {self._name}: {error}") from error

    def plan(self, points: Sequence[Point]) -> UnitPlan:
        """Merge the points into the fewest requests."""
        return UnitPlan(LAYOUTS.get(points, self._connection))

    async def read(self, plan: UnitPlan) -> Reading:
        """Read all points of a plan once."""
        channel = await self._free_channel()
        try:
            return await self._poll(channel, plan)
        except (UnansweredError, NotConnectedError, _DoubtError) as fault:
            return await self._read_again(plan, channel, fault)
        finally:
            self._link.give_back(channel)

    async def _read_again(self, plan: UnitPlan, useless: Channel, fault: Exception) -> Reading:
        """Over another connection, where the first one is to blame and not the unit."""
        channel = await self._instead(useless, fault)
        try:
            reading = await self._poll(channel, plan)
        except (UnansweredError, NotConnectedError) as again:
            raise self._fault(again, channel) from again
        finally:
            self._link.give_back(channel)
        self._link.reject(useless)
        return reading

    async def _free_channel(self) -> Channel:
        try:
            return await self._link.channel(self, self._unit.timeout_s)
        except NotConnectedError as error:
            raise NotConnectedError(f"{self._name}: {error}") from error

    async def _instead(self, useless: Channel, fault: Exception) -> Channel:
        try:
            channel = await self._link.instead_of(useless, self._unit.timeout_s)
        except NotConnectedError as error:
            raise NotConnectedError(f"cannot connect to {self._name}: {error}") from error
        if channel is None:
            raise self._fault(fault, useless) from fault
        return channel

    async def _poll(self, channel: Channel, plan: UnitPlan) -> Reading:
        steps = plan.poll()
        try:
            requests = next(steps)
            while True:
                answers = await self._exchange(channel, requests, is_known=plan.is_sound)
                if channel.silences and self._link.is_doubtful(channel):
                    raise _DoubtError  # before the plan learns anything from it
                requests = steps.send(answers)
        except StopIteration as done:
            reading: Reading = done.value
            return reading

    async def _exchange(
        self, channel: Channel, requests: Sequence[codec.Request], *, is_known: bool = True
    ) -> list[codec.Answer]:
        try:
            return await channel.exchange(self._unit, requests, is_known=is_known)
        except NotConnectedError as error:
            raise NotConnectedError(f"{self._name}: {error}") from error

    def _fault(self, fault: Exception, channel: Channel) -> Exception:
        """What to raise where a reading found nothing but this."""
        if not isinstance(fault, UnansweredError):
            return fault
        reason = codec.reason_for(fault.code)
        if fault.code != codec.SILENT:
            why = f"{reason.code} (exception {fault.code}) to {fault.block}"
            return NoResponseError(f"{self._name}: {why}", reason)
        why = f"{self._name}: no answer within {self._timeout_ms} ms to {fault.block}"
        return NoResponseError(why + _hint(channel))

    async def write(self, point: Point, value: Value) -> None:
        """Write one value and check the device's echo.

        Bits of a register are refused: writing one would need the others read first, and what
        the machine changes in between would be lost.
        """
        request = self._write_request(point, value)
        channel = await self._free_channel()
        try:
            (answer,) = await self._exchange(channel, [request])
        finally:
            self._link.give_back(channel)
        if answer == codec.SILENT:
            raise NoResponseError(
                f"{self._name} did not confirm within {self._timeout_ms} ms that it has written "
                f"{point.name} ({point.address}); it may have"
            )
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

    async def close(self) -> None:
        """Leave the link; the last unit closes its connections."""
        await self._link.leave(self)


def _hint(channel: Channel) -> str:
    """What to look at when a connection was never answered."""
    if channel.has_answered:
        return ""
    if channel.garbage:
        return (
            f"; {channel.garbage} bytes came that are no RTU frame: see framing and the baud rate"
        )
    if channel.framing is Framing.RTU:
        return ", neither in Modbus TCP nor in RTU framing: see unit and wiring"
    return "; a serial server that only passes bytes on needs framing: rtu"


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
