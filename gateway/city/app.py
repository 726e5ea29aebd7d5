"""The city: what it starts, in which order, in one place."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from edge_config.city import CityConfig
from gateway.city import housekeeping, node_service
from gateway.city.db.database import Database, connect
from gateway.city.db.upgrade import upgrade
from gateway.city.ingest import Ingest
from gateway.city.live import Live
from gateway.city.metrics import CityMetrics
from gateway.city.peers import Peers
from gateway.city.presence import Presence
from gateway.city.rates import settling
from gateway.city.rates.definitions import load_definitions
from gateway.city.rates.model import Definition
from gateway.city.stores.api import Store
from gateway.city.stores.choose import make_store
from gateway.city.uplink import Uplink

log = logging.getLogger(__name__)


def system_ms() -> int:
    """The system clock, UTC milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class City:
    """The parts of a running city."""

    config: CityConfig
    database: Database
    store: Store
    live: Live
    metrics: CityMetrics
    peers: Peers
    uplink: Uplink
    ingest: Ingest
    presence: Presence
    definitions: Mapping[str, Definition]
    now_ms: Callable[[], int]


def open_database(config: CityConfig) -> Database:
    """Connect to the relational database and bring it to the newest version.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: it does not answer or refuses.
        alembic.util.CommandError: it was written by a newer qulink.
    """
    database = connect(config.database.url, config.data_dir, config.database.password)
    upgrade(database)
    return database


@asynccontextmanager
async def assembled(
    config: CityConfig, now_ms: Callable[[], int] = system_ms
) -> AsyncIterator[City]:
    """Make all parts and release them at the end; nothing runs yet."""
    database = await asyncio.to_thread(open_database, config)
    store = make_store(config.store, config.data_dir)
    live, metrics = Live(), CityMetrics()
    peers = Peers(database, live)
    uplink = Uplink(config.broker, metrics, now_ms)
    ingest = Ingest(
        uplink=uplink,
        peers=peers,
        store=store,
        database=database,
        live=live,
        metrics=metrics,
        max_message_bytes=config.broker.max_message_bytes,
        now_ms=now_ms,
    )
    presence = Presence(
        database=database,
        peers=peers,
        live=live,
        uplink=uplink,
        metrics=metrics,
        silence_ms=config.silence_ms,
        now_ms=now_ms,
    )
    city = City(
        config=config,
        database=database,
        store=store,
        live=live,
        metrics=metrics,
        peers=peers,
        uplink=uplink,
        ingest=ingest,
        presence=presence,
        definitions=load_definitions(config.definitions.file),
        now_ms=now_ms,
    )
    try:
        yield city
    finally:
        await store.close()
        database.close()


def parts(city: City) -> list[Coroutine[object, object, None]]:
    """Everything that runs, each until it is cancelled."""
    return [
        city.uplink.run(),
        city.ingest.run(),
        city.presence.run(),
        _housekeeping(city),
        node_service.run(city.config, city.database, city.now_ms),
        settling.run(
            city.database,
            city.now_ms,
            definitions=city.definitions,
            demonstration=city.config.demonstration,
        ),
        _console(city),
    ]


async def _housekeeping(city: City) -> None:
    await city.ingest.opened.wait()
    await housekeeping.run(city.database, city.store, city.config.retention, city.now_ms)


async def _console(city: City) -> None:
    from gateway.city.console.app import build  # noqa: PLC0415 - slow to import
    from gateway.city.console.context import ConsoleContext  # noqa: PLC0415
    from gateway.web.serve import serve  # noqa: PLC0415

    context = ConsoleContext(
        config=city.config,
        database=city.database,
        live=city.live,
        store=city.store,
        registry=city.metrics.registry,
        definitions=city.definitions,
        now_ms=city.now_ms,
        health=lambda: health(city),
    )
    await serve(build(context), city.config.console)


def health(city: City) -> dict[str, str]:
    """State of the parts for ``/healthz``: ``ok``, or what is wrong."""
    broker = "ok" if city.uplink.connected_since_ms is not None else "broker does not answer"
    return {"broker": broker, "store": city.ingest.store_problem or "ok"}


async def run(config: CityConfig) -> None:
    """Run a city until SIGTERM or SIGINT.

    Raises:
        ExceptionGroup: a part failed for good, for example because a port is in use.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with assembled(config) as city, asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(part) for part in parts(city)]
        log.info("city %s is running", config.city.name_en)
        await stop.wait()
        log.info("city %s stops", config.city.name_en)
        for task in started:
            task.cancel()
