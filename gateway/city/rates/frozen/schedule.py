"""Results are stored when the calendar asks for it, without anybody asking."""

import logging
from collections.abc import Callable, Mapping

from sqlalchemy.exc import IntegrityError

from gateway.city.db.hourly import PERIOD_S, every_hour
from gateway.city.rates.frozen.freezing import due, month_to_freeze, store
from gateway.city.rates.frozen.late import compared, note, touched_months
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
    """Freeze what is due, and see what came late, at once and then every hour, until cancelled."""

    async def work() -> None:
        for step in (freeze_due, note_late):
            await step(database, now_ms(), definitions=definitions, demonstration=demonstration)

    await every_hour(
        work,
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
            result = await database.read(
                month_to_freeze,
                definition_id,
                month,
                now_ms,
                demonstration=demonstration,
                definitions=definitions,
            )
            if result is None:
                continue
            await database.run(store, result, definition_id, demonstration)
        except IntegrityError:  # another worker stored it in the same moment
            continue
        count += 1
    if count:
        log.info("rates: %d results frozen", count)
    return count


async def note_late(
    database: Database,
    now_ms: int,
    *,
    definitions: Mapping[str, Definition],
    demonstration: bool,
) -> None:
    """See what came for months that are stored, where anything was written since."""
    for month, touches in await database.read(touched_months, demonstration):
        found = await database.read(
            compared, month, now_ms, definitions=definitions, demonstration=demonstration
        )
        await database.run(note, month, touches, found, now_ms, demonstration)
