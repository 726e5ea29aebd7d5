"""What processing forgets when values are lost on their way, and when the clock is set."""

import numpy as np
import pytest

from gateway.core.rules import TagRule
from gateway.core.schema import Kind
from gateway.core.status import Reason, bad
from tests.core.test_process import T0, deliver, make, points, reading, sent, total


def test_what_was_lost_on_its_way_is_sent_again_whatever_the_deadband_says() -> None:
    rules = [TagRule(Kind.FLOAT64, deadband=10.0), TagRule(Kind.FLOAT64)]
    processor = make(rules)
    assert sent(processor.process(reading(rules, [1.0, 1.0]), T0)) == {0: 1.0, 1: 1.0}
    assert sent(processor.process(reading(rules, [1.0, 2.0]), T0 + 1_000)) == {1: 2.0}
    processor.forget_sent(T0)
    assert sent(processor.process(reading(rules, [2.0, 2.0]), T0 + 2_000)) == {0: 2.0}
    processor.forget_sent(T0 + 1_000)
    assert sent(processor.process(reading(rules, [2.0, 2.0]), T0 + 3_000)) == {1: 2.0}


def test_arrivals_that_stand_still_are_sent_again_once_if_they_were_lost() -> None:
    processor = make([TagRule(Kind.FLOAT64, scale=2.0)] * 3)
    deliver(processor, [(0, T0, 1.0), (1, T0 + 5, 2.0)], T0 + 10)
    processor.forget_sent(T0 + 10)
    again = processor.send_again(T0 + 9_000)
    assert again is not None
    assert points(again) == [(0, T0 + 1, 2.0), (1, T0 + 6, 4.0)]
    assert total(again).balanced
    assert total(again).buffered == 2
    assert again.machines == ()
    assert processor.send_again(T0 + 9_000) is None


@pytest.mark.parametrize("fault", ["session", "bad"])
def test_what_is_not_known_to_stand_is_not_sent_again(fault: str) -> None:
    """The last value before a gap is never repeated after it."""
    processor = make([TagRule(Kind.FLOAT64)])
    deliver(processor, [(0, T0, 1.0)], T0)
    if fault == "session":
        processor.lost()
        processor.judge_items(np.zeros(1, np.uint8))
    else:
        deliver(processor, [(0, T0 + 1, 1.0)], T0 + 1, bad(Reason.TIMEOUT))
    processor.forget_sent(T0 + 5)
    assert processor.send_again(T0 + 9_000) is None


def test_times_of_arrivals_follow_a_clock_that_was_ahead_and_pass_by_what_is_stored() -> None:
    """Values that were dated eight hours ahead stay, and are not written over when these come."""
    processor, ahead = make([TagRule(Kind.FLOAT64)]), 8 * 3_600_000
    now = T0 + ahead
    deliver(processor, [(0, now, 1.0)], now)
    deliver(processor, [(0, now + 5_000, 2.0)], now + 5_000)
    processor.leap(now, T0 + 6_000)
    assert points(deliver(processor, [(0, T0 + 7_000, 3.0)], T0 + 7_000)) == [(0, T0 + 7_000, 3.0)]
    later = deliver(processor, [(0, now + 5_000, 4.0)], now + 5_000)
    assert points(later) == [(0, now + 5_001, 4.0)]
    assert points(deliver(processor, [(0, now + 9_000, 5.0)], now + 9_000)) == [
        (0, now + 9_000, 5.0)
    ]


def test_arrivals_that_a_leap_does_not_concern_keep_their_times() -> None:
    """The server's clock was right all the while."""
    processor = make([TagRule(Kind.FLOAT64)])
    deliver(processor, [(0, T0, 1.0)], T0 + 8 * 3_600_000)
    processor.leap(T0 + 8 * 3_600_000, T0 + 1_000)
    assert points(deliver(processor, [(0, T0 + 900, 1.0)], T0 + 1_000)) == [(0, T0 + 900, 1.0)]
