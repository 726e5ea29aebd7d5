"""The durable buffer: store-and-forward of frames, with the books that count them.

One SQLite file. A commit is one transaction: frames, counters, how far each group has come, and
open gaps – so a kill at any moment leaves a state in which the books are true. What consumers have
acknowledged is freed by the next commit, which costs no disk synchronisation of its own.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from datetime import date
from pathlib import Path
from secrets import randbits
from typing import Self

from edge_config.models.gateway import CITY
from gateway.core.books import Counts
from gateway.edge.buffer.frames import MAX_BYTES
from gateway.edge.buffer.incoming import Commit
from gateway.edge.buffer.outgoing import Appended, Feedback, Pending, Span, StoredFrame
from gateway.edge.buffer.outlet import Outlet
from gateway.edge.buffer.reading import BufferReading
from gateway.edge.buffer.resize import Resized
from gateway.edge.buffer.storage import history
from gateway.edge.buffer.storage.books import BufferBooks, read_books
from gateway.edge.buffer.storage.consumers import Consumer, enlist
from gateway.edge.buffer.storage.file import lock_file, open_file, open_reader
from gateway.edge.buffer.storage.forerunner import KEY, Forerunner
from gateway.edge.buffer.storage.quota import Ageing, Lost, Trimmed, remember
from gateway.edge.buffer.storage.reserve import Reserve
from gateway.edge.buffer.storage.since import SinceOpening
from gateway.edge.buffer.storage.tables import (
    add_counts,
    forget_books,
    insert_frames,
    load_totals,
    mark_reported,
    sum_counts,
    write_books,
    write_changes,
    write_clock_mark,
    write_gaps,
    write_machines,
    write_progress,
    write_schemas,
)
from gateway.edge.buffer.storage.writing import DiskRefusedError, transaction

__all__ = ["Buffer", "BufferBooks", "DiskRefusedError", "read_books"]

Gone = Resized | Trimmed
CountsOfDays = Mapping[tuple[str, date], Counts]


class Buffer(BufferReading):
    """One buffer file, used by one process. Methods block: call them in a thread.

    ``append`` is for one task, each outlet for one task beside it. A file that is found to be
    damaged is a BufferFileError of whichever method finds it.

    Attributes:
        epoch: the file's random name.
        last_seq: number of the newest frame.
        is_time_known: whether the clock is confirmed; else no frame is too old by it.
        clock_mark: what the next process has to know of the clock; kept with the next commit.
        frame_bytes: new frames hold records of at most so many bytes, before compression.
        outlets: what comes out of it, by the name of the consumer.
        forerunner: dates what a file before this one may have held.
    """

    def __init__(
        self,
        path: Path,
        consumers: Sequence[Consumer],
        lock: int,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
    ) -> None:
        super().__init__(path, reader)
        self._ageing = Ageing()
        self._lock_file = lock
        self._writer = writer
        self._writing = threading.Lock()  # a cancelled caller leaves its thread behind
        self._closed = False
        self._reserve = Reserve(path)
        self._reserve.occupy()
        meta = dict(self._writer.execute("SELECT key, value FROM meta"))
        self.epoch, self.last_seq = int(meta["epoch"], 16), int(meta["last_seq"])
        self.clock_mark, self.is_time_known = meta.get("clock", ""), True
        self.forerunner, self._total = Forerunner(meta.get(KEY)), load_totals(self._writer)
        self._lost, self._since = Lost(), SinceOpening.load(self._writer)
        self.frame_bytes, self._opened_at = MAX_BYTES, int(meta["opened_at"])
        flags = enlist(self._writer, consumers)
        self.outlets: Mapping[str, Outlet] = {
            one.name: Outlet(one, flags[one.name], self, self._writer) for one in consumers
        }
        self._everybody = sum(flags.values())

    @classmethod
    def open(cls, path: Path, consumers: Sequence[Consumer]) -> Self:
        """Open or make a buffer.

        Args:
            path: the file; its folder must exist.
            consumers: who gets the frames; one of them is the city.

        Raises:
            BufferFileError: in use by another process, or the file cannot be used.
        """
        with ExitStack() as failed:
            lock = lock_file(path)
            failed.callback(os.close, lock)
            writer = failed.enter_context(closing(open_file(path)))
            reader = failed.enter_context(closing(open_reader(path)))
            buffer = cls(path, consumers, lock, writer, reader)
            failed.pop_all()
        return buffer

    @property
    def city(self) -> Outlet:
        """The outlet of the consumer that the books speak of."""
        return self.outlets[CITY]

    # -- writing --------------------------------------------------------------------------

    def append(self, commit: Commit, now_ms: int) -> Appended:
        """Make frames and their books durable, free what is acknowledged, keep the quotas.

        Args:
            commit: all or nothing of it is kept.
            now_ms: UTC milliseconds, for the age of frames.

        Raises:
            DiskRefusedError: nothing of it was kept.
        """
        with self._writing:
            # What comes back from here on belongs to the next commit.
            feedback = {name: one.drain_feedback() for name, one in self.outlets.items()}
            try:
                with self._transaction():
                    appended = self._append(commit, feedback, now_ms)
            except DiskRefusedError:
                for name, outlet in self.outlets.items():
                    outlet.put_back(feedback[name])
                raise
            self._reserve.occupy()
            return appended

    def _transaction(self) -> AbstractContextManager[None]:
        return transaction(self._writer, self._path, self._reserve)

    def _append(self, commit: Commit, feedback: Mapping[str, Feedback], now_ms: int) -> Appended:
        writer = self._writer
        aged_ms = self._ageing.time_ms(now_ms if self.is_time_known else None, time.monotonic())
        # What is acknowledged goes first: the quota must not drop what the city holds.
        held = {name: one.free(writer, feedback[name]) for name, one in self.outlets.items()}
        back = self.city.undo_drops(writer, feedback[CITY])
        stored = insert_frames(writer, self.last_seq, commit.frames, self._everybody)
        last_seq = self.last_seq + len(stored)
        self._write(commit)
        with self._reading:  # no frame may be handed out between its dropping and the commit
            gone: list[Gone] = []
            for name, outlet in self.outlets.items():
                resized = outlet.resize_all(writer, feedback[name].too_large, last_seq)
                last_seq += len(resized.frames)
                held[name] = held[name].plus([*commit.frames, *resized.frames]).minus(resized.size)
                trimmed = outlet.trim(writer, held[name], aged_ms)
                held[name] = held[name].minus(trimmed.size)
                if outlet is self.city:
                    gone += (resized, trimmed)
                    of_city = trimmed
            parts = [commit.counts, back, *(one.counts for one in gone)]
            changes = write_changes(writer, parts, [one.span_ms for one in gone])
            added = self._since.write(writer, changes, commit)
            begin = [one.segments for one in self.outlets.values() if commit.renews]
            for segments in begin:
                segments.note(writer, last_seq + 1)
            self._commit(stored, held, last_seq)
        for segments in begin:
            segments.begin(last_seq + 1)
        self._since.add(added)
        return self._appended(changes, gone, self._lost.by(of_city))

    def _commit(
        self, stored: Sequence[StoredFrame], held: Mapping[str, Pending], last_seq: int
    ) -> None:
        """End the transaction, and let the outlets know how things stand then."""
        # Looked up before COMMIT: after it nothing may fail, or memory would differ from the file.
        outlook = {name: one.outlook(self._writer, last_seq) for name, one in self.outlets.items()}
        self._writer.execute("COMMIT")
        # Pieces of resized frames, numbered behind the new ones, are only in the file.
        fresh = stored if last_seq == self.last_seq + len(stored) else None
        for name, outlet in self.outlets.items():
            outlet.committed(held[name], *outlook[name], fresh)
        self.last_seq = last_seq

    def _appended(
        self, changes: CountsOfDays, gone: Sequence[Gone], lost: Mapping[str, int]
    ) -> Appended:
        for counts in changes.values():
            add_counts(self._total, counts)
        gaps = tuple(gap for one in gone for gap in one.gaps)
        is_changed = bool(changes) or any(one.span_ms is not None for one in gone)
        return Appended(self.last_seq, gaps, is_changed, lost)

    def _write(self, commit: Commit) -> None:
        writer = self._writer
        write_clock_mark(writer, self.clock_mark)
        self.forerunner.write(writer)
        write_gaps(writer, commit.gaps)
        remember(writer, commit.waiting)
        write_progress(writer, commit.progress)
        write_schemas(writer, commit.schemas)
        # What frames report is the state before this commit, so its own increments come after.
        mark_reported(writer, commit)
        write_machines(writer, commit.machines)

    def let_hand_out(self, flag: int, upto: int) -> int:
        """Write down that a consumer may be handed frames up to this one; how far it may be."""
        # Where the disk refuses it goes on all the same: to send is what makes room there.
        with self._writing, suppress(DiskRefusedError), self._transaction():
            history.let_hand_out(self._writer, flag, upto)
            self._writer.execute("COMMIT")
        return upto

    def begin_epoch(self, flag: int, spans: Iterable[Span]) -> None:
        """Begin a new epoch, because numbers of this one may have been used twice.

        Frames keep their numbers; those below the oldest are a hole that is given up. The
        consumer's word holds for those that were there when the file was first opened since it
        spoke last: nobody else made them. The city was told the books of the old epoch in the life
        that this file does not know, so those of the new one begin with what was counted since.

        Args:
            flag: of the consumer that has found it out.
            spans: frames that it has of the old epoch.

        Raises:
            DiskRefusedError: nothing has changed.
        """
        known = Feedback(tuple((first, min(last, self._opened_at)) for first, last in spans))
        with self._naming, self._writing, self._transaction(), self._reading:
            held = {name: one.pending() for name, one in self.outlets.items()}
            (asker,) = (one for one in self.outlets.values() if one.flag == flag)
            held[asker.name] = asker.free(self._writer, known)
            back = self.city.undo_drops(self._writer, known) if asker is self.city else {}
            counts = self._since.less_drops(back)
            epoch = self._rename(counts)
            self._commit((), held, self.last_seq)
            for one in self.outlets.values():
                one.renamed()
            self.epoch, self._total = epoch, sum_counts(counts.values())
            self._since.close()

    def _rename(self, counts: CountsOfDays) -> int:
        epoch = randbits(64)
        history.begin_epoch(self._writer, epoch)
        forget_books(self._writer)
        write_books(self._writer, counts)
        write_machines(self._writer, self._since.machines)
        return epoch

    def confirmed(self) -> None:
        """The city has seen no frame that this buffer did not make."""
        self._since.close()

    @property
    def is_to_renew(self) -> bool:
        """Whether a segment should begin: every tag is to be sent anew behind the next commit."""
        return any(outlet.segments.is_full for outlet in self.outlets.values())

    @property
    def is_to_resize(self) -> bool:
        """Whether frames wait for a commit that resizes them."""
        return any(outlet.is_to_resize for outlet in self.outlets.values())

    @property
    def has_acknowledged(self) -> bool:
        """Whether acknowledged frames wait for a commit that frees them."""
        return any(outlet.has_acknowledged for outlet in self.outlets.values())

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
