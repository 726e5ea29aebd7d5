"""The durable buffer: store-and-forward of frames, with the books that count them.

One SQLite file. A commit is one transaction: frames, counters, how far each group has come, and
open gaps – so a kill at any moment leaves a state in which the books are true. What the city has
acknowledged is freed by the next commit, which costs no disk synchronisation of its own.
"""

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from gateway.core.batch import Gap
from gateway.core.books import Counts, day_of
from gateway.core.machines import MachineCounts
from gateway.core.schema import Schema
from gateway.core.status import Reason
from gateway.edge.buffer.books import BufferBooks, read_books
from gateway.edge.buffer.commit import Appended, Commit, MachineKey, Pending, Progress, StoredFrame
from gateway.edge.buffer.file import BufferFileError, lock_file, open_file, open_reader
from gateway.edge.buffer.quota import Ageing, QuotaRule, forget, given_up, remember, take_back, trim
from gateway.edge.buffer.reserve import Reserve
from gateway.edge.buffer.tables import (
    add_counts,
    free_frames,
    insert_frames,
    load_books,
    load_machines,
    load_pending,
    load_schema_ids,
    load_schemas,
    load_totals,
    mark_reported,
    merge,
    minus,
    plus,
    report_again,
    sum_counts,
    write_books,
    write_gaps,
    write_machines,
    write_progress,
    write_schemas,
)
from gateway.wire.records import GivenUp

__all__ = ["Buffer", "BufferBooks", "DiskRefusedError", "read_books"]

_FRAMES_AFTER = "SELECT seq, count, body FROM frame WHERE seq > ? ORDER BY seq"

Span = tuple[int, int]
"""Frames from one sequence number to another, both included."""


class DiskRefusedError(Exception):
    """The disk took no more: full, over a quota, or failing. What was offered is not kept."""


