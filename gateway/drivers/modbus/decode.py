"""From the image of all answers to columns, by a program compiled once a plan. Pure.

The image is the data of all blocks one after the other. Neighbouring values of one type are
looked at in place; scattered or turned ones are gathered by one index array.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Status
from gateway.core.schema import Column, Kind, Run, runs_of
from gateway.core.status import GOOD, Reason, bad
from gateway.drivers.api import Point
from gateway.drivers.modbus.config import Address
from gateway.drivers.modbus.plan import Block
from gateway.drivers.modbus.values import DataType, Encoding, Order, decode_text, permutation

REGISTER_BYTES = 2

Image = bytes | bytearray
Index = npt.NDArray[np.intp]
RunReader = Callable[[Image, Status], Column]
"""Column of one run from the image; may turn status bytes of the run BAD."""

FLOATS = frozenset({Kind.FLOAT32, Kind.FLOAT64})


class Decoder:
    """Compiled reading of one layout.

    Args:
        points: the points of the plan, in its order.
        blocks: the layout; together they hold every point.
    """

    def __init__(self, points: Sequence[Point], blocks: Sequence[Block]) -> None:
        offsets = _bit_offsets(points, blocks)
        self._runs = [
            (run.span, _reader(run, points[run.span], offsets[run.span]))
            for run in runs_of(point.kind for point in points)
        ]

    def columns(self, image: Image, status: Status) -> tuple[Column, ...]:
        """One column a run of the points' kinds.

        Args:
            image: the data of all blocks.
            status: one byte a point; floats that are not finite and texts that cannot be
                decoded become BAD here, unless they are already.
        """
        return tuple([read(image, status[span]) for span, read in self._runs])


def _bit_offsets(points: Sequence[Point], blocks: Sequence[Block]) -> list[int]:
    """Where each point begins in the image, bits."""
    offsets = [0] * len(points)
    for block in blocks:
        bits_each = block.bits_each
        first = block.offset - block.start * bits_each
        for index in block.members:
            offsets[index] = first + points[index].address.address * bits_each
    return offsets


def _reader(run: Run, points: Sequence[Point], offsets: Sequence[int]) -> RunReader:
    if run.kind is Kind.STRING:
        return _Texts(points, [offset // 8 for offset in offsets])
    if run.kind is Kind.BOOL:
        return _Bits(points, offsets)
    return _Numbers(run.kind, points, [offset // 8 for offset in offsets])


class _Texts:
    """Texts, one by one."""

    def __init__(self, points: Sequence[Point], starts: Sequence[int]) -> None:
        self._texts = [
            (slice(start, start + 2 * address.span), address.encoding or Encoding.ASCII, address)
            for address, start in zip((p.address for p in points), starts, strict=True)
        ]

    def __call__(self, image: Image, status: Status) -> Column:
        column = np.full(len(self._texts), "", dtype=object)
        for i, (span, encoding, address) in enumerate(self._texts):
            try:
                column[i] = decode_text(bytes(image[span]), encoding, address.order)
            except UnicodeDecodeError:
                _spoil(status, np.arange(len(status)) == i, Reason.TYPE)
        return column


class _Bits:
    """Bits of bit tables and of registers."""

    def __init__(self, points: Sequence[Point], offsets: Sequence[int]) -> None:
        places = [
            _bit_place(point.address, offset) for point, offset in zip(points, offsets, strict=True)
        ]
        self._index = np.array([byte for byte, _ in places], np.intp)
        self._mask = np.array([1 << bit for _, bit in places], np.uint8)

    def __call__(self, image: Image, _status: Status) -> Column:
        column: Column = (np.frombuffer(image, np.uint8).take(self._index) & self._mask) != 0
        return column


def _bit_place(address: Address, offset: int) -> tuple[int, int]:
    """Byte of the image and bit of that byte; the high byte of a register comes first."""
    if address.bit is None:
        return divmod(offset, 8)
    return offset // 8 + 1 - address.bit // 8, address.bit % 8


def _spoil(status: Status, where: npt.NDArray[np.bool_], reason: Reason) -> None:
    status[where & (status == GOOD)] = bad(reason)


class _Numbers:
    """Numbers of one kind; each width and byte order among them is one part.

    What is no finite number is BAD. The calls into NumPy are few on purpose: at rest, with cold
    caches, each costs ten times what it costs in a loop.
    """

    def __init__(self, kind: Kind, points: Sequence[Point], starts: Sequence[int]) -> None:
        self._dtype = kind.dtype
        self._can_be_infinite = kind in FLOATS
        self._count = len(points)
        groups: dict[tuple[DataType, Order], list[int]] = {}
        for index, point in enumerate(points):
            groups.setdefault((point.address.type, point.address.order), []).append(index)
        self._parts = [
            (np.array(members, np.intp), _source(*key, [starts[i] for i in members]))
            for key, members in groups.items()
        ]

    def __call__(self, image: Image, status: Status) -> Column:
        column = self._column(image)
        if self._can_be_infinite:
            finite = np.isfinite(column)
            if np.count_nonzero(finite) < len(finite):
                _spoil(status, ~finite, Reason.NOT_A_NUMBER)
        return column

    def _column(self, image: Image) -> Column:
        if len(self._parts) == 1:
            return self._parts[0][1](image).astype(self._dtype)
        column = np.empty(self._count, self._dtype)
        for members, source in self._parts:
            column[members] = source(image)
        return column


@dataclass(frozen=True, slots=True)
class _Slice:
    """Neighbouring numbers, in a byte order that NumPy knows."""

    start: int
    count: int
    dtype: np.dtype[Any]

    def __call__(self, image: Image) -> Column:
        return np.frombuffer(image, self.dtype, self.count, self.start)


@dataclass(frozen=True, slots=True)
class _Gather:
    """Numbers from anywhere in any byte order, put together little-endian."""

    index: Index
    dtype: np.dtype[Any]

    def __call__(self, image: Image) -> Column:
        return np.frombuffer(image, np.uint8).take(self.index).view(self.dtype)


def _source(data_type: DataType, order: Order, starts: Sequence[int]) -> _Slice | _Gather:
    size = data_type.size
    order = _simplest(order, size)
    first = starts[0]
    is_dense = all(start == first + i * size for i, start in enumerate(starts))
    if is_dense and order in (Order.ABCD, Order.DCBA):
        sign = ">" if order is Order.ABCD else "<"
        return _Slice(first, len(starts), np.dtype(sign + data_type.code))
    places = np.array(permutation(order, size)[::-1], np.intp)
    index = (np.array(starts, np.intp)[:, None] + places).ravel()
    return _Gather(index, np.dtype("<" + data_type.code))


def _simplest(order: Order, size: int) -> Order:
    """A single register has no words to turn: BADC is its full reversal."""
    return Order.DCBA if size == REGISTER_BYTES and order.swaps_bytes else order
