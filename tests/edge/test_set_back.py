"""A buffer that was set back – restored, or its last commits torn off – uses no number twice."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.core.books import Counts
from gateway.core.machines import MachineCounts
from gateway.edge.buffer.buffer import Buffer, DiskRefusedError
from gateway.edge.buffer.incoming import Commit
from gateway.edge.buffer.storage import history
from gateway.wire.records import GivenUp
from tests.edge.buffers import DAY, commit, frame
from tests.support.consumers import for_city


def opened(folder: Path) -> Buffer:
    return Buffer.open(folder / "b.db", for_city())


def copied(folder: Path, to: Path) -> None:
    to.mkdir()
    for file in folder.glob("b.db*"):
        shutil.copy(file, to / file.name)


def newest(buffer: Buffer) -> tuple[int, int]:
    """The newest frame as the city is told it."""
    one = buffer.city.read(0, 1 << 40)[-1]
    return one.seq, one.chain


@pytest.fixture
def lives(tmp_path: Path) -> tuple[Buffer, Path]:
    """A buffer of 30 frames whose first ten are acknowledged, and a copy of when it had 20."""
    (tmp_path / "first").mkdir()
    buffer = opened(tmp_path / "first")
    for _ in range(20):
        buffer.append(commit(frame(1)), 0)
    buffer.confirmed()
    buffer.city.acknowledge(10)
    buffer.append(commit(), 0)
    copied(tmp_path / "first", tmp_path / "copy")
    for _ in range(10):
        buffer.append(commit(frame(1)), 0)
    return buffer, tmp_path / "copy"


def test_what_the_city_has_is_ours(lives: tuple[Buffer, Path], tmp_path: Path) -> None:
    buffer, _ = lives
    seq, chain = newest(buffer)
    assert buffer.city.is_ours(0, 0)
    assert buffer.city.is_ours(seq, chain)
    buffer.city.acknowledge(seq)
    buffer.append(commit(), 0)
    assert buffer.city.is_ours(seq, chain)  # also of frames that are gone
    assert buffer.city.is_ours(12, 7)  # the city was set back: what it has is older than its word
    buffer.close()
    again = opened(tmp_path / "first")
    assert again.city.is_ours(seq, chain)
    again.close()


@pytest.mark.parametrize("frames", [0, 5, 10, 15])
def test_a_copy_is_found_out_however_many_frames_it_has_made(
    lives: tuple[Buffer, Path], frames: int
) -> None:
    first, folder = lives
    told = newest(first)
    first.close()
    copy = opened(folder)
    for _ in range(frames):
        copy.append(commit(frame(1)), 0)
    assert copy.last_seq == 20 + frames
    assert not copy.city.is_ours(*told)
    copy.close()


def test_a_copy_without_a_new_frame_of_the_city_is_none(lives: tuple[Buffer, Path]) -> None:
    """The city has nothing of what the copy does not know: no number can be used twice."""
    first, folder = lives
    told = next((one.seq, one.chain) for one in first.city.read(0, 1 << 40) if one.seq == 18)
    first.close()
    copy = opened(folder)
    copy.append(commit(frame(1)), 0)
    assert copy.city.is_ours(*told)
    copy.close()


def test_frames_of_all_lives_without_a_city_go_out_under_the_new_epoch(
    lives: tuple[Buffer, Path],
) -> None:
    """It is opened more than once before the city can say that the numbers are used."""
    first, folder = lives
    first.close()
    for _ in range(3):
        copy = opened(folder)
        copy.append(commit(frame(1)), 0)
        copy.close()
    copy = opened(folder)
    copy.city.begin_epoch(28)  # of the lost life
    assert [one.seq for one in copy.city.read(0, 1 << 40)] == [21, 22, 23]
    copy.close()


def test_a_new_epoch_keeps_what_the_city_lacks_and_counts_anew(
    lives: tuple[Buffer, Path],
) -> None:
    first, folder = lives
    epoch = first.epoch
    first.close()
    copy = opened(folder)
    copy.append(commit(frame(2), frame(3)), 0)  # the first commit of this life: 21, 22
    # Its lost life was acknowledged up to 28; of that, 11 to 20 are frames of the copy as well.
    copy.city.begin_epoch(28)
    assert copy.epoch != epoch
    assert [one.seq for one in copy.city.read(0, 1 << 40)] == [21, 22]
    assert copy.city.given_up() == GivenUp(21, 21)
    totals = copy.totals()
    assert totals.buffered == copy.city.pending().values == 5
    assert (totals.due, totals.ok, totals.dropped) == (5, 5, {})
    assert copy.city.is_ours(0, 0)
    copy.append(commit(frame(1)), 0)
    assert copy.unreported()["d", DAY].buffered == 6
    copy.city.acknowledge(23)  # not taken for one that was heard before
    copy.append(commit(), 0)
    assert copy.city.pending().frames == 0
    kept = copy.epoch
    copy.close()
    again = opened(folder)
    assert (again.epoch, again.totals().buffered) == (kept, 6)
    again.close()


def test_an_epoch_that_the_disk_refused_to_begin_changes_nothing(
    lives: tuple[Buffer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, and what the city gives back is counted once."""
    first, folder = lives
    first.close()
    copy = Buffer.open(folder / "b.db", for_city(500, 1 << 50))
    copy.city.read(0, 1 << 40)  # handed out: what the quota drops now may be with the city
    copy.append(commit(frame(1)), 0)
    dropped = copy.totals().dropped["quota"]
    assert dropped

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    for _ in range(3):
        with monkeypatch.context() as disk, pytest.raises(DiskRefusedError):
            disk.setattr(history, "begin_epoch", full)
            copy.city.begin_epoch(28)
    assert copy.totals().dropped["quota"] == dropped
    copy.append(Commit(counts={("d", DAY): Counts(due=2, skipped=2)}), 0)
    copy.city.begin_epoch(28)
    again = copy.totals()
    assert (again.skipped, again.due) == (2, 3)
    assert again.dropped == {}
    copy.close()


