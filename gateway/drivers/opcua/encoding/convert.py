"""Decoded values → the columns of the driver SDK, with a status byte each. Pure.

A value fits its tag if the server's type converts to the tag's type without loss: an Int16 fits
``int16``, ``int32``, ``int64``, ``float32`` and ``float64``; a Double does not fit ``float32``.
What does not fit is BAD with reason TYPE, never a guess.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.core.batch import Reading, Status
from gateway.core.schema import Column, Kind
from gateway.core.status import Reason, bad
from gateway.drivers.api import Arrivals
from gateway.drivers.opcua.config import KINDS, Address
from gateway.drivers.opcua.encoding.binary import REPLACED
from gateway.drivers.opcua.encoding.codec import BAD, EPOCH_TICKS, TICKS_PER_MS
from gateway.drivers.opcua.encoding.elements import pick_parts
from gateway.drivers.opcua.encoding.layouts import Layouts
from gateway.drivers.opcua.encoding.quality import statuses
from gateway.drivers.opcua.encoding.texts import TEXTS
from gateway.drivers.opcua.encoding.values import Values
from gateway.drivers.opcua.parts import Step

Bits = npt.NDArray[np.uint64]

TYPES = tuple(KINDS)
"""Type names; a tag's type code is its position here."""

LATEST_TICKS = 2_650_467_743_990_000_000
"""9999-12-31T23:59:59: what is later, up to the largest number, means no date (Part 6, 5.2.2.5)."""

# Built-in types by number (Part 6, 5.1.2): Boolean 1, SByte 2, Byte 3, Int16 4, UInt16 5, Int32 6,
# UInt32 7, Int64 8, UInt64 9, Float 10, Double 11, DateTime 13, StatusCode 19; TEXTS are the rest.
_FITS: dict[str, frozenset[int]] = {
    "float64": frozenset((2, 3, 4, 5, 6, 7, 10, 11)),
    "float32": frozenset((2, 3, 4, 5, 10)),
    "int64": frozenset((2, 3, 4, 5, 6, 7, 8)),
    "int32": frozenset((2, 3, 4, 5, 6)),
    "int16": frozenset((2, 3, 4)),
    "int8": frozenset((2,)),
    "uint64": frozenset((3, 5, 7, 9, 19)),
    "uint32": frozenset((3, 5, 7, 19)),
    "uint16": frozenset((3, 5)),
    "uint8": frozenset((3,)),
    "bool": frozenset((1,)),
    "string": frozenset(TEXTS),
    "datetime": frozenset((13,)),
}
_OWN = {
    1: "bool",
    2: "int8",
    3: "uint8",
    4: "int16",
    5: "uint16",
    6: "int32",
    7: "uint32",
    8: "int64",
    9: "uint64",
    10: "float32",
    11: "float64",
    13: "datetime",
    19: "uint32",
} | dict.fromkeys(TEXTS, "string")
"""The type that takes no other built-in type than this, or the only one that takes it."""
_SIGNED = frozenset((2, 4, 6, 8))
_FLOAT, _DOUBLE = 10, 11


def fits(type_name: str, variant: int) -> bool:
    """Whether values of a built-in type, not in an array, convert to a type without loss."""
    return variant in _FITS[type_name]


def type_for(variant: int) -> str | None:
    """The type for values of a built-in type; None: no type takes them."""
    return _OWN.get(variant)


class Shape(NamedTuple):
    """What a set of points expects, by position.

    Attributes:
        types: uint8[n]: type code of each point.
        kinds: uint8[n]: column kind of each point.
        paths: of the points that want a part of a value, the path to it.
        layouts: of the structures that the session knows by now.
    """

    types: npt.NDArray[np.uint8]
    kinds: npt.NDArray[np.uint8]
    paths: Mapping[int, tuple[Step, ...]]
    layouts: Layouts


def shape_of(addresses: Sequence[Address], layouts: Layouts) -> Shape:
    """The shape of points from their addresses, with the layouts of a session as it learns them."""
    return Shape(
        np.array([TYPES.index(address.type) for address in addresses], np.uint8),
        np.array([KINDS[address.type] for address in addresses], np.uint8),
        {at: address.path for at, address in enumerate(addresses) if address.path},
        layouts,
    )


def reading_of(values: Values, shape: Shape) -> Reading:
    """A poll's values, in the order of the points, as the SDK wants them."""
    bits, codes = _convert(values, shape)
    return Reading(_columns(bits, shape.kinds, values.texts), codes)


def arrivals_of(group: str, values: Values, shape: Shape, arrival_ms: int) -> Arrivals:
    """A subscription's values as the SDK wants them: by tag, each tag's in order of arrival.

    Several values of one tag within a millisecond all go on: the books count each value received,
    and it is for processing to tell them apart.

    Args:
        group: name of the group.
        values: what came, oldest first; every handle is a position in ``shape``.
        shape: what the group's points expect.
        arrival_ms: time for values of which the server gave none, UTC milliseconds.
    """
    bits, codes = _convert(values, shape)
    times = times_ms(values.ticks, arrival_ms)
    index, texts = values.handle, values.texts
    if (index[1:] >= index[:-1]).all():  # in order already, as most servers send them
        columns = _columns(bits, shape.kinds[index], texts)
        return Arrivals(group, index, times, columns, codes)
    order = np.argsort(index, kind="stable")
    index = index[order]
    if texts:
        places = {int(old): new for new, old in enumerate(order)}
        texts = {places[old]: text for old, text in texts.items()}
    columns = _columns(bits[order], shape.kinds[index], texts)
    return Arrivals(group, index, times[order], columns, codes[order])


