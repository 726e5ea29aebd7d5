"""DataValues out of messages, as columns, without an object per value. Pure.

A server sends the same layout again and again (same mask, same type), so neighbouring values of
one layout are lifted as one NumPy record array; lone ones are unpacked by a compiled ``struct``.
Layouts: OPC UA Part 6, 5.2.2.16 (Variant) and 5.2.2.17 (DataValue).
"""

from dataclasses import dataclass, field
from functools import cache
from struct import Struct
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.drivers.opcua.encoding.binary import ARRAY, DATA_VALUE_PARTS, CodecError, Cursor
from gateway.drivers.opcua.encoding.layouts import STRUCTURE
from gateway.drivers.opcua.encoding.texts import TEXTS

M64 = 0xFFFF_FFFF_FFFF_FFFF
_LONG_RUN = 16
"""Values of one layout in a row from which a record array is cheaper than unpacking."""
_WINDOW = 4_096

# Raw bits of a value: numbers widened to 64 bits (signed ones with their sign), Float as its
# 32 bits; what each type means is decided in convert.py.
CODES = {1: "B", 2: "b", 3: "B", 4: "h", 5: "H", 6: "i", 7: "I", 8: "q", 9: "Q", 10: "I", 11: "Q"}
CODES |= {13: "q", 19: "I"}


@dataclass(slots=True)
class Values:
    """Decoded values, one entry each.

    Attributes:
        handle: client handle (Publish) or position (Read).
        variant: first byte of the variant; 0 for no value, 0x80 set for arrays.
        bits: raw bits of values of fixed size, see above.
        code: StatusCode.
        ticks: source time, else server time (or the other way round), in 100 ns since 1601; 0 or
            less if there is none.
        texts: position → text of what can be shown as one, without NULs at its end.
        bodies: position → what followed the variant's first byte, of arrays and structures.
    """

    handle: npt.NDArray[np.uint32]
    variant: npt.NDArray[np.uint8]
    bits: npt.NDArray[np.uint64]
    code: npt.NDArray[np.uint32]
    ticks: npt.NDArray[np.int64]
    texts: dict[int, str] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.handle)


def empty_values(count: int) -> Values:
    """Room for ``count`` values; handles count up from 0."""
    return Values(
        np.arange(count, dtype=np.uint32),
        np.zeros(count, np.uint8),
        np.zeros(count, np.uint64),
        np.zeros(count, np.uint32),
        np.zeros(count, np.int64),
    )


def joined(parts: list[Values]) -> Values:
    """All parts in their order."""
    if len(parts) == 1:
        return parts[0]
    texts: dict[int, str] = {}
    bodies: dict[int, bytes] = {}
    start = 0
    for part in parts:
        texts |= {start + at: text for at, text in part.texts.items()}
        bodies |= {start + at: body for at, body in part.bodies.items()}
        start += len(part)
    return Values(
        np.concatenate([part.handle for part in parts]),
        np.concatenate([part.variant for part in parts]),
        np.concatenate([part.bits for part in parts]),
        np.concatenate([part.code for part in parts]),
        np.concatenate([part.ticks for part in parts]),
        texts,
        bodies,
    )


def selected(values: Values, places: npt.NDArray[np.intp]) -> Values:
    """Some of the values, in the order of ``places``."""
    old = list(enumerate(places.tolist())) if values.texts or values.bodies else ()
    return Values(
        values.handle[places],
        values.variant[places],
        values.bits[places],
        values.code[places],
        values.ticks[places],
        {new: values.texts[at] for new, at in old if at in values.texts},
        {new: values.bodies[at] for new, at in old if at in values.bodies},
    )


class _Layout:
    """One way a value of fixed size can be laid out, with or without a client handle before."""

    __slots__ = ("code_at", "dtype", "else_at", "keyed", "size", "struct", "time_at", "variant")

    def __init__(self, mask: int, variant: int, *, keyed: bool, by_server: bool) -> None:
        names = [("handle", "I")] if keyed else []
        names += [("key", "H"), ("value", CODES[variant])]
        parts = zip(_PART_NAMES, DATA_VALUE_PARTS, strict=True)
        names += [(name, _PART_CODES[size]) for name, (bit, size) in parts if mask & bit]
        order = [name for name, _ in names]
        self.variant = variant
        self.keyed = keyed
        self.struct = Struct("<" + "".join(code for _, code in names))
        self.size = self.struct.size
        self.dtype = np.dtype([(name, "<" + _NUMPY_CODES[code]) for name, code in names])
        times = ("server", "source") if by_server else ("source", "server")
        self.code_at, self.time_at, self.else_at = (
            order.index(name) if name in order else -1 for name in ("code", *times)
        )


_PART_NAMES = ("code", "source", "source_ps", "server", "server_ps")
_PART_CODES = {4: "I", 8: "q", 2: "H"}
_NUMPY_CODES = {
    "B": "u1",
    "b": "i1",
    "H": "u2",
    "h": "i2",
    "I": "u4",
    "i": "i4",
    "Q": "u8",
    "q": "i8",
}


@cache
def _layout(key: int, keyed: bool, by_server: bool) -> _Layout | None:
    mask, variant = key & 0xFF, key >> 8
    if mask & 0xC1 != 1 or variant not in CODES:
        return None
    return _Layout(mask, variant, keyed=keyed, by_server=by_server)