class Buffer:
    """One buffer file, used by one process. Methods block: call them in a thread.

    ``append`` is for one task, ``read`` may run beside it in another. A file that is found to be
    damaged is a BufferFileError of whichever method finds it.
    """

    def __init__(
        self,
        path: Path,
        quota: QuotaRule,
        lock: int,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
    ) -> None:
        self._path = path
        self._quota = quota
        self._ageing = Ageing()
        self._lock_file = lock
        self._writer = writer
        self._reader = reader
        self._writing = threading.Lock()  # a cancelled caller leaves its thread behind
        self._reading = threading.Lock()
        self._closed = False
        self._acknowledged: deque[Span] = deque()
        self._heard: set[Span] = {(1, 0)}
        self._city_closed = 0
        self._reserve = Reserve(path)
        self._reserve.take()
        meta = dict(self._writer.execute("SELECT key, value FROM meta"))
        self.epoch = int(meta["epoch"], 16)
        self.last_seq = int(meta["last_seq"])
        self._total = load_totals(self._writer)
        self._pending = load_pending(self._writer)
        self._handed = self.last_seq  # what an earlier process sent is not known
        self._given_up = given_up(self._writer, self.last_seq)

    @classmethod
    def open(cls, path: Path, *, quota_bytes: int, max_age_ms: int) -> Self:
        """Open or make a buffer.

        Args:
            path: the file; its folder must exist.
            quota_bytes: frames above this are dropped, oldest first.
            max_age_ms: frames whose newest value is older are dropped.

        Raises:
            BufferFileError: in use by another process, or the file cannot be used.
        """
        with ExitStack() as failed:
            lock = lock_file(path)
            failed.callback(os.close, lock)
            writer = failed.enter_context(closing(open_file(path)))
            reader = failed.enter_context(closing(open_reader(path)))
            buffer = cls(path, QuotaRule(quota_bytes, max_age_ms), lock, writer, reader)
            failed.pop_all()
        return buffer

    # -- writing --------------------------------------------------------------------------

    def append(self, commit: Commit, now_ms: int) -> Appended:
        """Make frames and their books durable, free what is acknowledged, keep the quota.

        Args:
            commit: all or nothing of it is kept.
            now_ms: UTC milliseconds, for the age of frames.

        Raises:
            DiskRefusedError: nothing of it was kept.
        """
        with self._writing:
            closed = self._city_closed  # first: what is acknowledged below it is in the spans
            spans = [self._acknowledged.popleft() for _ in range(len(self._acknowledged))]
            try:
                appended = self._append(commit, spans, closed, now_ms)
            except (sqlite3.OperationalError, OSError) as error:
                with suppress(sqlite3.Error):  # else the next commit does it
                    self._writer.rollback()
                self._acknowledged.extendleft(spans)
                self._reserve.release()
                raise DiskRefusedError(f"buffer {self._path}: {error}") from error
            except sqlite3.DatabaseError as error:
                raise self._damaged(error) from error
            self._reserve.take()
            return appended

    def acknowledge(self, upto: int, ranges: Iterable[Span] = (), closed: int = 0) -> None:
        """Note what the city has committed; the next commit frees it. Does not block.

        Args:
            upto: all frames up to and including this one.
            ranges: inclusive ranges above it.
            closed: what below this number is not acknowledged here never will be.
        """
        spans = {(1, min(upto, self.last_seq)), *ranges}
        self._acknowledged.extend(spans - self._heard)
        self._heard = spans
        self._city_closed = max(self._city_closed, closed)

    @property
    def unfreed(self) -> bool:
        """Whether acknowledged frames wait to be freed by a commit."""
        return bool(self._acknowledged)

    def _append(self, commit: Commit, spans: Sequence[Span], closed: int, now_ms: int) -> Appended:
        writer = self._writer
        aged_ms = self._ageing.time_ms(now_ms, time.monotonic())
        writer.execute("BEGIN IMMEDIATE")
        pending = free_frames(writer, spans, self._pending)
        back = take_back(writer, spans)
        forget(writer, closed)
        last_seq = insert_frames(writer, self.last_seq, commit.frames)
        pending = plus(pending, commit.frames)
        write_gaps(writer, commit.gaps)
        remember(writer, commit.waiting)
        write_progress(writer, commit.progress)
        write_schemas(writer, commit.schemas)
        # What frames report is the state before this commit: marked before its own increments.
        mark_reported(writer, commit)
        write_machines(writer, commit.machines)
        with self._reading:  # no frame may be handed out between its dropping and the commit
            trimmed = trim(writer, self._quota, pending.bytes, aged_ms, self._handed)
            pending = minus(pending, trimmed.frames, trimmed.values, trimmed.bytes)
            changes = merge(commit.counts, merge(back, trimmed.counts))
            write_books(writer, changes)
            if trimmed.span_ms is not None:
                report_again(writer, *_reported_in(trimmed.span_ms))
            gone = given_up(writer, last_seq)
            writer.execute("COMMIT")
        self.last_seq, self._pending, self._given_up = last_seq, pending, gone
        for counts in changes.values():
            add_counts(self._total, counts)
        return Appended(last_seq, trimmed.gaps, bool(changes) or trimmed.frames > 0)

    # -- reading --------------------------------------------------------------------------

    @contextmanager
    def _reads(self) -> Iterator[sqlite3.Connection]:
        """The reader, for one thread at a time."""
        with self._reading:
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise self._damaged(error) from error

    def _damaged(self, error: sqlite3.Error) -> BufferFileError:
        return BufferFileError(
            f"buffer {self._path} cannot be used any more: {error}; when the gateway starts again, "
            "a damaged file is set aside and a new one begun"
        )

    def read(self, after_seq: int, max_bytes: int) -> list[StoredFrame]:
        """The oldest committed frames after a sequence number, to be sent.

        Args:
            after_seq: frames above this one.
            max_bytes: stop when their bodies reach this; at least one frame is returned.
        """
        frames: list[StoredFrame] = []
        size = 0
        with self._reads() as reader, closing(reader.execute(_FRAMES_AFTER, (after_seq,))) as rows:
            for seq, values, body in rows:
                frames.append(StoredFrame(seq, values, body))
                size += len(body)
                if size >= max_bytes:
                    break
            if frames:
                self._handed = max(self._handed, frames[-1].seq)
        return frames

    def schemas(self, ids: Iterable[str]) -> list[Schema]:
        """Schemas that frames of this buffer carried, by their ids as 16 hex digits."""
        with self._reads() as reader:
            return load_schemas(reader, ids)

    def schema_ids(self) -> set[int]:
        """Ids of all schemas that frames of this buffer carried, but for damaged ones."""
        with self._reads() as reader:
            return load_schema_ids(reader)

    def progress(self) -> dict[tuple[str, str], Progress]:
        """How far each group had come at the last commit, by (device, group)."""
        with self._reads() as reader:
            rows = reader.execute("SELECT device, grp, tick_ms, newest_ms FROM progress")
            return {(device, group): Progress(tick, newest) for device, group, tick, newest in rows}

    def gaps(self) -> list[Gap]:
        """Gaps that are open, and ended ones that have not travelled yet."""
        with self._reads() as reader:
            rows = reader.execute("SELECT device, grp, tags, cause, from_ms, to_ms FROM gap")
            return [
                Gap(device, group, tuple(tags.split()), Reason(cause), from_ms, to_ms)
                for device, group, tags, cause, from_ms, to_ms in rows
            ]

    def unreported(self) -> dict[tuple[str, date], Counts]:
        """The books, by device and day, that no frame has reported as they stand."""
        with self._reads() as reader:
            return load_books(reader, unreported=True)

    def unreported_machines(self) -> dict[MachineKey, MachineCounts]:
        """The counters of machines that no frame has reported as they stand."""
        with self._reads() as reader:
            return load_machines(reader, unreported=True)

    def pending(self) -> Pending:
        """What the buffer holds, as of the last commit."""
        return self._pending

    def given_up(self) -> GivenUp:
        """What will never be sent again, as of the last commit."""
        return self._given_up

    def totals(self) -> Counts:
        """The books of all devices and days together, as of the last commit; a copy."""
        return sum_counts([self._total])

    def close(self) -> None:
        """Close the file; what is committed stays. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()
        os.close(self._lock_file)


def _reported_in(span_ms: tuple[int, int]) -> tuple[date, date]:
    """The days that frames of this span may have reported: also the one that had just ended."""
    return day_of(span_ms[0]) - timedelta(days=1), day_of(span_ms[1])
