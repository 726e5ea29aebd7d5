"""The flight recorder: the last frames, bounded, numbered; what led to a loss stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers import frames
from gateway.drivers.frames import LONGEST, NOT_KEPT, Direction, FrameLog


@given(st.lists(st.integers(0, 3_000), max_size=60), st.integers(0, 20))
def test_the_last_frames_are_kept_and_never_more_than_fits(sizes: list[int], most: int) -> None:
    log = FrameLog(most)
    for number, size in enumerate(sizes):
        (log.sent if number % 2 else log.received)(number.to_bytes(2, "big") + bytes(size))
    kept = log.since()
    assert log.count == len(sizes)
    assert [number for number, _ in kept] == list(range(len(sizes)))[max(len(sizes) - most, 0) :]
    for number, frame in kept:
        assert int.from_bytes(frame.data[:2], "big") == number
        assert len(frame.data) == min(sizes[number] + 2, LONGEST)
        assert frame.direction is (Direction.SENT if number % 2 else Direction.RECEIVED)
        assert frame.at_s > 0


def test_frames_are_asked_for_from_a_number_on() -> None:
    log = FrameLog()
    log.sent(b"a")
    log.received(b"b")
    log.note("no answer")
    assert [(number, frame.data) for number, frame in log.since(1)] == [(1, b"b"), (2, b"")]
    directions = [frame.direction for _, frame in log.since()]
    assert directions == [Direction.SENT, Direction.RECEIVED, Direction.NOTE]
    assert log.since(3) == []
    times = [frame.at_s for _, frame in log.since()]
    assert times == sorted(times)


def test_what_led_to_a_fault_stays_until_the_next_one() -> None:
    log = FrameLog(10)
    log.sent(b"before")
    log.fault()
    for _ in range(100):
        log.sent(b"after")
    assert [frame.data for frame in log.before_fault] == [b"before"]
    log.fault()
    assert {frame.data for frame in log.before_fault} == {b"after"}


def test_an_answer_and_what_is_sent_upon_it_are_two_frames_of_one_moment() -> None:
    log = FrameLog(3)
    log.sent(b"1")
    log.answered(b"a" * (LONGEST + 1), b"2")
    assert [len(frame.data) for _, frame in log.since()] == [1, LONGEST, 1]
    log.answered(b"b", b"3")
    assert log.count == 5
    kept = [(number, frame.direction.value, frame.data) for number, frame in log.since()]
    assert kept == [(2, "sent", b"2"), (3, "received", b"b"), (4, "sent", b"3")]
    assert log.since(3)[0][1].at_s == log.since(3)[1][1].at_s
    assert len(log.since()) == 3


def test_a_driver_without_a_log_keeps_nothing() -> None:
    NOT_KEPT.sent(b"x" * 300)
    assert NOT_KEPT.since() == []


def test_how_long_answers_took_is_told_from_the_last_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [10.0]
    monkeypatch.setattr(frames, "monotonic", lambda: now_s[0])
    log = FrameLog()
    log.received(b"nobody asked")
    for wait_s, keep in (
        (1.0, lambda: log.sent(b"not answered")),
        (5.0, lambda: log.sent(b"a")),
        (0.25, lambda: log.received(b"half an")),
        (0.5, lambda: log.received(b" answer")),
        (1.0, lambda: log.sent(b"b")),
        (2.0, lambda: log.note("no answer in time")),
        (0.1, lambda: log.received(b"late")),
        (1.0, lambda: log.sent(b"c")),
        (0.5, lambda: log.received(b"answer")),
    ):
        now_s[0] += wait_s
        keep()
    assert log.answered_s() == [0.25, 0.5]
    assert FrameLog().answered_s() == []
