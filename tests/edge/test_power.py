"""A power cut at any moment: whole commits are there, in order, and the books are theirs."""

import logging
import os
import random
from datetime import date
from pathlib import Path

import pytest

from gateway.core.books import Counts
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit, GroupProgress, NewFrame
from gateway.edge.buffer.storage.consumers import Consumer, QuotaRule
from tests.support.consumers import for_city

DAY = date(2026, 5, 1)
COMMITS = 60
SECTOR = 512


def opened(path: Path) -> Buffer:
    return Buffer.open(path, for_city(1 << 30, 1 << 50))


def commit(number: int) -> Commit:
    """Two frames of ``number`` values each."""
    body = os.urandom(700 * (number % 5 + 1))
    frames = [NewFrame(body, number, 0, 0, (("d", DAY, number),)) for _ in range(2)]
    values = 2 * number
    counts = {("d", DAY): Counts(due=values, ok=values, buffered=values)}
    return Commit(frames, counts, {("d", "g"): GroupProgress(number, number)})


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    buffer = opened(tmp_path / "b.db")
    settings = [buffer._writer.execute(f"PRAGMA {name}").fetchone()[0] for name in
                ("journal_mode", "synchronous")]  # fmt: skip
    assert settings == ["wal", 2]
    buffer.close()


@pytest.mark.parametrize("torn", [False, True])
def test_what_was_written_last_may_be_missing_or_torn(
    tmp_path: Path, torn: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    buffer = opened(tmp_path / "b.db")
    for number in range(1, COMMITS + 1):
        buffer.append(commit(number), 0)
        if number == COMMITS // 2:  # so that the log begins anew over an older one
            buffer._writer.execute("PRAGMA wal_checkpoint(RESTART)")
    main = (tmp_path / "b.db").read_bytes()
    log = (tmp_path / "b.db-wal").read_bytes()
    buffer.close()
    chance = random.Random(5)
    found = set()
    for turn in range(80):
        folder = tmp_path / str(turn)
        folder.mkdir()
        cut = chance.randrange(0, len(log) // SECTOR + 1) * SECTOR
        rest = bytearray(log[cut:] if torn else b"")
        rest[:SECTOR] = chance.randbytes(min(SECTOR, len(rest)))
        (folder / "b.db").write_bytes(main)
        (folder / "b.db-wal").write_bytes(log[:cut] + rest)
        found.add(_commits_in(opened(folder / "b.db")))
    assert len(found) > 10  # the cuts were at many places
    assert caplog.messages == []  # nothing of it is taken for damage


def _commits_in(buffer: Buffer) -> int:
    """How many commits the buffer holds; fails if that is not exactly the first ones."""
    commits, rest = divmod(buffer.last_seq, 2)
    values = [one.values for one in buffer.city.read(0, 1 << 40)]
    assert rest == 0
    assert values == [number for number in range(1, commits + 1) for _ in range(2)]
    assert buffer.totals().buffered == buffer.city.pending().values == sum(values)
    assert buffer.progress() == ({("d", "g"): GroupProgress(commits, commits)} if commits else {})
    buffer.close()
    return commits


def test_frames_and_the_word_who_lacks_them_are_never_apart(tmp_path: Path) -> None:
    """Two consumers acknowledge in their own order; the power goes at any moment."""
    both = [*for_city(), Consumer("plant", QuotaRule(40_000, 1 << 50))]
    buffer = Buffer.open(tmp_path / "b.db", both)
    for number in range(1, COMMITS + 1):
        buffer.append(commit(number), 0)
        buffer.city.acknowledge(number)
        buffer.outlets["plant"].acknowledge(0, [(number, number + number % 3)])
    main, log = ((tmp_path / f"b.db{end}").read_bytes() for end in ("", "-wal"))
    buffer.close()
    chance = random.Random(7)
    for turn in range(60):
        folder = tmp_path / str(turn)
        folder.mkdir()
        (folder / "b.db").write_bytes(main)
        (folder / "b.db-wal").write_bytes(log[: chance.randrange(0, len(log))])
        again = Buffer.open(folder / "b.db", both)
        held = {one.seq for one in again.city.read(0, 1 << 40)}
        acked = again.last_seq // 2 - 1
        assert held == set(range(max(acked, 0) + 1, again.last_seq + 1))
        plant = {one.seq for one in again.outlets["plant"].read(0, 1 << 40)}
        (rows,) = again._writer.execute("SELECT count(*) FROM frame").fetchone()
        assert rows == len(held | plant)
        for outlet, seqs in ((again.city, held), (again.outlets["plant"], plant)):
            assert outlet.pending().frames == len(seqs)
        assert again.totals().dropped == {}
        again.close()
