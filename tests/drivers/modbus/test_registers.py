"""The bytes of a value, and what they say in other byte orders, for those who look at a page."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.core.status import GOOD
from gateway.core.values.plain import plain_values
from gateway.drivers.api import Point
from gateway.drivers.modbus.address import Address, kind
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.plan import layout
from gateway.drivers.modbus.search.registers import held, in_orders
from gateway.drivers.modbus.types.orders import Order

CONNECTION = Connection(host="plc")
NUMBERS = (
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int48",
    "uint64",
    "float16",
    "float32",
    "float64",
    "uint32:bcd",
)


def address(text: str) -> Address:
    return validated(Address, text)


@given(st.sampled_from(NUMBERS), st.sampled_from(Order), st.binary(min_size=8, max_size=8))
@example("float16", Order.ABCD, bytes.fromhex("2e66000000000000"))  # 0.1, as near as it can
@example("float32", Order.CDAB, bytes.fromhex("00004365") + bytes(4))
def test_the_bytes_are_those_that_were_read(of: str, order: Order, body: bytes) -> None:
    """From what a reading gives and a page is told."""
    one = address(f"holding:5:{of}")
    if one.span == 1 and order.swaps_words:
        return
    one = replace(one, order=order)
    body = body[: 2 * one.span]
    status = np.zeros(1, np.uint8)
    (block,) = (made := layout([Point("t", kind(one), one)], CONNECTION)).blocks
    assert (block.key.start, block.key.length) == (5, one.span)
    (column,) = made.decoder.columns(body, status)
    (told,) = plain_values(column)
    found = held(CONNECTION, one, told) if status[0] == GOOD else None
    if found is not None:  # no number has no bytes of its own
        assert found == body
        readings = in_orders(CONNECTION, one, found)
        assert readings[0].order == str(order)
        assert readings[0].value == pytest.approx(told, rel=1e-6, abs=0)
        assert len(readings) == (2 if one.span == 1 else 4)


def test_four_orders_of_the_registers_of_a_panel() -> None:
    """229.0 V, low word first, read high word first."""
    one = address("holding:0:float32")
    wrong = struct.unpack(">f", bytes.fromhex("00004365"))[0]
    body = held(CONNECTION, one, wrong)
    assert body == bytes.fromhex("00004365")
    readings = dict(in_orders(CONNECTION, one, body))
    assert list(readings) == ["ABCD", "BADC", "CDAB", "DCBA"]
    assert readings["CDAB"] == 229.0
    pieces = held(CONNECTION, address("holding:0:uint32"), 2_881_880_064)
    assert pieces == bytes.fromhex("abc60000")
    assert ("CDAB", 43_974) in in_orders(CONNECTION, address("holding:0:uint32"), pieces)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("holding:0:float32", float("nan")),
        ("holding:0:int16:sm", 0),
        ("holding:0:int24", 5),
        ("holding:0:string[4]", "text"),
        ("holding:0.3", True),
        ("holding:0.4-7", 3),
        ("holding:0.8:uint8", 3),
        ("coil:3", True),
    ],
)
def test_where_several_patterns_give_one_value_no_bytes_are_shown(text: str, value: float) -> None:
    assert held(CONNECTION, address(text), value) is None