def test_drops_of_an_earlier_life_are_not_taken_back_from_the_new_epoch(
    lives: tuple[Buffer, Path],
) -> None:
    """They are in the books of the old one; here they would be less than none."""
    first, folder = lives
    first.close()
    before = Buffer.open(folder / "b.db", for_city(500, 1 << 50))
    before.city.read(0, 1 << 40)
    before.append(commit(frame(1)), 0)
    before.confirmed()
    before.append(commit(frame(1)), 0)
    assert before.totals().dropped["quota"] > 0
    before.close()
    copy = Buffer.open(folder / "b.db", for_city(500, 1 << 50))
    copy.city.begin_epoch(28)
    assert copy.totals() == Counts()
    copy.close()


def test_books_of_the_old_epoch_that_leave_under_the_new_one_are_corrected(
    lives: tuple[Buffer, Path],
) -> None:
    """The first frame after the start tells what the copy had not; the city would count it twice.

    Of a day that goes on the next report corrects it, of one that is over nothing would.
    """
    first, folder = lives
    first.close()
    copy = opened(folder)
    machine = ("d", "", "M1", DAY)
    copy.confirmed()  # as before it was copied
    copy.append(Commit(machines={machine: MachineCounts(5, 5, 1, 2)}), 0)
    copy.close()
    copy = opened(folder)
    assert copy.unreported()["d", DAY].due == 20
    told = Commit([frame(0)], reported=[("d", DAY)], reported_machines=[machine])
    copy.append(told, 0)
    assert not copy.unreported()
    copy.city.begin_epoch(28)
    assert copy.unreported() == {("d", DAY): Counts()}
    assert copy.unreported_machines() == {machine: MachineCounts()}
    copy.close()


def test_what_was_missed_before_the_start_is_in_no_new_books_whenever_it_is_counted(
    lives: tuple[Buffer, Path],
) -> None:
    """A device that is reached late counts it after the first commit of the others."""
    first, folder = lives
    first.close()
    copy = opened(folder)
    copy.append(commit(frame(2)), 0)
    copy.append(Commit(counts={("slow", DAY): Counts(due=25, skipped=25)}), 0)
    copy.append(Commit(counts={("slow", DAY): Counts(due=3, skipped=1, failed=2)}), 0)
    copy.city.begin_epoch(28)
    totals = copy.totals()
    assert (totals.due, totals.skipped, totals.failed) == (5, 1, 2)
    copy.close()


def test_the_new_books_hold_what_all_lives_of_a_copy_have_counted(
    lives: tuple[Buffer, Path],
) -> None:
    """The city is away while it is opened again and again, by a kill each time."""
    first, folder = lives
    first.close()
    machine = ("d", "", "M1", DAY)
    for life in range(3):
        copy = opened(folder)
        counts = {("d", DAY): Counts(due=7 + life, skipped=7, failed=life)}
        copy.append(Commit(counts=counts, machines={machine: MachineCounts(1, 8, life, life)}), 0)
        copy.append(commit(frame(2)), 0)
        copy.close()
    copy = opened(folder)
    copy.city.begin_epoch(28)
    totals = copy.totals()
    # What the first one missed is the lost life's; between its own lives it is the copy's.
    assert (totals.due, totals.skipped, totals.failed, totals.ok) == (6 + 14 + 3, 14, 3, 6)
    assert totals.buffered == copy.city.pending().values == 6
    assert copy.unreported_machines() == {machine: MachineCounts(3, 1 + 8 + 8, 0, 2)}
    copy.close()
    again = opened(folder)
    assert again.totals() == totals
    again.close()


def test_what_was_counted_before_the_city_spoke_is_in_no_later_epoch(
    lives: tuple[Buffer, Path],
) -> None:
    first, folder = lives
    first.close()
    copy = opened(folder)
    copy.append(commit(frame(2)), 0)
    copy.confirmed()
    copy.append(commit(frame(3)), 0)
    copy.close()
    copy = opened(folder)
    copy.append(commit(frame(4)), 0)
    copy.city.begin_epoch(28)
    assert copy.totals().buffered == 4
    copy.close()


def test_numbers_go_on_after_a_new_epoch(lives: tuple[Buffer, Path]) -> None:
    first, folder = lives
    first.close()
    copy = opened(folder)
    copy.city.begin_epoch(28)
    assert copy.append(commit(frame(1)), 0).last_seq == 21
    (one,) = copy.city.read(0, 1 << 40)
    assert copy.city.is_ours(one.seq, one.chain)
    copy.close()
