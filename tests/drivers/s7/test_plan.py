"""Every point gets its own bytes, whatever is read beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, Point
from gateway.drivers.s7.address import Address, kind
from gateway.drivers.s7.config import Connection
from gateway.drivers.s7.plan import MOST_BYTES, layout, write_request
from gateway.drivers.s7.values import DataType

MEMORY = np.random.default_rng(7).integers(0, 256, 70_000, dtype=np.uint8).tobytes()


def connection(**more: object) -> Connection:
    return validated(Connection, {"host": "192.0.2.1", **more})


def point(written: str) -> Point:
    address = validated(Address, written)
    return Point(written, kind(address), address)


def truth(address: Address) -> float | int | bool:
    if address.type is DataType.BOOL:
        return bool(MEMORY[address.start] >> (address.bit or 0) & 1)
    raw = MEMORY[address.start : address.stop]
    value: float | int = np.frombuffer(raw, f">{address.type.code}")[0].item()
    return value


START = st.integers(0, 65_000)
WRITTEN = st.one_of(
    st.builds("DB{}.DBX{}.{}".format, st.integers(1, 3), START, st.integers(0, 7)),
    st.builds("M{}.{}".format, START, st.integers(0, 7)),
    st.builds("DB{}.DBW{}:{}".format, st.integers(1, 3), START, st.sampled_from(["int", "word"])),
    st.builds("{}D{}:dint".format, st.sampled_from("MIQ"), START),
    st.builds("DB1.DBB{}:{}".format, START, st.sampled_from(["lint", "ulint", "sint", "byte"])),
)


@given(st.lists(WRITTEN, min_size=1, max_size=40), st.integers(0, 200))
def test_every_point_gets_its_own_value(written: list[str], max_gap: int) -> None:
    points = [point(one) for one in written]
    made = layout(points, connection(max_gap=max_gap))
    assert all(item.length <= MOST_BYTES for item in made.requests)
    image = b"".join(MEMORY[item.start : item.start + item.size] for item in made.requests)
    columns = made.decoder.columns(image, np.zeros(len(points), np.uint8))
    values = [value for column in columns for value in column.tolist()]
    assert values == [truth(one.address) for one in points]


def test_neighbours_are_one_part_and_far_ones_two() -> None:
    near = [point(f"DB10.DBW{at}") for at in (0, 2, 10, 28)]
    assert len(layout(near, connection()).requests) == 1
    assert len(layout(near, connection(max_gap=4)).requests) == 3
    assert len(layout([point("DB10.DBW0"), point("DB11.DBW0")], connection()).requests) == 2


@pytest.mark.parametrize(
    ("written", "value", "why"),
    [
        ("I0.0", True, "read only"),
        ("T5", 1.0, "read only"),
        ("C5", 1, "read only"),
        ("DB1.DBB0:dtl", "2024-01-01", "times are not written"),
        ("DB1.DBX0.0", 1, "no bool"),
        ("DB1.DBW0:int", 40_000, "does not fit"),
        ("DB1.DBW0:int", 1.5, "no whole number"),
        ("DB1.DBB0:string[4]", "abcde", "room for 4"),
    ],
)
def test_what_cannot_be_written_is_noticed_before(written: str, value: object, why: str) -> None:
    with pytest.raises(DriverError, match=why):
        write_request(point(written), value, None)  # type: ignore[arg-type]


def test_a_text_leaves_its_declared_length_alone() -> None:
    write = write_request(point("DB1.DBB20:string[16]"), "ab", 8)
    assert (write.item.start, write.data) == (21, b"\x02ab")
    with pytest.raises(DriverError, match="room for 8"):
        write_request(point("DB1.DBB20:string[16]"), "abcdefghi", 8)


def test_a_bit_is_written_by_itself() -> None:
    write = write_request(point("M3.5"), True, None)
    assert (write.item.start, write.bit, write.data) == (3, 5, b"\x01")
