"""What the city quarantines is told to the edge, which sends it anew: no old state stays GOOD."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.city.app import City
from gateway.city.db.tables import quarantine
from gateway.city.stores.api import Series
from gateway.edge.buffer.buffer import Buffer
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.edge.test_losses import arrivals
from tests.support.broker import Mosquitto
from tests.support.city import USCC, city_on, rows_of
from tests.support.consumers import for_city
from tests.support.waiting import until

DAY_MS = 86_400_000
SERIES = Series("press", USCC, "1", "gw", "d", "B-001")


@asynccontextmanager
async def edge_on(
    mosquitto: Mosquitto, folder: Path, plant: Plant, mode: str
) -> AsyncIterator[Runtime]:
    """A whole edge whose tags, standing still, are sent once a day."""
    machine = {"uscc": USCC, "asset_no": "B-001", "mode": mode}
    plan = loaded(folder, interval_ms=100, silence_ms=DAY_MS, url=mosquitto.url, **machine)
    buffer = Buffer.open(folder / "b.db", for_city(1 << 30, 1 << 50))
    clock = Clock(time.time_ns() // 1_000_000)
    try:
        async with Runtime(plan, plant, clock, buffer) as edge:
            yield edge
    finally:
        buffer.close()


async def newest(city: City) -> float | None:
    """What the store shows of a tag now."""
    await city.ingest.opened.wait()
    point = (await city.store.latest(SERIES)).get("t0")
    return None if point is None else float(point.value)


async def test_a_state_that_was_quarantined_is_in_the_store_when_that_has_ended(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """It changed while the city took no frame of that size, and has not moved since."""
    plant = Plant()
    async with (
        city_on(mosquitto.url, tmp_path / "city", "gw") as city,
        edge_on(mosquitto, tmp_path, plant, "poll") as edge,
    ):
        await shows(city, lambda value: value > 1.0)
        async with quarantining(city, edge):
            plant.stands_still = True  # at 1.0, which it was not before
            reads = plant.reads
            await until(lambda: plant.reads > reads + 3)
        await shows(city, lambda value: value == 1.0)


async def test_a_subscribed_state_that_was_quarantined_is_sent_anew(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Its server has reported it, and does so no more while it stands."""
    plant = Plant()
    async with (
        city_on(mosquitto.url, tmp_path / "city", "gw") as city,
        edge_on(mosquitto, tmp_path, plant, "subscribe") as edge,
    ):
        plant.deliveries.put_nowait(arrivals(edge.clock, 5.0))
        await shows(city, lambda value: value == 5.0)
        async with quarantining(city, edge):
            plant.deliveries.put_nowait(arrivals(edge.clock, 7.0))
            await until(lambda: edge.buffer.totals().buffered == 2)
        await shows(city, lambda value: value == 7.0)


async def shows(city: City, is_right: Callable[[float], bool]) -> None:
    """Wait until the newest value of the tag in the store is the right one."""

    async def condition() -> bool:
        value = await newest(city)
        return value is not None and is_right(value)

    await until(condition)


@asynccontextmanager
async def quarantining(city: City, edge: Runtime) -> AsyncIterator[None]:
    """The city puts all frames into quarantine that are made within the block."""
    city.ingest.max_message_bytes, usual = 1, city.ingest.max_message_bytes
    yield
    await edge.recorder.commit()
    made = edge.buffer.last_seq
    await until(lambda: edge.edge.northbounds[0].acknowledged >= made)
    assert rows_of(city, quarantine)
    city.ingest.max_message_bytes = usual
