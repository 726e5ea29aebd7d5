"""What the recorder commits, and what it tells the city of the books."""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from gateway.core.batch import Batch, Gap
from gateway.core.books import Counts
from gateway.core.days import MAX_AHEAD_MS
from gateway.core.machines import MachineCounts
from gateway.core.outcome import Outcome
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason
from gateway.edge.buffer import recorder as recorder_module
from gateway.edge.buffer.buffer import Buffer, DiskRefusedError, read_books
from gateway.edge.buffer.incoming import Commit, GroupProgress, NewFrame
from gateway.edge.buffer.outgoing import Appended, StoredFrame
from gateway.edge.buffer.recorder import FREEING_MS, Recorder
from gateway.edge.live.view import Live
from gateway.wire.frame import BodyEncoder, Header, decode_frame, seal
from gateway.wire.records import BooksRecord, MachineRecord, Record
from tests.support.consumers import for_city

DAY = date(2026, 5, 1)
NOW = 1_800_000_000_000


def opened(folder: Path, max_age_ms: int = 1 << 50) -> Buffer:
    return Buffer.open(folder / "b.db", for_city(1 << 30, max_age_ms))


def made(buffer: Buffer, now_ms: int = NOW) -> Recorder:
    return timed(buffer, [now_ms], Live())


def timed(buffer: Buffer, now_ms: list[int], live: Live) -> Recorder:
    """A recorder whose clock shows the newest of some times."""
    wake = asyncio.Event()
    return Recorder(buffer=buffer, live=live, now_ms=lambda: now_ms[-1], interval_ms=20, wake=wake)


def sent(buffer: Buffer) -> list[Record]:
    """All records that wait for the city."""
    schemas = {SCHEMA.id: SCHEMA}
    return [
        record
        for one in buffer.city.read(0, 1 << 40)
        for record in decode_frame(seal(one.body, Header(1, one.seq, one.values)), schemas).records
    ]


async def test_a_segment_begins_with_all_values_also_those_dated_a_little_ahead(
    tmp_path: Path,
) -> None:
    """Sources may be ahead of the gateway's clock by what is believed of them."""
    buffer = Buffer.open(tmp_path / "b.db", for_city(16 * 300, 1 << 50))
    recorder, forgotten = made(buffer), list[Mapping[str, int]]()
    recorder.tell_losses(forgotten.append)
    await recorder.commit()
    assert forgotten == []
    for at in range(16):  # a sixteenth of the quota is full
        body = bytes(300)
        buffer.append(Commit([NewFrame(body, 1, at, at, (("line-1", DAY, 1),), 0)]), at)
    assert buffer.is_to_renew
    await recorder.commit()
    assert forgotten == [{"": NOW + MAX_AHEAD_MS}]
    buffer.close()


async def test_books_that_are_read_when_an_epoch_begins_are_corrected_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the old epoch's, and leave under the new one."""
    buffer = opened(tmp_path)
    buffer.confirmed()  # what it counts from here on, the city hears under this epoch
    buffer.append(Commit(counts={("gone", DAY): Counts(due=3, failed=3)}), NOW)
    buffer.close()
    buffer = opened(tmp_path)
    recorder, read = made(buffer), buffer.unreported
    beginning = Thread(target=buffer.city.begin_epoch, args=(5,))

    def interrupted() -> Mapping[tuple[str, date], Counts]:
        books = read()
        beginning.start()
        beginning.join(0.5)  # it may come to its end here
        return books

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(buffer, "unreported", interrupted)
        await recorder.commit(reporting=True)
    beginning.join()
    await recorder.commit(reporting=True)
    told = [record.due for record in sent(buffer) if isinstance(record, BooksRecord)]
    assert told == [3, 0]
    buffer.close()


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


