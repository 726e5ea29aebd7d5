"""buffered = stored + pending + dropped, whatever is lost on the way and whoever is restarted.

Frames are sent, stored, and dropped by the quota before their acknowledgement comes. Whether they
are stored or dropped is the city's word alone, and it must not be forgotten that it is awaited.
"""

import tempfile
from datetime import date
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.city.ingest.progress import Progress
from gateway.core.books import Counts
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit, NewFrame
from gateway.edge.buffer.outlet import LEASE
from gateway.wire.records import GivenUp
from tests.edge.buffers import commit, frame
from tests.support.consumers import for_city

QUOTA = 800
"""Eight frames of a hundred bytes."""


class Books(RuleBasedStateMachine):
    """One buffer, one city, and messages of both that come late or never."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.buffer = self._open()
        self.progress = Progress()
        self.stored: dict[int, int] = {}
        self.values: dict[int, int] = {}
        self.sent = 0
        self.flying: list[tuple[int, int, GivenUp]] = []
        self.answers: list[tuple[int, list[tuple[int, int]], int]] = []

    def _open(self) -> Buffer:
        return Buffer.open(Path(self.folder.name) / "b.db", for_city(QUOTA, 1 << 50))

    @rule(counts=st.lists(st.integers(0, 4), min_size=1, max_size=6))
    def append(self, counts: list[int]) -> None:
        for seq, values in enumerate(counts, self.buffer.last_seq + 1):
            self.values[seq] = values
        self.buffer.append(commit(*map(frame, counts)), 0)

    @rule(most=st.integers(1, 6), again=st.booleans())
    def send(self, most: int, again: bool) -> None:
        """Frames leave, oldest first; perhaps from the beginning."""
        frames = self.buffer.city.read(0 if again else self.sent, 1 << 20)[:most]
        for one in frames:
            self.flying.append((one.seq, one.values, self.buffer.city.given_up()))
            self.sent = one.seq

    @rule(at=st.integers(0, 20), lost=st.booleans())
    def arrive(self, at: int, lost: bool) -> None:
        """A frame comes to the city, in any order, or is lost."""
        if self.flying:
            seq, values, gone = self.flying.pop(at % len(self.flying))
            if not lost:
                self._store(seq, values, gone)

    def _store(self, seq: int, values: int, gone: GivenUp) -> None:
        if seq not in self.progress:
            self.stored[seq] = values
            self.progress.add(seq)
        self.progress.give_up(min(gone.awaited_from, seq), min(gone.held_from, seq))
        self.answers.append(self._word([seq]))

    def _word(self, seqs: list[int]) -> tuple[int, list[tuple[int, int]], int]:
        ranges, closed = self.progress.named(seqs)
        return self.progress.upto, ranges, closed

    @rule(at=st.integers(0, 20), lost=st.booleans())
    def answer(self, at: int, lost: bool) -> None:
        if self.answers:
            word = self.answers.pop(at % len(self.answers))
            if not lost:
                self.buffer.city.acknowledge(*word)

    @rule()
    def tidy(self) -> None:
        self.buffer.append(Commit(), 0)

    @rule()
    def restart(self) -> None:
        self.buffer.close()
        self.buffer = self._open()
        self.sent = 0

    @invariant()
    def a_dropped_frame_that_is_stored_is_in_doubt(self) -> None:
        if not hasattr(self, "buffer"):
            return
        held = {one.seq for one in self.buffer.city.read(0, 1 << 20)} if self.values else set()
        (acked,) = self.buffer._writer.execute("SELECT acked FROM consumer").fetchone()
        doubted = {seq for (seq,) in self.buffer._writer.execute("SELECT seq FROM doubt")}
        totals = self.buffer.totals()
        assert totals.buffered == sum(self.values.values())
        lost = sum(totals.dropped.values())
        assert lost >= sum(self.values[seq] for seq in doubted)
        gone = totals.buffered - self.buffer.city.pending().values - lost
        assert 0 <= gone <= sum(self.stored.values())
        assert acked in (0, *self.stored)
        assert not doubted & held

    @rule()
    def ask(self) -> None:
        """The city is asked; all that was sent before has come, or never will."""
        for one in self.flying:
            self._store(*one)
        self.flying, self.answers = [], []
        gone = self.buffer.city.given_up()
        self.progress.give_up(gone.awaited_from, gone.held_from)
        self.buffer.city.acknowledge(*self._word([]))
        self.buffer.append(Commit(), 0)
        totals, pending = self.buffer.totals(), self.buffer.city.pending().values
        lost = sum(totals.dropped.values())
        assert totals.buffered == sum(self.stored.values()) + pending + lost

    def teardown(self) -> None:
        if hasattr(self, "buffer"):
            self.ask()
            self.buffer.close()
            self.folder.cleanup()


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_more_than_was_ever_kept_in_doubt_is_taken_back(tmp_path: Path) -> None:
    """Acknowledgements lost, the city away, a restart, and then the quota."""
    day = date(2026, 5, 1)
    shares = tuple((f"device-{at}", day, 1) for at in range(100))
    path, most = tmp_path / "b.db", 200 * 1_000
    buffer = Buffer.open(path, for_city(most, 1 << 50))
    frames = [NewFrame(b"x" * 1_000, 100, 0, 0, shares) for _ in range(200)]
    counts = {(device, day): Counts(due=200, ok=200, buffered=200) for device, day, _ in shares}
    buffer.append(Commit(frames, counts), 0)
    sent = len(buffer.city.read(0, 1 << 30))
    buffer.close()
    buffer = Buffer.open(path, for_city(most, 1 << 50))
    more = [frame(0, 1_000) for _ in range(300)]
    buffer.append(Commit(more), 0)
    assert sum(buffer.totals().dropped.values()) == 200 * 100
    buffer.city.acknowledge(sent)  # the city has had them all the time
    buffer.append(Commit(), 0)
    assert buffer.totals().dropped == {}
    buffer.close()


def test_what_was_never_handed_out_is_dropped_for_good_after_a_restart(tmp_path: Path) -> None:
    """Else each restart would make the whole buffer doubtful, and doubts would fill it."""
    buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 20, 1 << 50))
    buffer.append(commit(*(frame(1) for _ in range(3 * LEASE))), 0)
    buffer.city.read(0, 1)
    buffer.close()
    buffer = Buffer.open(tmp_path / "b.db", for_city(100, 1 << 50))
    buffer.append(Commit(), 0)
    (doubts,) = buffer._writer.execute("SELECT count(*) FROM doubt").fetchone()
    assert doubts == 1 + LEASE
    buffer.close()
