"""What is done from time to time: what is old goes, what pages do not wait for is counted."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection, delete

from edge_config.models.data.keeping import RetentionConfig
from gateway.city.db import monthly, sizes
from gateway.city.db.hourly import PERIOD_S, every_hour
from gateway.city.db.tables import gap, tag_schema
from gateway.city.erasing.late import erase_late
from gateway.city.evidence import clock_doubt
from gateway.city.evidence.counts import trim_counts
from gateway.city.ingest import quarantine
from gateway.city.ledger.importing.parts import clear_replaced
from gateway.city.stores.api import Store, StoreError
from gateway.core.days import DAY_MS, day_of
from gateway.relational.database import Database

log = logging.getLogger(__name__)

FIRST_S = 60.0
_SOON_MS = 7 * DAY_MS
"""A month's table is there before all workers want it at once."""


@runtime_checkable
class Trimmed(Protocol):
    """A store that does not keep a retention of its own."""

    async def trim(self, before_ms: int) -> int:
        """Delete values older than ``before_ms``; returns how many rows went."""


async def run(
    database: Database,
    store: Store,
    retention: RetentionConfig,
    now_ms: Callable[[], int],
    period_s: float = PERIOD_S,
) -> None:
    """Tidy up every hour, until cancelled; the first time a minute after the start."""
    await asyncio.sleep(min(FIRST_S, period_s))  # what a start leaves to do goes first
    await every_hour(
        lambda: tidy(database, store, retention, now_ms()),
        StoreError,
        log=log,
        lost="tidying up failed",
        back="tidied up again",
        period_s=period_s,
    )


async def tidy(database: Database, store: Store, retention: RetentionConfig, now_ms: int) -> None:
    """Delete what is older than its retention; an InfluxDB keeps its own."""
    telemetry_ms = now_ms - retention.telemetry_days * DAY_MS
    rows = await store.trim(telemetry_ms) if isinstance(store, Trimmed) else 0
    gaps = await database.run(_trim_gaps, telemetry_ms)
    counts = await database.run(trim_counts, day_of(telemetry_ms))
    await database.run(clock_doubt.tidy, telemetry_ms, day_of(now_ms))
    schemas = await database.run(_trim_schemas, day_of(telemetry_ms))
    await database.run(monthly.ensure, [day_of(now_ms), day_of(now_ms + _SOON_MS)])
    await database.run(sizes.keep, await database.read(sizes.count_due, now_ms), now_ms)
    messages = await database.run(quarantine.trim, now_ms - retention.quarantine_days * DAY_MS)
    await erase_late(database, store, now_ms)
    # What an import left that was killed behind its last part; most hours there is none.
    await database.run(lambda connection: clear_replaced(connection.engine, now_ms))
    if rows or gaps or counts or schemas or messages:
        log.info(
            "retention: %d telemetry rows, %d gaps, %d counters of machines, %d schemas, "
            "%d quarantined messages deleted",
            rows,
            gaps,
            counts,
            schemas,
            messages,
        )


def _trim_schemas(connection: Connection, before: date) -> int:
    """Delete schemas that no value follows any more.

    A worker that has one in memory writes it again with its next use; others ask for it.
    """
    return connection.execute(delete(tag_schema).where(tag_schema.c.used_on < before)).rowcount


def _trim_gaps(connection: Connection, before_ms: int) -> int:
    return connection.execute(delete(gap).where(gap.c.to_ms < before_ms)).rowcount
