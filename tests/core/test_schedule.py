"""Ticks counted by arithmetic are the ticks counted one by one."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.days import DAY_MS, day_of, day_start_ms
from gateway.core.schedule import (
    backoff_ms,
    last_tick_ms,
    next_tick_ms,
    ticks_between,
    ticks_by_day,
)

INTERVALS = st.integers(1, 5_000)
PHASES = st.integers(0, 40_000_000)
TIMES = st.integers(1_700_000_000_000, 1_700_000_000_000 + 3 * DAY_MS)


@given(st.integers(0, 10_000), INTERVALS, PHASES, st.integers(0, 300))
def test_ticks_between(after: int, interval: int, phase: int, span: int) -> None:
    phase %= interval
    one_by_one = 0
    tick = next_tick_ms(after, interval, phase)
    while tick < after + span:
        one_by_one += 1
        tick = next_tick_ms(tick, interval, phase)
    assert ticks_between(after, after + span, interval, phase) == one_by_one


@given(TIMES, INTERVALS, PHASES)
def test_the_last_tick_and_the_next_are_neighbours(now: int, interval: int, phase: int) -> None:
    phase %= interval
    last = last_tick_ms(now, interval, phase)
    assert last <= now < next_tick_ms(now, interval, phase) == last + interval


@given(TIMES, st.integers(0, 3 * DAY_MS), st.integers(100_000, 40_000_000), PHASES)
def test_ticks_by_day_are_all_ticks_on_their_days(
    after: int, span: int, interval: int, phase: int
) -> None:
    phase %= interval
    expected: dict = {}
    tick = next_tick_ms(after, interval, phase)
    while tick <= after + span:
        expected[day_of(tick)] = expected.get(day_of(tick), 0) + 1
        tick = next_tick_ms(tick, interval, phase)
    assert dict(ticks_by_day(after, after + span, interval, phase)) == expected


@given(TIMES)
def test_a_day_begins_where_the_one_before_ends(now: int) -> None:
    start = day_start_ms(day_of(now))
    assert start <= now < start + DAY_MS
    assert day_of(start - 1) != day_of(start)


def test_backoff_doubles_up_to_its_longest() -> None:
    waits = [backoff_ms(failures, 500, 3_000) for failures in range(1, 6)]
    assert waits == [500, 1_000, 2_000, 3_000, 3_000]
    assert backoff_ms(10**6, 500, 3_000) == 3_000
    assert backoff_ms(1, 500, 3_000, 0.5) == 438
    assert backoff_ms(9, 500, 3_000, 1.0) == 2_250
