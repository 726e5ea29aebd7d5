"""Losses that the city tells of: each is heeded once, and refusals without end cost little."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.northbound.acks.unstored import FIRST_PAUSE_S, LONGEST_PAUSE_S, Unstored


def test_a_loss_is_heeded_once_however_often_it_is_told() -> None:
    unstored = Unstored()
    for now_s in (1.0, 2.0, 700.0):
        unstored.hear({"d": (1, 5_000)})
        assert unstored.due(now_s) == ({"d": 5_000} if now_s == 1.0 else {})


def test_devices_do_not_wait_for_each_other() -> None:
    unstored = Unstored()
    unstored.hear({"d": (1, 5_000)})
    assert unstored.due(1.0) == {"d": 5_000}
    unstored.hear({"d": (2, 6_000), "": (1, 7_000)})
    assert unstored.due(1.5) == {"": 7_000}
    assert unstored.due(1.0 + FIRST_PAUSE_S) == {"d": 6_000}


def test_a_loss_during_the_rest_is_not_forgotten() -> None:
    unstored = Unstored()
    unstored.hear({"d": (1, 5_000)})
    unstored.due(0.0)
    unstored.hear({"d": (2, 5_000)})  # older values, lost later
    assert unstored.due(0.5) == {}
    assert unstored.due(1.0) == {"d": 5_000}


def test_what_is_refused_without_end_is_sent_anew_ever_more_seldom() -> None:
    unstored = Unstored()
    times = []
    for second in range(3_600):
        unstored.hear({"d": (second + 1, second * 1_000)})  # whatever is sent is refused
        if unstored.due(float(second)):
            times.append(second)
    rests = [later - earlier for earlier, later in pairwise(times)]
    assert rests[:4] == [1, 2, 4, 8]
    assert max(rests) == LONGEST_PAUSE_S
    unstored.due(4_000.0)
    for second in (4_700, 4_701):  # after it was quiet for long it is quick again
        unstored.hear({"d": (second, 0)})
        assert unstored.due(float(second)) == {"d": 0}


@given(st.lists(st.tuples(st.integers(0, 2**70), st.floats(0, 1e6)), max_size=30))
def test_every_loss_is_heeded_in_the_end(steps: list[tuple[int, float]]) -> None:
    unstored, now_s, heeded = Unstored(), 0.0, -1
    for number, (time_ms, passed_s) in enumerate(steps):
        unstored.hear({"d": (number + 1, time_ms)})
        now_s += passed_s
        heeded = number if unstored.due(now_s) else heeded
    if steps and heeded < len(steps) - 1:
        assert unstored.due(now_s + LONGEST_PAUSE_S) == {"d": min(steps[-1][0], 1 << 62)}


@pytest.mark.parametrize("time_ms", [2**80, -(2**80), 2**63 - 1, -(2**63)])
def test_a_time_beyond_64_bits_ends_no_gateway(time_ms: int) -> None:
    """A message can hold any number; arrays take 64 bits, and their error is fatal."""
    unstored = Unstored()
    unstored.hear({"line-1": (1, time_ms)})
    (upto_ms,) = unstored.due(0.0).values()
    assert -(2**63) <= upto_ms + 366 * 86_400_000 < 2**63
    assert (upto_ms > 0) == (time_ms > 0)
