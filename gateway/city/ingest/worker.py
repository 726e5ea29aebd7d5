"""Frames → store → evidence, books, gaps, watermark → acknowledgement.

Ingest works in batches of frames, three at a time: while one is committed to the database, the
next is written to the store and a third is gathered and decoded. Batches keep their order. None is
given up: while store or database is away it is tried again with growing pauses, nothing is
acknowledged, and the bounded inbox sheds what the edges will send again. If the database turns
out to know of frames already – the answer to a commit was lost, or another worker was faster –,
or refuses one for good, all batches on their way are decided anew.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.city.erasing.late import erase_late
from gateway.city.evidence.counts import proofs
from gateway.city.evidence.flushing import Flushing
from gateway.city.evidence.samples import samples_in
from gateway.city.ingest import quarantine
from gateway.city.ingest.batching import FrameBatch
from gateway.city.ingest.commit import (
    ErasedError,
    Quarantined,
    StaleError,
    commit,
    note_uncounted,
)
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.enrolled.gateways import Gateways
from gateway.city.ingest.limits import TURN_FRAMES
from gateway.city.ingest.persistence import Persistence, PoisonedError
from gateway.city.ingest.uplink.api import Uplink
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.ingest.verdict import refusal_of, refused_by_database, verdict_on
from gateway.city.live.metrics import CityMetrics
from gateway.city.live.view import Live
from gateway.city.stores.api import (
    Rejection,
    Rows,
    Store,
)
from gateway.core.days import MAX_AHEAD_MS, day_of
from gateway.core.schema import Schema
from gateway.relational.database import Database
from gateway.wire.topics import address

log = logging.getLogger(__name__)

GATHER_S = 0.1
"""Longest wait for more frames once one is there and the store is free."""
_TURN_S = 0.005
"""After so long the broker and the console have their turn."""
_REGISTRY_MS = 500
"""An unknown gateway makes the registry be read again, but not more often than this."""


@dataclass(slots=True)
class Stages:
    """One batch in the store, one in the database; asyncio's locks are handed on in order."""

    storing: asyncio.Lock = field(default_factory=asyncio.Lock)
    committing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True, kw_only=True)
