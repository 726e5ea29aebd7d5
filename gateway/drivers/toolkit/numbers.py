"""Numbers as NumPy names them, ``i4`` say: their kinds, and the bytes of one to write. Pure."""

import math
from struct import Struct, error

from gateway.core.schema import Kind

CODES = {
    "int8": "i1",
    "uint8": "u1",
    "int16": "i2",
    "uint16": "u2",
    "int32": "i4",
    "uint32": "u4",
    "int64": "i8",
    "uint64": "u8",
    "float32": "f4",
    "float64": "f8",
}
"""Types as addresses name them, and as NumPy does."""
_KINDS = {"i": Kind.INT64, "u": Kind.UINT64, "f4": Kind.FLOAT32, "f8": Kind.FLOAT64}
_STRUCTS = {
    code: Struct(f"<{letter}")
    for code, letter in zip(
        ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"), "bBhHiIqQfd", strict=True
    )
}


def kind_of(code: str) -> Kind:
    """The kind of column that holds a number of this type."""
    return _KINDS[code if code in _KINDS else code[0]]


def size_of(code: str) -> int:
    """How many bytes a number of this type has."""
    return _STRUCTS[code].size


def packed(code: str, value: float | bool | str) -> bytes:
    """The bytes of a number, the least significant one first.

    Raises:
        ValueError: the value is no number, or not finite, or does not fit the type.
    """
    if isinstance(value, str | bool) or not abs(value) < math.inf:
        raise ValueError(f"{value!r} is no finite number")
    is_whole = code[0] != "f"
    if is_whole and value != int(value):
        raise ValueError(f"{value!r} is no whole number")
    try:
        return _STRUCTS[code].pack(int(value) if is_whole else value)
    except (error, OverflowError) as problem:
        raise ValueError(f"{value!r} does not fit {8 * size_of(code)} bits") from problem
