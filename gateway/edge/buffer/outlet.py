"""One consumer's end of the buffer: what waits for it, what it has acknowledged."""

import logging
import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import date

from edge_config.models.gateway import CITY
from gateway.core.books import Counts
from gateway.core.schema import Schema
from gateway.edge.buffer.cutting import Cut
from gateway.edge.buffer.outgoing import Feedback, Fresh, Pending, Span, StoredFrame
from gateway.edge.buffer.resize import Resized, resize
from gateway.edge.buffer.source import Source
from gateway.edge.buffer.storage import doubt, history, quota
from gateway.edge.buffer.storage.consumers import (
    Consumer,
    count_lost,
    oldest_for,
    release,
    waiting_for,
)
from gateway.edge.buffer.storage.segments import Segments
from gateway.wire.records import GivenUp

_log = logging.getLogger(__name__)
_FRAMES_AFTER = (
    "SELECT seq, count, body, chain, first_ms, last_ms FROM frame "
    "WHERE seq > ? AND waiting & ? ORDER BY seq"
)

LEASE = 1_000
"""Frames that may be handed out before that is written down again: after a kill so many count as
sent that were not, and one transaction more in so many costs nothing."""


class Outlet:
    """Hands a consumer its frames, and notes what it has.

    ``read``, ``schemas``, ``is_ours`` and ``begin_epoch`` block; all else does not.

    Args:
        consumer: whose.
        flag: its flag in ``frame.waiting``.
        source: the buffer.
        connection: of the buffer, to look what waits.
    """

    def __init__(
        self, consumer: Consumer, flag: int, source: Source, connection: sqlite3.Connection
    ) -> None:
        self.name = consumer.name
        self.flag = flag
        self._quota = consumer.quota
        self._source = source
        self.forerunner = source.forerunner
        self._acknowledged: deque[Span] = deque()
        # An acknowledgement repeats the ones before it: only what is new has to be freed.
        self._last_heard: set[Span] = {(1, 0)}
        self._closed = 0
        self._too_large: dict[int, Cut] = {}
        self._is_losing = False
        self._fresh = Fresh()
        # How far an earlier process came is known up to a lease.
        self._may_hand_out = history.handed_out(connection, flag)
        self._handed_out = min(self._may_hand_out, source.last_seq)
        self._oldest = 0
        self._oldest, self._given_up = self.outlook(connection, source.last_seq)
        self._pending = waiting_for(connection, flag, (0, source.last_seq))
        self.segments = Segments(connection, flag, source.last_seq + 1, self._quota.quota_bytes)

    # -- for the northbound ---------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The buffer's random name; it changes when the buffer turns out to be an older copy."""
        return self._source.epoch

    @property
    def last_seq(self) -> int:
        """Number of the newest frame in the buffer."""
        return self._source.last_seq

    def read(self, after_seq: int, max_bytes: int) -> list[StoredFrame]:
        """The oldest committed frames after a sequence number, to be sent.

        Args:
            after_seq: frames above this one.
            max_bytes: stop when their bodies reach this; at least one frame is returned.
        """
        frames: list[StoredFrame] = []
        size = 0
        with (
            self._source.reads() as reader,
            closing(reader.execute(_FRAMES_AFTER, (after_seq, self.flag))) as rows,
        ):
            for row in rows:
                frames.append(StoredFrame(*row))
                size += len(frames[-1].body)
                if size >= max_bytes:
                    break
            if frames:
                self._handed_out = max(self._handed_out, frames[-1].seq)
        if self._handed_out > self._may_hand_out:
            self._may_hand_out = self._source.let_hand_out(self.flag, self._handed_out + LEASE)
        return frames

    def fresh(self, after_seq: int) -> list[StoredFrame] | None:
        """The same from memory, without blocking; None: the file has to be read."""
        with self._source.looks() as may_look:
            frames = self._fresh.after(after_seq) if may_look else None
            if frames and frames[-1].seq > self._may_hand_out:
                return None  # reading the file writes down how far it may go
            if frames:
                self._handed_out = max(self._handed_out, frames[-1].seq)
            return frames

    def schemas(self, ids: Iterable[str]) -> list[Schema]:
        """Schemas that frames of the buffer carried, by their ids as 16 hex digits."""
        return self._source.schemas(ids)

    def resize(self, seq: int, cut: Cut) -> None:
        """Have the next commit replace a frame by smaller ones, at the end of the buffer.

        What is too large value by value is dropped: counted, and dated by a gap.

        Args:
            seq: its number; nothing happens if the consumer does not wait for it any more.
            cut: what may be made of it.
        """
        self._too_large[seq] = cut

    def limit_frames(self, max_bytes: int) -> None:
        """Let frames from now on be made no larger than the consumer can be sent."""
        self._source.frame_bytes = min(self._source.frame_bytes, max_bytes)

    def acknowledge(self, upto: int, ranges: Iterable[Span] = (), closed: int = 0) -> None:
        """Note what the consumer has; the next commit frees it.

        Args:
            upto: all frames up to and including this one.
            ranges: inclusive ranges above it.
            closed: what below this number is not acknowledged here never will be.
        """
        spans = {(1, min(upto, self.last_seq)), *ranges}
        self._acknowledged.extend(spans - self._last_heard)
        self._last_heard = spans
        self._closed = max(self._closed, closed)

    def is_ours(self, newest: int, chain: int) -> bool:
        """Whether the newest frame that the consumer ever saw is one that this buffer made.

        Args:
            newest: its number; 0: it saw none.
            chain: its checksum over all frames up to it.
        """
        if newest > self.last_seq:
            return False
        with self._source.reads() as reader:
            is_ours = history.is_ours(reader, self.flag, newest, chain)
        if is_ours and self.name == CITY:
            self._source.confirmed()
        return is_ours

    def begin_epoch(self, upto: int, ranges: Iterable[Span] = ()) -> None:
        """Begin a new epoch: the consumer has frames under our numbers that this file never made.

        What waits goes out again under the new epoch, with the numbers that it has.

        ``upto`` and ``ranges`` say what the consumer has of the old one.

        Raises:
            DiskRefusedError: nothing has changed.
        """
        self._source.begin_epoch(self.flag, [(1, upto), *ranges])

    @property
    def is_to_resize(self) -> bool:
        """Whether frames wait for a commit that resizes them."""
        return bool(self._too_large)

    @property
    def has_acknowledged(self) -> bool:
        """Whether acknowledged frames wait for a commit that frees them."""
        return bool(self._acknowledged)

    @property
    def unfreed(self) -> bool:
        """Whether frames wait for a commit that frees or resizes them."""
        return self.has_acknowledged or self.is_to_resize

    def pending(self) -> Pending:
        """What waits for the consumer, as of the last commit."""
        return self._pending

    def given_up(self) -> GivenUp:
        """What will never be sent (again), as of the last commit."""
        return self._given_up

    # -- for the buffer, inside its transaction -------------------------------------------

    def drain_feedback(self) -> Feedback:
        """What has come back since this was asked last."""
        closed = self._closed  # first: what is acknowledged below it is in the spans
        spans = [self._acknowledged.popleft() for _ in range(len(self._acknowledged))]
        too_large, self._too_large = self._too_large, {}
        return Feedback(tuple(spans), closed, too_large)

    def renamed(self) -> None:
        """An epoch begins: nothing of it was sent, and no earlier acknowledgement is of it."""
        self._acknowledged.clear()
        self._last_heard, self._closed = {(1, 0)}, 0
        self._handed_out = self._may_hand_out = 0

    def put_back(self, feedback: Feedback) -> None:
        """A commit failed: what it was to do waits for the next one."""
        self._acknowledged.extendleft(feedback.spans)
        self._too_large = {**feedback.too_large, **self._too_large}

    def free(self, connection: sqlite3.Connection, feedback: Feedback) -> Pending:
        """Free acknowledged frames; what waits then."""
        pending, newest = self._pending, (0, 0)
        for first, last in feedback.spans:
            span = max(first, self._oldest), last  # older ones have been freed already
            freed = waiting_for(connection, self.flag, span)
            if freed.frames:
                newest = max(newest, history.newest_in(connection, self.flag, span))
                release(connection, self.flag, span)
                pending = pending.minus(freed)
        if newest[0]:
            history.note_acknowledged(connection, self.flag, newest)
        return pending

    def undo_drops(
        self, connection: sqlite3.Connection, feedback: Feedback
    ) -> dict[tuple[str, date], Counts]:
        """Drops that the city's acknowledgement shows to be none, as counts below zero."""
        back = doubt.undo_drops(connection, self.flag, feedback.spans)
        doubt.forget(connection, feedback.closed)
        return back

    def resize_all(
        self, connection: sqlite3.Connection, too_large: Mapping[int, Cut], last_seq: int
    ) -> Resized:
        """Replace frames that are too large; those of the pieces follow on ``last_seq``."""
        if not too_large:
            return Resized()
        resized = resize(connection, self.flag, too_large, last_seq)
        if self.name == CITY:
            quota.remember(connection, resized.gaps)
        return resized

    def trim(self, connection: sqlite3.Connection, pending: Pending, now_ms: int) -> quota.Trimmed:
        """Let the oldest frames go until the consumer's quota is kept.

        Args:
            connection: in a transaction.
            pending: what waits.
            now_ms: UTC milliseconds; 0: nothing is old.
        """
        waiting, begins = (self._oldest, self.flag), self.segments.begins
        trimmed = quota.choose(connection, self._quota, pending.bytes, now_ms, waiting, begins)
        if not trimmed.size.frames:
            self._is_losing = False
        elif self.name == CITY:
            trimmed.drop(connection, self._handed_out)
        else:
            trimmed.let_go(connection)
            count_lost(connection, self.flag, trimmed.size.values)
            self._say_once(trimmed)
        return trimmed

    def _say_once(self, trimmed: quota.Trimmed) -> None:
        if not self._is_losing:
            self._is_losing = True
            words = "northbound %s: its quota is full; %d values and more are not kept for it"
            _log.warning(words, self.name, trimmed.size.values)

    def outlook(self, connection: sqlite3.Connection, last_seq: int) -> tuple[int, GivenUp]:
        """The oldest frame that waits (the next one, if none does), and what was given up."""
        oldest = oldest_for(connection, self.flag, self._oldest) or last_seq + 1
        doubted = doubt.oldest(connection) if self.name == CITY else None
        return oldest, GivenUp(oldest if doubted is None else min(doubted, oldest), oldest)

    def committed(
        self, pending: Pending, oldest: int, given_up: GivenUp, new: Sequence[StoredFrame] | None
    ) -> None:
        """The transaction stands.

        Args:
            pending: what waits now.
            oldest: number of the oldest frame that does.
            given_up: what will not be sent.
            new: frames that were added, kept in memory for a moment; None: there were others too.
        """
        self._pending, self._oldest, self._given_up = pending, oldest, given_up
        self.segments.grow(sum(len(one.body) for one in new or ()), pending.bytes, oldest)
        self._fresh.add(new, oldest)
