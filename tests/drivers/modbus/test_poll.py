"""Refused addresses: only the culprits are lost, and little is asked to find them."""

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.status import Reason
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.codec import SILENT, Answer, Request
from gateway.drivers.toolkit.learnt import LONGEST_PAUSE, PROBES
from gateway.drivers.toolkit.reading import UnansweredError
from tests.drivers.modbus.support import PaperDevice, plan_of, points, reasons

IMAGE = pack(">65536H", *range(65_536))


def test_one_illegal_register_costs_only_its_own_tag() -> None:
    asked = points(*(f"holding:{i}" for i in range(100)))
    device = PaperDevice(IMAGE, illegal=[42])
    plan = plan_of(asked)
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
    plan = plan_of(asked)
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
    plan = plan_of(asked)
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
    plan = plan_of(asked, max_gap=8)
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
    plan = plan_of(asked)
    for _ in range(2 * LONGEST_PAUSE + 9):  # it is learnt from the inside out
        assert values_of(asked, device.poll(plan)) == list(range(120))
    assert device.asked == [(4, 0, 30), (4, 30, 30), (4, 60, 30), (4, 90, 30)]


@pytest.mark.parametrize("limit", [1, 2])
def test_a_device_that_answers_single_values_only_is_read(limit: int) -> None:
    asked = points(*(f"input:{i}" for i in range(30)))
    device = PaperDevice(IMAGE, limit=limit)
    plan = plan_of(asked)
    for _ in range(8):  # a bounded search each
        reading = device.poll(plan)
    assert values_of(asked, reading) == list(range(30))
    assert not reading.status.any()


def test_bits_are_separated_as_well() -> None:
    image = bytes([0b10110101]) * 8192
    asked = points(*(f"coil:{i}" for i in range(3, 203)))
    device = PaperDevice(image.ljust(131_072, b"\0"), illegal=[77, 78, 130])
    plan = plan_of(asked)
    for _ in range(3):
        reading = device.poll(plan)
    bad = {i for i, reason in enumerate(reasons(reading), 3) if reason is not Reason.NONE}
    assert bad == {77, 78, 130}
    for i, value in enumerate(values_of(asked, reading), 3):
        assert i in bad or value == bool(0b10110101 >> i % 8 & 1)


def test_the_search_is_bounded() -> None:
    asked = points(*(f"holding:{i}" for i in range(125)))
    device = PaperDevice(IMAGE, illegal=range(125))
    plan = plan_of(asked)
    for _ in range(10 * LONGEST_PAUSE):
        reading = device.poll(plan)
        assert set(reasons(reading)) == {Reason.ILLEGAL_ADDRESS}
        assert len(device.asked) <= 3 * PROBES
    assert len(device.asked) <= PROBES  # all rest but those that are tried again


def test_when_all_rest_one_is_asked_and_its_value_is_its_own() -> None:
    asked = points(*(f"holding:{i}" for i in (7, 300, 5_000)))
    device = PaperDevice(IMAGE, codes={3: 2})
    plan = plan_of(asked)
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
    plan = plan_of(asked)
    for _ in range(3):
        missing = Reason.ILLEGAL_FUNCTION
        assert reasons(device.poll(plan)) == [missing, missing, Reason.NONE]
    assert device.asked == [(3, 0, 1)]


def test_a_device_that_refuses_otherwise_than_before_is_searched_at_once() -> None:
    asked = points(*(f"input:{i}" for i in range(4)))
    device = PaperDevice(IMAGE, codes={4: 1})
    plan = plan_of(asked)
    assert set(reasons(device.poll(plan))) == {Reason.ILLEGAL_FUNCTION}
    device.codes, device.illegal = {}, {2}
    none, illegal = Reason.NONE, Reason.ILLEGAL_ADDRESS
    assert reasons(device.poll(plan)) == [none, none, illegal, none]


def test_a_busy_device_is_asked_at_every_poll() -> None:
    asked = points("input:0", "holding:0")
    device = PaperDevice(IMAGE, codes={4: 6})
    plan = plan_of(asked)
    for _ in range(3):
        assert reasons(device.poll(plan)) == [Reason.DEVICE_BUSY, Reason.NONE]
        assert len(device.asked) == 2
    device.codes.clear()
    assert not device.poll(plan).status.any()


