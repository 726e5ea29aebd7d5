"""Write gathered evidence every few seconds, and recount what a killed process left uncounted."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db import closed
from gateway.city.evidence.rebuild import identified, origins_of, recount
from gateway.city.evidence.recording import record_known
from gateway.city.evidence.samples import EARLIEST_MS, Sample
from gateway.city.evidence.uncounted import Epoch, Span, Uncounted, write_gathered
from gateway.city.ledger.machines import MachineIds
from gateway.city.stores.api import SeriesHours, Store, StoreError
from gateway.core.days import day_of
from gateway.relational.database import Database, is_permanent, words
from gateway.retry import Retry

log = logging.getLogger(__name__)

FLUSH_S = 5.0
"""How often; evidence is told in days, and the console may lag by so much."""
_LEAST_S = 1.0
"""Not more often, however much is in doubt."""


@dataclass(slots=True)
class Flushing:
    """Keeps evidence up to what the store holds.

    Attributes:
        database: where evidence goes.
        store: what is recounted.
        uncounted: what is gathered.
        now_ms: the clock, UTC milliseconds.
        found_strangers: told how many values belong to machines outside the ledger.
        machines: ids by name; used under the lock of ``uncounted`` only.
    """

    database: Database
    store: Store
    uncounted: Uncounted
    now_ms: Callable[[], int]
    found_strangers: Callable[[int], object]
    machines: MachineIds = field(default_factory=MachineIds)
    _soon: asyncio.Event = field(default_factory=asyncio.Event)
    _writing: Retry = field(default_factory=lambda: _attempts("written"))
    _recounting: Retry = field(default_factory=lambda: _attempts("recounted"))

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._flush_regularly())
                tasks.create_task(self._recount_what_is_owed())
        finally:  # a stop in good order leaves nothing for the next start to recount
            await self.flush_if_possible()

    async def flush_if_possible(self) -> None:
        """Try once; whoever begins with these gateways recounts what could not be written."""
        with contextlib.suppress(SQLAlchemyError):
            await self.flush()

    async def flush(self) -> None:
        """Make evidence of all that was committed before.

        Raises:
            SQLAlchemyError: the database refuses; everything stays gathered.
        """
        async with self.uncounted.writing:
            samples, counted = self.uncounted.gathered()
            if samples or counted:
                strangers = await self._write(samples, counted)
                self.uncounted.written(counted)
                self.found_strangers(strangers)

    async def _write(self, samples: Sequence[Sample], counted: Mapping[Epoch, Span]) -> int:
        """Write samples, but for those that the database will never take; the mark comes last."""
        try:
            return await self.database.run(
                write_gathered, samples, counted, self.machines, self.now_ms()
            )
        except Exception as error:  # whatever the driver makes of a row; others go on
            if not samples or not is_permanent(error) or closed.refused(error):
                raise
            if len(samples) == 1:
                log.warning("there is no evidence of %s: %s", samples[0].machine, words(error))
                return await self._write((), counted)
        half = len(samples) // 2
        return await self._write(samples[:half], {}) + await self._write(samples[half:], counted)

    def flush_soon(self) -> None:
        """Do not wait for the next time: a person looks for why a machine does not count."""
        self._soon.set()

    async def _flush_regularly(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S - _LEAST_S):
                    await self._soon.wait()
            self._soon.clear()
            await self._writing.until_done(self.flush, SQLAlchemyError, MemoryError, words=words)
            await asyncio.sleep(_LEAST_S)

    async def _recount_what_is_owed(self) -> None:
        while True:
            await self.uncounted.some_owed.wait()
            for key, span in list(self.uncounted.owed.items()):
                work = partial(self._recount, key[0], span)
                await self._recounting.until_done(work, SQLAlchemyError, StoreError, words=words)
                self.uncounted.recounted(key, span)

    async def _recount(self, gateway: str, span: Span) -> None:
        from_ms = max(span[0], EARLIEST_MS)
        hours = await self.store.hours(gateway, from_ms, span[1] + 1)
        await self.database.run(add_recounted, gateway, span, hours, self.now_ms())


def add_recounted(
    connection: Connection, gateway: str, span: Span, hours: Sequence[SeriesHours], now_ms: int
) -> None:
    """Make evidence of a span of a gateway as the store holds it."""
    days = (day_of(span[0]), day_of(span[1]))
    found = recount(connection, days, hours, origins_of(connection, gateway), now_ms)
    pairs = [*identified(connection, found.stored, now_ms), *found.counted]
    record_known(connection, pairs, day_of(now_ms))


def _attempts(what: str) -> Retry:
    lost = f"evidence cannot be {what}; it is kept until it can"
    return Retry(log, lost, f"evidence is {what} again", level=logging.ERROR)
