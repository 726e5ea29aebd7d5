"""Values to Modbus registers, as controllers lay them out. Pure."""

import struct
from typing import Literal

from simulators.manual import Register, Unit

_FORMATS = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}

Image = dict[str, dict[int, int]]
"""Registers (or bits) by table and address."""


def size(place: Register) -> int:
    """How many registers (or bits) a value takes."""
    if place.type == "string":
        return place.length or 1
    return 1 if place.type == "bool" else struct.calcsize(_FORMATS[place.type]) // 2


def ordered(raw: bytes, order: str) -> bytes:
    """Bytes of a big-endian value in a controller's order.

    Args:
        raw: the value, most significant byte first.
        order: ABCD as it is, CDAB words swapped, BADC bytes of each word swapped, DCBA both.
    """
    words = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    return b"".join(words)


def size_of(type_: str) -> int:
    """Bytes of a number."""
    return struct.calcsize(_FORMATS[type_])


def raw_bytes(
    value: float | bool | str, type_: str, length: int | None, order: Literal["big", "little"]
) -> bytes:
    """The bytes of a raw value; numbers that do not fit stop at the end of the range.

    Args:
        value: number or text.
        type_: ``int16``, ``float32`` …, ``string``.
        length: of a text, bytes.
        order: which byte of a number comes first.
    """
    if isinstance(value, str):
        size = length or 1
        return value.encode("ascii", "replace")[:size].ljust(size, b"\0")
    sign = ">" if order == "big" else "<"
    return struct.pack(sign + _FORMATS[type_], _fitting(value, type_))


def encode(value: float | bool | str, place: Register) -> tuple[int, ...]:
    """The registers of a raw value; numbers that do not fit stop at the end of the range."""
    raw = raw_bytes(value, place.type, 2 * size(place), "big")
    words = ordered(raw, place.order)
    return struct.unpack(f">{len(words) // 2}H", words)


def _fitting(value: float, type_: str) -> float:
    if type_.startswith("float"):
        return value
    bits = int(type_.lstrip("uint"))
    low, high = (0, (1 << bits) - 1) if type_[0] == "u" else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return max(low, min(high, round(value)))


def write(unit: Unit, image: Image) -> None:
    """Bring the registers of a machine up to date."""
    for entry in unit.manual.entries:
        if isinstance(entry.place, Register):
            _write_entry(unit.raw(entry), entry.place, image[entry.place.table])


def _write_entry(value: float | bool | str, place: Register, table: dict[int, int]) -> None:
    if place.type != "bool":
        table.update(enumerate(encode(value, place), place.register))
    elif place.bit is None:
        table[place.register] = int(bool(value))
    else:
        mask = 1 << place.bit
        table[place.register] = (table.get(place.register, 0) & ~mask) | (mask if value else 0)
