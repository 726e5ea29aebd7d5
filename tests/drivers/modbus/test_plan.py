"""The planner: every tag once, limits kept, fewest requests; the decoder against a naive one."""

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.drivers.api import Point
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.plan import CODES, LAYOUTS, layout
from gateway.drivers.modbus.types.names import DataType
from gateway.drivers.modbus.types.orders import Order, reorder
from gateway.drivers.modbus.types.texts import Encoding
from gateway.drivers.toolkit.merge import Block
from gateway.drivers.toolkit.reading import ReadPlan
from tests.drivers.modbus.support import PaperDevice, connection, plan_of, points, reasons

LETTERS = {
    DataType.INT16: "h",
    DataType.UINT16: "H",
    DataType.INT32: "i",
    DataType.UINT32: "I",
    DataType.INT64: "q",
    DataType.UINT64: "Q",
    DataType.FLOAT16: "e",
    DataType.FLOAT32: "f",
    DataType.FLOAT64: "d",
}
"""Others are in test_types.py."""


@st.composite
def addresses(draw: st.DrawFn, span: int = 300) -> Address:
    table = draw(st.sampled_from(sorted(set(Table) - {Table.ENRON, Table.FILE})))
    start = draw(st.integers(0, span))
    if table.is_bits:
        return Address(table=table, address=start, type=DataType.BOOL)
    data_type = draw(st.sampled_from([*LETTERS, DataType.BOOL, DataType.STRING]))
    order = None if data_type is DataType.BOOL else Order.ABCD
    if data_type.size > 2:
        order = draw(st.sampled_from(Order))
    elif data_type is not DataType.BOOL:
        order = draw(st.sampled_from([Order.ABCD, Order.BADC]))
    bit = draw(st.integers(0, 15)) if data_type is DataType.BOOL else None
    length = draw(st.integers(1, 12)) if data_type is DataType.STRING else None
    return Address(table=table, address=start, type=data_type, order=order, bit=bit, length=length)


CONNECTIONS = st.builds(
    connection,
    max_gap=st.integers(0, 20),
    max_registers=st.integers(12, 125),
    max_bits=st.integers(1, 2000),
)


def limits(rules: Connection, table: Table) -> tuple[int, int]:
    if table.is_bits:
        return rules.max_bits, rules.max_gap * 16
    return rules.max_registers, rules.max_gap


def check_block(block: Block, wanted: list[Point], rules: Connection) -> None:
    limit, gap = limits(rules, block.key.table)
    inside = [wanted[i].address for i in block.members]
    assert block.key.length <= limit
    assert block.key.start == min(a.address for a in inside)
    assert block.key.start + block.key.length == max(a.stop for a in inside)
    assert {a.table for a in inside} == {block.key.table}
    used = {place for a in inside for place in range(a.address, a.stop)}
    holes = "".join(
        " " if place in used else "x"
        for place in range(block.key.start, block.key.start + block.key.length)
    )
    assert max(map(len, holes.split())) <= gap if holes.strip() else True


@given(st.lists(addresses(), max_size=80), CONNECTIONS)
def test_every_tag_once_and_limits_kept(wanted: list[Address], rules: Connection) -> None:
    asked = points(*wanted)
    blocks = layout(asked, rules).blocks
    assert sorted(i for block in blocks for i in block.members) == list(range(len(asked)))
    offset = 0
    for block in blocks:
        check_block(block, asked, rules)
        assert block.offset == offset
        offset += 8 * block.size


def fewest(wanted: list[Address], rules: Connection) -> int:
    """The least number of requests by trying everything."""
    limit, gap = limits(rules, wanted[0].table)

    def possible(group: list[Address]) -> bool:
        ordered = sorted(group, key=lambda a: a.address)
        stop = ordered[0].stop
        for address in ordered[1:]:
            if address.address - stop > gap:
                return False
            stop = max(stop, address.stop)
        return stop - ordered[0].address <= limit

    def search(rest: list[Address]) -> int:
        if not rest:
            return 0
        first, others = rest[0], rest[1:]
        best = len(rest)
        for mask in range(1 << len(others)):
            chosen = [a for i, a in enumerate(others) if mask >> i & 1]
            if possible([first, *chosen]):
                left = [a for i, a in enumerate(others) if not mask >> i & 1]
                best = min(best, 1 + search(left))
        return best

    return search(wanted)


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            Address,
            table=st.just(Table.HOLDING),
            address=st.integers(0, 30),
            type=st.just(DataType.STRING),
            length=st.integers(1, 12),
        ),
        min_size=1,
        max_size=6,
    ),
    st.builds(connection, max_gap=st.integers(0, 5), max_registers=st.integers(12, 20)),
)
def test_no_plan_has_fewer_requests(wanted: list[Address], rules: Connection) -> None:
    assert len(layout(points(*wanted), rules).blocks) == fewest(wanted, rules)


