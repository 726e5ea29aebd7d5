"""When the clock of an edge is believed, and what becomes of values while it is not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.batch import Batch, doubted
from gateway.core.days import DAY_MS, MAX_AHEAD_MS
from gateway.core.status import GOOD, Quality, Reason, bad, uncertain
from gateway.edge.app import compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.device.clock import STEP_MS, Clock
from gateway.edge.live.health import health
from gateway.wire.frame import Header, decode_frame, seal
from tests.edge.plant import Clock as PlantClock
from tests.edge.plant import Plant, Runtime, loaded
from tests.support.consumers import for_city
from tests.support.waiting import until

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

    def now_ms(self) -> int:
        return T0 + self.passed_ms + self.ahead_ms

    def monotonic_ms(self) -> float:
        return float(self.passed_ms)

    def is_synchronised(self) -> bool:
        return self.synchronised

    def boot_id(self) -> str:
        return self.boot

    def run(self, ms: int) -> None:
        self.passed_ms += ms
        self.look()


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
    clock = Hand()
    clock.hear_city(T0, 50)
    assert not clock.in_doubt
    clock.run(7 * DAY_MS)
    assert not clock.in_doubt
    assert clock.steady_since_ms == T0
    clock.ahead_ms = STEP_MS + 1
    clock.run(1)
    assert clock.in_doubt
    assert clock.steady_since_ms == clock.now_ms()


def test_a_step_is_noticed_by_the_next_reading() -> None:
    clock = Hand()
    clock.hear_city(T0, 50)
    clock.ahead_ms = -3_600_000
    assert clock.offset_ms(clock.now_ms()) == T0 - 3_600_000
    assert clock.in_doubt


def test_who_asks_late_has_not_set_the_clock() -> None:
    """The books of a thousand devices are brought up to one moment, and that takes a while."""
    clock = Hand()
    clock.hear_city(T0, 50)
    now_ms = clock.now_ms()
    clock.passed_ms += 10 * STEP_MS
    clock.offset_ms(now_ms)
    assert not clock.in_doubt
    assert clock.steady_since_ms == T0


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
    clock.hear_city(T0 + 3_600_000, 50)
    assert clock.in_doubt
    clock.ahead_ms = 3_600_000  # the time service has set it
    clock.run(1)
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


@pytest.mark.parametrize("change", ["step", "boot", "none"])
def test_another_process_begins_anew(change: str) -> None:
    before = Hand()
    after = Hand(
        passed_ms=DAY_MS,
        ahead_ms=2 * STEP_MS if change == "step" else 0,
        boot="other" if change == "boot" else "this",
    )
    after.resume("" if change == "none" else before.mark)
    assert after.steady_since_ms == after.now_ms()


async def test_the_mark_of_the_clock_is_in_the_buffer(tmp_path: Path) -> None:
    clocks = [Hand(), Hand(passed_ms=DAY_MS)]
    for clock in clocks:
        buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
        edge = compose(loaded(tmp_path), {"plant": Plant().spec()}, buffer, clock)
        await edge.recorder.commit(reporting=True)
        buffer.close()
    assert [clock.steady_since_ms for clock in clocks] == [T0, T0]


# -- values -------------------------------------------------------------------------------


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[Buffer]:
    made = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
    yield made
    made.close()


def batches(runtime: Runtime) -> list[Batch]:
    schema = runtime.group.model.schema
    frames = runtime.buffer.city.read(0, 1 << 30)
    records = [
        record
        for frame in frames
        for record in decode_frame(
            seal(frame.body, Header(1, frame.seq, frame.values)), {schema.id: schema}
        ).records
    ]
    return [record for record in records if isinstance(record, Batch)]


async def test_values_are_in_doubt_until_the_clock_is_confirmed(
    tmp_path: Path, buffer: Buffer
) -> None:
    """What stands still is sent once more then; it moved neither before nor after."""
    plant, clock = Plant(), PlantClock()
    clock.synchronised = False
    plant.stands_still = True
    async with Runtime(loaded(tmp_path), plant, clock, buffer) as runtime:
        await until(lambda: plant.reads > 3 and batches(runtime))
        (first,) = batches(runtime)
        assert first.status is not None
        assert first.status.tolist() == [DOUBT] * 2
        device = runtime.live.device("d")
        assert device is not None
        # who stands before the box sees that the machine answers, and beside it what the clock is
        assert {tag.quality for tag in device.tags} == {Quality.GOOD}
        assert runtime.live.clock().in_doubt
        clock.hear_city(clock.now_ms(), 5)
        await until(lambda: len(batches(runtime)) > 1)
        seen = plant.reads
        await until(lambda: plant.reads > seen + 3)
        _, second = batches(runtime)
        assert second.status is None
        assert runtime.live.clock().in_doubt is False


async def test_a_device_in_doubt_gives_nothing_valid(tmp_path: Path, buffer: Buffer) -> None:
    """What is counted of a machine is evidence of the day that it names."""
    plant, clock = Plant(), PlantClock()
    clock.synchronised = False
    async with Runtime(loaded(tmp_path), plant, clock, buffer) as runtime:
        await until(lambda: plant.reads > 3)
        await runtime.recorder.commit()
        (counts,) = buffer.unreported_machines().values() or [None]
        assert counts is not None
        assert (counts.valid, counts.first_ms) == (0, None)
        assert counts.expected > 0


async def test_health_tells_of_a_city_with_another_time(tmp_path: Path, buffer: Buffer) -> None:
    clock = PlantClock()
    async with Runtime(loaded(tmp_path), Plant(), clock, buffer) as runtime:
        assert health(runtime.live, clock.now_ms())["clock"] == "ok"
        clock.hear_city(clock.now_ms() + DAY_MS, 5)
        await until(lambda: runtime.live.clock().in_doubt)
        assert "behind the city's" in health(runtime.live, clock.now_ms())["clock"]


def test_only_good_values_are_doubted() -> None:
    status = np.array([GOOD, uncertain(Reason.RANGE), bad(Reason.TIMEOUT)], np.uint8)
    assert doubted(status, 3).tolist() == [DOUBT, status[1], status[2]]
    assert doubted(None, 2).tolist() == [DOUBT] * 2
    assert doubted(status, 3).dtype == np.uint8
