"""Every type that registers hold: whatever is written is read, in all orders, and no other."""

import struct
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.core.status import Reason
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.types.elements import encode
from gateway.drivers.modbus.types.names import Coding, DataType
from gateway.drivers.modbus.types.numbers import encode_number, range_of
from gateway.drivers.modbus.types.orders import Order
from tests.drivers.modbus.peers import pymodbus
from tests.drivers.modbus.support import PaperDevice, connected, plan_of, points, reasons
from tests.drivers.modbus.support import read as read_all


def read(address: str | Address, wire: bytes, **options: Any) -> tuple[Any, Reason]:
    """One value from registers that begin at its address."""
    asked = points(address)
    image = bytes(2 * asked[0].address.address) + wire
    reading = PaperDevice(image.ljust(131_072, b"\0")).poll(plan_of(asked, **options))
    return values_of(asked, reading)[0], reasons(reading)[0]


@pytest.mark.parametrize(
    ("address", "wire", "value"),
    [
        ("holding:0:uint8", "1234", 0x34),
        ("holding:0:int8", "12ff", -1),
        ("holding:0.8:uint8", "fe34", 0xFE),
        ("holding:0.8:int8", "fe34", -2),
        ("holding:0:float16", "5640", 100.0),
        ("holding:0:uint24", "ff010203", 0x010203),
        ("holding:0:int24", "00fffffe", -2),
        ("holding:0:uint24:CDAB", "0203ff01", 0x010203),
        ("holding:0:uint48", "010203040506", 0x010203040506),
        ("holding:0:int48", "fffffffffffe", -2),
        ("holding:0:uint48:CDAB", "050603040102", 0x010203040506),
        ("holding:0:uint16:bcd", "0229", 229),
        ("holding:0:uint32:bcd", "12345678", 12_345_678),
        ("holding:0:uint32:bcd:CDAB", "56781234", 12_345_678),
        ("holding:0:int16:sm", "8005", -5),
        ("holding:0:int32:sm", "80000005", -5),
        ("holding:0:uint32:mod10", "04d2162e", 12_345_678),
        ("holding:0:uint32:mod10:CDAB", "162e04d2", 12_345_678),
        ("holding:0:int32:mod10", "fb2ee9d2", -12_345_678),
        ("holding:0:uint48:mod10", "0001270f270f", 199_999_999),
        ("holding:0:uint64:mod10", "000000000001270f", 19_999),
        ("holding:0.4-7", "00a5", 0xA),
        ("holding:0.0-15", "a5a5", 0xA5A5),
        ("holding:0.20:uint32", "00100000", True),
        ("holding:0.20:uint32", "ffefffff", False),
        ("holding:0.20:uint32:CDAB", "00000010", True),
        ("holding:0.20:uint32:DCBA", "00001000", True),
        ("holding:0.12-23:uint32:CDAB", "b00000ca", 0xCAB),
        ("holding:0:string[2]:latin-1", "b0434620", "°CF"),
        ("holding:0:datetime", "1a0b1b121e05", "2026-11-27T18:30:05"),
        ("holding:0:datetime:bcd", "261127183005", "2026-11-27T18:30:05"),
        ("holding:0:datetime_words", "07ea000b001b0012001e0005", "2026-11-27T18:30:05"),
        ("holding:0:datetime_iec", "001a0bbb121e13ec", "2026-11-27T18:30:05.100"),
        ("holding:0:unix32", "6a2877d5", "2026-06-09T20:30:13Z"),
        ("holding:0:unix64", "000000006a2877d5", "2026-06-09T20:30:13Z"),
    ],
)
def test_known_bytes(address: str, wire: str, value: object) -> None:
    assert read(address, bytes.fromhex(wire)) == (value, Reason.NONE)


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("holding:0:uint16:bcd", "022a"),
        ("holding:0:uint32:bcd", "a0000000"),
        ("holding:0:uint32:mod10", "00002710"),
        ("holding:0:uint64:mod10", "ffff000000000000"),
        ("holding:0:int32:mod10", "ffff0001"),
        ("holding:0:datetime", "1a0d01000000"),
        ("holding:0:datetime", "1a021d000000"),
        ("holding:0:datetime", "000000000000"),
        ("holding:0:datetime", "640101000000"),
        ("holding:0:datetime:bcd", "2611271860aa"),
        ("holding:0:datetime_words", "000000000000000000000000"),
        ("holding:0:datetime_iec", "001a0bbb129e13ec"),
        ("holding:0:datetime_iec", "001a0bbb121effff"),
        ("holding:0:unix32", "00000000"),
        ("holding:0:unix32", "ffffffff"),
        ("holding:0:string[2]:latin-1", "ffffffff"),
        ("holding:0:unix64", "7fffffffffffffff"),
    ],
)
def test_impossible_patterns_are_bad_and_harm_no_neighbour(address: str, wire: str) -> None:
    image = bytes.fromhex(wire).ljust(40, b"\0") + b"\x00\x07"
    asked = points(address, "holding:20", "holding:20:uint32")
    reading = PaperDevice(image.ljust(131_072, b"\0")).poll(plan_of(asked))
    assert reasons(reading) == [Reason.TYPE, Reason.NONE, Reason.NONE]
    assert values_of(asked, reading)[1:] == [7, 7 << 16]


