"""What ``/healthz`` and ``/metrics`` of a city say: about the console itself and every worker."""

import asyncio
import contextlib

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.access.principal import EVERYTHING
from gateway.city.alerts.delivery.queue import STATES, states
from gateway.city.alerts.standing import count
from gateway.city.console.apart.giving_up import TRIES
from gateway.city.console.context import ConsoleContext
from gateway.city.console.live.metrics import together
from gateway.city.console.live.source import SourceAwayError
from gateway.city.console.live.workers import Worker

DATABASE_TIMEOUT_S = 5
FIGURES = "figures"
"""The part that is not well while something is not computed any more."""
INGEST_AWAY = "does not answer; pages show what database and store hold"


class Observation:
    """Asks every part when somebody wants to know."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._registry = CollectorRegistry()
        self._answering = Gauge(
            "qulink_console_workers_answering",
            "Processes that receive values and answered the console just now",
            registry=self._registry,
        )
        self._alerts = Gauge(
            "qulink_city_alerts_going_on",
            "Alerts that have begun and not ended",
            registry=self._registry,
        )
        self._faults = Gauge(
            "qulink_city_alert_defects",
            "Failures of alerting by a defect since the console began; the log says where",
            registry=self._registry,
        )
        self._given_up = Gauge(
            "qulink_console_works_given_up",
            "Works that ended each process that computed them, and are not tried for an hour; "
            "pages say so",
            registry=self._registry,
        )
        self._deaths = Gauge(
            "qulink_console_computing_deaths",
            "Processes that computed for pages and died since the console began",
            registry=self._registry,
        )
        self._messages = Gauge(
            "qulink_city_alert_messages",
            "Messages about alerts that are kept, by what became of them: waiting, sent, refused, "
            "given-up, dropped (the queue was full), void (no longer their recipient's)",
            ["state"],
            registry=self._registry,
        )

    async def check(self) -> dict[str, str]:
        """State of the parts. Silent gateways are gaps, not a fault of the city."""
        workers = self._context.live.workers.all
        parts = {
            "console": "ok",
            "ingest": "ok" if workers else INGEST_AWAY,
            "database": await _database_state(self._context),
        }
        if given_up := self._context.apart.given_up():
            parts[FIGURES] = f"given up for an hour after {TRIES} tries: {', '.join(given_up)}"
        for answer in await asyncio.gather(*map(_parts, workers)):  # a part is as its worst
            faults = {part: state for part, state in answer.items() if state != "ok"}
            parts = answer | parts | faults
        return parts

    async def metrics(self) -> bytes:
        """The counters of the workers that answer, then those of the console."""
        answers = await asyncio.gather(*map(_counters, self._context.live.workers.all))
        texts = {name: text for name, text in answers if text is not None}
        self._answering.set(len(texts))
        self._faults.set(self._context.alert_faults.count)
        self._given_up.set(len(self._context.apart.given_up()))
        self._deaths.set(self._context.apart.deaths)
        await self._count_alerts()
        return together(texts) + generate_latest(self._registry)

    async def _count_alerts(self) -> None:
        """As the database has them; while it is away, as they last were."""
        with contextlib.suppress(SQLAlchemyError, TimeoutError):
            async with asyncio.timeout(DATABASE_TIMEOUT_S):
                going_on = await self._context.database.read(count, EVERYTHING, ended=False)
                found = await self._context.database.read(states)
            self._alerts.set(going_on)
            for state in STATES:
                self._messages.labels(state).set(found.get(state, 0))


async def _parts(worker: Worker) -> dict[str, str]:
    try:
        return await worker.source.health()
    except SourceAwayError:
        return {"ingest": INGEST_AWAY}


async def _counters(worker: Worker) -> tuple[str, str | None]:
    name = worker.source.path.stem
    try:
        return name, await worker.source.metrics()
    except SourceAwayError:
        return name, None


async def _database_state(context: ConsoleContext) -> str:
    try:
        # A watchdog that asks must be answered even when the database hangs.
        async with asyncio.timeout(DATABASE_TIMEOUT_S):
            await context.database.run(_ping)
    except (SQLAlchemyError, TimeoutError) as error:
        return f"does not answer: {type(error).__name__}"
    return "ok"


def _ping(connection: Connection) -> None:
    connection.execute(select(1))