def decode_values(cursor: Cursor, count: int, *, keyed: bool, by_server: bool = False) -> Values:
    """Decode DataValues that follow one another.

    Args:
        cursor: stands at the first; afterwards behind the last.
        count: how many.
        keyed: each has a client handle before it (MonitoredItemNotification).
        by_server: the server's time counts, and the source's if there is none.

    Raises:
        CodecError: the bytes are malformed.
    """
    values = empty_values(count)
    body, ahead, position = cursor.body, 4 if keyed else 0, 0
    end = len(body)
    while position < count:
        at = cursor.at + ahead
        layout = _layout(int.from_bytes(body[at : at + 2], "little"), keyed, by_server)
        if layout is None or cursor.at + layout.size > end:
            _decode_any(cursor, values, position, keyed=keyed, by_server=by_server)
            position += 1
        elif _looks_long(body, at, layout, count - position):
            position += _decode_run(cursor, values, position, layout)
        else:
            _decode_one(cursor, values, position, layout)
            position += 1
    return values


def _looks_long(body: bytes, at: int, layout: _Layout, left: int) -> bool:
    if left < _LONG_RUN:
        return False
    key, size = body[at : at + 2], layout.size
    last = at + size * (_LONG_RUN - 1)
    return body[at + size : at + size + 2] == key and body[last : last + 2] == key


def _decode_run(cursor: Cursor, values: Values, position: int, layout: _Layout) -> int:
    """Lift as many values of one layout as there are, at most a window; returns how many."""
    room = (len(cursor.body) - cursor.at) // layout.size
    number = min(len(values) - position, _WINDOW, room)
    records = np.frombuffer(cursor.body, layout.dtype, number, cursor.at)
    other = records["key"] != records["key"][0]
    if other.any():
        number = int(other.argmax())
        records = records[:number]
    _store_run(records, values, slice(position, position + number), layout)
    cursor.at += number * layout.size
    return number


def _store_run(records: npt.NDArray[Any], values: Values, span: slice, layout: _Layout) -> None:
    raw = records["value"]
    values.bits[span] = raw.astype(np.int64).view(np.uint64) if raw.dtype.kind == "i" else raw
    values.variant[span] = layout.variant
    if layout.keyed:
        values.handle[span] = records["handle"]
    if layout.code_at >= 0:
        values.code[span] = records["code"]
    names = records.dtype.names or ()
    if layout.time_at >= 0:
        values.ticks[span] = records[names[layout.time_at]]
    if layout.else_at >= 0:
        missing = values.ticks[span] <= 0
        instead = records[names[layout.else_at]]
        values.ticks[span] = np.where(missing, instead, values.ticks[span])


def _decode_one(cursor: Cursor, values: Values, position: int, layout: _Layout) -> None:
    parts = layout.struct.unpack_from(cursor.body, cursor.at)
    cursor.at += layout.size
    if layout.keyed:
        values.handle[position] = parts[0]
        values.bits[position] = parts[2] & M64
    else:
        values.bits[position] = parts[1] & M64
    values.variant[position] = layout.variant
    if layout.code_at >= 0:
        values.code[position] = parts[layout.code_at]
    ticks = parts[layout.time_at] if layout.time_at >= 0 else 0
    if ticks <= 0 and layout.else_at >= 0:
        ticks = parts[layout.else_at]
    values.ticks[position] = ticks


_INT64 = Struct("<q")
_UNKNOWN_PARTS = 0xC0
"""Bits of a DataValue's mask that no part belongs to: what follows cannot be told apart."""


def _decode_any(
    cursor: Cursor, values: Values, position: int, *, keyed: bool, by_server: bool
) -> None:
    """Values of any other shape: strings, arrays, structures, no value at all."""
    if keyed:
        values.handle[position] = cursor.uint32()
    mask = cursor.byte()
    if mask & _UNKNOWN_PARTS:
        raise CodecError(f"a value of unknown parts, mask {mask:#04x}, before {cursor.at}")
    if mask & 0x01:
        variant = cursor.byte()
        values.variant[position] = variant
        if variant in TEXTS:
            values.texts[position] = TEXTS[variant](cursor).rstrip("\0")
        else:
            start = cursor.at
            cursor.skip_variant_body(variant)
            if variant & ARRAY or variant == STRUCTURE:
                values.bodies[position] = cursor.body[start : cursor.at]
    if mask & 0x02:
        values.code[position] = cursor.uint32()
    source, server = _decode_times(cursor, mask)
    first, instead = (server, source) if by_server else (source, server)
    values.ticks[position] = first if first > 0 else instead


def _decode_times(cursor: Cursor, mask: int) -> list[int]:
    """Source and server time, 0 where there is none."""
    times = [0, 0]
    bits = ((0x04, 0x10), (0x08, 0x20))
    for at, (time_bit, picoseconds_bit) in enumerate(bits):
        if mask & time_bit:
            start = cursor.at
            cursor.skip(8)
            times[at] = int(_INT64.unpack_from(cursor.body, start)[0])
        if mask & picoseconds_bit:
            cursor.skip(2)
    return times
