"""Texts in registers: what looks empty or short, and is not, is no good value."""

import pytest

from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.modbus.types.texts import Encoding, decode_text, encode_text

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


@pytest.mark.parametrize("text", ["Press ", "Pre\0ss", "\0", "轴承\u3000", " "])
@pytest.mark.parametrize("order", [Order.ABCD, Order.BADC])
def test_a_text_that_would_not_be_read_back_is_not_written(text: str, order: Order) -> None:
    with pytest.raises(ValueError, match="would not be read back"):
        encode_text(8, Encoding.UTF8, order, text)
