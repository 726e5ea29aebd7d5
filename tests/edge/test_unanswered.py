"""Whose fault it is that the city lacks what the broker has confirmed."""

import pytest

from gateway.edge.northbound.limit import LEAST_BYTES, STRIKES
from gateway.edge.northbound.unanswered import Unanswered
from gateway.edge.northbound.window import Window

LARGE = 10 * LEAST_BYTES


def blamed(size: int, newest: int, times: int = STRIKES) -> list[int]:
    """Message 5 is sent again and again, while the city holds others up to ``newest``."""
    one = Unanswered()
    sizes = []
    for _ in range(times):
        one.confirmed(5, size)
        one.acknowledged(newest, lambda seq: seq != 5)
        sizes.append(one.overdue())
    return sizes


def test_a_size_is_blamed_if_later_ones_arrive() -> None:
    assert blamed(LARGE, newest=7) == [0] * (STRIKES - 1) + [LARGE]


def test_a_city_that_is_away_and_small_messages_are_not_blamed_on_a_size() -> None:
    assert not any(blamed(LARGE, newest=4, times=100))
    assert not any(blamed(LEAST_BYTES, newest=7, times=100))


def test_doubt_ends_when_the_missing_message_arrives() -> None:
    one = Unanswered()
    one.confirmed(5, LARGE)
    one.confirmed(6, LARGE)
    assert one.overdue() == 0
    assert one.in_doubt
    one.acknowledged(7, lambda seq: seq != 5)
    assert one.in_doubt
    one.acknowledged(7, lambda seq: True)
    assert not one.in_doubt


def test_progress_behind_a_missing_message_is_none_for_it() -> None:
    window = Window(10, 1_000)
    for seq in range(1, 30):
        window.send(seq, seq, now_s=seq / 10)
        window.acknowledge(0, ((2, seq),) if seq > 1 else (), now_s=seq / 10)
        assert window.overdue(seq / 10) == (seq >= 11)
    assert window.patience(0.6) == pytest.approx(0.5)
