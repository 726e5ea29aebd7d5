"""Schemas come, go out of use, are forgotten, and are asked for when frames need them again."""

import time
from pathlib import Path

import pytest

from edge_config.models.data.keeping import RetentionConfig
from gateway.city.app import City
from gateway.city.db import housekeeping
from gateway.city.db.tables import tag_schema, watermark
from gateway.city.ledger.names import MachineName
from gateway.core.days import DAY_MS, day_of
from tests.support.broker import Mosquitto
from tests.support.city import (
    USCC,
    Clock,
    assembled,
    batch_of,
    city_config,
    city_on,
    rows_of,
    running,
    schema_of,
    sender,
    until,
)
from tests.support.edge import VALUES, Edge

RETENTION = RetentionConfig(telemetry_days=10)
HOUR_MS = 3_600_000
MACHINE = MachineName(USCC, "1", "B-001")


async def tidy_later(city: City, clock: Clock) -> None:
    """Housekeeping after no values have come for longer than values are kept."""
    clock.ahead_ms += (RETENTION.telemetry_days + 1) * DAY_MS
    await housekeeping.tidy(city.database, city.store, RETENTION, city.now_ms())
    assert rows_of(city, tag_schema) == []


async def test_frames_that_wait_for_a_forgotten_schema_arrive(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    clock, begin = Clock(), time.time_ns() // 1_000_000 - HOUR_MS
    edge = Edge(tmp_path, "gw-1", begin, url=mosquitto.url)
    async with edge.running():
        async with city_on(mosquitto.url, tmp_path / "city", "gw-1", clock=clock):
            edge.feed(2)
            await until(lambda: edge.acknowledged == 2)
        edge.feed(3, told=False)
        async with assembled(city_config(mosquitto.url, tmp_path / "city"), clock) as city:
            await city.store.open()
            await tidy_later(city, clock)
            async with running(city):
                await until(lambda: edge.acknowledged == 5)
            assert await city.store.count(["gw-1"], begin, begin + HOUR_MS) == 3 * VALUES
            (row,) = rows_of(city, tag_schema)
            assert row["used_on"] == day_of(city.now_ms())


async def test_a_worker_that_remembers_a_deleted_schema_writes_it_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    clock, schema = Clock(), schema_of("speed")
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", clock=clock) as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(1, schema, batch_of(schema, city.now_ms(), 1.0))
        await gateway.acked(1)
        await tidy_later(city, clock)
        await gateway.send(2, batch_of(schema, city.now_ms(), 2.0))
        await gateway.acked(2)
        (row,) = rows_of(city, tag_schema)
        assert row["used_on"] == day_of(city.now_ms())


async def test_a_gateway_may_change_its_schemas_for_ever(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("gateway", "loading"):
        monkeypatch.setattr(f"gateway.city.ingest.enrolled.{module}.MAX_SCHEMAS", 2)
    clock, schemas = Clock(), [schema_of(f"speed_{at}", device=f"line-{at}") for at in range(4)]
    async with sender(mosquitto.port, "gw-1") as gateway:
        async with city_on(mosquitto.url, tmp_path, "gw-1", clock=clock) as city:
            for seq, schema in enumerate(schemas, 1):
                await gateway.send(seq, schema, batch_of(schema, city.now_ms(), 1.0))
                await gateway.acked(seq)
                clock.ahead_ms += 2 * DAY_MS
            await until(lambda: city.live.values(MACHINE).keys() == {"speed_2", "speed_3"})
        async with (
            assembled(city_config(mosquitto.url, tmp_path), clock) as city,
            running(city),
        ):
            await until(lambda: city.gateways.get("gw-1"))
            held = city.gateways.get("gw-1")
            assert held is not None
            assert list(held.schemas) == [one.id for one in schemas[2:]]
            batch = batch_of(schemas[0], city.now_ms(), 2.0)
            await gateway.send(5, batch)
            await until(lambda: f"{schemas[0].id:016x}" in gateway.acks[-1].want)
            await gateway.send(5, schemas[0], batch)
            await gateway.acked(5)
            (mark,) = rows_of(city, watermark)
            assert (mark["values_committed"], mark["values_quarantined"]) == (5, 0)
