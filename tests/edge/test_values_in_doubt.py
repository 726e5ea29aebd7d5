"""What becomes of values while the clock of an edge is not believed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gateway.core.batch import Batch, doubted
from gateway.core.days import DAY_MS
from gateway.core.status import GOOD, Quality, Reason, bad, uncertain
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit
from gateway.edge.live.health import health
from gateway.wire.frame import Header, decode_frame, seal
from tests.edge.buffers import commit, frame
from tests.edge.plant import Clock as PlantClock
from tests.edge.plant import Plant, Runtime, loaded
from tests.support.consumers import for_city
from tests.support.waiting import until

T0 = 1_800_000_000_000
DOUBT = uncertain(Reason.CLOCK_DOUBT)


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


def test_nothing_is_too_old_by_a_clock_that_nobody_confirmed(tmp_path: Path) -> None:
    """31 days ahead at the boot dropped the whole backlog with the first commit."""
    for is_known, left in ((False, 1), (True, 0)):
        buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, DAY_MS))
        if not is_known:
            buffer.append(commit(frame(3, at_ms=T0)), T0)
            buffer.close()
            buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, DAY_MS))
        buffer.is_time_known = is_known
        buffer.append(Commit(), T0 + 31 * DAY_MS)
        assert buffer.city.pending().frames == left
        buffer.close()


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
