"""A device is read on, whatever somebody does to the system's clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.batch import Batch
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer
from gateway.wire.frame import Header, decode_frame, seal
from tests.edge.gaps_told import gaps
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.support.consumers import for_city
from tests.support.waiting import until


@pytest.fixture
def buffer(tmp_path: Path) -> Iterator[Buffer]:
    made = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
    yield made
    made.close()


@pytest.mark.parametrize("hours", [-8, -23, -25, -40 * 24, 1, 24])
async def test_values_flow_on_when_the_clock_is_set(
    tmp_path: Path, buffer: Buffer, hours: int
) -> None:
    """Nobody knew whether it was right; what is stored is not written over."""
    plant, clock = Plant(), Clock()
    clock.synchronised = False
    async with Runtime(loaded(tmp_path), plant, clock, buffer) as runtime:
        await until(lambda: plant.reads >= 5)
        for step_ms in (hours * 3_600_000, 0, hours * 3_600_000):
            clock.step_ms = step_ms
            reads, eras = plant.reads, clock.steady_since_ms
            await until(lambda: plant.reads >= reads + 5 and clock.steady_since_ms != eras)  # noqa: B023
            assert abs(clock.now_ms() - clock.system_ms()) < 1_000
    totals = runtime.buffer.totals()
    assert totals.balanced
    assert totals.ok == plant.reads * 2
    times = [tick_ms for tick_ms, _ in stored_ticks(runtime)]
    assert len(times) == len(set(times)) == plant.reads
    steps = [gap for gap in gaps(runtime.buffer) if gap.cause is Reason.CLOCK and not gap.device]
    assert len(steps) == 3
    assert all(gap.to_ms == gap.from_ms + 1 for gap in steps)


async def test_a_device_that_is_read_when_the_clock_is_confirmed_notices_no_step(
    tmp_path: Path, buffer: Buffer
) -> None:
    plant, clock = Plant(), Clock()
    clock.synchronised = False
    clock.hear_city(clock.now_ms(), 5)
    async with Runtime(loaded(tmp_path), plant, clock, buffer) as runtime:
        for step_ms in (-8 * 3_600_000, 3_600_000, 0):
            clock.step_ms = step_ms
            reads = plant.reads
            await until(lambda: plant.reads >= reads + 5)  # noqa: B023
            assert clock.in_doubt
            clock.hear_city(clock.now_ms(), 5)
    times = [tick_ms for tick_ms, _ in stored_ticks(runtime)]
    assert times == sorted(set(times))
    assert times[-1] - times[0] < 3_600_000
    assert not [gap for gap in gaps(runtime.buffer) if gap.cause is Reason.CLOCK]


async def test_a_clock_that_is_confirmed_before_the_first_commit_tells_what_was_missed(
    tmp_path: Path, buffer: Buffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A city nearby answers sooner than the second after which the first commit comes."""
    async with Runtime(loaded(tmp_path), Plant(), Clock(), buffer) as runtime:
        await until(lambda: runtime.plant.reads > 3)
    before = buffer.totals().skipped
    clock = Clock(1_800_000_000_000 + 3_600_000)
    clock.synchronised = False
    monkeypatch.setattr(clock, "boot_id", lambda: "another")  # nobody knows how long it was off
    runtime = Runtime(loaded(tmp_path), Plant(), clock, buffer)
    clock.hear_city(clock.now_ms(), 5)
    await runtime.recorder.commit()
    await runtime.recorder.commit()
    assert buffer.totals().skipped - before >= 2 * 3_500_000 // 20
    (stop,) = [gap for gap in gaps(buffer) if gap.cause is Reason.GATEWAY_DOWN]
    assert stop.to_ms is not None
    assert stop.to_ms - stop.from_ms > 3_500_000


def stored_ticks(runtime: Runtime) -> list[tuple[int, float]]:
    """Time and value of the first tag, in the order in which they were recorded."""
    schema = runtime.group.model.schema
    return [
        (record.time_ms, float(record.columns[0][0]))
        for frame in runtime.buffer.city.read(0, 1 << 30)
        for record in decode_frame(
            seal(frame.body, Header(1, frame.seq, frame.values)), {schema.id: schema}
        ).records
        if isinstance(record, Batch)
    ]
