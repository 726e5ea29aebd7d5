"""What report-by-exception held back because it was sent is sent anew when that was lost."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gateway.core.batch import Batch, Changes
from gateway.core.books import Counts
from gateway.core.status import Reason
from gateway.drivers.api import Arrivals
from gateway.edge.buffer import full_disk
from gateway.edge.buffer.buffer import Buffer, DiskRefusedError
from gateway.edge.buffer.incoming import Commit
from gateway.edge.buffer.outgoing import Appended
from gateway.wire.frame import Header, decode_frame, seal
from tests.edge.buffers import commit, frame
from tests.edge.gaps_told import gaps
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.support.consumers import for_city
from tests.support.waiting import until


class Disk:
    """Stands before the buffer; takes no values while it is full."""

    def __init__(self, buffer: Buffer) -> None:
        self._append = buffer.append
        self.is_full = False
        self.refusals = 0
        buffer.append = self.append  # type: ignore[method-assign]

    def append(self, commit: Commit, now_ms: int) -> Appended:
        if self.is_full and commit.frames:
            self.refusals += 1
            raise DiskRefusedError("the disk is full")
        return self._append(commit, now_ms)


@pytest.fixture
async def buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Buffer]:
    monkeypatch.setattr(full_disk, "PROBE_MS", 50)
    made = Buffer.open(tmp_path / "b.db", for_city(1 << 30, 1 << 50))
    yield made
    made.close()


def stored(runtime: Runtime) -> list[tuple[int, float]]:
    """Time and value of the first tag, oldest first."""
    schema = runtime.group.model.schema
    found: list[tuple[int, float]] = []
    for one in runtime.buffer.city.read(0, 1 << 30):
        body = seal(one.body, Header(1, one.seq, one.values))
        for record in decode_frame(body, {schema.id: schema}).records:
            if isinstance(record, Batch) and record.present[0]:
                found.append((record.time_ms, float(record.columns[0][0])))
            elif isinstance(record, Changes):
                found += zip(record.time_ms.tolist(), record.columns[0].tolist(), strict=True)
    return sorted(found)


async def test_a_state_that_changed_while_the_disk_refused_is_stored_after_its_gap(
    tmp_path: Path, buffer: Buffer
) -> None:
    """Of a polled tag: the first reading after the loss goes, though it moved before."""
    plant, disk = Plant(), Disk(buffer)
    async with Runtime(loaded(tmp_path), plant, Clock(), buffer) as runtime:
        await until(lambda: plant.reads > 3 and buffer.last_seq > 2)
        disk.is_full = True
        plant.stands_still = True  # at 1.0, which it was not before
        await until(lambda: disk.refusals > 2)
        seen = buffer.last_seq
        disk.is_full = False
        await until(lambda: buffer.last_seq > seen and not runtime.live.backlog().refused)
        reads = plant.reads
        await until(lambda: plant.reads > reads + 2)
        await runtime.recorder.commit()
        (loss,) = [gap for gap in gaps(buffer) if gap.cause is Reason.DISK]
        assert loss.to_ms is not None
        behind = [value for time_ms, value in stored(runtime) if time_ms >= loss.to_ms]
        assert behind[0] == 1.0
    assert buffer.totals().balanced


async def test_a_subscribed_state_that_the_disk_refused_is_stored_when_it_takes_values(
    tmp_path: Path, buffer: Buffer
) -> None:
    """The server has reported it and does so no more while it stands."""
    plant, clock, disk = Plant(), Clock(), Disk(buffer)
    plan = loaded(tmp_path, mode="subscribe", interval_ms=1_000)
    async with Runtime(plan, plant, clock, buffer) as runtime:
        plant.deliveries.put_nowait(arrivals(clock, 5.0))
        await until(lambda: len(stored(runtime)) == 1)
        disk.is_full = True
        plant.deliveries.put_nowait(arrivals(clock, 7.0))
        await until(lambda: disk.refusals > 1)
        disk.is_full = False
        await until(lambda: len(stored(runtime)) == 2)
        assert [value for _, value in stored(runtime)] == [5.0, 7.0]
    totals = buffer.totals()
    assert totals.balanced
    assert totals.buffered - sum(totals.dropped.values()) == 2


def arrivals(clock: Clock, value: float) -> list[Arrivals]:
    times, status = np.array([clock.now_ms()], np.int64), np.zeros(1, np.uint8)
    return [Arrivals("g", np.array([0], np.uint32), times, (np.array([value]),), status)]


async def test_what_the_quota_took_is_sent_anew_once_it_is_kept(tmp_path: Path) -> None:
    """The only value of a tag that stands still would else be missing until it moves."""
    buffer = Buffer.open(tmp_path / "b.db", for_city(2_000, 1 << 50))
    plant, clock = Plant(), Clock()
    plan = loaded(tmp_path, mode="subscribe", interval_ms=1_000)
    async with Runtime(plan, plant, clock, buffer) as runtime:
        plant.deliveries.put_nowait(arrivals(clock, 5.0))
        await until(lambda: len(stored(runtime)) == 1)
        first = stored(runtime)[0]
        while first in stored(runtime):
            await runtime.recorder.commit(reporting=True)
            runtime.recorder.count("other", date(2026, 5, 1), Counts(due=1, failed=1), {})
        await until(lambda: bool(stored(runtime)))
        assert stored(runtime)[0] == (first[0] + 1, 5.0)
    totals = buffer.totals()
    assert totals.buffered == buffer.city.pending().values + totals.dropped["quota"]
    buffer.close()


def test_whose_values_the_quota_took_is_said_though_the_disk_refuses_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what stands still keeps its old value in the store, behind the gap."""
    buffer = Buffer.open(tmp_path / "b.db", for_city(500, 1 << 50))
    taking = buffer.append(commit(*(frame(1, at_ms=at) for at in range(1, 9))), 8)
    assert buffer.totals().dropped["quota"] > 0
    assert not taking.lost  # it may go on

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as disk, pytest.raises(DiskRefusedError):
        disk.setattr(buffer, "_commit", full)
        buffer.append(Commit(), 8)
    assert set(buffer.append(Commit(), 8).lost) == {"d"}
    assert not buffer.append(Commit(), 8).lost
    buffer.close()


async def test_what_the_quota_leaves_begins_with_the_values_of_all_tags(tmp_path: Path) -> None:
    """Else what stands still is shown as it was before the loss, behind its gap."""
    buffer = Buffer.open(tmp_path / "b.db", for_city(8_000, 1 << 50))
    plant = Plant()
    plant.moving = 1
    async with Runtime(loaded(tmp_path), plant, Clock(), buffer) as runtime:
        for _ in range(5):
            gone = buffer.totals().dropped.get("quota", 0)
            await until(lambda gone=gone: buffer.totals().dropped.get("quota", 0) > gone + 20)
            assert polls(runtime)[0].present.all()
        assert not all(poll.present.all() for poll in polls(runtime))
    buffer.close()


def polls(runtime: Runtime) -> list[Batch]:
    """Those that wait, oldest first."""
    schema = runtime.group.model.schema
    return [
        record
        for frame in runtime.buffer.city.read(0, 1 << 30)
        for record in decode_frame(
            seal(frame.body, Header(1, frame.seq, frame.values)), {schema.id: schema}
        ).records
        if isinstance(record, Batch)
    ]
