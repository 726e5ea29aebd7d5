"""When the clock of an edge is believed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.days import DAY_MS, HOUR_MS, MAX_AHEAD_MS
from gateway.core.status import Reason, uncertain
from gateway.edge.app import compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.device.clock import SLEW, Clock, Leap
from tests.edge.plant import Plant, loaded
from tests.support.consumers import for_city

T0 = 1_800_000_000_000
DOUBT = uncertain(Reason.CLOCK_DOUBT)


class Hand(Clock):
    """Moved by the test: ``run`` lets time pass, ``ahead_ms`` is what somebody set."""

    def __init__(
        self,
        *,
        synchronised: bool = False,
        passed_ms: int = 0,
        ahead_ms: int = 0,
        boot: str = "this",
    ) -> None:
        super().__init__()
        self.passed_ms, self.ahead_ms = passed_ms, ahead_ms
        self.synchronised = synchronised
        self.boot = boot
        self.look()

    def system_ms(self) -> int:
        return T0 + self.passed_ms + self.ahead_ms

    def monotonic_ms(self) -> float:
        return float(self.passed_ms)

    def is_synchronised(self) -> bool:
        return self.synchronised

    def boot_id(self) -> str:
        return self.boot

    def run(self, ms: int) -> Leap | None:
        self.passed_ms += ms
        return self.look()


def test_the_kernel_confirms() -> None:
    clock = Hand()
    assert clock.in_doubt
    clock.synchronised = True
    clock.run(1_000)
    assert not clock.in_doubt
    clock.synchronised = False  # its time service has died
    clock.run(1_000)
    assert clock.in_doubt


def test_the_kernel_of_this_machine_can_be_asked() -> None:
    assert Clock().is_synchronised() in (True, False)


def test_the_city_confirms_until_the_clock_is_set() -> None:
    """And again once it agrees with the edge's time, which the step has not touched."""
    clock = Hand()
    clock.hear_city(T0, 50)
    assert not clock.in_doubt
    clock.run(7 * DAY_MS)
    assert not clock.in_doubt
    assert clock.steady_since_ms == T0
    clock.ahead_ms = -8 * HOUR_MS
    assert clock.run(1) is None
    assert clock.in_doubt
    assert clock.now_ms() == T0 + 7 * DAY_MS + 1
    clock.hear_city(clock.now_ms(), 50)
    assert not clock.in_doubt
    assert clock.steady_since_ms == T0


def test_times_do_not_step_before_somebody_looks() -> None:
    clock = Hand()
    clock.ahead_ms = -8 * HOUR_MS
    assert clock.now_ms() == T0
    assert clock.look() == Leap(T0, T0 - 8 * HOUR_MS, T0)
    assert clock.now_ms() == T0 - 8 * HOUR_MS


@pytest.mark.parametrize("apart_ms", [-MAX_AHEAD_MS, -2_000, 2_000, MAX_AHEAD_MS])
def test_a_small_correction_is_followed_without_a_leap(apart_ms: int) -> None:
    clock = Hand(synchronised=True)
    clock.ahead_ms = apart_ms
    seen = [clock.now_ms()]
    for _ in range(int(MAX_AHEAD_MS / 1_000 / SLEW) + 1):
        assert clock.run(1_000) is None
        seen.append(clock.now_ms())
        assert not clock.in_doubt
    assert clock.now_ms() == clock.system_ms()
    assert min(np.diff(seen)) >= 1_000 * (1 - SLEW) - 1
    assert max(np.diff(seen)) <= 1_000 * (1 + SLEW) + 1


STEPS_MS = [
    -8 * HOUR_MS,
    -600_000,
    -23 * HOUR_MS,
    -25 * HOUR_MS,
    -40 * DAY_MS,
    HOUR_MS,
    3_652 * DAY_MS,
]


