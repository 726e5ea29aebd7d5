"""What a gateway tells again, or tells so that nobody can read it: counted once, dated rightly."""

import time
from pathlib import Path

import numpy as np

from gateway.city.db.tables import gap
from gateway.core.batch import Changes, Gap
from gateway.core.status import Reason
from gateway.wire.frame import BodyEncoder, Header, join, seal
from tests.support.broker import Mosquitto
from tests.support.city import (
    EPOCH,
    OTHER_USCC,
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


async def test_what_a_lost_life_left_open_ends_with_the_next_one(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Its buffer may not know of it; what is still open is told again."""
    at = time.time_ns() // 1_000_000 - 60_000

    def life(epoch: int, seq: int, time_ms: int, *gaps: Gap) -> bytes:
        body = BodyEncoder().encode([SCHEMA, batch_of(SCHEMA, time_ms, 1.0, 2.0), *gaps])
        return seal(body, Header(epoch, seq, 2, first_ms=time_ms, last_ms=time_ms))

    def late(from_ms: int) -> Gap:
        return Gap("line-1", "fast", (), Reason.LATE, from_ms)

    refused = Gap("", "", (), Reason.DISK, at + 2)
    async with assembled(city_config(mosquitto.url, tmp_path)) as city:
        fill_ledger(city, "gw-1", "gw-2")
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:
            async with sender(mosquitto.port, "gw-2") as other:
                await other.raw(life(EPOCH, 1, at, late(at)))
                await other.acked(1)
            await gateway.raw(life(EPOCH, 1, at, late(at + 1), refused))
            await gateway.acked(1)
            gateway.acks.clear()
            await gateway.raw(life(EPOCH + 1, 1, at + 1_000, refused))
            await gateway.acked(1)
            gateway.acks.clear()
            # What comes late of the lost life opens nothing, neither known nor new.
            await gateway.raw(life(EPOCH, 2, at + 10, late(at + 1), late(at + 10)))
            await gateway.acked(2)
        spans = {(row["gateway"], row["from_ms"]): row["to_ms"] for row in rows_of(city, gap)}
        assert spans == {
            ("gw-1", at + 1): at + 1_000,
            ("gw-1", at + 2): None,  # told again
            ("gw-2", at): None,  # another's
        }


async def test_an_answer_says_up_to_when_the_other_epochs_are_known(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    at = time.time_ns() // 1_000_000 - 60_000

    def frame(epoch: int, seq: int, *times: int) -> bytes:
        records = (batch_of(SCHEMA, one, 1.0, 2.0) for one in times)
        header = Header(epoch, seq, 2 * len(times), first_ms=min(times), last_ms=max(times))
        return seal(BodyEncoder().encode([SCHEMA, *records]), header)

    async with assembled(city_config(mosquitto.url, tmp_path)) as city:
        fill_ledger(city, "gw-1")
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:

            async def known(epoch: int) -> int:
                gateway.acks.clear()
                await gateway.raw(seal(BodyEncoder().encode([]), Header(epoch, 0, 0, chain=7)))
                await until(lambda: any(ack.answers == 7 for ack in gateway.acks))
                return gateway.acks[-1].known_ms

            assert await known(EPOCH) == 0
            await gateway.raw(frame(EPOCH, 1, at + 5, at + 3))
            assert await known(EPOCH) == 0  # its own frames do not count
            assert await known(EPOCH + 1) == at + 3
            await gateway.raw(frame(EPOCH, 3, at + 9))  # frame 2 is still to come
            assert await known(EPOCH + 1) == at + 3
            await gateway.raw(frame(EPOCH, 2, at + 7))
            parts = [BodyEncoder().encode([batch_of(SCHEMA, at + on, 1.0, 2.0)]) for on in (8, 12)]
            merged = join([(4, 2, parts[0]), (5, 2, parts[1])])
            header = Header(EPOCH, 5, 4, merged=1, first_ms=at + 8, last_ms=at + 12)
            await gateway.raw(seal(merged, header))
            assert await known(EPOCH + 1) == at + 12
            behind = Changes(SCHEMA, *(np.array([n]) for n in (0, at - 3_600_000)), (np.ones(1),))
            records = [batch_of(SCHEMA, at + 20, 1.0, 2.0), behind]  # a device with a slow clock
            header = Header(EPOCH, 6, 3, first_ms=at - 3_600_000, last_ms=at + 20)
            await gateway.raw(seal(BodyEncoder().encode(records), header))
            assert await known(EPOCH + 1) == at + 20
            await gateway.raw(frame(EPOCH, 7, at + 86_400_000))  # a clock that was ahead
            ahead = await known(EPOCH + 1)
            assert at + 20 < ahead <= time.time_ns() // 1_000_000
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:
            assert await known(EPOCH + 1) == ahead


async def test_each_acknowledgement_says_what_was_quarantined_also_after_a_restart(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """The one that was the first to say so may be lost, or the city be killed before it."""
    at = time.time_ns() // 1_000_000 - 60_000
    foreign = schema_of("speed", device="line-2", uscc=OTHER_USCC)

    def broken(seq: int, newest_ms: int) -> bytes:
        return seal(b"?", Header(EPOCH, seq, 2, 0, 0, at, newest_ms))

    async with assembled(city_config(mosquitto.url, tmp_path)) as city:
        fill_ledger(city, "gw-1", "gw-2")
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, SCHEMA, batch_of(SCHEMA, at, 1.0, 2.0))
            assert (await gateway.acked(1)).unstored == {}
            await gateway.send(2, foreign, batch_of(foreign, at + 7, 9.0))
            assert (await gateway.acked(2)).unstored == {"line-2": (1, at + 7)}
            await gateway.raw(broken(3, at + 30))
            await gateway.raw(broken(4, at + 20))
            told = {"line-2": (1, at + 7), "": (2, at + 30)}
            assert (await gateway.acked(4)).unstored == told
            await gateway.send(5, SCHEMA, batch_of(SCHEMA, at + 40, 1.0, 2.0))
            assert (await gateway.acked(5)).unstored == told
            async with sender(mosquitto.port, "gw-2") as other:
                await other.send(1, SCHEMA, batch_of(SCHEMA, at, 1.0, 2.0))
                assert (await other.acked(1)).unstored == {}
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:
            await city.ingest.gateways.reload(["gw-1"])
            await gateway.raw(seal(BodyEncoder().encode([]), Header(EPOCH, 0, 0, chain=7)))
            await until(lambda: any(ack.answers == 7 for ack in gateway.acks))
            assert gateway.acks[-1].unstored == {"line-2": (1, at + 7), "": (1, at + 30)}
