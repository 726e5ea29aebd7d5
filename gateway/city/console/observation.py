"""What ``/healthz`` and ``/metrics`` of a city say: about the console itself and every worker."""

import asyncio

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.console.context import ConsoleContext
from gateway.city.console.live.metrics import together
from gateway.city.console.live.source import SourceAwayError
from gateway.city.console.live.workers import Worker

DATABASE_TIMEOUT_S = 5
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

    async def check(self) -> dict[str, str]:
        """State of the parts. Silent gateways are gaps, not a fault of the city."""
        workers = self._context.live.workers.all
        parts = {
            "console": "ok",
            "ingest": "ok" if workers else INGEST_AWAY,
            "database": await _database_state(self._context),
        }
        for answer in await asyncio.gather(*map(_parts, workers)):  # a part is as its worst
            faults = {part: state for part, state in answer.items() if state != "ok"}
            parts = answer | parts | faults
        return parts

    async def metrics(self) -> bytes:
        """The counters of the workers that answer, then those of the console."""
        answers = await asyncio.gather(*map(_counters, self._context.live.workers.all))
        texts = {name: text for name, text in answers if text is not None}
        self._answering.set(len(texts))
        return together(texts) + generate_latest(self._registry)


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