def naive(address: Address, image: bytes) -> Any:
    """One value, one by one, as a beginner would decode it."""
    if address.table.is_bits:
        return bool(image[address.address // 8] >> address.address % 8 & 1)
    body = image[2 * address.address : 2 * address.stop]
    if address.type is DataType.BOOL:
        return bool(int.from_bytes(body, "big") >> (address.bit or 0) & 1)
    if address.type is DataType.STRING:
        swapped = (
            body if address.order is Order.ABCD else bytes(body[i ^ 1] for i in range(len(body)))
        )
        return swapped.split(b"\0")[0].decode(address.encoding or Encoding.ASCII).rstrip()
    return struct.unpack(">" + LETTERS[address.type], reorder(body, address.order or Order.ABCD))[0]


def is_no_value(address: Address, image: bytes) -> bool:
    """Floats that are no number, and texts with a NUL before their end, are no good values."""
    if address.type is DataType.STRING:
        body = image[2 * address.address : 2 * address.stop]
        return b"\0" in reorder(body, address.order or Order.ABCD).rstrip(b"\0")
    return not float("-inf") < naive(address, image) < float("inf")


@given(
    st.lists(addresses(), min_size=1, max_size=60),
    CONNECTIONS,
    st.binary(min_size=64, max_size=700),
)
def test_decoding_equals_the_naive_way(
    wanted: list[Address], rules: Connection, noise: bytes
) -> None:
    image = bytes(byte & 0x7F for byte in noise) * 20  # ASCII, and no float that is not finite
    image = image.ljust(131_072, b"\0")
    asked = points(*wanted)
    reading = PaperDevice(image).poll(ReadPlan(layout(asked, rules), CODES))
    got = values_of(asked, reading)
    for address, value, code in zip(wanted, got, reading.status.tolist(), strict=True):
        if code == 0 and address.type is DataType.FLOAT16:  # may be NaN
            np.testing.assert_equal(value, naive(address, image))
        elif code == 0:
            assert value == naive(address, image)
        else:
            assert is_no_value(address, image)


def test_a_thousand_floats_take_seventeen_requests() -> None:
    asked = points(*(f"holding:{2 * i}:float32" for i in range(1000)))
    assert len(layout(asked, connection()).blocks) == 17  # 62 floats a request


@pytest.mark.parametrize(("gap", "requests"), [(0, 2), (7, 2), (8, 1)])
def test_unused_registers_are_read_only_when_allowed(gap: int, requests: int) -> None:
    asked = points("holding:0", "holding:9")
    assert len(layout(asked, connection(max_gap=gap)).blocks) == requests


def test_no_points_no_requests() -> None:
    device = PaperDevice()
    reading = device.poll(plan_of([]))
    assert (reading.columns, reasons(reading), device.asked) == ((), [], [])


def test_equal_devices_share_one_layout_and_learn_apart() -> None:
    asked = tuple(points(*(f"holding:{i}" for i in range(100))))
    one, two = (LAYOUTS.get(asked, connection(unit=unit)) for unit in (1, 2))
    assert one is two
    assert LAYOUTS.get(asked, connection(max_gap=0)) is not one
    assert LAYOUTS.get(tuple(points("holding:1")), connection()) is not one
    learned, fresh = ReadPlan(one.layout, CODES), ReadPlan(one.layout, CODES)
    for _ in range(3):
        PaperDevice(illegal=[42]).poll(learned)
    assert len(learned.blocks) > len(fresh.blocks) == 1
