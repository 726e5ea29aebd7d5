"""Types and byte orders: encode against decode, and known bytes."""

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.status import Reason
from gateway.drivers.modbus.types.names import DataType
from gateway.drivers.modbus.types.numbers import encode_number
from gateway.drivers.modbus.types.orders import Order, permutation
from gateway.drivers.modbus.types.texts import Encoding, encode_text
from tests.drivers.modbus.support import PaperDevice, plan_of, points, reasons

FLOATS = {DataType.FLOAT16: 16, DataType.FLOAT32: 32, DataType.FLOAT64: 64}


def decode(address: str, body: bytes, at: int = 0) -> Any:
    image = body.rjust(len(body) + 2 * at, b"\xee").ljust(131_072, b"\0")
    reading = PaperDevice(image).poll(plan_of(points(address)))
    assert not reading.status.any()
    return (
        reading.columns[0][0].item()
        if reading.columns[0].dtype != object
        else (reading.columns[0][0])
    )


@pytest.mark.parametrize(
    ("data_type", "order", "wire"),
    [
        (DataType.UINT32, Order.ABCD, "01020304"),
        (DataType.UINT32, Order.BADC, "02010403"),
        (DataType.UINT32, Order.CDAB, "03040102"),
        (DataType.UINT32, Order.DCBA, "04030201"),
        (DataType.UINT64, Order.ABCD, "0102030405060708"),
        (DataType.UINT64, Order.BADC, "0201040306050807"),
        (DataType.UINT64, Order.CDAB, "0708050603040102"),
        (DataType.UINT64, Order.DCBA, "0807060504030201"),
        (DataType.UINT16, Order.ABCD, "0102"),
        (DataType.UINT16, Order.BADC, "0201"),
    ],
)
def test_byte_orders(data_type: DataType, order: Order, wire: str) -> None:
    value = int.from_bytes(bytes(range(1, data_type.size + 1)), "big")
    assert encode_number(data_type, order, value).hex() == wire
    assert decode(f"holding:0:{data_type}:{order}", bytes.fromhex(wire)) == value


@given(st.sampled_from(sorted(FLOATS)), st.data(), st.integers(0, 200))
def test_every_float_comes_back(data_type: DataType, data: st.DataObject, at: int) -> None:
    orders = list(Order) if data_type.size > 2 else [Order.ABCD, Order.BADC]
    order = data.draw(st.sampled_from(orders))
    width: Any = FLOATS[data_type]
    value = data.draw(st.floats(allow_nan=False, allow_infinity=False, width=width))
    wire = encode_number(data_type, order, value)
    got = decode(f"input:{at}:{data_type}:{order}", wire, at)
    assert got == value
    assert math.copysign(1, got) == math.copysign(1, value)


@given(
    st.sampled_from(Encoding),
    st.sampled_from([Order.ABCD, Order.BADC]),
    st.text(st.characters(codec="gbk", exclude_characters="\0"), max_size=20),
)
def test_every_text_comes_back(encoding: Encoding, order: Order, text: str) -> None:
    if encoding in {Encoding.ASCII, Encoding.LATIN1}:
        text = text.encode(encoding, "ignore").decode(encoding)
    text = text.rstrip()  # blanks at the end are not read, so they are not written
    wire = encode_text(40, encoding, order, text)
    assert len(wire) == 80
    assert decode(f"holding:3:string[40]:{encoding}:{order}", wire, 3) == text


def test_known_texts() -> None:
    assert encode_text(3, Encoding.GBK, Order.ABCD, "衢联").hex() == "e9e9c1aa0000".replace(
        "e9e9", "衢".encode("gbk").hex()
    )
    assert encode_text(2, Encoding.ASCII, Order.BADC, "AB1").hex() == "42410031"


@pytest.mark.parametrize(
    ("data_type", "value", "message"),
    [
        (DataType.UINT16, -1, "does not fit uint16"),
        (DataType.UINT16, 65_536, "does not fit uint16"),
        (DataType.INT16, 1.5, "no whole number"),
        (DataType.UINT32, True, "no finite number"),
        (DataType.FLOAT32, 1e39, "does not fit float32"),
        (DataType.FLOAT64, math.nan, "no finite number"),
        (DataType.FLOAT64, math.inf, "no finite number"),
        (DataType.INT64, "7", "no finite number"),
    ],
)
def test_numbers_that_do_not_fit(data_type: DataType, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_number(data_type, Order.ABCD, value)


@pytest.mark.parametrize(
    ("value", "message"), [(7, "no text"), ("衢", "written in ascii"), ("abcde", "needs 5 bytes")]
)
def test_texts_that_do_not_fit(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_text(2, Encoding.ASCII, Order.ABCD, value)


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("size", [2, 4, 8])
def test_an_order_is_its_own_inverse(order: Order, size: int) -> None:
    places = permutation(order, size)
    assert sorted(places) == list(range(size))
    assert [places[place] for place in places] == list(range(size))


def test_floats_that_are_no_numbers_are_read_as_they_are_for_processing_to_judge() -> None:
    values = [1.0, math.nan, -math.inf, 2.0]
    image = struct.pack(">4f", *values) + struct.pack(">2d", math.nan, 3.0)
    addresses = [f"holding:{2 * i}:float32" for i in range(4)]
    plan = plan_of(points(*addresses, "holding:8:float64", "holding:12:float64"))
    reading = PaperDevice(image.ljust(131_072, b"\0")).poll(plan)
    assert reasons(reading) == [Reason.NONE] * 6
    np.testing.assert_array_equal(reading.columns[0], np.array(values, np.float32))
    np.testing.assert_array_equal(reading.columns[1], [math.nan, 3.0])


def test_text_in_another_encoding_is_bad() -> None:
    image = "衢".encode("gbk").ljust(131_072, b"\0")
    plan = plan_of(points("holding:0:string[2]:utf-8", "holding:0:string[2]:gbk"))
    reading = PaperDevice(image).poll(plan)
    assert reasons(reading) == [Reason.TYPE, Reason.NONE]
    assert reading.columns[0].tolist() == ["", "衢"]
