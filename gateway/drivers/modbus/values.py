"""Values in registers: data types, byte orders, and the bytes of a value to write. Pure."""

import math
from enum import StrEnum
from struct import Struct, error

from gateway.core.schema import Kind

Value = float | int | bool | str


class DataType(StrEnum):
    """What the bits or registers of a tag hold."""

    BOOL = "bool"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"

    @property
    def kind(self) -> Kind:
        """The kind of column that holds it."""
        return _KINDS[self]

    @property
    def size(self) -> int:
        """Bytes of a number; 0 for bool and string."""
        return _SIZES[self]

    @property
    def code(self) -> str:
        """NumPy type without byte order, ``f4``; numbers only."""
        return f"{self.value[0]}{self.size}"


_KINDS = {
    DataType.BOOL: Kind.BOOL,
    DataType.INT16: Kind.INT64,
    DataType.UINT16: Kind.UINT64,
    DataType.INT32: Kind.INT64,
    DataType.UINT32: Kind.UINT64,
    DataType.INT64: Kind.INT64,
    DataType.UINT64: Kind.UINT64,
    DataType.FLOAT32: Kind.FLOAT32,
    DataType.FLOAT64: Kind.FLOAT64,
    DataType.STRING: Kind.STRING,
}

_SIZES = {kind: int(kind.lstrip("abcdefghijklmnopqrstuvwxyz") or 0) // 8 for kind in DataType}

_STRUCTS = {
    DataType.INT16: Struct(">h"),
    DataType.UINT16: Struct(">H"),
    DataType.INT32: Struct(">i"),
    DataType.UINT32: Struct(">I"),
    DataType.INT64: Struct(">q"),
    DataType.UINT64: Struct(">Q"),
    DataType.FLOAT32: Struct(">f"),
    DataType.FLOAT64: Struct(">d"),
}


class Order(StrEnum):
    """Order of the bytes of a value on the wire; A is the most significant byte.

    For 64 bits the letters name the same two rules: whether the words, and whether the bytes
    within a word, are turned round. For 16 bits and strings only the latter exists.
    """

    ABCD = "ABCD"
    BADC = "BADC"
    CDAB = "CDAB"
    DCBA = "DCBA"

    @property
    def swaps_bytes(self) -> bool:
        """Whether the low byte of a register comes first."""
        return self in {Order.BADC, Order.DCBA}

    @property
    def swaps_words(self) -> bool:
        """Whether the low register comes first."""
        return self in {Order.CDAB, Order.DCBA}


class Encoding(StrEnum):
    """How text is written in registers."""

    ASCII = "ascii"
    UTF8 = "utf-8"
    GBK = "gbk"


def permutation(order: Order, size: int) -> list[int]:
    """Where each byte of a big-endian value stands on the wire. Its own inverse.

    Args:
        order: order on the wire.
        size: bytes of the value, even.
    """
    places = list(range(size))
    if order.swaps_words:
        places = [size - 2 - place + 2 * (place & 1) for place in places]
    if order.swaps_bytes:
        places = [place ^ 1 for place in places]
    return places


def reorder(body: bytes, order: Order) -> bytes:
    """Big-endian bytes to wire order, or back."""
    return bytes(body[place] for place in permutation(order, len(body)))


def encode_number(data_type: DataType, order: Order, value: Value) -> bytes:
    """The registers of a number.

    Raises:
        ValueError: the value does not fit the type, or is no number, or not finite.
    """
    if isinstance(value, str | bool) or not abs(value) < math.inf:
        raise ValueError(f"{value!r} is no finite number")
    whole = data_type.kind in {Kind.INT64, Kind.UINT64}
    if whole and value != int(value):
        raise ValueError(f"{value!r} is no whole number, as {data_type} needs")
    try:
        body = _STRUCTS[data_type].pack(int(value) if whole else value)
    except (error, OverflowError) as problem:
        raise ValueError(f"{value!r} does not fit {data_type}") from problem
    return reorder(body, order)


def encode_text(length: int, encoding: Encoding, order: Order, value: Value) -> bytes:
    """The registers of a text, filled up with NUL.

    Raises:
        ValueError: no text, not writable in the encoding, or longer than ``length`` registers.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")  # noqa: TRY004 - one error for a wrong value
    try:
        body = value.encode(encoding)
    except UnicodeEncodeError as problem:
        raise ValueError(f"{value!r} cannot be written in {encoding}") from problem
    if len(body) > 2 * length:
        raise ValueError(f"{value!r} needs {len(body)} bytes; {length} registers hold {2 * length}")
    return swapped_pairs(body.ljust(2 * length, b"\0"), order)


def decode_text(body: bytes, encoding: Encoding, order: Order) -> str:
    """The text in registers: up to the first NUL, without trailing blanks.

    Raises:
        UnicodeDecodeError: the bytes are none of this encoding, a NUL stands before them, or each
            register holds one character only.
    """
    turned = swapped_pairs(body, order)
    text = turned.split(b"\0", 1)[0]
    is_one_a_register = len(turned[::2].strip(b"\0")) > 1 and not any(turned[1::2])
    if (not text and any(turned)) or is_one_a_register:
        raise UnicodeDecodeError(encoding, turned, len(text), len(text) + 1, "a NUL within")
    return text.decode(encoding).rstrip()


def swapped_pairs(body: bytes, order: Order) -> bytes:
    """Turn the two bytes of every register round, if the order says so."""
    if not order.swaps_bytes:
        return body
    turned = bytearray(len(body))
    turned[::2], turned[1::2] = body[1::2], body[::2]
    return bytes(turned)
