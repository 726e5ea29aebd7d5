"""Modbus addresses and rules in the words of the toolkit. Pure."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from gateway.drivers.api import DriverError, Point, Value
from gateway.drivers.modbus import codec, values
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.values import DataType, Encoding, decode_text, permutation
from gateway.drivers.toolkit.decode import Bit, Format, Number, Place, Text
from gateway.drivers.toolkit.layout import Layout, Layouts
from gateway.drivers.toolkit.learnt import Codes
from gateway.drivers.toolkit.merge import Limits, Planner, Span

REGISTER_BITS = 16

CODES = Codes(
    reason=codec.reason_for,
    illegal=frozenset({codec.ILLEGAL_ADDRESS, codec.ILLEGAL_VALUE}),
    doubtful=frozenset({codec.ILLEGAL_FUNCTION, codec.DEVICE_FAILURE}),
    lasting=frozenset({codec.ILLEGAL_FUNCTION, codec.ILLEGAL_ADDRESS, codec.ILLEGAL_VALUE}),
    no_response=codec.NO_RESPONSE,
    not_sent=codec.NOT_SENT,
)


def layout(points: Sequence[Point], connection: Connection) -> Layout:
    """The fewest requests for these points within the limits of a connection."""
    return Layout.of([_place(point) for point in points], _limits(connection), codec.read)


def answer_sizes(addresses: Iterable[Address], connection: Connection) -> list[int]:
    """How many bytes of data each of these requests is answered with."""
    spans = [_span(address) for address in addresses]
    return [block.size for block in Planner(spans, _limits(connection), codec.read).blocks()]


def merging(connection: Connection) -> tuple[int, int, int]:
    """What of a connection decides on its requests."""
    return connection.max_bits, connection.max_registers, connection.max_gap


LAYOUTS = Layouts(layout, merging)
"""Those in use in this process; equal devices share one."""


def _limits(connection: Connection) -> Callable[[codec.Table], Limits]:
    bits = Limits(connection.max_bits, connection.max_gap * REGISTER_BITS, 1)
    registers = Limits(connection.max_registers, connection.max_gap, REGISTER_BITS)
    return lambda table: bits if table.is_bits else registers


def _span(address: Address) -> Span:
    return Span(address.table, address.address, address.stop)


def _place(point: Point) -> Place:
    return Place(point.kind, _span(point.address), _format(point.address))


def _format(address: Address) -> Format:
    if address.type is DataType.STRING:
        encoding = address.encoding or Encoding.ASCII
        decode = partial(decode_text, encoding=encoding, order=address.order)
        return Text(2 * address.span, decode)
    if address.type is DataType.BOOL:
        # The high byte of a register comes first.
        return Bit() if address.bit is None else Bit((address.bit + 8) % REGISTER_BITS)
    size = address.type.size
    return Number(address.type.code, tuple(permutation(address.order, size)[::-1]))


def write_request(point: Point, value: Value, connection: Connection) -> codec.Request:
    """The request that writes one value.

    Raises:
        DriverError: it cannot be written, or does not fit.
    """
    address: Address = point.address
    if not address.table.is_writable or address.bit is not None:
        what = "a bit of a register" if address.bit is not None else f"table {address.table}"
        raise DriverError(f"cannot write {point.name} ({address}): {what} cannot be written")
    try:
        return (
            _coil(address, value, connection)
            if address.table.is_bits
            else _registers(address, value, connection)
        )
    except ValueError as error:
        raise DriverError(f"cannot write {point.name} ({address}): {error}") from error


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
