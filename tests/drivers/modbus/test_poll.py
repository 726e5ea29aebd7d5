"""Refused addresses: only the culprits are lost, and little is asked to find them."""

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.status import Reason
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.poll import LONGEST_PAUSE, PROBES, ReadPlan
from tests.drivers.modbus.support import PaperDevice, connection, points, reasons

IMAGE = pack(">65536H", *range(65_536))


def test_one_illegal_register_costs_only_its_own_tag() -> None:
    asked = points(*(f"holding:{i}" for i in range(100)))
    device = PaperDevice(IMAGE, illegal=[42])
    plan = ReadPlan(connection(), asked)
    for _ in range(3):
        reading = device.poll(plan)
        expected = [Reason.NONE] * 100
        expected[42] = Reason.ILLEGAL_ADDRESS
        assert reasons(reading) == expected
        values = values_of(asked, reading)
        assert values[:42] + values[43:] == [*range(42), *range(43, 100)]
    assert device.asked == [(3, 0, 42), (3, 43, 57)]


def test_a_culprit_is_asked_again_ever_more_seldom_and_forgiven() -> None:
    asked = points(*(f"holding:{i}" for i in range(10)))
    device = PaperDevice(IMAGE, illegal=[4])
    plan = ReadPlan(connection(), asked)
    polls = [(device.poll(plan), list(device.asked))[1] for _ in range(4 * LONGEST_PAUSE)]
    again = [i for i, requests in enumerate(polls) if (3, 4, 1) in requests]
    assert again == [0, 1, 3, 7, 15, 31, 63, 127, 191, 255]
    device.illegal.clear()
    for _ in range(LONGEST_PAUSE):
        reading = device.poll(plan)
    assert not reading.status.any()
    device.poll(plan)
    assert device.asked == [(3, 0, 10)]  # whole again


@pytest.mark.parametrize("polls", [1, 2, 3, 10, 30, 100])
@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_device_that_refused_everything_for_a_while_is_read_as_before(
    polls: int, code: int
) -> None:
    asked = points(*(f"holding:{2 * i}:float32" for i in range(1000)))
    device = PaperDevice(IMAGE)
    plan = ReadPlan(connection(), asked)
    device.poll(plan)
    whole = device.asked
    device.codes = {3: code}
    for _ in range(polls):
        assert device.poll(plan).status.all()
        assert len(device.asked) <= 4 * len(whole)
    device.codes = {}
    for _ in range(8):
        reading = device.poll(plan)
    assert not reading.status.any()
    for _ in range(6 * LONGEST_PAUSE):
        device.poll(plan)
    assert device.asked == whole


def test_an_illegal_hole_between_tags_costs_nobody() -> None:
    asked = points("holding:0", "holding:1", "holding:5", "holding:6")
    device = PaperDevice(IMAGE, illegal=[3])
    plan = ReadPlan(connection(max_gap=8), asked)
    for _ in range(2 * LONGEST_PAUSE + 9):  # not one that tries to join them
        reading = device.poll(plan)
        assert values_of(asked, reading) == [0, 1, 5, 6]
        assert not reading.status.any()
    assert device.asked == [(3, 0, 2), (3, 5, 2)]
    device.illegal.clear()
    for _ in range(LONGEST_PAUSE + 1):
        device.poll(plan)
    assert device.asked == [(3, 0, 7)]  # the hole may be read by now


def test_a_device_with_a_smaller_limit_is_read_in_smaller_pieces() -> None:
    asked = points(*(f"input:{i}" for i in range(120)))
    device = PaperDevice(IMAGE, limit=40)
    plan = ReadPlan(connection(), asked)
    for _ in range(2 * LONGEST_PAUSE + 9):  # it is learnt from the inside out
        assert values_of(asked, device.poll(plan)) == list(range(120))
    assert device.asked == [(4, 0, 30), (4, 30, 30), (4, 60, 30), (4, 90, 30)]


def test_bits_are_separated_as_well() -> None:
    image = bytes([0b10110101]) * 8192
    asked = points(*(f"coil:{i}" for i in range(3, 203)))
    device = PaperDevice(image.ljust(131_072, b"\0"), illegal=[77, 78, 130])
    plan = ReadPlan(connection(), asked)
    for _ in range(3):
        reading = device.poll(plan)
    bad = {i for i, reason in enumerate(reasons(reading), 3) if reason is not Reason.NONE}
    assert bad == {77, 78, 130}
    for i, value in enumerate(values_of(asked, reading), 3):
        assert i in bad or value == bool(0b10110101 >> i % 8 & 1)


