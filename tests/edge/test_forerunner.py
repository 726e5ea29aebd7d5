"""A new buffer in the place of one that is gone: what that one held is dated, and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.storage.forerunner import Forerunner
from gateway.edge.device.bookkeeping.restart import Restart
from gateway.edge.device.clock import Leap
from tests.edge.buffers import commit
from tests.support.consumers import for_city


def opened(folder: Path) -> Buffer:
    return Buffer.open(folder / "b.db", for_city())


def lost(from_ms: int, to_ms: int) -> Gap:
    return Gap("", "", (), Reason.GATEWAY_DOWN, from_ms, to_ms)


def test_what_the_city_knows_and_what_begins_are_the_ends_of_the_gap() -> None:
    forerunner = Forerunner("0")
    forerunner.begin(0)  # no device has been tried
    forerunner.hear(1_000)
    assert forerunner.end(is_time_known=True) is None
    forerunner.begin(5_000)
    assert forerunner.end(is_time_known=False) is None  # the clock may still be set
    assert forerunner.end(is_time_known=True) == lost(1_001, 5_000)
    assert forerunner.end(is_time_known=True) is None


@pytest.mark.parametrize(
    ("unheard", "known_ms"), [(None, 1_000), ("0", 0), ("0", 5_000), ("0", 4_999)]
)
def test_no_gap(unheard: str | None, known_ms: int) -> None:
    """Of a file that the city knows, a gateway that it never heard, a clock that was ahead."""
    forerunner = Forerunner(unheard)
    forerunner.begin(5_000)
    forerunner.hear(known_ms)
    assert forerunner.end(is_time_known=True) is None


def test_a_city_that_is_away_is_waited_for_over_restarts(tmp_path: Path) -> None:
    for begin_ms in (5_000, 9_000, 12_000):
        buffer = opened(tmp_path)
        buffer.forerunner.begin(begin_ms)
        buffer.append(commit(), 0)
        assert buffer.forerunner.end(is_time_known=True) is None
        buffer.close()
    buffer = opened(tmp_path)
    buffer.forerunner.hear(1_000)
    buffer.forerunner.hear(6_000)  # with frames of this file, which have gone out meanwhile
    assert buffer.forerunner.end(is_time_known=True) == lost(1_001, 5_000)
    buffer.close()  # killed before the commit that holds it
    for expected in (lost(1_001, 5_000), None):
        buffer = opened(tmp_path)
        buffer.forerunner.hear(1_000)
        assert buffer.forerunner.end(is_time_known=True) == expected
        buffer.append(commit(), 0)
        buffer.close()


@given(
    known_ms=st.integers(1, 40_000),
    attempted_ms=st.integers(10_000, 20_000),
    steps_ms=st.lists(st.integers(-9_000, 9_000), max_size=4),
)
def test_no_value_of_the_new_life_lies_in_the_gap(
    known_ms: int, attempted_ms: int, steps_ms: list[int]
) -> None:
    """Wherever the clock is set while the city is away."""
    restart, forerunner = Restart(lambda _gap: None), Forerunner("0")
    restart.begin([], attempted_ms - 10, is_awaited=True)
    restart.attempted("a", None, attempted_ms)
    now_ms, stored = attempted_ms, []
    for step_ms in (0, *steps_ms):
        if step_ms:
            restart.leap(Leap(now_ms, now_ms + step_ms, 0))
        now_ms += step_ms + 1  # a tick at the moment of an attempt is missed, not read
        stored.append(now_ms)
        forerunner.begin(restart.attempted_ms)
    forerunner.hear(known_ms)
    gap = forerunner.end(is_time_known=True)
    if gap is not None and gap.to_ms is not None:
        assert gap.from_ms == known_ms + 1
        assert not [time for time in stored if gap.from_ms <= time < gap.to_ms]
