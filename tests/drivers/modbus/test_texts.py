"""Texts in registers: what looks empty or short, and is not, is no good value."""

import pytest

from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.modbus.types.texts import decode_text

BIG = Order.ABCD


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"Press\0", "Press"),
        (b"Press\0old rest", "Press"),
        (b"P\0", "P"),
        (b"P\0\0\0", "P"),
        (b"\0\0\0\0", ""),
        (b"    ", ""),
    ],
)
def test_a_text_ends_at_its_first_nul(body: bytes, text: str) -> None:
    assert decode_text(body, "utf-8", BIG) == text


@pytest.mark.parametrize("body", [b"\0Press", b"\0P\0r\0e", b"P\0r\0e\0", b"\x00\x05HELLO\0"])
def test_a_text_with_a_nul_where_none_belongs_is_none(body: bytes) -> None:
    with pytest.raises(UnicodeDecodeError, match="a NUL within"):
        decode_text(body, "utf-8", BIG)
