"""The register detective: what a panel shows is found among all readings of a range."""

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.status import GOOD
from gateway.core.values.plausible import Doubt
from gateway.drivers.api import Point
from gateway.drivers.modbus.address import kind
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.plan import layout, write_request
from gateway.drivers.modbus.search.detective import ModbusDetective
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.search import CandidateValue
from gateway.edge.detective.ranking import Candidate, rank
from gateway.edge.detective.shown import Shown, parse_shown
from tests.drivers.modbus.support import points

CONNECTION = Connection(host="127.0.0.1")
DETECTIVE = ModbusDetective()


def look(words: Sequence[int | None], address: int = 0) -> Sequence[CandidateValue]:
    cells = DETECTIVE.cells("holding", address, len(words))
    return DETECTIVE.readings(CONNECTION, cells, words)


def ranked(words: Sequence[int | None], *shows: str) -> list[Candidate]:
    return rank([look(words)], [parse_shown(text) for text in shows])


def words_of(body: bytes) -> list[int]:
    return [word for (word,) in struct.iter_unpack(">H", body)]


def written(address: str, value: float) -> list[int]:
    (point,) = points(address)
    return words_of(write_request(point, value, CONNECTION).pdu[6:])


@pytest.mark.parametrize("order", ["ABCD", "BADC", "CDAB", "DCBA"])
@given(tenths=st.integers(10, 100_000), before=st.lists(st.integers(0, 65_535), max_size=5))
@settings(deadline=None, max_examples=30)
def test_a_float_is_found_in_each_order_by_what_the_panel_shows(
    order: str, tenths: int, before: list[int]
) -> None:
    value = tenths / 10
    words = [*before, *written(f"holding:0:float32:{order}", value)]
    found = ranked(words, f"{value:.1f} V")
    addresses = [str(one.address) for one in found if one.scale == 1]
    expected = f"holding:{len(before)}:float32" + ("" if order == "ABCD" else f":{order}")
    assert expected in addresses[:2]  # chance may give another number that shows the same


@given(st.integers(-30_000, 30_000).filter(lambda raw: abs(raw) > 100))
@example(4100)
@settings(deadline=None)
def test_a_scaled_integer_is_found_with_its_factor(raw: int) -> None:
    found = ranked([raw & 0xFFFF], f"{raw / 10:.1f} °C")
    assert found[0].scaled == raw / 10
    # Chance may give another number that shows the same: 4100 with its bytes turned is 410 in BCD.
    assert (0.1, (raw,)) in [(one.scale, one.values) for one in found[:3]]


def test_without_a_panel_a_row_of_floats_stands_first() -> None:
    body = b"".join(struct.pack(">f", value) for value in (229.13, 230.57, 231.1, 5.27, 4.9, 50.02))
    found = [str(one.address) for one in ranked(words_of(body))]
    row = [f"holding:{at}:float32" for at in range(0, 12, 2)]
    assert set(found[:4]) <= set(row)  # low words of one and high words of the next are numbers too
    assert set(row) <= set(found[:12])


def test_a_row_of_floats_in_another_order_stands_first_too() -> None:
    body = b"".join(struct.pack(">f", value) for value in (229.13, 230.57, 231.1, 50.02))
    turned = words_of(body)
    turned[::2], turned[1::2] = turned[1::2], turned[::2]
    found = [str(one.address) for one in ranked(turned)]
    row = [f"holding:{at}:float32:CDAB" for at in range(0, 8, 2)]
    assert found[0] in row
    assert set(row) <= set(found[:8])


def test_a_second_look_at_the_panel_leaves_one_reading() -> None:
    one, two = [2290, 2290, 100], [2301, 2290, 200]
    seen = [parse_shown("229.0"), parse_shown("230.1")]
    assert len([c for c in ranked(one, "229.0") if c.scale == 0.1 and len(c.values) == 1]) >= 2
    found = rank([look(one), look(two)], seen)
    assert str(found[0].address) == "holding:0:uint16"
    assert all(candidate.address.address == 0 for candidate in found)


def test_registers_that_the_device_does_not_give_are_in_no_reading() -> None:
    words = [17_253, None, 17_253, 0]
    touched = {at for one in look(words) for at in range(one.address.address, one.address.stop)}
    assert touched == {0, 2, 3}


def test_a_wrong_order_is_doubtful_and_stands_behind() -> None:
    words = words_of(struct.pack(">f", 229.0))
    found = {str(one.address): one for one in ranked(words)}
    assert found["holding:0:float32"].doubt is None
    wrong = found["holding:0:float32:DCBA"]
    assert wrong.doubt in (Doubt.DENORMAL, Doubt.TINY, Doubt.HUGE)
    assert wrong.score < found["holding:0:float32"].score


def test_words_and_texts_are_compared_with_texts_and_bits() -> None:
    name = words_of(b"P-101".ljust(8, b"\0"))
    assert str(ranked(name, "P-101")[0].address).startswith("holding:0:string[4]")
    on = ranked([0b100], "运行")
    assert "holding:0.2" in [str(one.address) for one in on]
    assert all(one.values == (True,) for one in on)


@pytest.mark.parametrize("usual", [*Order])
def test_words_are_read_as_they_are_on_the_wire_whatever_the_order_of_the_device(
    usual: Order,
) -> None:
    connection = Connection(host="127.0.0.1", order=usual)
    cells = DETECTIVE.cells("holding", 0, 12)
    wire = struct.pack(">fh", 185.3, 77) + b"pump" + bytes(14)
    made = layout([Point(str(cell), kind(cell), cell) for cell in cells], connection)
    (column,) = made.decoder.columns(wire, np.full(12, GOOD, np.uint8))
    found = DETECTIVE.readings(connection, cells, column.tolist())
    said = {(str(one.address), one.value) for one in found}
    of_two = "" if usual is Order.ABCD else ":ABCD"
    of_one = ":ABCD" if usual.swaps_bytes else ""
    assert (f"holding:0:float32{of_two}", 185.3) in said
    assert (f"holding:2:int16{of_one}", 77) in said
    assert (f"holding:3:string[4]{of_one}:ascii", "pump") in said


def test_coils_are_bits() -> None:
    cells = DETECTIVE.cells(Table.COIL, 5, 3)
    found = DETECTIVE.readings(CONNECTION, cells, [True, None, False])
    assert [(str(one.address), one.value) for one in found] == [
        ("coil:5", True),
        ("coil:6", None),
        ("coil:7", False),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("229.0 V", Shown(229.0, 1, "V", "")),
        ("１，２３４．５ ｋＷｈ", Shown(1234.5, 1, "kWh", "")),
        ("−5", Shown(-5.0, 0, "", "")),
        ("25.30°C", Shown(25.3, 2, "°C", "")),
        ("ON", Shown(None, 0, "", "ON")),
    ],
)
def test_what_people_write_of_a_panel(text: str, shown: Shown) -> None:
    assert parse_shown(text) == shown


@pytest.mark.parametrize("text", ["", "  ", "1,5 V", "12,34"])
def test_what_nobody_can_mean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"panel|decimal point"):
        parse_shown(text)


@pytest.mark.parametrize(
    ("table", "address", "count"), [("x", 0, 1), ("", 0, 0), ("", 0, 126), ("", 65_530, 7)]
)
def test_ranges_that_do_not_exist(table: str, address: int, count: int) -> None:
    with pytest.raises(ValueError):
        DETECTIVE.cells(table, address, count)
