import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.behaviour import Machine
from simulators.machines import MANUALS
from simulators.manual import Register, Unit
from simulators.servers.modbus import blocks
from simulators.servers.registers import Image, encode, size, write


def _register(type_: str, order: str = "ABCD", length: int | None = None) -> Register:
    return Register("holding", 0, type_, order, length=length)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", (0x1122, 0x3344)),
        ("CDAB", (0x3344, 0x1122)),
        ("BADC", (0x2211, 0x4433)),
        ("DCBA", (0x4433, 0x2211)),
    ],
)
def test_the_four_orders_of_a_word_pair(order: str, words: tuple[int, int]) -> None:
    assert encode(0x11223344, _register("uint32", order)) == words


def test_the_meters_manual_gives_220_5_volts_as_435c_8000() -> None:
    assert encode(220.5, _register("float32")) == (0x435C, 0x8000)


@given(st.floats(-1e12, 1e12), st.sampled_from(["int16", "uint16", "int32", "uint32"]))
def test_whole_numbers_stop_at_the_end_of_their_range(value: float, type_: str) -> None:
    place = _register(type_)
    words = encode(value, place)
    fmt = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I"}[type_]
    (got,) = struct.unpack(fmt, struct.pack(f">{len(words)}H", *words))
    low, high = (0, 2) if type_[0] == "u" else (-1, 1)
    span = 1 << (16 * size(place) - 1)
    assert got == max(low * span, min(high * span - 1, round(value)))


def test_text_fills_its_registers_with_zeros() -> None:
    assert encode("AB1", _register("string", length=3)) == (0x4142, 0x3100, 0)
    assert encode("ABCDEFG", _register("string", length=2)) == (0x4142, 0x4344)


@pytest.mark.parametrize("manual", MANUALS.values(), ids=MANUALS)
def test_no_two_values_share_a_register(manual) -> None:
    taken: set[tuple[object, ...]] = set()
    for entry in manual.entries:
        place = entry.place
        if not isinstance(place, Register):
            continue
        addresses = range(place.register, place.register + size(place))
        cells = {(place.table, address, place.bit) for address in addresses}
        whole = {(table, address, None) for table, address, _ in cells}
        assert not taken & (cells | whole), entry.name
        taken |= cells


def test_bits_of_one_register_do_not_disturb_each_other() -> None:
    manual = MANUALS["raceway_grinder"]
    unit = Unit.of(manual, Machine(manual.rhythm, 1))
    image: Image = {"coil": {}, "discrete": {}, "holding": {220: 0b100000}, "input": {}}
    write(unit, image)
    running = unit.raw(next(e for e in manual.entries if e.name == "in_cycle"))
    doors = unit.raw(next(e for e in manual.entries if e.name == "doors_closed"))
    assert image["holding"][220] == 0b100000 | int(running) | int(doors) << 3


def test_unused_registers_inside_a_data_block_can_be_read_and_far_ones_cannot() -> None:
    assert blocks([100, 101, 110, 200]) == [range(100, 111), range(200, 201)]
    assert blocks([0]) == [range(1)]
