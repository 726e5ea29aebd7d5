"""Group commit: what the devices hand in becomes one durable transaction a period."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.days import MAX_AHEAD_MS
from gateway.core.machines import MachineCounts
from gateway.core.outcome import Outcome
from gateway.core.schema import Equipment
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer, DiskRefusedError
from gateway.edge.buffer.frames import Entry, entries_of, frames_of, newest_by_device
from gateway.edge.buffer.full_disk import Refusal
from gateway.edge.buffer.gathered import Gathered, machine_key, machine_record
from gateway.edge.buffer.incoming import GroupProgress
from gateway.edge.buffer.outgoing import Appended
from gateway.edge.live.view import Backlog, Live
from gateway.wire.frame import BodyEncoder
from gateway.wire.records import BooksRecord

BOOKS_PERIOD_MS = 10_000
"""Changed books travel at least this often."""

FREEING_MS = 2_000
"""What is acknowledged is freed so soon though no values come with which it could be."""

FINISHING = 5
"""Most commits at the end: where the quota is tiny, telling of a loss may itself cause the next."""

MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Records waiting for a slow disk; what comes above it is refused as a full disk would."""


class Wake(Protocol):
    """An event, or several."""

    def set(self) -> None:
        """Wake whoever waits."""


class Recorder:
    """Gathers records, books and gaps, and commits them together.

    The methods that devices call do not block; everything handed in without an ``await``
    between is in the same transaction.

    Args:
        buffer: where it goes.
        live: told about books and backlog after each commit.
        now_ms: the gateway's clock, UTC milliseconds.
        interval_ms: period of the commits.
        wake: set after each commit.
    """

    def __init__(
        self,
        *,
        buffer: Buffer,
        live: Live,
        now_ms: Callable[[], int],
        interval_ms: int,
        wake: Wake,
    ) -> None:
        self._buffer = buffer
        self._live = live
        self._now_ms = now_ms
        self._interval_ms = interval_ms
        self._sources: list[Callable[[], None]] = []
        self._forget_sent: Callable[[Mapping[str, int]], None] = lambda _lost: None
        self._encoder = BodyEncoder()
        self._gathered = Gathered()
        self._known = buffer.schema_ids()
        self._books_ms = 0
        self._refusal = Refusal()
        self._stopping = asyncio.Event()
        self._committing = asyncio.Lock()
        self._wake = wake
        self._show(now_ms())

    def add_source(self, catch_up: Callable[[], None]) -> None:
        """Have ``catch_up()`` called before every commit, to bring its books up to date."""
        self._sources.append(catch_up)

    def tell_losses(self, forget_sent: Callable[[Mapping[str, int]], None]) -> None:
        """Have this called with the newest time of what is given up, by device ("": of all)."""
        self._forget_sent = forget_sent

    def announce(self, remembered: Iterable[Gap]) -> None:
        """Send again, after a restart, gaps that are open and ended ones that never travelled.

        What the disk refused until the restart ends here; a refusal that lasts begins anew.
        """
        for gap in remembered:
            if gap.cause is Reason.DISK and not gap.device and gap.to_ms is None:
                self.gap(replace(gap, to_ms=max(self._now_ms(), gap.from_ms)))
            else:
                self.gap(gap)

    # -- called by the devices ------------------------------------------------------------

    def processed(self, device: str, group: str, outcome: Outcome, progress: GroupProgress) -> None:
        """Take what processing made of a poll or of arrivals: one of the sinks."""
        record = outcome.record
        # First: what cannot be encoded must not be counted.
        entries = [] if record is None else entries_of(device, record, self._buffer.frame_bytes)
        gathered = self._gathered
        for day, counts in outcome.counts.items():
            gathered.count((device, day), counts)
        for machine, day, given in outcome.machines:
            gathered.count_machine(machine_key(device, machine, day), given)
        gathered.progress[device, group] = progress
        if record is None:
            return
        if record.schema.id not in self._known:
            # Only the first frame carries its schema; a city that lacks it asks for it.
            self._known.add(record.schema.id)
            gathered.schemas[record.schema.id] = record.schema
        for _, entry in entries:
            self._keep(entry, gathered)

    def _keep(self, entry: Entry, gathered: Gathered) -> None:
        if gathered.size + len(entry.body) > MAX_WAITING_BYTES:
            gathered.overflowed = True
            self._refuse([entry], gathered, "the disk is too slow")
            return
        gathered.size += len(entry.body)
        gathered.entries.append(entry)

    def count(
        self, device: str, day: date, counts: Counts, expected: Mapping[Equipment, int]
    ) -> None:
        """Add to the books what brought no record.

        Args:
            device: device id.
            day: Asia/Shanghai day.
            counts: increments of the books.
            expected: the values due, by machine.
        """
        self._gathered.count((device, day), counts)
        for machine, due in expected.items():
            given = MachineCounts(expected=due)
            self._gathered.count_machine(machine_key(device, machine, day), given)

    def progress(self, device: str, group: str, progress: GroupProgress) -> None:
        """Note how far a group has come."""
        self._gathered.progress[device, group] = progress

    def gap(self, gap: Gap) -> None:
        """Send a gap that opened or ended."""
        self._gathered.gap(gap)

    # -- committing -----------------------------------------------------------------------

    async def run(self) -> None:
        """Commit every period until :meth:`stop`; the last commit holds everything."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(self._interval_ms / 1000):
                    await self._stopping.wait()
            except TimeoutError:
                await self.commit()
        await self.commit(reporting=True)
        # Ticks that come due from now on are those of the stop: the next start counts them.
        self._sources.clear()
        await self.finish()

    def stop(self) -> None:
        """Make :meth:`run` commit what is left and report the books, and return."""
        self._stopping.set()

    async def finish(self) -> None:
        """Commit until the books are reported as they stand; for when nothing comes any more."""
        for _ in range(FINISHING):
            if not await self.commit(reporting=True):
                return

    async def commit(self, *, reporting: bool = False) -> bool:
        """Commit what has been gathered; a disk that refuses is counted, not raised.

        Args:
            reporting: report the books now, and offer values even to a disk that refused lately.

        Returns:
            Whether the books have changed and are still to be reported.
        """
        async with self._committing:  # two northbounds that drain would else commit at once
            return await self._commit(reporting)

    async def _commit(self, reporting: bool) -> bool:
        for catch_up in self._sources:
            catch_up()
        now_ms = self._now_ms()
        gathered, self._gathered = self._gathered, Gathered()
        pausing = self._refusal.is_pausing(now_ms) and not reporting
        if pausing:
            self._give_up(gathered, self._refusal.cause)
        elif self._buffer.is_to_renew and not reporting:
            gathered.renews = True  # with it ends what was judged by what was sent until now
            self._forget_sent({"": now_ms + MAX_AHEAD_MS})
        reporting = reporting or (not pausing and self._books_due(now_ms))
        # What is acknowledged is freed with the next values, if these come soon: a transaction of
        # its own would cost as much as theirs.
        if gathered.empty and not reporting and not self._frees(now_ms):
            return False
        changed = await self._write(gathered, now_ms, frames=not pausing, reporting=reporting)
        self._show(now_ms)
        return changed

    def _frees(self, now_ms: int) -> bool:
        """Whether frames are to be freed, or resized, in a transaction of their own."""
        since_ms = abs(now_ms - self._live.committed_ms())
        is_late = since_ms >= FREEING_MS and self._buffer.has_acknowledged
        return is_late or self._buffer.is_to_resize

    def _books_due(self, now_ms: int) -> bool:
        return abs(now_ms - self._books_ms) >= BOOKS_PERIOD_MS

    async def _write(
        self, gathered: Gathered, now_ms: int, *, frames: bool, reporting: bool
    ) -> bool:
        append = self._append if frames else self._append_books
        last_seq = self._buffer.last_seq
        try:
            appended = await asyncio.to_thread(append, gathered, now_ms, reporting)
        except DiskRefusedError as error:
            if frames:
                self._refusal.pause(now_ms)
                self._give_up(gathered, str(error))
                # Books are small and may still fit: what is lost must be counted.
                return await self._write(gathered, now_ms, frames=False, reporting=False)
            self._gathered.put_back(gathered)
            return False
        self._gathered.keep((*(() if frames else gathered.gaps.values()), *appended.gaps))
        if reporting:
            self._books_ms = now_ms
        if appended.lost:
            self._forget_sent(appended.lost)
        if appended.last_seq > last_seq and not self._gathered.overflowed:
            self._end_refusal()
        self._wake.set()
        return appended.changed

    def _append(self, gathered: Gathered, now_ms: int, reporting: bool) -> Appended:
        """In a thread: encode, compress, write."""
        with self._buffer.one_epoch():
            return self._append_with_books(gathered, now_ms, reporting)

    def _append_with_books(self, gathered: Gathered, now_ms: int, reporting: bool) -> Appended:
        books = self._buffer.unreported() if reporting else {}
        machines = self._buffer.unreported_machines() if reporting else {}
        # Schemas go before the values that follow them, gaps after the values that they interrupt.
        entries = [Entry.note(BooksRecord.of(*key, books[key])) for key in sorted(books)]
        entries += [Entry.note(machine_record(key, machines[key])) for key in sorted(machines)]
        entries += [Entry.note(schema) for schema in gathered.schemas.values()]
        entries += gathered.entries
        entries += [Entry.note(gap) for gap in gathered.gaps.values()]
        frames = frames_of(entries, self._encoder, now_ms, self._buffer.frame_bytes)
        commit = gathered.with_frames(frames, books.keys(), machines.keys())
        return self._buffer.append(commit, now_ms)

    def _append_books(self, gathered: Gathered, now_ms: int, _reporting: bool) -> Appended:
        """In a thread: what a full disk may still take."""
        return self._buffer.append(gathered.without_frames(), now_ms)

    # -- a disk that refuses --------------------------------------------------------------

    def _give_up(self, gathered: Gathered, cause: str) -> None:
        self._refuse(gathered.entries, gathered, cause)
        gathered.entries = []
        # The frame that would have carried them is not written: the next one has to.
        self._known.difference_update(gathered.schemas)
        gathered.schemas = {}

    def _refuse(self, entries: Sequence[Entry], gathered: Gathered, cause: str) -> None:
        """Count values as buffered and dropped, and date the gap they leave."""
        for entry in entries:
            for device, day, values in entry.shares:
                drop = {Reason.DISK.code: values} if values else {}
                gathered.count((device, day), Counts(dropped=drop))
        self._forget_sent(newest_by_device(entries))
        opened = self._refusal.give_up(entries, cause)
        if opened is not None:
            gathered.gap(opened)

    def _end_refusal(self) -> None:
        if (ended := self._refusal.end()) is not None:
            self.gap(ended)

    def _show(self, now_ms: int) -> None:
        pending = self._buffer.city.pending()
        self._live.set_books(self._buffer.totals(), now_ms)
        waiting = pending.frames, pending.values, pending.bytes
        epoch = f"{self._buffer.epoch:016x}"
        self._live.set_backlog(Backlog(*waiting, self._buffer.last_seq, epoch, self._refusal.cause))