# -- silence ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [10, 11])
def test_a_unit_that_a_gateway_cannot_reach_does_not_answer(code: int) -> None:
    device = PaperDevice(IMAGE, codes={4: code, 3: code})
    plan = plan_of(points("input:0", "holding:0"))
    with pytest.raises(UnansweredError, match="no answer to") as caught:
        device.poll(plan)
    assert caught.value.code == code
    assert len(device.asked) == 1  # each costs the line a time-out


def test_a_silent_unit_is_asked_for_one_thing_and_another_the_next_time() -> None:
    asked = points(*(f"holding:{100 * i}" for i in range(5)))
    device = PaperDevice(IMAGE)
    plan = plan_of(asked)
    assert not device.poll(plan).status.any()
    device.silent = set(range(65_536))
    for most in (2, 1, 1, 1):  # one that had answered has a second chance
        with pytest.raises(UnansweredError):
            device.poll(plan)
        assert len(device.asked) == most
    device.silent = {100}
    for _ in range(6):
        try:
            reading = device.poll(plan)
        except UnansweredError:
            continue
    assert [
        value
        for value, code in zip(values_of(asked, reading), reading.status, strict=True)
        if not code
    ] == [0, 200, 300, 400]


@pytest.mark.parametrize("code", [None, 1, 4, 10, 11])
def test_one_address_without_an_answer_costs_only_its_own_tag(code: int | None) -> None:
    asked = points(*(f"holding:{place}" for place in (100, 101, 102, 498, 499, 500)))

    class Inverter(PaperDevice):
        def answer(self, request: Request) -> Answer:
            answer = super().answer(request)
            return code if code is not None and answer == SILENT else answer

    device = Inverter(IMAGE, silent=[500])
    plan = plan_of(asked)
    costs = []
    for _ in range(12):
        reading = device.poll(plan)
        costs.append(sum(500 in range(start, start + count) for _, start, count in device.asked))
        assert not reading.status[:3].any()
    assert not reading.status[:5].any()
    assert values_of(asked, reading)[:5] == [100, 101, 102, 498, 499]
    assert reasons(reading)[5] is not Reason.NONE
    assert max(costs) <= (1 if code not in (1, 4) else PROBES)
    for _ in range(4 * LONGEST_PAUSE):
        device.poll(plan)
        costs.append(sum(500 in range(start, start + count) for _, start, count in device.asked))
    assert sum(costs[-2 * LONGEST_PAUSE :]) <= 3 * 2  # asked seldom, and joined seldom
    device.silent = set()
    for _ in range(2 * LONGEST_PAUSE):
        reading = device.poll(plan)
    assert values_of(asked, reading) == [100, 101, 102, 498, 499, 500]
    assert not reading.status.any()


def test_what_was_not_answered_once_is_asked_first_and_forgotten() -> None:
    asked = points("holding:0", "holding:300", "holding:600")
    device = PaperDevice(IMAGE)
    plan = plan_of(asked)
    device.poll(plan)
    device.silent = {300}
    assert reasons(device.poll(plan)) == [Reason.NONE, Reason.TIMEOUT, Reason.NONE]
    device.silent = set()
    for first in (300, 0):
        assert not device.poll(plan).status.any()
        assert device.asked[0][1] == first


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 120), min_size=2, max_size=40),
    st.sets(st.integers(0, 120), max_size=6),
    st.integers(0, 10),
)
def test_whatever_is_silent_the_rest_is_read(places: list[int], silent: set[int], gap: int) -> None:
    asked = points(*(f"holding:{place}" for place in places))
    is_alive = set(places) - silent
    device = PaperDevice(IMAGE, silent=silent)
    plan = plan_of(asked, max_gap=gap)
    reading = None
    for _ in range(200):
        try:
            reading = device.poll(plan)
        except UnansweredError:
            reading = None
        silences = sum(bool(silent & set(range(s, s + n))) for _, s, n in device.asked)
        assert silences <= 3  # each costs a time-out: two, and one that tries without a cut
    if not is_alive:
        assert reading is None
        return
    assert reading is not None
    for place, value, reason in zip(
        places, values_of(asked, reading), reasons(reading), strict=True
    ):
        assert (reason is Reason.NONE) == (place not in silent)
        assert reason is not Reason.NONE or value == place


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
    plan = plan_of(asked, max_gap=gap)
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