@pytest.mark.parametrize("step_ms", STEPS_MS)
def test_who_was_confirmed_goes_on_and_its_times_only_grow(step_ms: int) -> None:
    clock = Hand()
    clock.hear_city(T0, 50)
    for ahead_ms in (step_ms, 0, step_ms, step_ms // 2):
        clock.ahead_ms = ahead_ms
        assert clock.run(1_000) is None
    assert clock.now_ms() == T0 + 4_000
    assert (clock.in_doubt, clock.era) == (True, 0)


@pytest.mark.parametrize("step_ms", STEPS_MS)
@pytest.mark.parametrize("by", ["city", "kernel", "nobody"])
def test_a_clock_that_nobody_had_confirmed_is_left(by: str, step_ms: int) -> None:
    """As at a start with a wrong clock, which a time service sets right a little later."""
    clock = Hand(ahead_ms=-step_ms)
    clock.run(1_000)
    if by == "city":
        clock.hear_city(T0 + 1_000, 50)
    clock.ahead_ms, clock.synchronised = 0, by == "kernel"
    leap = clock.run(1_000)
    assert leap == Leap(T0 + 2_000 - step_ms, T0 + 2_000, T0 - step_ms)
    assert clock.era == (1 if step_ms < 0 else 0)
    if by == "city":
        assert clock.in_doubt, "it has not spoken since"
        clock.hear_city(T0 + 2_000, 50)
    assert clock.in_doubt == (by == "nobody")


def test_a_city_that_agrees_with_the_system_s_clock_has_it_followed() -> None:
    """A machine that slept: time passed which the clock that never steps did not see."""
    clock = Hand()
    clock.hear_city(T0, 50)
    clock.ahead_ms = 3 * HOUR_MS
    assert clock.run(1_000) is None
    clock.hear_city(T0 + 3 * HOUR_MS + 1_000, 50)
    assert clock.live().contradiction == ""
    leap = clock.run(0)
    assert leap is not None
    assert leap.ms == 3 * HOUR_MS
    assert not clock.in_doubt


def test_a_contradiction_outranks_the_kernel(caplog: pytest.LogCaptureFixture) -> None:
    clock = Hand(synchronised=True)
    for _ in range(3):
        clock.hear_city(T0 - 2 * 3_600_000, 50)
    assert clock.in_doubt
    told = clock.live()
    assert told.contradictions == 1
    assert told.contradiction.startswith("this gateway's clock is 7199 s ahead of the city's; ")
    assert [r.message for r in caplog.records if r.levelname == "WARNING"] == [told.contradiction]
    with caplog.at_level("INFO"):
        clock.hear_city(T0, 50)
    assert not clock.in_doubt
    assert clock.live().contradiction == ""
    assert "agrees with the city's again" in caplog.text


def test_a_step_ends_what_the_city_said() -> None:
    clock = Hand(synchronised=True)
    clock.hear_city(T0 + HOUR_MS, 50)
    assert clock.in_doubt
    clock.ahead_ms = HOUR_MS  # the time service has set it
    assert clock.run(1) is not None
    assert not clock.in_doubt
    assert clock.live().contradiction == ""


@given(
    error_ms=st.integers(-4 * MAX_AHEAD_MS, 4 * MAX_AHEAD_MS),
    delay_ms=st.integers(0, 4 * MAX_AHEAD_MS),
    slack_ms=st.integers(0, 4 * MAX_AHEAD_MS),
)
def test_what_is_not_proven_is_not_said(error_ms: int, delay_ms: int, slack_ms: int) -> None:
    """Whatever the way takes: no wrong clock is confirmed, and no right one contradicted."""
    clock = Hand()
    city_ms = T0 - error_ms - delay_ms  # said a delay ago, by a clock that is right
    clock.hear_city(city_ms, delay_ms + slack_ms)
    if not clock.in_doubt:
        assert abs(error_ms) <= MAX_AHEAD_MS
    elif clock.live().contradiction:
        assert abs(error_ms) > MAX_AHEAD_MS
    else:
        assert delay_ms + slack_ms > 0  # without a way there is always an answer


def test_another_process_goes_on_with_a_clock_that_nobody_set() -> None:
    before, after = Hand(), Hand(passed_ms=4 * DAY_MS)
    assert after.steady_since_ms == T0 + 4 * DAY_MS
    after.resume(before.mark)
    assert (after.steady_since_ms, after.mark) == (T0, before.mark)
    assert after.is_continuous


def test_another_process_keeps_the_time_that_the_city_had_confirmed() -> None:
    """It was killed after the clock had been set, or the clock was set while it was down."""
    before = Hand()
    before.hear_city(T0, 50)
    after = Hand(passed_ms=20_000, ahead_ms=-HOUR_MS)
    after.resume(before.mark)
    assert after.look() is None
    assert after.now_ms() == T0 + 20_000
    assert after.in_doubt
    after.hear_city(T0 + 20_000, 50)
    assert not after.in_doubt


def test_another_process_leaps_as_this_one_would_have() -> None:
    before, after = Hand(), Hand(passed_ms=20_000, ahead_ms=HOUR_MS)
    after.resume(before.mark)
    assert after.is_continuous
    assert after.look() == Leap(T0 + 20_000, T0 + 20_000 + HOUR_MS, T0)


@pytest.mark.parametrize("word", [1, 2, 3, 4])
@pytest.mark.parametrize("damage", ["x", "nan", "inf", "1e999", "-"])
def test_a_damaged_mark_is_none(word: int, damage: str) -> None:
    """A bit of the file has flipped; the gateway would else end at every start."""
    words = Hand().mark.split()
    words[word] = damage
    after = Hand(passed_ms=20_000, ahead_ms=HOUR_MS)
    after.resume(" ".join(words))
    assert not after.is_continuous
    assert after.now_ms() == T0 + 20_000 + HOUR_MS


@pytest.mark.parametrize("change", ["boot", "none"])
def test_another_process_begins_anew(change: str) -> None:
    before = Hand()
    before.begin_era()
    after = Hand(passed_ms=DAY_MS, boot="other" if change == "boot" else "this")
    after.resume("" if change == "none" else before.mark)
    assert after.steady_since_ms == after.now_ms()
    assert not after.is_continuous
    assert after.era == (1 if change == "boot" else 0)


async def test_the_mark_of_the_clock_is_in_the_buffer(tmp_path: Path) -> None:
    clocks = [Hand(), Hand(passed_ms=DAY_MS)]
    for clock in clocks:
        buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
        edge = compose(loaded(tmp_path), {"plant": Plant().spec()}, buffer, clock)
        await edge.recorder.commit(reporting=True)
        buffer.close()
    assert [clock.steady_since_ms for clock in clocks] == [T0, T0]
