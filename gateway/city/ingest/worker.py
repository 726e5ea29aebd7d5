"""Frames → store → evidence, books, gaps, watermark → acknowledgement.

Ingest works in rounds. A round takes what waits (for at most :data:`GATHER_S`, or until it is
full), decides about every frame, writes the values to the store, then makes one transaction of
the database, then acknowledges. A round is never given up: while store or database is away it is
tried again with growing pauses, nothing is acknowledged, and the bounded inbox sheds what the
edges will send again. If the database turns out to know of the frames already – the answer to a
commit was lost, or another worker was faster –, the round is decided anew.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db.database import Database, words
from gateway.city.evidence import recording as evidence
from gateway.city.ingest import quarantine
from gateway.city.ingest.batching import Round
from gateway.city.ingest.commit import Accounts, Quarantined, StaleError, settle
from gateway.city.ingest.gateways import Peer, Peers
from gateway.city.ingest.limits import MAX_WANT
from gateway.city.ingest.uplink import Incoming, Uplink
from gateway.city.ingest.verdict import decide
from gateway.city.live.metrics import CityMetrics
from gateway.city.live.view import Live
from gateway.city.stores.api import (
    Rejection,
    Rows,
    Series,
    Store,
    StoreError,
    StoreMisconfiguredError,
)
from gateway.core.schema import Schema
from gateway.retry import Retry
from gateway.wire.messages import Ack, encode_message
from gateway.wire.topics import ack_topic, parse_uplink

log = logging.getLogger(__name__)

GATHER_S = 0.1
"""Longest wait for more frames once one is there."""
_REGISTRY_MS = 500
"""An unknown gateway makes the registry be read again, but not more often than this."""

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Ingest:
    """The way of a frame through the city.

    Attributes:
        uplink: brings frames, takes acknowledgements.
        peers: the registry.
        store: where values go.
        database: where everything else goes.
        live: newest values for the console.
        metrics: counters.
        max_message_bytes: larger frames are quarantined unread.
        now_ms: the clock, UTC milliseconds.
        opened: set once the store has been opened.
        store_problem: why the store takes nothing now; empty while it does.
    """

    uplink: Uplink
    peers: Peers
    store: Store
    database: Database
    live: Live
    metrics: CityMetrics
    max_message_bytes: int
    now_ms: Callable[[], int]
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    store_problem: str = ""
    _budget: quarantine.Budget = field(default_factory=quarantine.Budget)
    _store_attempts: Retry = field(default_factory=lambda: _attempts("store"))
    _database_attempts: Retry = field(default_factory=lambda: _attempts("database"))

    async def run(self) -> None:
        """Open the store and work in rounds until cancelled."""
        await self._until_store_takes(self.store.open)
        self.opened.set()
        while True:
            await self.uplink.frames.wait()
            started = time.monotonic()
            current = Round(self._budget)
            await self._gather(current, started + GATHER_S)
            await self._commit(current)
            self.metrics.commit_seconds.observe(time.monotonic() - started)

    async def _gather(self, current: Round, deadline: float) -> None:
        while not current.full:
            message = self.uplink.frames.take()
            if message is not None:
                await self.handle(message, current)
                await asyncio.sleep(0)  # the console and the broker have their turn
                continue
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self.uplink.frames.wait()
            except TimeoutError:
                return

    async def handle(self, message: Incoming, current: Round) -> None:
        """Decide about one message; nothing in it can stop the round."""
        current.messages.append(message)
        try:
            sender = parse_uplink(message.topic).gateway
        except ValueError as error:
            current.refuse(message, "topic", "", str(error))
            return
        peer = await self._peer(sender)
        if peer is None:
            reason = f"gateway {sender} is not enrolled or is revoked"
            current.refuse(message, "gateway", sender, reason)
            return
        epochs = self._epochs(sender)
        current.add(message, peer, decide(message.payload, peer, epochs, self.max_message_bytes))

    async def _peer(self, sender: str) -> Peer | None:
        if self.peers.get(sender) is None:
            now = self.now_ms()
            await self._persist(lambda: self.peers.refresh(now, _REGISTRY_MS))
        return self.peers.get(sender)

    def _epochs(self, sender: str) -> tuple[str, ...]:
        view = self.live.gateway(sender)
        return (view.state.epoch,) if view is not None and view.state is not None else ()

    async def _commit(self, current: Round) -> None:
        """Store, database, acknowledgement – in this order, each until it succeeds."""
        while True:
            tables = await asyncio.to_thread(list, current.tables())
            rejections = await self._write([rows for _, rows in tables])
            current.reject(rejections, self.now_ms())
            try:
                await self.settle(current, tables, rejections)
                break
            except StaleError as error:
                log.warning(
                    "a round of %d frames is decided anew: %s", len(current.messages), error
                )
                current = await self._again(current)
        self._count(current)
        self._show(current)
        await self._acknowledge(current.accounts)

    async def settle(
        self,
        current: Round,
        tables: Sequence[tuple[Schema, Rows]],
        rejections: Sequence[Rejection],
    ) -> None:
        """Evidence, books, gaps, quarantine and watermarks in one transaction.

        Raises:
            StaleError: some of the frames have been settled already.
        """
        now = self.now_ms()
        samples = await asyncio.to_thread(_samples, tables, rejections, now)
        quarantined = Quarantined(current.entries, current.lost())
        orphans = await self._persist(
            lambda: self.database.run(settle, current.accounts, samples, quarantined, now)
        )
        self.metrics.orphans.inc(orphans)

    async def _again(self, current: Round) -> Round:
        """The same messages in the light of what the database holds now."""
        senders = {sender for sender, _ in current.accounts}
        await self._persist(lambda: self.peers.reload(senders))
        anew = Round(self._budget)
        for message in current.messages:
            await self.handle(message, anew)
        return anew

    def _count(self, current: Round) -> None:
        committed = sum(account.committed for account in current.accounts.values())
        self.metrics.values.labels("committed").inc(committed)
        self.metrics.values.labels("quarantined").inc(current.refused_values)
        for outcome, frames in current.outcomes.items():
            self.metrics.frames.labels(outcome).inc(frames)
        for kind, number in current.refused.items():
            self.metrics.quarantined.labels(kind).inc(number)

    def _show(self, current: Round) -> None:
        """Tell the live view; values from the future would hide those of the present."""
        latest_ms = self.now_ms() + evidence.MAX_AHEAD_MS
        for (sender, _), account in current.accounts.items():
            for schema in account.schemas:
                self.live.learn(sender, schema)
        for sender, values in current.received():
            self.live.take(sender, values, latest_ms)

    async def _acknowledge(self, accounts: Accounts) -> None:
        for (gateway_id, epoch), account in accounts.items():
            want = [f"{schema_id:016x}" for schema_id in sorted(account.want)[:MAX_WANT]]
            ranges, closed = account.progress.named(account.seqs)
            ack = Ack(epoch, account.progress.upto, ranges, want, closed)
            await self.uplink.publish(ack_topic(gateway_id), encode_message(ack))

    async def _write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write until the store has committed."""
        return await self._until_store_takes(lambda: self.store.write(rows)) if rows else ()

    async def _until_store_takes(self, work: Callable[[], Awaitable[T]]) -> T:
        """Try until it succeeds, whatever the store says: a person may mend it at any time."""

        async def attempt() -> T:
            try:
                result = await work()
            except StoreError as error:
                self._note_store(error)
                raise
            self._note_store(None)
            return result

        return await self._store_attempts.until_done(attempt, StoreError)

    def _note_store(self, error: StoreError | None) -> None:
        self.store_problem = str(error or "")
        self.metrics.store_up.set(error is None)
        self.metrics.store_misconfigured.set(isinstance(error, StoreMisconfiguredError))

    async def _persist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with the database until it succeeds."""
        return await self._database_attempts.until_done(work, SQLAlchemyError, words=words)


def _attempts(what: str) -> Retry:
    lost, back = f"the {what} refuses, nothing is acknowledged", f"the {what} answers again"
    return Retry(log, lost, back, level=logging.ERROR)


def _samples(
    tables: Sequence[tuple[Schema, Rows]], rejections: Sequence[Rejection], now_ms: int
) -> list[evidence.Sample]:
    """The evidence in what was written."""
    refused = Counter[tuple[Series, int]]()
    for rejection in rejections:
        refused[rejection.series, rejection.time_ms] += rejection.values
    return evidence.merged(
        sample
        for schema, rows in tables
        for sample in evidence.samples(schema, rows, refused, now_ms)
    )
