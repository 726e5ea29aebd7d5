"""What a plan has learnt is handed on to the next one, as it comes from a file."""

import json
from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.status import Reason
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.toolkit.learnt import LONGEST_PAUSE
from gateway.drivers.toolkit.reading import ReadPlan, UnansweredError
from tests.drivers.modbus.support import PaperDevice, plan_of, points, reasons

IMAGE = pack(">65536H", *range(65_536))


def handed_on(plan: ReadPlan) -> Any:
    return json.loads(json.dumps(plan.knowledge))


@pytest.mark.parametrize("kind", ["illegal", "silent"])
def test_what_was_refused_or_silent_is_not_asked_at_once_after_a_restart(kind: str) -> None:
    asked = points(*(f"holding:{place}" for place in range(495, 501)))
    device = PaperDevice(IMAGE, **{kind: [500]})  # type: ignore[arg-type]
    first = plan_of(asked)
    for _ in range(100):
        try:
            device.poll(first)
        except UnansweredError:
            continue
    second = plan_of(asked)
    second.recall(handed_on(first))
    asked_for_it = 0
    for _ in range(2 * LONGEST_PAUSE):
        reading = device.poll(second)
        assert values_of(asked, reading)[:5] == [495, 496, 497, 498, 499]
        assert not reading.status[:5].any()
        assert reasons(reading)[5] is not Reason.NONE
        asked_for_it += any(start <= 500 < start + count for _, start, count in device.asked)
    assert 1 <= asked_for_it <= 8  # tried again, and seldom
    device.illegal, device.silent = set(), set()
    for _ in range(3 * LONGEST_PAUSE):
        reading = device.poll(second)
    assert not reading.status.any()
    assert second.knowledge is None


def test_a_plan_that_learnt_nothing_has_nothing_to_hand_on() -> None:
    plan = plan_of(points("holding:0"))
    PaperDevice(IMAGE).poll(plan)
    assert plan.knowledge is None


@pytest.mark.parametrize("junk", [None, 7, [], {}, [[], [["holding"]]], [[["a", "b", "c"]], []]])
def test_what_cannot_be_understood_is_refused(junk: Any) -> None:
    plan = plan_of(points("holding:0", "holding:1"))
    with pytest.raises(ValueError, match=r"Expected|Invalid|Object|Array"):
        plan.recall(junk)
    assert not PaperDevice(IMAGE).poll(plan).status.any()


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=20),
    st.lists(st.integers(0, 60), min_size=1, max_size=20),
    st.sets(st.integers(0, 60), max_size=6),
    st.integers(0, 10),
)
def test_other_points_are_read_whatever_was_known(
    before: list[int], after: list[int], illegal: set[int], gap: int
) -> None:
    """The keeper compares configurations; if it ever failed to, nothing would be read wrongly."""
    device = PaperDevice(IMAGE, illegal)
    first = plan_of(points(*(f"holding:{place}" for place in before)), max_gap=gap)
    for _ in range(20):
        device.poll(first)
    asked = points(*(f"holding:{place}" for place in after))
    second = plan_of(asked, max_gap=gap)
    if first.knowledge is not None:
        second.recall(handed_on(first))
    for _ in range(100):
        reading = device.poll(second)
    for place, value, reason in zip(
        after, values_of(asked, reading), reasons(reading), strict=True
    ):
        assert (reason is Reason.NONE) == (place not in illegal)
        assert reason is not Reason.NONE or value == place
