"""Counts of what a node does are written every few seconds."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import count

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gateway.identifier.node.keeping import audit, counts
from gateway.identifier.node.keeping.counts import Counts, Tally
from gateway.relational.database import Database, words

log = logging.getLogger(__name__)

COUNTED_S = 5.0
"""How often counts are written."""
_TIDIED = 720
"""After so many times, an hour, what is too old goes."""


async def keep_counting(database: Database, tally: Tally, now_ms: Callable[[], int]) -> None:
    """Write counts until cancelled, and what is left then; while the database is away they stay."""
    is_away = False
    try:
        for turn in count():
            await asyncio.sleep(COUNTED_S)
            taken = tally.taken()
            try:
                await database.run(_write, taken, now_ms(), turn % _TIDIED == 0)
                is_away = False
            except SQLAlchemyError as error:
                tally.put_back(taken)
                if not is_away:
                    log.warning("node: counts cannot be written and are kept: %s", words(error))
                is_away = True
    finally:
        with suppress(SQLAlchemyError):  # it was told, if it was away for long
            await database.run(counts.write, tally.taken(), now_ms())


def _write(connection: Connection, taken: Counts, now_ms: int, is_tidying: bool) -> None:
    counts.write(connection, taken, now_ms)
    if is_tidying:
        counts.forget(connection, now_ms)
        audit.forget_registered(connection, now_ms)
