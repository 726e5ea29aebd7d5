"""Results are stored when the calendar asks for it, without anybody asking."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy.exc import IntegrityError

from gateway.city.db.hourly import PERIOD_S, every_hour
from gateway.city.rates.engines.engine import Engine, EngineError
from gateway.city.rates.frozen.freezing import due, results_to_freeze, store
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
    engine: Engine | None = None,
    period_s: float = PERIOD_S,
) -> None:
    """Freeze what is due, and see what came late, at once and then every hour, until cancelled.

    While the engine that is to count cannot be asked, months wait for it.
    """
    how: dict[str, Any] = {"definitions": definitions, "demonstration": demonstration}

    async def work() -> None:
        try:
            await freeze_due(database, now_ms(), engine=engine, **how)
        finally:
            await note_late(database, now_ms(), **how)

    await every_hour(
        work,
        EngineError,
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
    engine: Engine | None = None,
) -> int:
    """Freeze what is due, each month on a snapshot of its own; how many results were stored."""
    how: dict[str, Any] = {"demonstration": demonstration, "definitions": definitions}
    wanted = await database.read(due, now_ms, **how)
    count = 0
    for month, of_month in groupby(wanted, itemgetter(1)):
        names = [definition for definition, _ in of_month]
        found = await database.read(results_to_freeze, names, month, now_ms, engine=engine, **how)
        with suppress(IntegrityError):  # another worker is storing this month in the same moment
            for definition, result in found.items():
                await database.run(store, result, definition, demonstration)
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
