"""The city: what it starts, in which order, in one place."""

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from edge_config.models.city import CityConfig
from gateway.city.console.supervisor import supervise
from gateway.city.db import housekeeping
from gateway.city.db.upgrade import open_database
from gateway.city.identifiers import agreement, node_service
from gateway.city.identifiers.issued import FILE
from gateway.city.ingest.enrolled.gateways import Gateways
from gateway.city.ingest.uplink.mqtt import MqttUplink
from gateway.city.ingest.worker import Ingest
from gateway.city.live.metrics import CityMetrics
from gateway.city.live.server import LiveServer
from gateway.city.live.view import Live
from gateway.city.partitions.claims import Claims
from gateway.city.partitions.sharing import Sharing
from gateway.city.presence.presence import Presence
from gateway.city.rates.definitions import load_definitions
from gateway.city.rates.engines.opening import engine_of
from gateway.city.rates.frozen import schedule as freezing
from gateway.city.stores.choose import make_store
from gateway.relational.database import Database
from gateway.wire.topics import PARTITIONS

log = logging.getLogger(__name__)

TAKE_OVER_S = 15.0
"""The console of a leader that was killed may hold its port for about a second."""
_NEW_OBJECTS = 100_000
"""After so many new objects the garbage collector looks for cycles; Python's default is 700.
A batch of frames makes tens of thousands, all freed by reference count; searching them, and every
schema in memory with them, cost an eighth of a worker's processor time."""
_SWITCH_S = 0.001
"""How long a thread may keep the interpreter from the event loop; Python's default is 5 ms.
The loop lets go of it with each frame that it decompresses, and waited for so long each time."""


def system_ms() -> int:
    """The system clock, UTC milliseconds."""
    return time.time_ns() // 1_000_000


class City:
    """The parts of a city; nothing runs yet."""

    def __init__(self, config: CityConfig, database: Database, now_ms: Callable[[], int]) -> None:
        self.config = config
        self.database = database
        self.now_ms = now_ms
        self.definitions = load_definitions(config.definitions.file, config.calendar.file)
        self.store = make_store(config.store, config.data_dir)
        self.live = Live()
        self.metrics = CityMetrics()
        demanded = config.agreements.required
        self.gateways = Gateways(database, self.live, demand_agreements=demanded)
        self.uplink = MqttUplink(config.broker, self.metrics, now_ms)
        self.ingest = Ingest(
            uplink=self.uplink,
            gateways=self.gateways,
            store=self.store,
            database=database,
            live=self.live,
            metrics=self.metrics,
            max_message_bytes=config.broker.max_message_bytes,
            now_ms=now_ms,
        )
        self.presence = Presence(
            database=database,
            gateways=self.gateways,
            live=self.live,
            uplink=self.uplink,
            metrics=self.metrics,
            silence_ms=config.silence_ms,
            now_ms=now_ms,
        )
        self.sharing = self._sharing()

    def _sharing(self) -> Sharing | None:
        """None on SQLite, where one process hears everything."""
        if self.database.engine.dialect.name == "sqlite":
            self.metrics.partitions_heard.set(PARTITIONS)
            return None
        claims = Claims(self.database)
        return Sharing(claims, self.uplink, self.gateways, self.ingest, self.metrics)


@asynccontextmanager
async def assembled(
    config: CityConfig, now_ms: Callable[[], int] = system_ms
) -> AsyncIterator[City]:
    """Open the database, make all parts, and release them at the end."""
    database = await asyncio.to_thread(open_database, config)
    try:
        city = City(config, database, now_ms)
        try:
            yield city
        finally:
            await city.store.close()
    finally:
        database.close()


def parts(city: City) -> list[Coroutine[object, object, None]]:
    """Everything that runs, each until it is cancelled.

    On PostgreSQL a city may have several workers, which share the partitions, and one of them
    leads; on SQLite there is one.
    """
    receiving = [city.uplink.run(), city.ingest.run(), city.presence.run(), _live(city)]
    sharing = city.sharing
    if sharing is None:
        return [*receiving, *singletons(city, patience_s=0)]
    leading = sharing.while_leading(lambda: singletons(city, TAKE_OVER_S))
    # Of every worker, as each may lead: hosts have files of their own.
    following = agreement.run(city.database, city.config.data_dir / FILE, city.now_ms)
    # the first: nothing is heard before it says what
    return [sharing.run(), *receiving, leading, following]


def singletons(city: City, patience_s: float) -> list[Coroutine[object, object, None]]:
    """What only one process of a city does.

    Args:
        city: the parts.
        patience_s: how long to wait for the ports that a leader before us may still hold.
    """
    config, database, now_ms = city.config, city.database, city.now_ms
    definitions, demonstration = city.definitions, config.demonstration
    return [
        _housekeeping(city),
        node_service.run(config, database, now_ms, patience_s),
        freezing.run(
            database,
            now_ms,
            definitions=definitions,
            demonstration=demonstration,
            engine=engine_of(config),
        ),
        supervise(config, patience_s),
    ]


async def _housekeeping(city: City) -> None:
    await city.ingest.opened.wait()
    await housekeeping.run(city.database, city.store, city.config.retention, city.now_ms)


async def _live(city: City) -> None:
    """Offer the live view to the console, whichever worker runs that."""
    server = LiveServer(
        city.config.data_dir, city.live, city.metrics.registry, lambda: health(city)
    )
    async with server.listening():
        await asyncio.Event().wait()


def health(city: City) -> dict[str, str]:
    """State of the parts for ``/healthz``: ``ok``, or what is wrong."""
    broker = "ok" if city.uplink.connected_since_ms is not None else "broker does not answer"
    partitions = city.sharing.problem if city.sharing is not None else ""
    return {
        "broker": broker,
        "store": city.ingest.persistence.store_problem or "ok",
        "partitions": partitions or "ok",
        "clock": city.presence.clock_problem or "ok",
    }


async def run(config: CityConfig) -> None:
    """Run a city until SIGTERM or SIGINT.

    Raises:
        ExceptionGroup: a part failed for good, for example because a port is in use.
    """
    gc.set_threshold(_NEW_OBJECTS)
    sys.setswitchinterval(_SWITCH_S)
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