def times_ms(ticks: npt.NDArray[np.int64], arrival_ms: int) -> npt.NDArray[np.int64]:
    """UTC milliseconds of 100 ns ticks since 1601; ``arrival_ms`` where there are none."""
    return np.where(ticks > 0, _since_1970(ticks), arrival_ms)


def _since_1970(ticks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return (ticks - EPOCH_TICKS) // TICKS_PER_MS


def _convert(values: Values, shape: Shape) -> tuple[Bits, Status]:
    if shape.paths:
        pick_parts(values, shape.paths, shape.layouts)
    bits, codes = _convert_numbers(values, shape)
    for at, text in values.texts.items():
        # Padding at the end is cut already; what was no UTF-8 was replaced.
        if ("\0" in text or REPLACED in text) and codes[at] < bad(Reason.NONE):
            codes[at] = bad(Reason.TYPE)
    return bits, codes


def _convert_numbers(values: Values, shape: Shape) -> tuple[Bits, Status]:
    codes = statuses(values.code)
    alone = _only_pair(values, shape, codes)
    if alone is not None:
        bits, sound = _cast(values.bits, *alone)
        if sound is not True:
            codes[~sound] = bad(Reason.NOT_A_NUMBER)
        return bits, codes
    bits = values.bits.copy()
    pairs = shape.types[values.handle].astype(np.uint16) << 8 | values.variant
    pairs[codes >= bad(Reason.NONE)] = _SKIPPED
    for pair in np.flatnonzero(np.bincount(pairs, minlength=_SKIPPED + 1)[:_SKIPPED]):
        chosen = _all_or_some(pairs == pair)
        type_name, variant = TYPES[pair >> 8], int(pair & 0xFF)
        if variant in _FITS[type_name]:
            bits[chosen], sound = _cast(values.bits[chosen], type_name, variant)
            codes[chosen] = np.where(sound, codes[chosen], bad(Reason.NOT_A_NUMBER))
        else:
            codes[chosen] = bad(Reason.TYPE if variant else Reason.SOURCE)
    return bits, codes


def _only_pair(values: Values, shape: Shape, codes: Status) -> tuple[str, int] | None:
    """Type of the tags and variant of the values, if all share them, they fit and none is BAD."""
    if not len(values) or codes.max() >= bad(Reason.NONE):
        return None
    variant, code = int(values.variant[0]), int(shape.types[0])
    if (values.variant != variant).any() or (shape.types != code).any():
        return None
    return (TYPES[code], variant) if variant in _FITS[TYPES[code]] else None


_SKIPPED = len(TYPES) << 8
"""A pair of type and variant that cannot occur: nothing to convert."""


def _all_or_some(mask: npt.NDArray[np.bool_]) -> Any:  # an index: slice or mask
    return slice(None) if mask.all() else mask


def _cast(raw: Bits, type_name: str, variant: int) -> tuple[Bits, Any]:
    """Bits of the tag's kind from raw bits, and which are sound (finite)."""
    kind = KINDS[type_name]
    if kind in (Kind.FLOAT64, Kind.FLOAT32):
        numbers = _numbers(raw, variant)
        if kind is Kind.FLOAT64:
            return numbers.astype(np.float64).view(np.uint64), np.isfinite(numbers)
        narrow = numbers.astype(np.float32)
        return narrow.view(np.uint32).astype(np.uint64), np.isfinite(narrow)
    if type_name == "datetime":
        ticks = np.minimum(raw.view(np.int64), LATEST_TICKS)
        return _since_1970(ticks).view(np.uint64), True
    return raw, True


def _numbers(raw: Bits, variant: int) -> Column:
    if variant == _FLOAT:
        return raw.astype(np.uint32).view(np.float32)
    if variant == _DOUBLE:
        return raw.view(np.float64)
    return raw.view(np.int64) if variant in _SIGNED else raw


def _columns(bits: Bits, kinds: npt.NDArray[np.uint8], texts: dict[int, str]) -> tuple[Column, ...]:
    """One column a run of equal kind."""
    cuts = [0, *(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist(), len(kinds)]
    return tuple(
        _column(bits, start, stop, Kind(int(kinds[start])), texts)
        for start, stop in pairwise(cuts)
        if stop > start
    )


def _column(bits: Bits, start: int, stop: int, kind: Kind, texts: dict[int, str]) -> Column:
    if kind is Kind.STRING:
        column = np.full(stop - start, "", dtype=object)
        column[:] = [texts.get(place, "") for place in range(start, stop)]
        return column
    return _VIEWS[kind](bits[start:stop])


_VIEWS: dict[Kind, Callable[[Bits], Column]] = {
    Kind.FLOAT64: lambda bits: bits.view(np.float64),
    Kind.FLOAT32: lambda bits: bits.astype(np.uint32).view(np.float32),
    Kind.INT64: lambda bits: bits.view(np.int64),
    Kind.UINT64: lambda bits: bits,
    Kind.BOOL: lambda bits: bits != 0,
}


DATE_TIME = 13
"""Built-in type of the server's CurrentTime."""


def clock_ticks(values: Values) -> int | None:
    """The newest time among values of a server's CurrentTime, in 100 ns since 1601."""
    sound = np.flatnonzero((values.variant == DATE_TIME) & (values.code < BAD))
    return int(values.bits[sound[-1]]) if len(sound) else None


def server_ms(ticks: int) -> int:
    """UTC milliseconds since 1970 of a DateTime in 100 ns since 1601."""
    return (ticks - EPOCH_TICKS) // TICKS_PER_MS