def test_the_search_is_bounded() -> None:
    asked = points(*(f"holding:{i}" for i in range(125)))
    device = PaperDevice(IMAGE, illegal=range(125))
    plan = ReadPlan(connection(), asked)
    for _ in range(10 * LONGEST_PAUSE):
        reading = device.poll(plan)
        assert set(reasons(reading)) == {Reason.ILLEGAL_ADDRESS}
        assert len(device.asked) <= 3 * PROBES
    assert len(device.asked) <= PROBES  # all rest but those that are tried again


def test_when_all_rest_one_is_asked_and_its_value_is_its_own() -> None:
    asked = points(*(f"holding:{i}" for i in (7, 300, 5_000)))
    device = PaperDevice(IMAGE, codes={3: 2})
    plan = ReadPlan(connection(), asked)
    for _ in range(20):
        device.poll(plan)
        assert device.asked
    device.codes.clear()
    for _ in range(3):
        reading = device.poll(plan)
        known = zip(values_of(asked, reading), reasons(reading), (7, 300, 5_000), strict=True)
        assert all(value == place for value, reason, place in known if reason is Reason.NONE)
    assert not reading.status.any()


def test_a_function_the_device_lacks_is_not_searched() -> None:
    asked = points("input:0", "input:1", "holding:0")
    device = PaperDevice(IMAGE, codes={4: 1})
    plan = ReadPlan(connection(), asked)
    for _ in range(3):
        missing = Reason.ILLEGAL_FUNCTION
        assert reasons(device.poll(plan)) == [missing, missing, Reason.NONE]
    assert device.asked == [(3, 0, 1)]


def test_a_device_that_refuses_otherwise_than_before_is_searched_at_once() -> None:
    asked = points(*(f"input:{i}" for i in range(4)))
    device = PaperDevice(IMAGE, codes={4: 1})
    plan = ReadPlan(connection(), asked)
    assert set(reasons(device.poll(plan))) == {Reason.ILLEGAL_FUNCTION}
    device.codes, device.illegal = {}, {2}
    none, illegal = Reason.NONE, Reason.ILLEGAL_ADDRESS
    assert reasons(device.poll(plan)) == [none, none, illegal, none]


def test_a_busy_device_is_asked_at_every_poll() -> None:
    asked = points("input:0", "holding:0")
    device = PaperDevice(IMAGE, codes={4: 6})
    plan = ReadPlan(connection(), asked)
    for _ in range(3):
        assert reasons(device.poll(plan)) == [Reason.DEVICE_BUSY, Reason.NONE]
        assert len(device.asked) == 2
    device.codes.clear()
    assert not device.poll(plan).status.any()


def test_a_gateway_without_its_unit_makes_every_tag_bad() -> None:
    asked = points("input:0", "holding:0")
    for code, reason in [(10, Reason.GATEWAY_PATH), (11, Reason.GATEWAY_TARGET)]:
        device = PaperDevice(IMAGE, codes={4: code})
        assert reasons(device.poll(ReadPlan(connection(), asked))) == [reason, reason]


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 250), min_size=1, max_size=60),
    st.sets(st.integers(0, 250), max_size=25),
    st.integers(0, 10),
    st.sampled_from(["holding", "discrete"]),
)
def test_whatever_is_illegal_the_rest_is_read(
    places: list[int], illegal: set[int], gap: int, table: str
) -> None:
    asked = points(*(f"{table}:{place}" for place in places))
    device = PaperDevice(IMAGE, illegal)
    plan = ReadPlan(connection(max_gap=gap), asked)
    for _ in range(60):  # the bounded search of many culprits takes some polls
        reading = device.poll(plan)
        assert len(device.asked) <= len(set(places)) + 2 * PROBES + 1
    values = values_of(asked, reading)
    for place, value, reason in zip(places, values, reasons(reading), strict=True):
        if place in illegal:
            assert reason is Reason.ILLEGAL_ADDRESS
        else:
            assert reason is Reason.NONE
            assert value == (place if table == "holding" else IMAGE[place // 8] >> place % 8 & 1)
