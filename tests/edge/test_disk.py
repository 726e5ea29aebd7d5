"""A really full disk: a small tmpfs. Reading goes on, what is dropped is counted and dated."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.schema import Schema
from gateway.core.status import Reason
from gateway.edge.buffer import full_disk as refusal
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit
from gateway.edge.buffer.storage.file import BufferFileError
from gateway.edge.buffer.storage.reserve import RESERVE_BYTES
from gateway.edge.live.health import health
from gateway.wire.frame import Header, decode_frame, seal
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.support import disk
from tests.support.consumers import for_city
from tests.support.waiting import until

SIZE_MIB = 16


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    with disk.small_disk(place, SIZE_MIB):
        yield place


async def test_a_full_disk_and_its_recovery(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refusal, "PROBE_MS", 100)
    caplog.set_level(logging.INFO)
    plant, clock = Plant(), Clock()
    buffer = Buffer.open(small_disk / "b.db", for_city(1 << 30, 1 << 50))
    plan = loaded(small_disk, tags=4)
    async with Runtime(plan, plant, clock, buffer) as runtime:
        await until(lambda: buffer.totals().buffered >= 20)
        ballast = small_disk / "ballast"
        await asyncio.to_thread(disk.fill, ballast)
        await until(lambda: "full" in health(runtime.live, clock.now_ms())["buffer"])
        reads = plant.reads
        await until(lambda: plant.reads >= reads + 20)
        assert runtime.live.records()[0].link == "up"
        ballast.unlink()
        await until(lambda: health(runtime.live, clock.now_ms())["buffer"] == "ok")
        held = buffer.city.pending().values
        await until(lambda: buffer.city.pending().values >= held + 20)
    totals = buffer.totals()
    assert totals.balanced
    assert totals.ok == plant.reads * 4
    assert totals.dropped["disk"] > 0
    assert totals.buffered == buffer.city.pending().values + totals.dropped["disk"]
    gaps = _gaps(buffer)
    assert [(gap.device, gap.cause) for gap in gaps] == [("", Reason.DISK)] * len(gaps)
    assert gaps
    assert all(gap.to_ms is not None for gap in gaps)
    assert _refused(caplog) == sum("takes values again" in line for line in caplog.messages)
    assert (small_disk / "b.db-reserve").stat().st_size == RESERVE_BYTES
    buffer.close()


async def test_acknowledged_frames_can_be_freed_on_a_full_disk(small_disk: Path) -> None:
    plant, clock = Plant(), Clock()
    buffer = Buffer.open(small_disk / "b.db", for_city(1 << 30, 1 << 50))
    async with Runtime(loaded(small_disk, tags=4), plant, clock, buffer) as runtime:
        await until(lambda: buffer.city.pending().frames >= 5)
        await asyncio.to_thread(_fill_between_commits, buffer, small_disk / "ballast")
        await until(lambda: bool(runtime.recorder._refusal.cause))
        buffer.city.acknowledge(5)
        # Not "nothing is unfreed": that holds for a moment while a commit that fails is running.
        await until(lambda: all(one.seq > 5 for one in buffer.city.read(0, 1 << 30)))
    assert buffer.totals().balanced
    buffer.close()


def test_a_gateway_starts_on_a_full_disk_while_there_is_the_reserve(small_disk: Path) -> None:
    def opened() -> Buffer:
        return Buffer.open(small_disk / "b.db", for_city(1 << 30, 1 << 50))

    opened().close()
    disk.fill(small_disk / "ballast")
    buffer = opened()
    counts = {("d", date(2026, 5, 1)): Counts(due=1, failed=1)}
    assert buffer.append(Commit(counts=counts), 0).changed
    buffer.close()
    disk.fill(small_disk / "more")
    with pytest.raises(BufferFileError, match="its disk is full, make room"):
        opened()


def _fill_between_commits(buffer: Buffer, ballast: Path) -> None:
    """A commit refused midway gives up the reserve, and the ballast would take that as well."""
    with buffer._writing:
        disk.fill(ballast)


def _refused(caplog: pytest.LogCaptureFixture) -> int:
    return sum("values are dropped until" in line for line in caplog.messages)


def _gaps(buffer: Buffer) -> list[Gap]:
    """All gaps but those of ticks that a busy test machine missed."""
    known = {}
    schemas: dict[int, Schema] = {}
    for one in buffer.city.read(0, 1 << 40):
        frame = decode_frame(seal(one.body, Header(1, one.seq, one.values)), schemas)
        for record in frame.records:
            if isinstance(record, Schema):
                schemas[record.id] = record
            elif isinstance(record, Gap) and record.cause is not Reason.LATE:
                known[record.from_ms] = record
    return list(known.values())
