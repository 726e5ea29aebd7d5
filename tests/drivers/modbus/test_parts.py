"""Parts of a register are written by function 22 and leave the other bits as they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, Point
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.plan import write_request
from gateway.drivers.modbus.search.detective import decoded
from gateway.drivers.modbus.types.orders import Order
from tests.drivers.modbus.peers import pymodbus
from tests.drivers.trial import connected, points, values

WORDS = st.integers(0, 0xFFFF)
PARTS = [
    *(f"holding:7.{bit}" for bit in range(16)),
    *("holding:7:uint8", "holding:7.8:uint8", "holding:7:int8", "holding:7.8:int8"),
    *("holding:7.4-7", "holding:7.0-15", "holding:7.6-9"),
]
WIDE = [
    *(f"holding:7.{bit}:uint32" for bit in (0, 15, 16, 20, 31)),
    *("holding:7.4-9:uint32", "holding:7.16-31:uint32", "holding:7.20-23:uint24"),
    *("holding:7.0:uint24", "holding:7.35-47:uint48", "holding:7.16:uint48", "holding:7.63:uint64"),
    *("holding:7.17-18:uint64", "holding:7.32-47:uint64"),
]


def masked(pdu: bytes, before: int, register: int = 7) -> int:
    """What a device makes of function 22 (Application Protocol V1.1b3, 6.16)."""
    assert pdu[:3] == b"\x16" + register.to_bytes(2, "big")
    kept, added = int.from_bytes(pdu[3:5], "big"), int.from_bytes(pdu[5:7], "big")
    return (before & kept) | (added & ~kept)


def read(address: Address, word: int, connection: Connection) -> object:
    (found,) = decoded([address], {7: word}, connection)
    return found.value


@given(st.sampled_from(PARTS), st.sampled_from(["ABCD", "BADC"]), WORDS, WORDS)
def test_a_part_becomes_what_is_written_and_no_other_bit_changes(
    text: str, order: str, before: int, other: int
) -> None:
    connection = validated(SPEC.connection, {"host": "plc", "order": order})
    address = validated(Address, text)
    value = read(address, other, connection)
    point = Point("part", SPEC.kind(address), address)
    request = write_request(point, value, connection)  # type: ignore[arg-type]
    after = masked(request.pdu, before)
    assert read(address, after, connection) == value
    outside = int.from_bytes(request.pdu[3:5], "big")
    assert (after ^ before) & outside == 0


@given(
    st.sampled_from(WIDE),
    st.sampled_from(list(Order)),
    st.binary(min_size=8, max_size=8),
    st.data(),
)
def test_bits_of_a_wider_number_are_written_in_the_register_that_has_them(
    text: str, order: Order, before: bytes, data: st.DataObject
) -> None:
    connection = validated(SPEC.connection, {"host": "plc", "order": order})
    address = validated(Address, text)
    words = {7 + at: int.from_bytes(before[2 * at : 2 * at + 2], "big") for at in range(4)}
    bits = 1 if address.last_bit is None else address.last_bit - (address.bit or 0) + 1
    number = data.draw(st.integers(0, (1 << bits) - 1))
    value: Any = bool(number) if address.is_bit else number
    point = Point("part", SPEC.kind(address), address)
    pdu = write_request(point, value, connection).pdu
    register = int.from_bytes(pdu[1:3], "big")
    after = {**words, register: masked(pdu, words[register], register)}
    (whole,) = decoded([replace(address, bit=None, last_bit=None)], words, connection)
    (changed,) = decoded([replace(address, bit=None, last_bit=None)], after, connection)
    first = address.bit or 0
    outside = ~(((1 << bits) - 1) << first)
    assert changed.value == (int(whole.value) & outside) | number << first


@asynccontextmanager
async def _port() -> AsyncIterator[int]:
    async with pymodbus() as port:
        yield port


async def test_a_device_by_others_keeps_the_other_bits() -> None:
    names = ("holding:7:uint16", "holding:7.8:uint8", "holding:7.4-7", "holding:7.0")
    whole, high, field, bit = points(SPEC, *names)
    async with connected(SPEC, _port()) as driver:
        for point, value in ((whole, 0xA5F0), (high, 0x3C), (field, 0x9), (bit, True)):
            await driver.write(point, value)
        assert await values(driver, [whole]) == [0x3C91]


@pytest.mark.parametrize("order", list(Order))
async def test_a_bit_of_a_wide_number_reaches_a_device_by_others(order: Order) -> None:
    whole, bit, field = points(
        SPEC, *(f"holding:7{part}:uint32:{order}" for part in ("", ".20", ".4-7"))
    )
    async with connected(SPEC, _port()) as driver:
        for point, value in ((whole, 0x0102_0304), (bit, True), (field, 0xF)):
            await driver.write(point, value)
        assert await values(driver, [whole, bit, field]) == [0x0112_03F4, True, 0xF]


@pytest.mark.parametrize(
    ("address", "value", "said"),
    [
        ("holding:7:uint8", 256, "does not fit uint8"),
        ("holding:7.8:int8", -129, "does not fit int8"),
        ("holding:7.4-7", 16, "no whole number from 0 to 15"),
        ("holding:7.4-7", 1.5, "no whole number from 0 to 15"),
        ("holding:7.4-7", float("nan"), "no whole number from 0 to 15"),
        ("holding:7.4-7", True, "no whole number from 0 to 15"),
        ("holding:7.3", 1, "no bool"),
        ("holding:7.12-17:uint32", 1, "bits 12 to 17 lie in several registers, which no request"),
        ("input:7.4-7", 1, "table input cannot be written"),
    ],
)
def test_what_a_part_cannot_hold_is_refused(address: str, value: Any, said: str) -> None:
    (point,) = points(SPEC, address)
    with pytest.raises(DriverError, match=said):
        write_request(point, value, validated(SPEC.connection, {"host": "plc"}))
