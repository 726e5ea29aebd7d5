"""Results are stored when the calendar asks for it, without anybody asking."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db.database import Database
from gateway.city.rates.model import Definition
from gateway.city.rates.settle import settle_due

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
            settled = await database.run(
                settle_due, now_ms(), demonstration=demonstration, definitions=definitions
            )
            if settled:
                log.info("rates: %d months settled", len(settled))
        except SQLAlchemyError as error:
            log.warning("settling rates failed, trying again in %d s: %s", period_s, error)
        await asyncio.sleep(period_s)
