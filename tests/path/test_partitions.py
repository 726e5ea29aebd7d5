"""Two city workers share the gateways of one database by partition."""

import time
from pathlib import Path

from sqlalchemy import update

from gateway.city.db.tables import gap, gateway, quarantine, watermark
from gateway.city.ledger.names import MachineName
from gateway.wire.messages import DeviceState
from gateway.wire.topics import PARTITIONS, partition_of
from tests.support.broker import Mosquitto
from tests.support.city import (
    USCC,
    City,
    assembled,
    batch_of,
    city_config,
    fill_ledger,
    machine_now,
    rows_of,
    running,
    schema_of,
    sender,
)
from tests.support.waiting import until

NAMES = [f"gw-{number}" for number in range(1, 50)]
LOW = next(name for name in NAMES if partition_of(name) < 512)
HIGH = next(name for name in NAMES if partition_of(name) >= 512)


async def hear(city: City, partitions: range) -> None:
    """As a worker that holds these partitions."""
    await city.gateways.hold(partitions)
    await city.uplink.follow(partitions)


def received(city: City) -> float | None:
    labels = {"outcome": "committed"}
    return city.metrics.registry.get_sample_value("qulink_city_frames_total", labels)


async def test_two_workers_share_the_gateways(mosquitto: Mosquitto, tmp_path: Path) -> None:
    schema, at = schema_of("speed"), time.time_ns() // 1_000_000
    async with (
        assembled(city_config(mosquitto.url, tmp_path, silence_ms=2_000)) as low,
        assembled(city_config(mosquitto.url, tmp_path, silence_ms=2_000)) as high,
    ):
        fill_ledger(low, LOW, HIGH)
        seen = update(gateway).values(last_seen_ms=at - 60_000)  # both were there before
        low.database.run_now(lambda connection: connection.execute(seen))
        await hear(low, range(512))
        await hear(high, range(512, PARTITIONS))
        async with (
            running(low),
            running(high),
            sender(mosquitto.port, LOW) as one,
            sender(mosquitto.port, HIGH) as two,
        ):
            started = time.monotonic()
            while time.monotonic() < started + 4:  # beyond the silence of 2 s of either worker
                for gateway_ in (one, two):
                    await gateway_.state(devices={"line-1": DeviceState("up")})
                if not any(ack.upto for ack in one.acks):
                    await one.send(1, schema, batch_of(schema, at, 1.0))
                    await two.send(1, schema, batch_of(schema, at, 2.0))
                    await one.acked(1)
                    await two.acked(1)
                await until(lambda: low.live.gateways()[LOW].online)
                await until(lambda: high.live.gateways()[HIGH].online)
            marks = {row["gateway"]: row["values_committed"] for row in rows_of(low, watermark)}
            assert marks == {LOW: 1, HIGH: 1}
            assert await high.store.count([LOW, HIGH], at, at + 1) == 2
            assert (received(low), received(high)) == (1, 1)
            for gateway_ in (one, two):  # one worker answers, once; and greets, once
                answers = sorted((ack.upto, ack.again) for ack in gateway_.acks)
                assert answers == [(0, True), (1, False)]
            assert rows_of(low, gap) == []  # nobody calls the other's gateway silent
            assert all(row["last_seen_ms"] >= at for row in rows_of(low, gateway))
            assert (set(low.live.gateways()), set(high.live.gateways())) == ({LOW}, {HIGH})
            for city in (low, high):  # both speak of the same machine
                seen = await machine_now(city, MachineName(USCC, "1", "B-001"))
                assert seen is not None
                assert seen.link.link == "up"
                assert seen.values["speed"].value in (1.0, 2.0)
            for gateway_ in (one, two):
                await gateway_.state(online=False)
            await until(lambda: not any(g.online for g in low.live.gateways().values()))
            await until(lambda: not any(g.online for g in high.live.gateways().values()))
        assert rows_of(low, quarantine) == []
