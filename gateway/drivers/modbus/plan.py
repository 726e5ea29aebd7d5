"""Modbus addresses and rules in the words of the toolkit. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from gateway.drivers.api import Point, Value
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.notations.ranges import ranges_of
from gateway.drivers.modbus.reach.window import MOST, may_find
from gateway.drivers.modbus.types.elements import encode, format_of
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.modbus.types.parts import mask, read_only
from gateway.drivers.toolkit.decode import Place
from gateway.drivers.toolkit.layout import Layout, Layouts
from gateway.drivers.toolkit.learnt import Codes
from gateway.drivers.toolkit.merge import Limits, Planner, Span
from gateway.drivers.toolkit.written import writing

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
    places = [_place(point, connection.order) for point in points]
    return Layout.of(places, _limits(connection), _reader(connection))


def answer_sizes(addresses: Iterable[Address], connection: Connection) -> list[int]:
    """How many bytes of data each of these requests is answered with."""
    spans = [_span(address) for address in addresses]
    planner = Planner(spans, _limits(connection), _reader(connection))
    return [block.size for block in planner.blocks()]


def merging(connection: Connection) -> tuple[object, ...]:
    """What of a connection decides on its requests."""
    sizes = connection.max_bits, connection.max_registers, connection.max_gap
    ranges = connection.forbidden, connection.whole_blocks
    rules = connection.one_request_per_tag, connection.read_function
    return *sizes, *ranges, *rules, may_find([connection])


def _reader(connection: Connection) -> Callable[[str, int, int], codec.Request]:
    """What asks for registers, of a device that may know one function of two only.

    A file of a device is a space of its own, ``file4``.
    """
    tables = {str(table): table for table in codec.READ_FUNCTION}
    if connection.read_function == codec.Function.READ_HOLDING_REGISTERS:
        tables[codec.Table.INPUT] = codec.Table.HOLDING
    elif connection.read_function is not None:
        tables[codec.Table.HOLDING] = codec.Table.INPUT

    def request(space: str, start: int, count: int) -> codec.Request:
        table = tables.get(space)
        if table is None:
            return codec.read_records(int(space.removeprefix(codec.Table.FILE)), start, count)
        return codec.read(table, start, count)

    return request


def _decoding(connection: Connection) -> tuple[object, ...]:
    return *merging(connection), connection.order


LAYOUTS = Layouts(layout, _decoding)
"""Those in use in this process; equal devices share one."""


def _limits(connection: Connection) -> Callable[[str], Limits]:
    bits = Limits(connection.max_bits, connection.max_gap * REGISTER_BITS, 1)
    registers = Limits(connection.max_registers, connection.max_gap, REGISTER_BITS)
    wide = Limits(max(1, connection.max_registers // 2), connection.max_gap // 2, 32)
    by_bits = {1: bits, REGISTER_BITS: registers, 32: wide}
    found: dict[str, Limits] = {
        table: _with_ranges(by_bits[table.bits], table, connection) for table in codec.Table
    }
    most = min(connection.max_registers, codec.MAX_READ_RECORDS)
    records = replace(found[codec.Table.FILE], most=most)
    return lambda space: found.get(space, records)


def _with_ranges(limits: Limits, table: codec.Table, connection: Connection) -> Limits:
    """The limits of a table with what its device says of ranges of it."""
    blocks = [one for one in ranges_of(connection.whole_blocks) if one.table is table]
    forbidden = [one for one in ranges_of(connection.forbidden) if one.table is table]
    wholes = tuple((one.first, one.stop) for one in blocks)
    walls = {*(place for whole in wholes for place in whole), *(one.first for one in forbidden)}
    return replace(
        limits,
        walls=tuple(sorted(walls)),
        wholes=wholes,
        is_alone=connection.one_request_per_tag,
        unlike=MOST if may_find([connection]) else 1,
    )


def _span(address: Address) -> Span:
    return Span(address.space, address.address, address.stop)


def _place(point: Point, order: Order) -> Place:
    return Place(point.kind, _span(point.address), format_of(point.address, order))


def write_request(point: Point, value: Value, connection: Connection) -> codec.Request:
    """The request that writes one value.

    Raises:
        DriverError: it cannot be written, or does not fit.
    """
    address: Address = point.address
    with writing(point, read_only):
        if address.table.is_bits:
            return _coil(address, value, connection)
        if address.is_part:
            return codec.mask_register(*mask(address, address.order or connection.order, value))
        return _registers(address, value, connection)


def _coil(address: Address, value: Value, connection: Connection) -> codec.Request:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is no bool")  # noqa: TRY004 - one error for a wrong value
    if connection.write_multiple:
        return codec.write_bits(address.address, [value])
    return codec.write_bit(address.address, value)


def _registers(address: Address, value: Value, connection: Connection) -> codec.Request:
    words = encode(address, connection.order, value)
    if address.file is not None:
        return codec.write_records(address.file, address.address, words)
    if connection.write_function:
        return codec.write_and_read(address.address, words)
    if address.span == 1 and not connection.write_multiple:
        return codec.write_register(address.address, words)
    return codec.write_registers(address.address, words)
