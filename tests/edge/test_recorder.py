"""What the recorder commits, and what it tells the city of the books."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.status import Reason
from gateway.edge.buffer import Buffer, DiskRefusedError
from gateway.edge.commit import Appended, Commit, NewFrame
from gateway.edge.live import Live
from gateway.edge.recorder import Recorder
from gateway.wire.frame import BodyEncoder, Header, decode_frame, seal
from gateway.wire.records import BooksRecord, Record

DAY = date(2026, 5, 1)
NOW = 1_800_000_000_000


def opened(folder: Path, max_age_ms: int = 1 << 50) -> Buffer:
    return Buffer.open(folder / "b.db", quota_bytes=1 << 30, max_age_ms=max_age_ms)


def made(buffer: Buffer, now_ms: int = NOW) -> Recorder:
    wake = asyncio.Event()
    live = Live()
    return Recorder(buffer=buffer, live=live, now_ms=lambda: now_ms, interval_ms=20, wake=wake)


def sent(buffer: Buffer) -> list[Record]:
    """All records that wait for the city."""
    return [
        record
        for one in buffer.read(0, 1 << 40)
        for record in decode_frame(seal(one.body, Header(1, one.seq, one.values)), {}).records
    ]


async def test_books_that_a_killed_run_did_not_tell_are_told_by_the_next(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    counts = Counts(due=3, ok=2, failed=1, suppressed=2)
    buffer.append(Commit(counts={("gone", DAY): counts}), NOW)
    buffer.close()
    buffer = opened(tmp_path)
    recorder = made(buffer)
    await recorder.commit()
    await recorder.commit()
    assert sent(buffer) == [BooksRecord.of("gone", DAY, counts)]
    buffer.close()


async def test_a_drop_taken_back_while_draining_is_told(tmp_path: Path) -> None:
    buffer = opened(tmp_path, max_age_ms=1_000)
    old = NOW - 5_000
    frame = NewFrame(BodyEncoder().encode([]), 2, old, old, (("d", DAY, 2),))
    buffer.append(Commit([frame], {("d", DAY): Counts(due=2, ok=2, buffered=2)}), old)
    buffer.read(0, 1)  # it is sent; its acknowledgement comes too late
    recorder = made(buffer)
    await recorder.finish()
    *_, told = [record for record in sent(buffer) if isinstance(record, BooksRecord)]
    assert told.dropped == {"quota": 2}
    buffer.acknowledge(buffer.last_seq)
    await recorder.finish()
    (told,) = sent(buffer)
    assert isinstance(told, BooksRecord)
    assert (told.buffered, told.dropped) == (2, {})
    buffer.close()


async def test_gaps_of_a_loss_that_a_refusing_disk_notes_are_told_when_it_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = opened(tmp_path)
    recorder = made(buffer)
    loss = Gap("", "", (), Reason.QUOTA, 1, 2)

    def refuse(commit: Commit, now_ms: int) -> Appended:
        if commit.frames:
            raise DiskRefusedError("full")
        return Appended(0, (loss,))

    recorder.gap(Gap("d", "", (), Reason.TIMEOUT, 5))
    with monkeypatch.context() as full:
        full.setattr(buffer, "append", refuse)
        await recorder.commit()
    await recorder.finish()
    causes = {record.cause for record in sent(buffer) if isinstance(record, Gap)}
    assert causes == {Reason.QUOTA, Reason.TIMEOUT, Reason.DISK}
    buffer.close()
