"""Addresses of a SIMATIC controller in the words of the toolkit. Pure."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import NamedTuple

from gateway.drivers.api import Point, Value
from gateway.drivers.s7 import codec, values
from gateway.drivers.s7.address import Address, Area, read_only
from gateway.drivers.s7.config import Connection
from gateway.drivers.s7.values import DataType, Encoding
from gateway.drivers.toolkit.decode import Bit, Format, Number, Place, Text
from gateway.drivers.toolkit.layout import Layout, Layouts
from gateway.drivers.toolkit.merge import Block, Limits, Span
from gateway.drivers.toolkit.numbers import packed
from gateway.drivers.toolkit.transforms import PackedDecimal
from gateway.drivers.toolkit.written import writing

MOST_BYTES = codec.LEAST_PDU - 18
"""Neighbours are joined up to what the smallest message holds: a plan lasts, and how long
messages may be is known only when a connection is made."""

_TEXTS: dict[DataType, Callable[[bytes], str]] = {
    DataType.WSTRING: values.decode_wstring,
    DataType.DATE_AND_TIME: values.decode_date_and_time,
    DataType.DTL: values.decode_dtl,
}
_WORD = (1, 0)  # where each byte stands, the least significant one first


def layout(points: Sequence[Point], connection: Connection) -> Layout:
    """The fewest parts of messages for these points."""
    return Layout.of([_place(point) for point in points], _limits(connection), _item)


def _merging(connection: Connection) -> int:
    return connection.max_gap


LAYOUTS = Layouts(layout, _merging)
"""Those in use in this process; equal devices share one."""


def _limits(connection: Connection) -> Callable[[str], Limits]:
    in_bytes = Limits(MOST_BYTES, connection.max_gap, 8)
    elements = Limits(MOST_BYTES // 2, connection.max_gap // 2, 16)
    return lambda block: elements if block in (Area.TIMER, Area.COUNTER) else in_bytes


def _item(block: str, start: int, count: int) -> codec.Item:
    is_db = block.startswith("DB")
    return codec.Item(
        Area.DB if is_db else Area(block), int(block[2:]) if is_db else 0, start, count
    )


def _place(point: Point) -> Place:
    address: Address = point.address
    span = Span(address.block, address.start, address.stop)
    return Place(point.kind, span, _format(address))


def _format(address: Address) -> Format:
    data_type = address.type
    if data_type is DataType.STRING:
        decode = partial(values.decode_string, encoding=address.encoding or Encoding.ASCII)
        return Text(data_type.size(address.length), decode)
    if data_type in _TEXTS:
        return Text(data_type.size(address.length), _TEXTS[data_type])
    if data_type is DataType.BOOL:
        return Bit(address.bit or 0)
    if data_type is DataType.TIMER:
        return Number("u2", _WORD, values.S5Time())
    if data_type is DataType.COUNTER:
        return Number("u2", _WORD, PackedDecimal(4))
    return _number(data_type)


@cache
def _number(data_type: DataType) -> Number:
    """A plain number, the most significant byte first."""
    return Number(data_type.code, tuple(range(data_type.size(None)))[::-1])


def shown(block: Block) -> str:
    """A part of a message for people: ``DB10 bytes 4 to 11``."""
    table, first, count = block.key
    what = "number" if table in (Area.TIMER, Area.COUNTER) else "byte"
    upto = f" to {first + count - 1}" if count > 1 else ""
    return f"{table} {what} {first}{upto}"


class Write(NamedTuple):
    """What is to be written.

    Attributes:
        item: where; of a bit its byte.
        bit: number of the bit; None: whole bytes.
        data: what.
    """

    item: codec.Item
    bit: int | None
    data: bytes


def head(address: Address) -> codec.Item | None:
    """Where a text's longest length stands, which must be known before it is written."""
    if not address.type.is_text:
        return None
    width = 2 if address.type is DataType.WSTRING else 1
    return _item(address.block, address.start, width)


def write_request(point: Point, value: Value, longest: int | None) -> Write:
    """What writes one value.

    Args:
        point: where.
        value: what.
        longest: of a text, what its head says; None: it is not known yet.

    Raises:
        DriverError: it cannot be written, or does not fit.
    """
    address: Address = point.address
    with writing(point, read_only):
        start, bit, data = _written(address, value, longest)
    return Write(_item(address.block, start, len(data)), bit, data)


def _written(address: Address, value: Value, longest: int | None) -> tuple[int, int | None, bytes]:
    if address.type is DataType.BOOL:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is no bool")
        return address.start, address.bit, bytes((value,))
    if address.type.is_text:
        room = address.length or 0
        room = room if longest is None else min(room, longest)
        is_wide = address.type is DataType.WSTRING
        encoding = None if is_wide else address.encoding or Encoding.ASCII
        body = values.encode_text(encoding, value, room)
        return address.start + (2 if is_wide else 1), None, body
    return address.start, None, packed(address.type.code, value)[::-1]
