"""Counts of what a node does are written every few seconds."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from gateway.identifier.node.keeping import counts
from gateway.identifier.node.keeping.counts import Tally
from gateway.relational.database import Database, words

log = logging.getLogger(__name__)

COUNTED_S = 5.0
"""How often counts are written."""


async def keep_counting(database: Database, tally: Tally, now_ms: Callable[[], int]) -> None:
    """Write counts until cancelled, and what is left then; while the database is away they stay."""
    is_away = False
    try:
        while True:
            await asyncio.sleep(COUNTED_S)
            taken = tally.taken()
            try:
                await database.run(counts.write, taken, now_ms())
                is_away = False
            except SQLAlchemyError as error:
                tally.put_back(taken)
                if not is_away:
                    log.warning("node: counts cannot be written and are kept: %s", words(error))
                is_away = True
    finally:
        with suppress(SQLAlchemyError):  # it was told, if it was away for long
            await database.run(counts.write, tally.taken(), now_ms())
