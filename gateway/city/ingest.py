"""Frames → store → evidence, books, gaps, watermark → acknowledgement.

Ingest works in rounds. A round takes what waits (for at most :data:`GATHER_S`, or until it is
full), decides about every frame, writes the values to the store, then makes one transaction of
the database, then acknowledges. A round is never given up: while store or database is away it is
tried again with growing pauses, nothing is acknowledged, and the bounded inbox sheds what the
edges will send again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from gateway.city import evidence, quarantine
from gateway.city.db.database import Database
from gateway.city.decide import decide
from gateway.city.live import Live
from gateway.city.metrics import CityMetrics
from gateway.city.peers import Peer, Peers
from gateway.city.progress import MAX_ACK_RANGES
from gateway.city.round import Round
from gateway.city.settle import Accounts, settle
from gateway.city.stores.api import (
    Rejection,
    Rows,
    Series,
    Store,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.uplink import Incoming, Uplink
from gateway.core.schedule import backoff_ms
from gateway.core.schema import Schema
from gateway.wire.messages import Ack, encode_message
from gateway.wire.topics import ack_topic, parse_uplink

log = logging.getLogger(__name__)

GATHER_S = 0.1
"""Longest wait for more frames once one is there."""
_RETRY_MIN_MS = 250
_RETRY_MAX_MS = 15_000
_LONGEST_WISH_S = 60.0
_REGISTRY_MS = 500
"""An unknown gateway makes the registry be read again, but not more often than this."""

T = TypeVar("T")


class Ingest:
    """The way of a frame through the city.

    Args:
        uplink: brings frames, takes acknowledgements.
        peers: the registry.
        store: where values go.
        database: where everything else goes.
        live: newest values for the console.
        metrics: counters.
        max_message_bytes: larger frames are quarantined unread.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self,
        *,
        uplink: Uplink,
        peers: Peers,
        store: Store,
        database: Database,
        live: Live,
        metrics: CityMetrics,
        max_message_bytes: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._uplink = uplink
        self._peers = peers
        self._store = store
        self._database = database
        self._live = live
        self._metrics = metrics
        self._max_bytes = max_message_bytes
        self._now_ms = now_ms
        self._budget = quarantine.Budget()
        self.opened = asyncio.Event()
        """Set once the store has been opened."""
        self.store_problem = ""
        """Why the store takes nothing now; empty while it does."""

    async def run(self) -> None:
        """Open the store and work in rounds until cancelled."""
        await self._until_store_takes(self._store.open)
        self.opened.set()
        while True:
            await self._uplink.frames.wait()
            started = time.monotonic()
            current = Round(self._metrics, self._budget)
            await self._gather(current, started + GATHER_S)
            await self._commit(current)
            self._metrics.commit_seconds.observe(time.monotonic() - started)

    async def _gather(self, current: Round, deadline: float) -> None:
        while not current.full:
            message = self._uplink.frames.take()
            if message is not None:
                await self.handle(message, current)
                continue
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._uplink.frames.wait()
            except TimeoutError:
                return

    async def handle(self, message: Incoming, current: Round) -> None:
        """Decide about one message; nothing in it can stop the round."""
        current.frames += 1
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
        current.add(message, peer, decide(message.payload, peer, epochs, self._max_bytes))

    async def _peer(self, sender: str) -> Peer | None:
        if self._peers.get(sender) is None:
            now = self._now_ms()
            await self._persist(lambda: self._peers.refresh(now, _REGISTRY_MS))
        return self._peers.get(sender)

    def _epochs(self, sender: str) -> tuple[str, ...]:
        view = self._live.gateways().get(sender)
        return (view.state.epoch,) if view is not None and view.state is not None else ()

    async def _commit(self, current: Round) -> None:
        """Store, database, acknowledgement – in this order, each until it succeeds."""
        tables = list(current.tables())
        rejections = await self._write([rows for _, rows in tables])
        current.reject(rejections, self._now_ms())
        await self.settle(current, tables, rejections)
        for (sender, _), account in current.accounts.items():
            for schema in account.schemas:
                self._live.learn(sender, schema)
        for sender, values in current.received():
            self._live.take(sender, values)
        self._live.notify()
        await self._acknowledge(current.accounts)

    async def settle(
        self,
        current: Round,
        tables: Sequence[tuple[Schema, Rows]],
        rejections: Sequence[Rejection],
    ) -> None:
        """Evidence, books, gaps, quarantine and watermarks in one transaction."""
        now = self._now_ms()
        refused: dict[tuple[Series, int], int] = {}
        for rejection in rejections:
            key = (rejection.series, rejection.time_ms)
            refused[key] = refused.get(key, 0) + rejection.values
        samples = evidence.merged(
            sample
            for schema, rows in tables
            for sample in evidence.samples(schema, rows, refused, now)
        )
        orphans = await self._persist(
            lambda: self._database.run(settle, current.accounts, samples, current.entries, now)
        )
        self._metrics.orphans.inc(orphans)
        committed = sum(account.committed for account in current.accounts.values())
        self._metrics.values.labels("committed").inc(committed)

    async def _acknowledge(self, accounts: Accounts) -> None:
        for (gateway_id, epoch), account in accounts.items():
            ack = Ack(
                epoch,
                account.progress.upto,
                account.progress.ranges[:MAX_ACK_RANGES],
                [f"{schema_id:016x}" for schema_id in sorted(account.want)],
            )
            await self._uplink.publish(ack_topic(gateway_id), encode_message(ack))

    async def _write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write until the store has committed."""
        return await self._until_store_takes(lambda: self._store.write(rows)) if rows else ()

    async def _until_store_takes(self, work: Callable[[], Awaitable[T]]) -> T:
        """Try until it succeeds; says once when the store goes and once when it is back."""
        failures = 0
        while True:
            try:
                result = await work()
            except StoreUnavailableError as error:
                failures += 1
                self._store_lost(failures, error)
                await _pause(failures, error.retry_after_s)
            except StoreMisconfiguredError as error:
                failures += 1
                self._metrics.store_misconfigured.set(1)
                self._store_lost(failures, error)
                await _pause(failures)
            else:
                if failures:
                    log.info("the store answers again after %d attempts", failures + 1)
                self.store_problem = ""
                self._metrics.store_up.set(1)
                self._metrics.store_misconfigured.set(0)
                return result

    def _store_lost(self, failures: int, error: StoreError) -> None:
        self.store_problem = str(error)
        self._metrics.store_up.set(0)
        if failures == 1:
            log.error("the store takes no values, nothing is acknowledged: %s", error)

    async def _persist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with the database until it succeeds."""
        failures = 0
        while True:
            try:
                result = await work()
            except SQLAlchemyError as error:
                failures += 1
                if failures == 1:
                    log.error("the database refuses, nothing is acknowledged: %s", error)  # noqa: TRY400
                await _pause(failures)
            else:
                if failures:
                    log.info("the database answers again after %d attempts", failures + 1)
                return result


async def _pause(failures: int, wish_s: float | None = None) -> None:
    longest = backoff_ms(failures, _RETRY_MIN_MS, _RETRY_MAX_MS) / 1000
    spread = longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads attempts
    await asyncio.sleep(max(spread, min(wish_s or 0.0, _LONGEST_WISH_S)))