@st.composite
def numbers(draw: st.DrawFn) -> tuple[Address, int | float]:
    """An address of a whole number in any coding and order, with a value of it."""
    data_type = draw(st.sampled_from([one for one in DataType if one.is_whole and one.size > 1]))
    coding = draw(st.sampled_from([None, *(one for one in Coding if one.suits(data_type))]))
    address = Address(
        table=Table.HOLDING,
        address=draw(st.integers(0, 100)),
        type=data_type,
        coding=coding,
        order=draw(orders(data_type)),
    )
    return address, draw(st.integers(*range_of(data_type, coding)))


def orders(data_type: DataType) -> st.SearchStrategy[Order | None]:
    known = list(Order) if data_type.registers > 1 else [Order.ABCD, Order.BADC]
    return st.sampled_from([None, *known])


@given(numbers(), st.sampled_from(Order))
def test_every_number_comes_back(number: tuple[Address, int], device: Order) -> None:
    address, value = number
    wire = encode(address, device, value)
    assert len(wire) == 2 * address.span
    assert read(address, wire, order=device) == (value, Reason.NONE)


@given(numbers(), st.integers(1))
def test_what_is_beyond_a_number_is_refused(number: tuple[Address, int], by: int) -> None:
    address, _ = number
    least, most = range_of(address.type, address.coding)
    for value in (least - by, most + by):
        with pytest.raises(ValueError, match=str(abs(value))):
            encode(address, Order.ABCD, value)


def day(year: int) -> datetime:
    """Its first of January, of no zone."""
    return datetime.fromisoformat(f"{year:04d}-01-01T00:00:00")


DATES = {
    ("datetime", None): (2000, 2100, ""),
    ("datetime", "bcd"): (2000, 2100, ""),
    ("datetime_words", None): (1, 9999, ""),
    ("unix32", None): (1971, 2106, "Z"),
    ("unix64", None): (1971, 9999, "Z"),
}
"""First year, the one after the last, and zone."""


@given(st.sampled_from(sorted(DATES, key=str)), st.sampled_from(Order), st.data())
def test_every_date_comes_back(
    form: tuple[str, str | None], order: Order, data: st.DataObject
) -> None:
    first, last, zone = DATES[form]
    moment = data.draw(st.datetimes(day(first), day(last) - timedelta(seconds=1))).replace(
        microsecond=0
    )
    fields = {"table": "holding", "address": 3, "type": form[0], "order": order}
    address = validated(Address, fields | ({"coding": form[1]} if form[1] else {}))
    text = moment.isoformat() + zone
    assert read(address, encode(address, Order.ABCD, text)) == (text, Reason.NONE)


@given(st.datetimes(day(2000), day(2127)), st.sampled_from(Order))
def test_every_millisecond_comes_back(moment: datetime, order: Order) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    address = validated(Address, f"holding:3:datetime_iec:{order}")
    text = moment.isoformat(timespec="milliseconds")
    assert read(address, encode(address, Order.ABCD, text)) == (text, Reason.NONE)


@pytest.mark.parametrize(
    ("address", "value", "said"),
    [
        ("holding:0:datetime", "27.11.2026", "is no time such as"),
        ("holding:0:datetime", 20_261_127, "is no time such as"),
        ("holding:0:datetime", "1999-12-31T00:00:00", "not of the years 2000 to 2099"),
        ("holding:0:datetime", "2026-11-27T18:30:00.5", "has a part of a second"),
        ("holding:0:datetime", "2026-11-27T18:30:00+08:00", "names a zone"),
        ("holding:0:unix32", "2026-11-27T18:30:00", "names no zone; UTC ends with Z"),
        ("holding:0:unix32", "2106-02-07T06:28:15Z", "no whole second since 1970 in 4 bytes"),
        ("holding:0:unix32", "2107-01-01T00:00:00Z", "no whole second since 1970 in 4 bytes"),
        ("holding:0:datetime_iec", "2026-11-27T18:30:00.0005", "of whole milliseconds"),
        ("holding:0:datetime", "2026-11-27 18:30", "is read back as .2026-11-27T18:30:00."),
        ("holding:0:uint8", 1, "a part of a register cannot be written"),
        ("holding:0.4-7", 1, "a part of a register cannot be written"),
    ],
)
def test_what_cannot_be_written_is_refused(address: str, value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        encode(validated(Address, address), Order.ABCD, value)


@given(st.binary(min_size=2_000, max_size=2_000), st.data())
def test_no_bytes_break_the_decoder(image: bytes, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.sampled_from(EVERY_TYPE), min_size=1, max_size=30))
    asked = points(*(f"holding:{data.draw(st.integers(0, 900))}:{text}" for text in texts))
    reading = PaperDevice(image.ljust(131_072, b"\0")).poll(plan_of(asked))
    assert set(reasons(reading)) <= {Reason.NONE, Reason.TYPE}
    assert len(values_of(asked, reading)) == len(asked)


