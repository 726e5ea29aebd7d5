"""Texts in registers. Pure."""

from enum import StrEnum

from gateway.drivers.modbus.types.names import REGISTER_BYTES, Value
from gateway.drivers.modbus.types.orders import Order, swapped_pairs
from gateway.drivers.toolkit.written import encoded


class Encoding(StrEnum):
    """How text is written in registers."""

    ASCII = "ascii"
    UTF8 = "utf-8"
    GBK = "gbk"
    LATIN1 = "latin-1"


def encode_text(length: int, encoding: Encoding, order: Order, value: Value) -> bytes:
    """The registers of a text, filled up with NUL.

    Raises:
        ValueError: no text, not writable in the encoding, longer than ``length`` registers, or
            such as reading does not give: with a NUL in it, or a blank at its end.
    """
    body = encoded(value, encoding)
    size = REGISTER_BYTES * length
    if len(body) > size:
        raise ValueError(f"{value!r} needs {len(body)} bytes; {length} registers hold {size}")
    registers = swapped_pairs(body.ljust(size, b"\0"), order)
    if not _reads_as(registers, encoding, order, value):
        raise ValueError(f"{value!r} would not be read back: a NUL in it, or a blank at its end")
    return registers


def _reads_as(registers: bytes, encoding: Encoding, order: Order, value: Value) -> bool:
    try:
        return decode_text(registers, encoding, order) == value
    except UnicodeDecodeError:
        return False


def decode_text(body: bytes, encoding: Encoding, order: Order) -> str:
    """The text in registers: up to the first NUL, without trailing blanks.

    Raises:
        UnicodeDecodeError: the bytes are none of this encoding, a NUL stands before them, each
            register holds one character only, or all bits are set, as in memory never written.
    """
    turned = swapped_pairs(body, order)
    text = turned.split(b"\0", 1)[0]
    is_one_a_register = len(turned[::2].strip(b"\0")) > 1 and not any(turned[1::2])
    is_erased = not turned.strip(b"\xff")
    if (not text and any(turned)) or is_one_a_register or is_erased:
        raise UnicodeDecodeError(encoding, turned, len(text), len(text) + 1, "a NUL within")
    return text.decode(encoding).rstrip()
