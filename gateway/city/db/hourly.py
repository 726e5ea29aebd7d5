"""Work that is due from time to time, on a database that may be away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from gateway.core.days import HOUR_MS
from gateway.relational.database import words
from gateway.retry import Retry

PERIOD_S = HOUR_MS / 1000
_FIRST_PAUSE_MS = 10_000


async def every_hour(
    work: Callable[[], Awaitable[object]],
    *later: type[Exception],
    log: logging.Logger,
    lost: str,
    back: str,
    period_s: float = PERIOD_S,
) -> None:
    """Do it at once and then every hour, until cancelled.

    Args:
        work: does it.
        later: errors, beside those of the database, after which it is tried again sooner.
        log: logger of the caller.
        lost: said when a fault begins.
        back: said when it ends.
        period_s: the hour, for tests.
    """
    attempts = Retry(log, lost, back, first_ms=_FIRST_PAUSE_MS, longest_ms=HOUR_MS)
    while True:
        await attempts.until_done(work, SQLAlchemyError, *later, words=words)
        await asyncio.sleep(period_s)