EVERY_TYPE = [
    *(str(one) for one in DataType if one not in (DataType.BOOL, DataType.STRING)),
    *(f"{one}:{coding}" for one in DataType for coding in Coding if coding.suits(one)),
    *(f"{one}:CDAB" for one in DataType if one.registers > 1),
    "string[7]:latin-1",
]


WRITTEN = {
    "holding:0:int24": -70_000,
    "holding:2:uint48:CDAB": 2**48 - 2,
    "holding:6:uint32:bcd": 12_345_678,
    "holding:8:int16:sm": -5,
    "holding:10:int64:mod10": -1_234_567_890_123,
    "holding:14:float16": 1.5,
    "holding:16:datetime:bcd": "2026-11-27T18:30:05",
    "holding:20:datetime_iec": "2026-11-27T18:30:05.100",
    "holding:24:unix32": "2026-11-27T18:30:05Z",
    "holding:26:string[4]:latin-1": "21 °C",
}


async def test_a_foreign_device_holds_what_was_written() -> None:
    asked = points(*WRITTEN)
    async with pymodbus() as port, connected(port, order=Order.BADC) as driver:
        for point, value in zip(asked, WRITTEN.values(), strict=True):
            await driver.write(point, value)
        assert await read_all(driver, asked) == list(WRITTEN.values())
        words = await read_all(driver, points("holding:6:uint16:ABCD", "holding:7:uint16:ABCD"))
        assert words == [0x3412, 0x7856]


def test_the_order_of_a_device_holds_where_a_tag_names_none() -> None:
    wire = struct.pack("<f", 229.5)[2:] + struct.pack("<f", 229.5)[:2]
    assert read("holding:0:float32", wire, order=Order.BADC) == (229.5, Reason.NONE)
    assert read("holding:0:float32:BADC", wire, order=Order.CDAB) == (229.5, Reason.NONE)
    assert read("holding:0", b"\x34\x12", order=Order.DCBA) == (0x1234, Reason.NONE)
    assert read("holding:0:uint16:ABCD", b"\x12\x34", order=Order.DCBA) == (0x1234, Reason.NONE)
    assert read("holding:0.0", b"\x01\x00", order=Order.DCBA) == (True, Reason.NONE)
    assert read("holding:0:string[1]", b"BA", order=Order.DCBA) == ("AB", Reason.NONE)
    assert read("holding:0", b"\x12\x34", order=Order.CDAB) == (0x1234, Reason.NONE)


def test_an_array_is_an_address_for_each_value() -> None:
    array = validated(Address, "holding:10:float32[3]:CDAB")
    assert [str(one) for one in SPEC.elements(array)] == [
        "holding:10:float32:CDAB",
        "holding:12:float32:CDAB",
        "holding:14:float32:CDAB",
    ]
    coils = SPEC.elements(validated(Address, "coil:7:bool[2]"))
    assert [str(one) for one in coils] == ["coil:7", "coil:8"]
    one = validated(Address, "holding:7.3")
    assert SPEC.elements(one) == (one,)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.1, "0.1 cannot be written exactly as float16; .* are 0.099975586 and 0.10003662"),
        (-2049.0, "are -2050.0 and -2048.0"),
        (65_510.0, "are 65504.0$"),
        (70_000.0, "does not fit float16"),
    ],
)
def test_a_float16_is_not_rounded_when_it_is_written(value: float, words: str) -> None:
    """Its column is a float32: whoever asks for it cannot see what the registers would hold."""
    with pytest.raises(ValueError, match=words):
        encode_number(DataType.FLOAT16, Order.ABCD, value)
    assert encode_number(DataType.FLOAT16, Order.ABCD, -2048.0) == bytes.fromhex("e800")
