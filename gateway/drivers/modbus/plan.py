"""Modbus addresses and rules in the words of the toolkit. Pure."""

from collections.abc import Sequence
from functools import partial

from gateway.drivers.api import Point
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.config import Address, Connection
from gateway.drivers.modbus.values import DataType, Encoding, decode_text, permutation
from gateway.drivers.toolkit.decode import Bit, Format, Number, Place, Text
from gateway.drivers.toolkit.layout import Layout, Layouts
from gateway.drivers.toolkit.learnt import Codes
from gateway.drivers.toolkit.merge import Limits, Span

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

    def limits(table: codec.Table) -> Limits:
        if table.is_bits:
            return Limits(connection.max_bits, connection.max_gap * REGISTER_BITS, 1)
        return Limits(connection.max_registers, connection.max_gap, REGISTER_BITS)

    return Layout.of([_place(point) for point in points], limits, codec.read)


def _rules(connection: Connection) -> tuple[int, int, int]:
    return connection.max_bits, connection.max_registers, connection.max_gap


LAYOUTS = Layouts(layout, _rules)
"""Those in use in this process; equal devices share one."""


def _place(point: Point) -> Place:
    address: Address = point.address
    span = Span(address.table, address.address, address.stop)
    return Place(point.kind, span, _format(address))


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
