"""From the image of all answers to columns, by a program compiled once a layout. Pure.

The image is the data of all blocks one after the other. Neighbouring values of one type are
looked at in place; scattered or turned ones are gathered by one index array.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Status
from gateway.core.schema import Column, Kind, Run, runs_of
from gateway.core.status import GOOD, Reason, bad
from gateway.drivers.toolkit.merge import Block, Span
from gateway.drivers.toolkit.transforms import Transform

Image = bytes | bytearray
Index = npt.NDArray[np.intp]
RunReader = Callable[[Image, Status], Column]
"""Column of one run from the image; may turn status bytes of the run BAD."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in whole bytes.

    Attributes:
        code: NumPy type without byte order, ``f4``; of integers it may be wider than the number.
        order: where each byte stands, the least significant one first.
        then: makes the value of what these bytes hold; None: they are the value.
    """

    code: str
    order: tuple[int, ...]
    then: Transform | None = None


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit; ``offset`` counts from the begin of its address, the lowest bit of a byte first."""

    offset: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A text of ``size`` bytes; ``decode`` raises UnicodeDecodeError where they are none."""

    size: int
    decode: Callable[[bytes], str]


Format = Number | Bit | Text
"""How a value is written at its address."""


class Place(NamedTuple):
    """Where and how a point is written.

    Attributes:
        kind: of its values.
        span: its addresses.
        format: how it is written there.
    """

    kind: Kind
    span: Span
    format: Any  # a Format that fits the kind


class Decoder:
    """Compiled reading of one layout.

    Args:
        places: of the points of the plan, in its order.
        blocks: the layout; together they hold every point.
    """

    def __init__(self, places: Sequence[Place], blocks: Sequence[Block]) -> None:
        offsets = _bit_offsets(places, blocks)
        self._runs = [
            (
                run.span,
                _reader(run, [place.format for place in places[run.span]], offsets[run.span]),
            )
            for run in runs_of(place.kind for place in places)
        ]

    def columns(self, image: Image, status: Status) -> tuple[Column, ...]:
        """One column a run of the points' kinds.

        Args:
            image: the data of all blocks.
            status: one byte a point; patterns that stand for no value become BAD here, unless
                they are already.
        """
        return tuple([read(image, status[span]) for span, read in self._runs])


def _bit_offsets(places: Sequence[Place], blocks: Sequence[Block]) -> list[int]:
    """Where each point begins in the image, bits."""
    offsets = [0] * len(places)
    starts = [place.span.start for place in places]
    for block in blocks:
        bits = block.bits
        first = block.offset - block.key.start * bits
        for index in block.members:
            offsets[index] = first + starts[index] * bits
    return offsets


def _reader(run: Run, formats: Sequence[Any], offsets: Sequence[int]) -> RunReader:
    if run.kind is Kind.STRING:
        return _Texts(formats, [offset // 8 for offset in offsets])
    if run.kind is Kind.BOOL:
        return _Bits(formats, offsets)
    return _Numbers(run.kind, formats, [offset // 8 for offset in offsets])


class _Texts:
    """Texts, one by one."""

    def __init__(self, formats: Sequence[Text], starts: Sequence[int]) -> None:
        self._texts = [
            (slice(start, start + text.size), text.decode)
            for text, start in zip(formats, starts, strict=True)
        ]

    def __call__(self, image: Image, status: Status) -> Column:
        column = np.full(len(self._texts), "", dtype=object)
        for i, (span, decode) in enumerate(self._texts):
            try:
                column[i] = decode(bytes(image[span]))
            except UnicodeDecodeError:
                _spoil(status, np.arange(len(status)) == i, Reason.TYPE)
        return column


class _Bits:
    """Bits of bit tables and of words."""

    def __init__(self, formats: Sequence[Bit], offsets: Sequence[int]) -> None:
        bits = [offset + bit.offset for bit, offset in zip(formats, offsets, strict=True)]
        self._index = np.array([bit // 8 for bit in bits], np.intp)
        self._mask = np.array([1 << bit % 8 for bit in bits], np.uint8)

    def __call__(self, image: Image, _status: Status) -> Column:
        column: Column = (np.frombuffer(image, np.uint8).take(self._index) & self._mask) != 0
        return column


def _spoil(status: Status, where: npt.NDArray[np.bool_], reason: Reason) -> None:
    status[where & (status == GOOD)] = bad(reason)


class _Numbers:
    """Numbers of one kind; each width and byte order among them is one part.

    Floats may be no finite numbers: processing looks for those, whatever driver they are from.
    The calls into NumPy are few on purpose: at rest, with cold caches, each costs ten times what
    it costs in a loop.
    """

    def __init__(self, kind: Kind, formats: Sequence[Number], starts: Sequence[int]) -> None:
        self._dtype = kind.dtype
        self._count = len(formats)
        groups: dict[Number, list[int]] = {}
        same: dict[int, list[int]] = {}  # by identity: most are one object
        for index, number in enumerate(formats):
            members = same.get(id(number))
            if members is None:
                members = same[id(number)] = groups.setdefault(number, [])
            members.append(index)
        self._parts = [
            (np.array(members, np.intp), _source(number, [starts[i] for i in members]))
            for number, members in groups.items()
            if number.then is None
        ]
        self._made = [
            (np.array(members, np.intp), _source(number, [starts[i] for i in members]), number.then)
            for number, members in groups.items()
            if number.then is not None
        ]

    def __call__(self, image: Image, status: Status) -> Column:
        if len(self._parts) == 1 and not self._made:
            return self._parts[0][1](image).astype(self._dtype)
        column = np.empty(self._count, self._dtype)
        for members, source in self._parts:
            column[members] = source(image)
        for members, source, then in self._made:
            column[members], wrong = then(source(image))
            if wrong is not None and wrong.any():
                spoilt = np.zeros(self._count, np.bool_)
                spoilt[members] = wrong
                _spoil(status, spoilt, Reason.TYPE)
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


@dataclass(frozen=True, slots=True)
class _Widen:
    """Integers of an odd number of bytes: put on top of wider ones and shifted down, with sign."""

    index: Index
    size: int
    dtype: np.dtype[Any]

    def __call__(self, image: Image) -> Column:
        narrow = np.frombuffer(image, np.uint8).take(self.index).reshape(-1, self.size)
        wide = np.zeros((len(narrow), self.dtype.itemsize), np.uint8)
        wide[:, -self.size :] = narrow
        shift = 8 * (self.dtype.itemsize - self.size)
        column: Column = wide.view(self.dtype).ravel() >> self.dtype.type(shift)
        return column


def _source(number: Number, starts: Sequence[int]) -> _Slice | _Gather | _Widen:
    size, little = len(number.order), np.dtype("<" + number.code)
    index = (np.array(starts, np.intp)[:, None] + np.array(number.order, np.intp)).ravel()
    if size < little.itemsize:
        return _Widen(index, size, little)
    is_dense = all(start == starts[0] + i * size for i, start in enumerate(starts))
    signs = {tuple(range(size)): "<", tuple(range(size))[::-1]: ">"}
    if is_dense and number.order in signs:
        return _Slice(starts[0], len(starts), np.dtype(signs[number.order] + number.code))
    return _Gather(index, little)
