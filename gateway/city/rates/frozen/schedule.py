"""Results are stored when the calendar asks for it, without anybody asking."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gateway.city.db.database import Database, words
from gateway.city.rates.frozen.freezing import due, settle_month
from gateway.city.rates.model import Definition

log = logging.getLogger(__name__)

PERIOD_S = 3_600.0


async def run(
    database: Database,
    now_ms: Callable[[], int],
    *,
    definitions: Mapping[str, Definition],
    demonstration: bool,
    period_s: float = PERIOD_S,
) -> None:
    """Settle what is due at once and then every hour, until cancelled."""
    while True:
        try:
            count = await settle(
                database, now_ms(), definitions=definitions, demonstration=demonstration
            )
            if count:
                log.info("rates: %d results settled", count)
        except SQLAlchemyError as error:
            log.warning("settling rates failed, trying again in %d s: %s", period_s, words(error))
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
