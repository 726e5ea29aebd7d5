"""Whose time a pushed value gets, and when it is not believed."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.status import FIRST_BAD, GOOD, Reason, bad, uncertain
from gateway.drivers.api import Arrivals
from gateway.drivers.opcua.encoding.times import OLDEST_MS, SourceTimes
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import AsyncuaServer, point
from tests.drivers.opcua.test_foreign import changes

NOW = 1_790_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
YEAR = 365 * 24 * HOUR
CLOCK = uncertain(Reason.CLOCK)


def judged(
    times: SourceTimes,
    *came: tuple[int, int, int],
    values: Sequence[object] = (),
    now: int = NOW,
    wrong: bool = False,
) -> list[tuple[int, int]]:
    """Time and status of values given as (tag, time, status)."""
    index, given_ms, status = zip(*came, strict=True)
    arrivals = Arrivals(
        "g",
        np.array(index, np.uint32),
        np.array(given_ms, np.int64),
        (np.array(values or [0.0] * len(index), object),),
        np.array(status, np.uint8),
    )
    times.judge(arrivals, now, is_server_wrong=wrong)
    return list(zip(arrivals.time_ms.tolist(), arrivals.status.tolist(), strict=True))


def begun(count: int = 2) -> SourceTimes:
    times = SourceTimes(count, MINUTE)
    times.begin(1000)
    return times


def test_a_clock_that_is_about_right_is_believed() -> None:
    came = [(0, NOW - MINUTE, GOOD), (1, NOW + MINUTE, GOOD)]
    assert judged(begun(), *came) == [(NOW - MINUTE, GOOD), (NOW + MINUTE, GOOD)]


def test_what_the_server_keeps_back_before_it_sends_is_not_late() -> None:
    times = SourceTimes(1, MINUTE)
    times.begin(HOUR)
    judged(times, (0, NOW - 2 * HOUR, GOOD))
    late = NOW - HOUR - MINUTE
    assert judged(times, (0, late, GOOD), (0, late - 1, GOOD)) == [(late, GOOD), (NOW, CLOCK)]


@pytest.mark.parametrize("ahead", [MINUTE + 1, 8 * HOUR, 23 * YEAR, 2**62 // 10_000])
def test_a_time_that_is_not_yet_is_not_believed(ahead: int) -> None:
    assert judged(begun(), (0, NOW + ahead, GOOD)) == [(NOW, CLOCK)]


@pytest.mark.parametrize("behind", [8 * HOUR, 16 * YEAR])
def test_a_clock_that_is_behind_shows_at_the_second_value(behind: int) -> None:
    """The first one may be as old as its last change; no change can be."""
    times = begun()
    first = NOW - behind
    assert judged(times, (0, first, GOOD)) == [(first, GOOD)]
    assert judged(times, (0, first + 500, GOOD)) == [(NOW, CLOCK)]
    times.begin(1000)
    assert judged(times, (0, first + 900, GOOD)) == [(NOW, CLOCK)], "and is remembered"
    assert judged(times, (0, NOW, GOOD)) == [(NOW, GOOD)], "until it is right"
    times.begin(1000)
    assert judged(times, (0, NOW - YEAR, GOOD)) == [(NOW - YEAR, GOOD)]


def test_an_old_first_value_needs_a_server_whose_clock_is_right() -> None:
    came = (0, NOW - 8 * HOUR, GOOD)
    assert judged(begun(), came, wrong=True) == [(NOW, CLOCK)]


def test_the_same_value_reported_again_is_no_wrong_clock() -> None:
    times = begun()
    came = (0, NOW - YEAR, GOOD)
    assert judged(times, came, came) == [(NOW - YEAR, GOOD)] * 2
    assert judged(times, came) == [(NOW - YEAR, GOOD)]


def test_only_the_first_of_several_values_may_be_old() -> None:
    old = NOW - YEAR
    came = [(0, old, GOOD), (0, old + 1, GOOD), (1, old, GOOD)]
    assert judged(begun(), *came) == [(old, GOOD), (NOW, CLOCK), (old, GOOD)]


@pytest.mark.parametrize("time", [-11_644_473_600_000, -1, 0, OLDEST_MS - 1])
def test_no_value_is_older_than_the_standard(time: int) -> None:
    assert judged(begun(), (0, time, GOOD)) == [(NOW, CLOCK)]


@pytest.mark.parametrize("given", [uncertain(Reason.LAST_USABLE), uncertain(Reason.SUBSTITUTE)])
def test_what_is_old_by_the_servers_word_keeps_its_time(given: int) -> None:
    times = begun()
    judged(times, (0, NOW, GOOD))
    assert judged(times, (0, NOW - HOUR, given)) == [(NOW - HOUR, given)]


@pytest.mark.parametrize("given", [bad(Reason.TYPE), uncertain(Reason.OVERFLOW)])
def test_a_status_that_says_more_stays(given: int) -> None:
    assert judged(begun(), (0, NOW + HOUR, given)) == [(NOW, given)]


moments = st.integers(NOW - 30 * YEAR, NOW + 30 * YEAR) | st.integers(NOW - HOUR, NOW + HOUR)


@given(st.lists(st.tuples(st.integers(0, 2), moments), min_size=1, max_size=20))
def test_nothing_good_is_far_from_now_but_what_came_first_or_again(
    came: list[tuple[int, int]],
) -> None:
    times = begun(3)
    last: dict[int, int] = {}
    for tag, given_ms in came:
        ((time, status),) = judged(times, (tag, given_ms, GOOD))
        assert status < FIRST_BAD
        if status == GOOD:
            assert time == given_ms
            near = NOW - MINUTE - 1000 <= time <= NOW + MINUTE
            assert near or (time < NOW and last.get(tag, time) == time)
        else:
            assert (time, status) == (NOW, CLOCK)
        last[tag] = given_ms


@pytest.mark.parametrize("policy", ["source", "server", "gateway"])
async def test_each_device_says_whose_time_counts(driver_for: Connect, policy: str) -> None:
    with AsyncuaServer() as server:
        driver = driver_for(server.connection(publishing_ms=50, timestamps=policy))
        await driver.connect()
        await driver.subscribe("g", [point("Double", "float64")], 50)
        await changes(driver, 1)
        wrong_ms = 1_700_000_000_000
        server.set("Double", 5.0, source_ms=wrong_ms)
        ((_, value, time_ms, status),) = await changes(driver, 1)
        assert value == 5.0
        assert time_ms > wrong_ms + YEAR
        assert status == (CLOCK if policy == "source" else GOOD)


def test_a_time_that_stands_still_while_values_change_is_not_believed() -> None:
    """Some servers date each value to their start; a value that is sent again keeps its time."""
    times, old = begun(), NOW - HOUR
    assert judged(times, (0, old, GOOD), values=[1]) == [(old, GOOD)]
    assert judged(times, (0, old, GOOD), values=[1]) == [(old, GOOD)]
    assert judged(times, (0, old, GOOD), values=[2]) == [(NOW, CLOCK)]
    came = (1, old, GOOD), (1, old, GOOD), (1, old, GOOD)
    assert judged(times, *came, values=["a", "a", "b"]) == [(old, GOOD), (old, GOOD), (NOW, CLOCK)]


def test_a_repetition_is_compared_with_the_value_of_its_time() -> None:
    times, old = begun(), NOW - HOUR
    judged(times, (0, old, GOOD), values=[1])
    judged(times, (0, NOW, GOOD), values=[2])
    later = NOW + 2 * MINUTE
    assert judged(times, (0, NOW, GOOD), values=[2], now=later) == [(NOW, GOOD)]
