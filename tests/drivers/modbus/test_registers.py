"""The bytes of a value, and what they say in other byte orders, for those who look at a page."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.search.detective import decoded
from gateway.drivers.modbus.search.registers import held, in_orders
from gateway.drivers.modbus.types.orders import Order

CONNECTION = Connection(host="plc")
NUMBERS = ("int16", "uint16", "int32", "uint32", "int48", "uint64", "float32", "float64")


def address(text: str) -> Address:
    return validated(Address, text)


@given(st.sampled_from(NUMBERS), st.sampled_from(Order), st.binary(min_size=8, max_size=8))
def test_the_bytes_are_those_that_were_read(of: str, order: Order, body: bytes) -> None:
    one = address(f"holding:5:{of}")
    if one.span == 1 and order.swaps_words:
        return
    one = address(f"holding:5:{of}:{order}")
    words = {5 + at: int.from_bytes(body[2 * at : 2 * at + 2], "big") for at in range(one.span)}
    (value,) = decoded([one], words, CONNECTION)
    assert value.value is not None
    found = held(CONNECTION, one, _exact(of, order, body, value.value))
    if found is not None:  # no number has no bytes of its own
        assert found == body[: 2 * one.span]
        readings = in_orders(CONNECTION, one, found)
        assert readings[0] == (str(order), value.value)
        assert len(readings) == (2 if one.span == 1 else 4)


def _exact(of: str, order: Order, body: bytes, value: object) -> float:
    """A column has all bits of a float; what the detective shows has seven digits."""
    if of != "float32":
        return value  # type: ignore[return-value]
    places = {
        "ABCD": (0, 1, 2, 3),
        "BADC": (1, 0, 3, 2),
        "CDAB": (2, 3, 0, 1),
        "DCBA": (3, 2, 1, 0),
    }
    found: float = struct.unpack(">f", bytes(body[at] for at in places[order]))[0]
    return found


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