async def test_uncertain_values_are_told_by_reason_and_outlive_a_kill(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    recorder = made(buffer)
    for reasons in ({"overflow": 2}, {"overflow": 1, "clock": 1}):
        counts = Counts(due=3, ok=3, suppressed=3, uncertain=reasons)
        recorder.count("d", DAY, counts, {})
        await recorder.commit()
    assert buffer.totals().uncertain == {"overflow": 3, "clock": 1}
    buffer.close()  # nothing is told at the end: what is on the disk is what a kill leaves
    buffer = opened(tmp_path)
    assert buffer.totals().uncertain == {"overflow": 3, "clock": 1}
    assert read_books(tmp_path / "b.db").totals == buffer.totals()
    await made(buffer).finish()
    (record,) = sent(buffer)
    assert record == BooksRecord.of("d", DAY, buffer.totals())
    buffer.close()


async def test_what_machines_gave_is_reported_with_the_books_and_outlives_a_kill(
    tmp_path: Path,
) -> None:
    buffer = opened(tmp_path)
    recorder = made(buffer)
    taken(recorder, NOW, NOW + 1_000)
    recorder.count("d", DAY, Counts(due=3, failed=3), {MACHINE: 3})
    await recorder.commit()
    buffer.close()
    buffer = opened(tmp_path)
    recorder = made(buffer)
    taken(recorder, NOW + 2_000)
    await recorder.finish()
    reports = [record for record in sent(buffer) if isinstance(record, MachineRecord)]
    assert reports[-1] == MachineRecord("d", "1", "M1", DAY, 3, 6, NOW, NOW + 2_000)
    assert [record.expected for record in reports] == [5, 6]
    buffer.close()


async def test_acknowledgements_alone_cost_no_transaction(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    recorder = made(buffer)
    taken(recorder, NOW)
    await recorder.commit()
    buffer.city.acknowledge(buffer.last_seq)
    await recorder.commit()
    assert buffer.city.unfreed
    taken(recorder, NOW + 1_000)
    await recorder.commit()
    assert not buffer.city.unfreed
    assert buffer.city.pending().frames == 1
    buffer.close()


async def test_what_is_acknowledged_is_freed_soon_though_no_values_come(tmp_path: Path) -> None:
    buffer, live, times = opened(tmp_path), Live(), [NOW]
    recorder = timed(buffer, times, live)
    taken(recorder, NOW)
    await recorder.commit()
    buffer.city.acknowledge(buffer.last_seq)
    times.append(NOW + FREEING_MS)
    await recorder.commit()
    assert (live.backlog().frames, live.backlog().values) == (0, 0)
    assert live.committed_ms() == NOW + FREEING_MS
    times.append(NOW + 2 * FREEING_MS)
    await recorder.commit()
    assert live.committed_ms() == NOW + FREEING_MS, "nothing is left to free"
    buffer.close()


async def test_a_drop_taken_back_while_draining_is_told(tmp_path: Path) -> None:
    buffer = opened(tmp_path, max_age_ms=1_000)
    old = NOW - 5_000
    frame = NewFrame(BodyEncoder().encode([]), 2, old, old, (("d", DAY, 2),))
    buffer.append(Commit([frame], {("d", DAY): Counts(due=2, ok=2, buffered=2)}), old)
    buffer.city.read(0, 1)  # it is sent; its acknowledgement comes too late
    recorder = made(buffer)
    await recorder.finish()
    *_, told = [record for record in sent(buffer) if isinstance(record, BooksRecord)]
    assert told.dropped == {"quota": 2}
    buffer.city.acknowledge(buffer.last_seq)
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
    assert causes == {Reason.QUOTA, Reason.TIMEOUT}  # no value was refused
    buffer.close()


MACHINE = Equipment("u", "1", "M1")
SCHEMA = Schema("d", "g", "p", "sensor", True, (MACHINE,), (Tag("t", Kind.FLOAT64),), 1_000)


def taken(recorder: Recorder, *times_ms: int) -> None:
    """One value at each time."""
    for time_ms in times_ms:
        batch = Batch(SCHEMA, time_ms, np.ones(1, np.bool_), (np.ones(1),))
        counts = {DAY: Counts(due=1, ok=1, buffered=1)}
        good = np.zeros(1, np.uint8)
        given = (MACHINE, DAY, MachineCounts(1, 1, time_ms, time_ms))
        outcome = Outcome(batch, counts, good, batch.columns, time_ms, (given,))
        recorder.processed("d", "g", outcome, GroupProgress(time_ms, time_ms))


def told(buffer: Buffer) -> tuple[list[int], list[Gap]]:
    """Times of the values, and the newest record of each gap, that wait for the city."""
    records = sent(buffer)
    times = [record.time_ms for record in records if isinstance(record, Batch)]
    return times, list(
        {record.key: record for record in records if isinstance(record, Gap)}.values()
    )


async def test_what_cannot_be_encoded_is_not_counted(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    recorder = made(buffer)
    schema = Schema("d", "g", "p", "sensor", True, (), (Tag("t", Kind.INT64),), 1_000)
    batch = Batch(schema, NOW, np.ones(1, np.bool_), (np.array([2**70], object),))
    outcome = Outcome(batch, {DAY: Counts(1, 1, buffered=1)}, np.zeros(1, np.uint8), (), NOW)
    with pytest.raises(OverflowError):
        recorder.processed("d", "g", outcome, GroupProgress(NOW, NOW))
    await recorder.finish()
    assert buffer.totals() == Counts()
    assert buffer.progress() == {}
    buffer.close()


async def test_a_slow_disk_costs_only_what_there_is_no_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    buffer = opened(tmp_path)
    recorder = made(buffer)
    taken(recorder, NOW)
    with buffer._writing:  # the disk is busy with something else
        committing = asyncio.create_task(recorder.commit())
        await asyncio.sleep(0)  # lets it begin
        taken(recorder, NOW + 1)
        monkeypatch.setattr(recorder_module, "MAX_WAITING_BYTES", recorder._gathered.size)
        taken(recorder, NOW + 2, NOW + 3)
    await committing
    for time_ms in (NOW + 4, NOW + 5):
        await recorder.commit()
        taken(recorder, time_ms)
    await recorder.finish()
    times, gaps = told(buffer)
    assert times == [NOW, NOW + 1, NOW + 4, NOW + 5]
    assert gaps == [Gap("", "", (), Reason.DISK, NOW + 2, NOW + 4)]
    assert buffer.totals() == Counts(6, 6, 0, 0, 0, 6, {"disk": 2})
    lines = [line for line in caplog.messages if "dropped" in line]
    assert lines == [
        "the disk is too slow; reading goes on, values are dropped until it takes them",
        "the buffer's disk takes values again; 2 were dropped",
    ]
    buffer.close()


async def test_gaps_that_a_refusing_disk_keeps_from_travelling_outlive_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = opened(tmp_path)
    recorder = made(buffer)
    over = Gap("d", "g", ("t",), Reason.RANGE, 5, 8)
    recorder.gap(over)
    taken(recorder, NOW)
    with monkeypatch.context() as full:
        full.setattr("gateway.edge.buffer.buffer.insert_frames", _only_none)
        await recorder.commit()
    buffer.close()
    buffer = opened(tmp_path)
    again = made(buffer, NOW + 50)
    again.announce(buffer.gaps())
    await again.finish()
    _, gaps = told(buffer)
    assert set(gaps) == {over, Gap("", "", (), Reason.DISK, NOW, NOW + 50)}
    assert buffer.gaps() == []
    buffer.close()


def _only_none(
    _connection: sqlite3.Connection, _last: int, frames: Sequence[NewFrame], _waiting: int
) -> list[StoredFrame]:
    if frames:
        raise sqlite3.OperationalError("database or disk is full")
    return []


async def test_gaps_that_wait_for_a_disk_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.edge.buffer.gathered.MAX_GAPS", 10)
    buffer = opened(tmp_path)
    recorder = made(buffer)
    with monkeypatch.context() as full:
        full.setattr(buffer, "append", _refuse)
        for at in range(100):
            recorder.gap(Gap("d", "", (), Reason.TIMEOUT, at))
            recorder.gap(Gap("d", "", (), Reason.TIMEOUT, at, at + 1))
            await recorder.commit()
    await recorder.finish()
    _, gaps = told(buffer)
    assert [gap.from_ms for gap in gaps] == list(range(90, 100))
    assert all(gap.to_ms for gap in gaps)
    buffer.close()


def _refuse(*_: object) -> Appended:
    raise DiskRefusedError("full")


async def test_gaps_of_two_causes_that_begin_at_one_time_are_both_told(tmp_path: Path) -> None:
    buffer = opened(tmp_path)
    recorder = made(buffer)
    both = [Gap("", "", (), cause, NOW) for cause in (Reason.DISK, Reason.GATEWAY_DOWN)]
    for one in both:
        recorder.gap(one)
    await recorder.commit()
    assert told(buffer)[1] == both
    assert sorted(buffer.gaps(), key=lambda gap: gap.cause) == sorted(both, key=lambda g: g.cause)
    buffer.close()
