"""Results are stored when the calendar asks for it, without anybody asking."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gateway.city.db.database import Database, words
from gateway.city.rates.frozen.freezing import due, settle_month
from gateway.city.rates.model import Definition
from gateway.retry import Retry

log = logging.getLogger(__name__)

PERIOD_S = 3_600.0
_RETRY_MIN_MS = 10_000
_RETRY_MAX_MS = 3_600_000


async def run(
    database: Database,
    now_ms: Callable[[], int],
    *,
    definitions: Mapping[str, Definition],
    demonstration: bool,
    period_s: float = PERIOD_S,
) -> None:
    """Settle what is due at once and then every hour, until cancelled."""
    attempts = Retry(
        log,
        "freezing rates failed",
        "rates are frozen again",
        first_ms=_RETRY_MIN_MS,
        longest_ms=_RETRY_MAX_MS,
    )
    while True:
        count = await attempts.until_done(
            lambda: settle(
                database, now_ms(), definitions=definitions, demonstration=demonstration
            ),
            SQLAlchemyError,
            words=words,
        )
        if count:
            log.info("rates: %d results settled", count)
        await asyncio.sleep(period_s)


async def settle(
    database: Database,
    now_ms: int,
    *,
    definitions: Mapping[str, Definition],
    demonstration: bool,
) -> int:
    """Settle what is due, each result in a transaction of its own; how many were stored."""
    wanted = await database.run(due, now_ms, demonstration=demonstration, definitions=definitions)
    count = 0
    for definition_id, month in wanted:
        try:
            settled = await database.run(
                settle_month,
                definition_id,
                month,
                now_ms,
                demonstration=demonstration,
                definitions=definitions,
            )
        except IntegrityError:  # another worker stored it in the same moment
            continue
        count += settled is not None
    return count