class Ingest:
    """The way of a frame through the city.

    Attributes:
        uplink: brings frames, takes acknowledgements.
        gateways: the registry.
        store: where values go.
        database: where everything else goes.
        live: newest values for the console.
        metrics: counters.
        max_message_bytes: larger frames are quarantined unread.
        now_ms: the clock, UTC milliseconds.
        opened: set once the store has been opened.
        persistence: tries until store and database take something.
        evidence: makes evidence of what is committed.
    """

    uplink: Uplink
    gateways: Gateways
    store: Store
    database: Database
    live: Live
    metrics: CityMetrics
    max_message_bytes: int
    now_ms: Callable[[], int]
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    persistence: Persistence = field(init=False)
    evidence: Flushing = field(init=False)
    _on_their_way: list[FrameBatch] = field(default_factory=list)
    _budget: quarantine.Budget = field(default_factory=quarantine.Budget)

    def __post_init__(self) -> None:
        self.persistence = Persistence(self.metrics)
        uncounted, orphans = self.gateways.uncounted, self.metrics.orphans.inc
        self.evidence = Flushing(self.database, self.store, uncounted, self.now_ms, orphans)

    async def run(self) -> None:
        """Open the store and work until cancelled."""
        await self.persistence.store(self.store.open)
        self.opened.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.evidence.run())
            tasks.create_task(self._work_on())

    async def _work_on(self) -> None:
        while True:
            try:
                await self._work()
            except* (StaleError, PoisonedError) as reasons:
                await self._decide_anew(reasons)

    async def _work(self) -> None:
        stages = Stages()
        async with asyncio.TaskGroup() as tasks:
            while True:
                batch = await self._gathered(stages)
                # here and not in the task: tasks may begin in another order than batches are made
                await stages.storing.acquire()
                tasks.create_task(self.deliver(batch, stages))

    async def drained(self) -> None:
        """Wait until the batches that are on their way now are committed, and are evidence."""
        waiting = set(map(id, self._on_their_way))
        while waiting & set(map(id, self._on_their_way)):  # noqa: ASYNC110 - short and rare
            await asyncio.sleep(GATHER_S / 2)
        await self.evidence.flush_if_possible()

    async def _decide_anew(self, reasons: ExceptionGroup[StaleError | PoisonedError]) -> None:
        """Let all frames on their way come again, in the light of what the database holds."""
        batches, self._on_their_way = self._on_their_way, []
        messages = [message for batch in batches for message in batch.messages]
        log.warning("%d frames are decided anew: %s", len(messages), reasons.exceptions[0])
        senders = {sender for batch in batches for sender, _ in batch.updates}
        await self.persistence.database(lambda: self.gateways.reload(senders))
        if any(isinstance(one, ErasedError) for one in reasons.exceptions):
            await self.persistence.database(lambda: self.persistence.store(self._erase_late))
        self.uplink.frames.put_back(messages)

    async def _erase_late(self) -> None:
        await erase_late(self.database, self.store, self.now_ms())

    # -- gathering and decoding -----------------------------------------------------------

    async def _gathered(self, stages: Stages) -> FrameBatch:
        """The next batch: what comes within a moment, and until the store is free."""
        await self.uplink.frames.wait()
        batch = FrameBatch(self._budget, day_of(self.now_ms()))
        self._on_their_way.append(batch)
        turn_ends = 0.0
        most = self.persistence.isolation.most
        while not batch.full and len(batch.messages) < most:
            messages = self.uplink.frames.next(min(TURN_FRAMES, most - len(batch.messages)))
            batch.messages += messages
            for message in messages:
                await self.handle(message, batch)
            now = time.monotonic()
            if not messages and not await self._more(batch.begun_s + GATHER_S - now, stages):
                break
            if now > turn_ends:
                await asyncio.sleep(0)
                turn_ends = time.monotonic() + _TURN_S
        batch.seal()
        return batch

    async def _more(self, seconds: float, stages: Stages) -> bool:
        """Wait for more frames; False when there is no reason to wait any longer."""
        if seconds <= 0 and not stages.storing.locked():
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, GATHER_S / 4)):
                await self.uplink.frames.wait()
        return True

    async def handle(self, message: Incoming, batch: FrameBatch) -> None:
        """Decide about one message; nothing in it can stop the batch."""
        try:
            sender = address(message.topic).gateway
        except ValueError as error:
            batch.refuse(message, "topic", "", str(error))
            return
        if not self.uplink.hears(sender):
            return  # handed over since it came; who hears it now is sent it again
        gateway = self.gateways.get(sender) or await self._looked_up(sender)
        if gateway is None:
            reason = f"gateway {sender} is not enrolled or is revoked"
            batch.refuse(message, "gateway", sender, reason)
            if refusal := refusal_of(message.payload, reason):
                self.uplink.answer([(sender, refusal)])
            return
        epochs = self._epochs(sender)
        verdict = verdict_on(message.payload, gateway, epochs, self.max_message_bytes)
        if why := self.persistence.isolation.why(message):
            verdict = refused_by_database(message.payload, why)
        batch.add(message, gateway, verdict)

    async def _looked_up(self, sender: str) -> Gateway | None:
        await self.persistence.database(lambda: self.gateways.refresh(self.now_ms(), _REGISTRY_MS))
        return self.gateways.get(sender)

    def _epochs(self, sender: str) -> tuple[str, ...]:
        view = self.live.gateway(sender)
        return (view.state.epoch,) if view is not None and view.state is not None else ()

    # -- store, database, acknowledgement -------------------------------------------------

    async def deliver(self, batch: FrameBatch, stages: Stages) -> None:
        """Store, database, acknowledgement – in this order, each until it succeeds.

        Args:
            batch: a sealed one.
            stages: the store is held for it already, and until it has the database: so no batch
                overtakes another.

        Raises:
            PoisonedError: the database will never take one of them.
            StaleError: frames of it have been finished already.
        """
        try:
            tables = await asyncio.to_thread(list, batch.tables())
            rejections = await self._write([rows for _, rows in tables])
            await stages.committing.acquire()
        finally:
            stages.storing.release()
        try:
            batch.reject(rejections, self.now_ms())
            # before the lock is held: the flush that makes room needs it
            await self.gateways.uncounted.has_room.wait()
            async with self.gateways.uncounted.writing:
                await self._commit(batch, tables, rejections)
            self._on_their_way.remove(batch)
        finally:
            stages.committing.release()
        # only what is durable is acknowledged: the edge deletes it then
        self.uplink.answer(batch.acks(self.now_ms()))
        self._count(batch)
        self._show(batch)

    async def _commit(
        self,
        batch: FrameBatch,
        tables: Sequence[tuple[Schema, Rows]],
        rejections: Sequence[Rejection],
    ) -> None:
        """Books, gaps, quarantine and watermarks in one transaction; evidence is gathered.

        Raises:
            PoisonedError: the database will never take one of the frames.
            StaleError: some of the frames have been finished already.
        """
        now = self.now_ms()
        samples = await asyncio.to_thread(samples_in, tables, rejections, now)
        reports = list(batch.reports())
        samples += proofs(reports, now)
        spans = note_uncounted(batch.updates, samples)
        quarantined = Quarantined(batch.entries, batch.lost())
        ids = self.evidence.machines
        await self.persistence.written(
            batch.messages,
            lambda: self.database.run(commit, batch.updates, quarantined, now, ids, reports),
        )
        self.gateways.uncounted.gather(samples, spans)
        if any(sample.doubted_hours for sample in samples):
            self.evidence.flush_soon()

    def _count(self, batch: FrameBatch) -> None:
        committed = sum(update.committed for update in batch.updates.values())
        self.metrics.values.labels("committed").inc(committed)
        self.metrics.values.labels("quarantined").inc(batch.refused_values)
        self.metrics.add_frames(batch.outcomes, batch.refused)
        self.metrics.commit_seconds.observe(time.monotonic() - batch.begun_s)

    def _show(self, batch: FrameBatch) -> None:
        """Tell the live view."""
        latest_ms = self.now_ms() + MAX_AHEAD_MS
        for (sender, _), update in batch.updates.items():
            for schema in update.schemas:
                self.live.learn(sender, schema)
            if update.schemas:  # what is new may have made others be forgotten
                self.live.keep_schemas(sender, batch.gateways[sender].layouts.keys())
        for sender, values in batch.newest(latest_ms):
            self.live.keep_newest(sender, values, latest_ms)

    async def _write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write until the store has committed."""
        return await self.persistence.store(lambda: self.store.write(rows)) if rows else ()
