"""Hear a fair share of the partitions, hand over what is above it, and lead if nobody else does."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from gateway.city.ingest.enrolled.gateways import Gateways
from gateway.city.ingest.uplink.api import Uplink
from gateway.city.ingest.worker import Ingest
from gateway.city.live.metrics import CityMetrics
from gateway.city.partitions.claims import Claims
from gateway.city.partitions.share import change
from gateway.city.partitions.vacant import Vacant
from gateway.relational.database import words
from gateway.retry import Retry

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often it is looked who holds what."""
FINISH_S = 10.0
_NONE = frozenset[int]()


class Sharing:
    """What this worker has of the city.

    Args:
        claims: the locks.
        uplink: told which partitions to hear.
        gateways: told which partitions to hold in memory.
        ingest: finishes what is on its way before a partition is handed over.
        metrics: told what this worker holds and what nobody does.
    """

    def __init__(
        self,
        claims: Claims,
        uplink: Uplink,
        gateways: Gateways,
        ingest: Ingest,
        metrics: CityMetrics,
    ) -> None:
        self._claims, self._uplink = claims, uplink
        self._gateways, self._ingest = gateways, ingest
        self._metrics = metrics
        self._vacant = Vacant()
        self._lost = ""
        self._mine = _NONE
        self._holds_leader = False
        self._leading, self._following = asyncio.Event(), asyncio.Event()
        self._following.set()

    async def run(self) -> None:
        """Share until cancelled; while the locks are lost nothing is heard nor acknowledged."""
        retry = Retry(
            log, "partitions cannot be held", "partitions are held again", level=logging.ERROR
        )
        await self._hear(_NONE)  # the uplink hears all until it is told otherwise
        try:
            while True:
                try:
                    await self._begin()
                    retry.succeeded()
                    self._lost = ""
                    while True:
                        await self._look()
                        await asyncio.sleep(LOOK_S * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
                except SQLAlchemyError as error:
                    await self._hear(_NONE)  # before anything else: others may hear them
                    self._lost = f"none can be held here: {words(error)}"
                    retry.failed(words(error))
                await asyncio.sleep(retry.pause_s())
        finally:
            self._claims.close()

    @property
    def problem(self) -> str:
        """Why some partitions are heard by nobody, as far as this worker sees; empty if all are."""
        return self._lost or self._vacant.problem(time.monotonic())

    async def while_leading(self, parts: Callable[[], Sequence[Coroutine[Any, Any, None]]]) -> None:
        """Run the parts of which a city has one each, whenever this worker leads."""
        while True:
            await self._leading.wait()
            async with asyncio.TaskGroup() as tasks:
                started = [tasks.create_task(part) for part in parts()]
                await self._following.wait()
                for task in started:
                    task.cancel()

    async def _begin(self) -> None:
        """A new session holds nothing: what was known of partitions may be out of date."""
        self._mine, self._holds_leader = _NONE, False
        await self._finish()
        await self._gateways.hold(_NONE)
        await asyncio.to_thread(self._claims.open)

    async def _look(self) -> None:
        seen = await asyncio.to_thread(self._claims.look)
        self._vacant.note(seen.held, time.monotonic())
        self._metrics.partitions_free.set(self._vacant.count)
        wanted = change(self._mine, seen.held, seen.workers)
        if wanted.release:
            await self._release(wanted.release, seen.workers)
        if wanted.acquire:
            await self._acquire(wanted.acquire, seen.workers)
        if not self._holds_leader:
            self._holds_leader = await asyncio.to_thread(self._claims.lead)
            self._lead(self._holds_leader)

    async def _release(self, partitions: Collection[int], workers: int) -> None:
        """Hear no more, finish, forget, and only then let another worker begin."""
        rest = self._mine.difference(partitions)
        await self._hear(rest)
        await self._finish()
        await self._gateways.hold(rest)
        await asyncio.to_thread(self._claims.release, partitions)
        self._mine = rest
        log.info(
            "%d partitions released, %d kept; workers: %d", len(partitions), len(rest), workers
        )

    async def _hear(self, partitions: Collection[int]) -> None:
        await self._uplink.follow(partitions)
        self._metrics.partitions_heard.set(len(partitions))

    async def _finish(self) -> None:
        """Wait for what is on its way, but not long: who commits a frame second is told so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._ingest.drained()

    async def _acquire(self, partitions: Collection[int], workers: int) -> None:
        """Know the gateways before the first frame of theirs comes."""
        acquired = await asyncio.to_thread(self._claims.acquire, partitions)
        if acquired:
            self._mine |= acquired
            await self._gateways.hold(self._mine)
            await self._hear(self._mine)
            log.info(
                "%d partitions acquired, %d held; workers: %d",
                len(acquired),
                len(self._mine),
                workers,
            )

    def _lead(self, leads: bool) -> None:
        """A leader that has lost its session stays so until another is found to lead.

        So a database that is away for a moment ends no console; what a leader does tolerates a
        second one for that moment.
        """
        if leads == self._leading.is_set():
            return
        log.info("this worker %s", "leads" if leads else "leads no more")
        begins, ends = self._leading, self._following
        if not leads:
            begins, ends = ends, begins
        ends.clear()
        begins.set()
