"""What the city quarantines is told to the edge, which sends it anew: no old state stays GOOD."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import log2
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from gateway.city.app import City
from gateway.city.db.tables import quarantine
from gateway.city.ingest.layout import batch_rows, layout_of
from gateway.city.stores.api import Rows, Series
from gateway.core.batch import Batch
from gateway.core.schema import Kind
from gateway.edge.buffer.buffer import Buffer
from tests.edge.plant import Clock, Plant, Runtime, loaded
from tests.edge.test_losses import arrivals
from tests.support.broker import Mosquitto
from tests.support.city import USCC, city_on, rows_of, schema_of
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


async def test_a_tag_that_is_refused_without_end_makes_the_others_be_sent_ever_more_seldom(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """The store has it as a text, of another machine; the other tag stands still."""
    plant = Plant()
    plant.moving = 1
    async with city_on(mosquitto.url, tmp_path / "city", "gw") as city:
        await city.ingest.opened.wait()
        await city.store.write(texts("t0"))
        begun_s, begun_ms = time.monotonic(), time.time_ns() // 1_000_000
        async with edge_on(mosquitto, tmp_path, plant, "poll") as edge:
            await until(lambda: len(rows_of(city, quarantine)) > 120)
            assert edge.buffer.totals().balanced
        end_ms = begun_ms + DAY_MS
        sent = await city.store.history(SERIES, "t1", begun_ms - DAY_MS, end_ms, 2 * DAY_MS)
        assert 2 <= len(sent) <= 4 + log2(time.monotonic() - begun_s)


def texts(name: str) -> list[Rows]:
    """One value of a tag of another machine of the same profile."""
    schema = schema_of(name, profile="press")
    schema = replace(schema, tags=(replace(schema.tags[0], kind=Kind.STRING),))
    words = (np.array(["fast"], object),)
    batch = Batch(schema, time.time_ns() // 1_000_000, np.ones(1, np.bool_), words)
    return batch_rows(layout_of("gw-0", schema), [batch])


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
