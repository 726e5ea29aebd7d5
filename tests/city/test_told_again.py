"""What a gateway tells again, or tells so that nobody can read it: counted once, dated rightly."""

import time
from pathlib import Path

from gateway.city.db.tables import gap
from gateway.wire.frame import BodyEncoder, Header, seal
from tests.support.broker import Mosquitto
from tests.support.city import (
    EPOCH,
    assembled,
    batch_of,
    city_config,
    fill_ledger,
    proofs_of,
    rows_of,
    running,
    schema_of,
    sender,
)
from tests.support.waiting import until

SCHEMA = schema_of("speed", "power")


async def test_points_under_new_numbers_and_a_new_epoch_are_no_new_evidence(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    at = time.time_ns() // 1_000_000 - 60_000
    records = [SCHEMA, *(batch_of(SCHEMA, at + tick, 1.0, 2.0) for tick in range(10))]
    body = BodyEncoder().encode(records)
    async with assembled(city_config(mosquitto.url, tmp_path)) as city:
        fill_ledger(city, "gw-1")
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:
            await gateway.raw(seal(body, Header(EPOCH, 1, 20)))
            await gateway.acked(1)
            once = await proofs_of(city)
            assert len(once) == 1
            for seq in range(2, 6):
                await gateway.raw(seal(body, Header(EPOCH, seq, 20)))
            await gateway.acked(5)
            await gateway.raw(seal(body, Header(EPOCH + 1, 1, 20)))
            await until(lambda: any(ack.epoch.endswith("19") for ack in gateway.acks))
            assert await proofs_of(city) == once
            assert await city.store.count(["gw-1"], at, at + 10) == 20


async def test_a_frame_that_cannot_be_read_leaves_a_gap_of_its_own_time(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """It may come hours after its values were read."""
    now = time.time_ns() // 1_000_000
    early = now - 3 * 3_600_000
    good = BodyEncoder().encode([SCHEMA, batch_of(SCHEMA, early, 1.0, 2.0)])
    async with assembled(city_config(mosquitto.url, tmp_path)) as city:
        fill_ledger(city, "gw-1")
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:
            await gateway.raw(seal(good, Header(EPOCH, 1, 2)))
            await gateway.acked(1)
            broken = seal(good[:-1], Header(EPOCH, 2, 2, 0, 0, early + 10, early + 20))
            await gateway.raw(broken)
            await gateway.acked(2)
            impossible = seal(good[:-1], Header(EPOCH, 3, 2, 0, 0, 1, 1 << 60))
            await gateway.raw(impossible)
            await gateway.acked(3)
        holes = [row for row in rows_of(city, gap) if row["cause"] == "quarantine"]
        first, second = sorted((row["from_ms"], row["to_ms"]) for row in holes)
        assert first == (early + 10, early + 21)
        assert second[0] >= now  # by receipt, as its header cannot be true
