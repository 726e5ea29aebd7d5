"""Looks at the facts from time to time, and begins and ends alerts by them.

It runs in the console's process: there is one of a city, of the worker that leads, and it is not
ingest's. While two of them change places both may look; the database lets each alert begin once.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge_config.models.city import CityConfig
from gateway.city.alerts import clues, gathering, silences, standing
from gateway.city.alerts.faults import Faults
from gateway.city.alerts.gathering import Judging
from gateway.city.alerts.model import Condition, Kind
from gateway.city.rates.definitions import definition_of
from gateway.city.rates.model import Definition
from gateway.core.days import DAY_MS, HOUR_MS
from gateway.relational.database import Database, words
from gateway.retry import Retry

log = logging.getLogger(__name__)

_SOON: AbstractSet[Kind] = frozenset({Kind.GATEWAY})
"""Looked at each time; the others once an hour, as whole months and days change no sooner."""
_FACTS: Mapping[Kind, Callable[[Connection, Judging, int], list[Condition]]] = {
    Kind.GATEWAY: silences.silent_gateways,
    Kind.MACHINE: silences.silent_machines,
    Kind.FALL: gathering.rate_conditions,
    Kind.LEDGER: gathering.old_ledgers,
    Kind.FINDING: clues.open_findings,
}
_WITH: Mapping[Kind, AbstractSet[Kind]] = {
    Kind.GATEWAY: frozenset({Kind.GATEWAY, Kind.CUT_OFF}),
    Kind.FALL: frozenset({Kind.FALL, Kind.TARGET}),
}
"""Kinds that are found together."""


class Alerting:
    """Begins and ends the alerts of a city.

    Args:
        config: the city's.
        database: of the city.
        definitions: by id.
        now_ms: the clock, UTC milliseconds.
        faults: counts defects.
    """

    def __init__(
        self,
        config: CityConfig,
        database: Database,
        definitions: Mapping[str, Definition],
        now_ms: Callable[[], int],
        faults: Faults | None = None,
    ) -> None:
        self._config, self._database, self._now_ms = config.alerts, database, now_ms
        headline = definition_of(definitions, config.definitions.headline)
        self._by = Judging(config.alerts, headline, config.demonstration)
        self._faults = faults or Faults()
        self._due = dict.fromkeys(_FACTS, 0)
        self._trimmed_hour = -1

    async def run(self) -> None:
        """Look until cancelled; while the database is away, again and again."""
        attempts = Retry(log, "alerts cannot be judged", "alerts are judged again")
        while True:
            await attempts.until_done(self.look, SQLAlchemyError, words=words)
            await asyncio.sleep(self._config.check_s)

    async def look(self) -> None:
        """Judge what is due once.

        Raises:
            SQLAlchemyError: the database is away.
        """
        now_ms = self._now_ms()
        kinds = [kind for kind, due_ms in self._due.items() if due_ms <= now_ms]
        conditions: list[Condition] = []
        judged: AbstractSet[Kind] = frozenset()
        for kind in kinds:
            found = await self._found(kind, now_ms)
            if found is not None:
                conditions += found
                judged |= _WITH.get(kind, {kind})
        await self._apply(conditions, judged, now_ms)
        if now_ms // HOUR_MS != self._trimmed_hour:
            before_ms = now_ms - self._config.keep_days * DAY_MS
            await self._database.run(standing.trim, before_ms)
        self._trimmed_hour = now_ms // HOUR_MS

    async def _found(self, kind: Kind, now_ms: int) -> list[Condition] | None:
        """The facts of a kind; None: nobody knows them, and its alerts are left as they are.

        Raises:
            SQLAlchemyError: the database is away.
        """
        try:
            found = await self._database.read(_FACTS[kind], self._by, now_ms)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of one kind keeps no other back
            self._due[kind] = now_ms + self._faults.met(f"judging {kind}", error)
            return None
        self._faults.over(f"judging {kind}")
        self._due[kind] = 0 if kind in _SOON else (now_ms // HOUR_MS + 1) * HOUR_MS
        return found

    async def _apply(
        self, conditions: Sequence[Condition], judged: AbstractSet[Kind], now_ms: int
    ) -> None:
        given = (conditions, judged, now_ms, self._config.steady_s * 1000)
        if not await self._database.read(standing.judge, *given):
            return  # most of the time: nobody has to wait for a lock
        found = await self._database.run(standing.write, *given)
        if found.begin or found.end:
            log.info("alerts: %d begin, %d end", len(found.begin), len(found.end))
