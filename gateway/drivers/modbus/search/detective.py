"""Every way to read some registers of a unit, by the driver's own decoding. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from gateway.core.schema import Kind, runs_of
from gateway.core.status import GOOD
from gateway.drivers.api import Point, Value
from gateway.drivers.modbus.address import Address, kind
from gateway.drivers.modbus.codec import ADDRESSES, Table
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.plan import layout
from gateway.drivers.modbus.types.names import Coding, DataType
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.modbus.types.texts import Encoding
from gateway.drivers.search import CandidateValue

MOST_CELLS = 125
"""Registers, or bits, of one range: what one request can read."""
_TABLES = (Table.HOLDING, Table.INPUT, Table.COIL, Table.DISCRETE)
_TEXT_LENGTHS = (4, 8, 16)
"""Registers of a text that is looked for."""
_SHORTEST_TEXT = 3
_TEXT = DataType.STRING
_USUAL = (
    *(DataType.UINT16, DataType.INT16, DataType.FLOAT32, DataType.UINT32, DataType.INT32),
    *(DataType.UINT64, DataType.INT64, DataType.FLOAT64),
)
_BITS: dict[int, tuple[int, ...]] = {0: tuple(range(16)), 1: (0, 8)}
"""By the size of a type, in bytes: where in a register it may begin."""


class ModbusDetective:
    """See :class:`gateway.drivers.search.Detective`."""

    tables: Sequence[str] = _TABLES

    def cells(self, table: str, address: int, count: int) -> list[Address]:
        """Registers as unsigned words, coils and discrete inputs as bits."""
        where = table or Table.HOLDING
        if where not in _TABLES:
            raise ValueError(f"there is no table {table!r} to look at; use {', '.join(_TABLES)}")
        if not 1 <= count <= MOST_CELLS or not 0 <= address <= ADDRESSES - count:
            raise ValueError(
                f"cannot read {count} from {address}: 1 to {MOST_CELLS} within 0 to 65535"
            )
        found = Table(where)
        # Words as they are on the wire: the device's own order is tried beside the others.
        form = (DataType.BOOL, None) if found.is_bits else (DataType.UINT16, Order.ABCD)
        of, order = form
        places = range(address, address + count)
        return [Address(table=found, address=at, type=of, order=order) for at in places]

    def readings(
        self, connection: Connection, cells: Sequence[Address], values: Sequence[Value | None]
    ) -> list[CandidateValue]:
        """All types, byte orders and offsets, bits and texts."""
        if cells[0].table.is_bits:
            return [
                CandidateValue(cell, 1, "bool", value)
                for cell, value in zip(cells, values, strict=True)
            ]
        words = {cell.address: value for cell, value in zip(cells, values, strict=True)}
        held = {at: int(value) for at, value in words.items() if value is not None}
        possible = [
            one
            for one in _addresses(
                cells[0].table, cells[0].address, cells[-1].stop, connection.order
            )
            if all(at in held for at in range(one.address, one.stop))
        ]
        return decoded(possible, held, connection) if possible else []


def _addresses(table: Table, first: int, stop: int, usual: Order) -> Iterator[Address]:
    # Of equal values the first one stands before: what is usual, and no sign that nothing shows.
    types = [*_USUAL, *(one for one in DataType if one not in _USUAL and one is not _TEXT)]
    # The order of the device need not be written.
    orders = (None, *(order for order in Order if order is not usual))
    for coding, of in product((None, *Coding), types):
        for order, bit in product(orders, _BITS.get(of.size, (None,))):
            form = {"type": of, "coding": coding, "order": order, "bit": bit}
            yield from _row(table, first, stop, form)
    yield from _texts(table, first, stop, usual)


def _row(table: Table, first: int, stop: int, form: dict[str, Any]) -> Iterator[Address]:
    """One form at all places; nothing if there is no such form."""
    for at in range(first, stop):
        try:
            found = Address(table=table, address=at, **form)
        except ValueError:
            return
        if found.stop <= stop:
            yield found


def _texts(table: Table, first: int, stop: int, usual: Order) -> Iterator[Address]:
    turned = Order.ABCD if usual.swaps_bytes else Order.BADC
    options = product((None, turned), (Encoding.ASCII, Encoding.GBK), _TEXT_LENGTHS)
    for order, encoding, length in options:
        form = {"type": DataType.STRING, "order": order, "encoding": encoding, "length": length}
        yield from _row(table, first, stop, form)


def decoded(
    addresses: Sequence[Address], held: dict[int, int], connection: Connection
) -> list[CandidateValue]:
    """What addresses of one table say of registers that were read before, by the driver itself.

    Args:
        addresses: at least one; all of their registers are held.
        held: register → word.
        connection: of the device, for its order.
    """
    points = [Point(str(one), kind(one), one) for one in addresses]
    made = layout(points, connection)
    image = b"".join(_image(block.key.start, block.key.length, held) for block in made.blocks)
    status = np.full(len(points), GOOD, np.uint8)
    columns = made.decoder.columns(image, status)
    values: list[Any] = []
    for run, column in zip(runs_of(point.kind for point in points), columns, strict=True):
        values += map(_short, column.tolist()) if run.kind is Kind.FLOAT32 else column.tolist()
    return [
        CandidateValue(one, one.span, _form(one), value if code == GOOD else None)
        for one, value, code in zip(addresses, values, status.tolist(), strict=True)
        if _is_told(value)
    ]


def _image(start: int, length: int, held: dict[int, int]) -> bytes:
    return b"".join(held.get(at, 0).to_bytes(2, "big") for at in range(start, start + length))


def _short(value: float) -> float:
    """The seven digits that a float of 32 bits holds: 50.06, not 50.060001373291016."""
    return float(f"{value:.7g}")


def _form(address: Address) -> str:
    return str(replace(address, address=0))


def _is_told(value: Any) -> bool:
    return not isinstance(value, str) or len(value) >= _SHORTEST_TEXT
