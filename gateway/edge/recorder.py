"""Group commit: what the pollers hand in becomes one durable transaction a period."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.process import Outcome
from gateway.core.schema import Schema
from gateway.core.status import Reason
from gateway.edge.buffer import Buffer, DiskRefusedError
from gateway.edge.commit import Appended, Commit, Progress
from gateway.edge.framing import Entry, frames_of
from gateway.edge.live import Backlog, Live
from gateway.wire.frame import BodyEncoder
from gateway.wire.records import BooksRecord

_log = logging.getLogger(__name__)

BOOKS_PERIOD_MS = 10_000
"""Changed books travel at least this often."""

FINISHING = 5
"""Most commits at the end: where the quota is tiny, telling of a loss may itself cause the next."""

PROBE_MS = 5_000
"""While the disk refuses, values are offered again this often; between, only the books."""

MAX_WAITING_BYTES = 16 * 1024 * 1024
"""Records waiting for a slow disk; what comes above it is refused as a full disk would."""

Key = tuple[str, date]


@dataclass(slots=True)
class _Gathered:
    """What has come since the last commit."""

    entries: list[Entry] = field(default_factory=list)
    counts: dict[Key, Counts] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    schemas: dict[int, Schema] = field(default_factory=dict)
    size: int = 0

    @property
    def empty(self) -> bool:
        return not (self.entries or self.counts or self.progress or self.gaps)

    def count(self, key: Key, counts: Counts) -> None:
        self.counts.setdefault(key, Counts()).add(counts)

    def put_back(self, older: "_Gathered") -> None:
        """Take what an earlier commit could not write: books, progress and gaps."""
        for key, counts in older.counts.items():
            self.count(key, counts)
        self.progress = {**older.progress, **self.progress}
        self.gaps[:0] = older.gaps


@dataclass(slots=True)
class _Refusal:
    """The disk takes no values, since when and how much that cost."""

    gap: Gap
    probe_ms: int
    cause: str
    values: int = 0


class Recorder:
    """Gathers records, books and gaps, and commits them together.

    The methods that pollers call do not block; everything handed in without an ``await``
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
        wake: asyncio.Event,
    ) -> None:
        self._buffer = buffer
        self._live = live
        self._now_ms = now_ms
        self._interval_ms = interval_ms
        self._sources: list[Callable[[int], None]] = []
        self._encoder = BodyEncoder()
        self._gathered = _Gathered()
        self._known = buffer.schema_ids()
        self._books_ms = 0
        self._refusal: _Refusal | None = None
        self._stopping = asyncio.Event()
        self._wake = wake
        self._tell(now_ms())

    def add_source(self, settle: Callable[[int], None]) -> None:
        """Have ``settle(now_ms)`` called before every commit, to bring its books up to date."""
        self._sources.append(settle)

    def announce(self, remembered: Iterable[Gap]) -> None:
        """Send again, after a restart, gaps that are open and ended ones that never travelled.

        What the disk refused until the restart ends here; a refusal that lasts begins anew.
        """
        for gap in remembered:
            if gap.cause is Reason.DISK and not gap.device and gap.to_ms is None:
                self.gap(replace(gap, to_ms=max(self._now_ms(), gap.from_ms)))
            else:
                self.gap(gap)

    # -- called by the pollers ------------------------------------------------------------

    def take(self, device: str, group: str, outcome: Outcome, progress: Progress) -> None:
        """Take what processing made of a poll or of arrivals."""
        gathered = self._gathered
        for day, counts in outcome.counts.items():
            gathered.count((device, day), counts)
        gathered.progress[device, group] = progress
        record = outcome.record
        if record is None:
            return
        schema = record.schema
        if schema.id not in self._known:
            self._known.add(schema.id)
            gathered.schemas[schema.id] = schema
        daily = outcome.counts.items()
        entry = Entry.of(record, tuple((device, day, counts.buffered) for day, counts in daily))
        if gathered.size + len(entry.body) > MAX_WAITING_BYTES:
            self._refuse([entry], gathered, "the disk is too slow")
            return
        gathered.size += len(entry.body)
        gathered.entries.append(entry)

    def count(self, device: str, day: date, counts: Counts) -> None:
        """Add to the books what brought no record."""
        self._gathered.count((device, day), counts)

    def progress(self, device: str, group: str, progress: Progress) -> None:
        """Note how far a group has come."""
        self._gathered.progress[device, group] = progress

    def gap(self, gap: Gap) -> None:
        """Send a gap that opened or ended."""
        self._gathered.gaps.append(gap)

    # -- committing -----------------------------------------------------------------------

    async def run(self) -> None:
        """Commit every period until :meth:`stop`; the last commit holds everything."""
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(self._interval_ms / 1000):
                    await self._stopping.wait()
            except TimeoutError:
                await self.commit()
        await self.commit(telling=True)
        self._sources.clear()
        await self.finish()

    def stop(self) -> None:
        """Make :meth:`run` commit what is left and tell the books, and return."""
        self._stopping.set()

    async def finish(self) -> None:
        """Commit until the books are told as they stand; for when nothing comes any more."""
        for _ in range(FINISHING):
            if not await self.commit(telling=True):
                return

    async def commit(self, *, telling: bool = False) -> bool:
        """Commit what has been gathered; a disk that refuses is counted, not raised.

        Args:
            telling: tell the books now, and offer values even to a disk that refused lately.

        Returns:
            Whether the books have changed and are still to be told.
        """
        now_ms = self._now_ms()
        for settle in self._sources:
            settle(now_ms)
        gathered, self._gathered = self._gathered, _Gathered()
        resting = self._refusal is not None and now_ms < self._refusal.probe_ms and not telling
        if resting:
            self._give_up(gathered)
        telling = telling or (not resting and self._books_due(now_ms))
        if gathered.empty and not telling and not self._buffer.unfreed:
            return False
        changed = await self._write(gathered, now_ms, frames=not resting, telling=telling)
        self._tell(now_ms)
        return changed

    def _books_due(self, now_ms: int) -> bool:
        return abs(now_ms - self._books_ms) >= BOOKS_PERIOD_MS

    async def _write(
        self, gathered: _Gathered, now_ms: int, *, frames: bool, telling: bool
    ) -> bool:
        append = self._append if frames else self._append_books
        last_seq = self._buffer.last_seq
        try:
            appended = await asyncio.to_thread(append, gathered, now_ms, telling)
        except DiskRefusedError as error:
            if frames:
                self._give_up(gathered, str(error))
                return await self._write(gathered, now_ms, frames=False, telling=False)
            self._gathered.put_back(gathered)
            return False
        self._gathered.gaps[:0] = appended.gaps if frames else (*gathered.gaps, *appended.gaps)
        if telling:
            self._books_ms = now_ms
        if self._refusal is not None and appended.last_seq > last_seq:
            self._accepted(gathered, now_ms)
        self._wake.set()
        return appended.changed

    def _append(self, gathered: _Gathered, now_ms: int, telling: bool) -> Appended:
        """In a thread: encode, compress, write."""
        books = self._buffer.untold() if telling else {}
        entries = [Entry.note(BooksRecord.of(*key, books[key])) for key in sorted(books)]
        entries += [Entry.note(schema) for schema in gathered.schemas.values()]
        entries += gathered.entries
        entries += [Entry.note(gap) for gap in gathered.gaps]
        commit = Commit(
            frames_of(entries, self._encoder, now_ms),
            gathered.counts,
            gathered.progress,
            gathered.gaps,
            tuple(gathered.schemas.values()),
            books.keys(),
        )
        return self._buffer.append(commit, now_ms)

    def _append_books(self, gathered: _Gathered, now_ms: int, _telling: bool) -> Appended:
        """In a thread: what a full disk may still take."""
        return self._buffer.append(Commit((), gathered.counts, gathered.progress), now_ms)

    # -- a disk that refuses --------------------------------------------------------------

    def _give_up(self, gathered: _Gathered, cause: str = "") -> None:
        self._refuse(gathered.entries, gathered, cause)
        gathered.entries = []
        self._known.difference_update(gathered.schemas)
        gathered.schemas = {}

    def _refuse(self, entries: Sequence[Entry], books: _Gathered, cause: str) -> None:
        """Count values as buffered and dropped, and date the gap they leave."""
        code = Reason.DISK.code
        for entry in entries:
            for device, day, values in entry.shares:
                books.count((device, day), Counts(dropped={code: values} if values else {}))
        now_ms = self._now_ms()
        if self._refusal is None:
            from_ms = min((entry.first_ms for entry in entries), default=now_ms)
            self._refusal = _Refusal(Gap("", "", (), Reason.DISK, from_ms), now_ms, cause)
            self._gathered.gaps.append(self._refusal.gap)
            _log.error("%s; reading goes on, values are dropped until it takes them", cause)
        if cause:
            self._refusal.probe_ms = now_ms + PROBE_MS
        self._refusal.values += sum(entry.values for entry in entries)

    def _accepted(self, gathered: _Gathered, now_ms: int) -> None:
        refusal, self._refusal = self._refusal, None
        if refusal is None:
            return
        to_ms = min((entry.first_ms for entry in gathered.entries), default=now_ms)
        self.gap(replace(refusal.gap, to_ms=max(to_ms, refusal.gap.from_ms)))
        _log.info("the buffer's disk takes values again; %d were dropped", refusal.values)

    def _tell(self, now_ms: int) -> None:
        pending = self._buffer.pending()
        self._live.set_books(self._buffer.totals(), now_ms)
        self._live.set_backlog(
            Backlog(
                pending.frames,
                pending.values,
                pending.bytes,
                self._buffer.last_seq,
                f"{self._buffer.epoch:016x}",
                self._refusal.cause if self._refusal else "",
            )
        )
