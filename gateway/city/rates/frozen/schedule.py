"""Results are stored when the calendar asks for it, without anybody asking."""

import logging
from collections.abc import Callable, Mapping

from sqlalchemy.exc import IntegrityError

from gateway.city.db.hourly import PERIOD_S, every_hour
from gateway.city.rates.frozen.freezing import due, month_to_freeze
from gateway.city.rates.frozen.results import append
from gateway.city.rates.model import Definition
from gateway.relational.database import Database

log = logging.getLogger(__name__)


async def run(
    database: Database,
    now_ms: Callable[[], int],
    *,
    definitions: Mapping[str, Definition],
    demonstration: bool,
    period_s: float = PERIOD_S,
) -> None:
    """Freeze what is due at once and then every hour, until cancelled."""
    await every_hour(
        lambda: freeze_due(
            database, now_ms(), definitions=definitions, demonstration=demonstration
        ),
        log=log,
        lost="freezing rates failed",
        back="rates are frozen again",
        period_s=period_s,
    )


async def freeze_due(
    database: Database,
    now_ms: int,
    *,
    definitions: Mapping[str, Definition],
    demonstration: bool,
) -> int:
    """Freeze what is due, each result on a snapshot of its own; how many were stored."""
    wanted = await database.read(due, now_ms, demonstration=demonstration, definitions=definitions)
    count = 0
    for definition_id, month in wanted:
        try:
            table = await database.read(
                month_to_freeze,
                definition_id,
                month,
                now_ms,
                demonstration=demonstration,
                definitions=definitions,
            )
            if table is None:
                continue
            await database.run(append, table, definition_id, demonstration)
        except IntegrityError:  # another worker stored it in the same moment
            continue
        count += 1
    if count:
        log.info("rates: %d results frozen", count)
    return count
