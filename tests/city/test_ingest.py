"""A real broker, a real store: what goes in comes out, once, and only then is acknowledged."""

import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from gateway.city.db.tables import (
    edge_books,
    gap,
    machine_books,
    quarantine,
    tag_schema,
    watermark,
)
from gateway.city.evidence.adoption import orphan_query
from gateway.city.ledger.names import MachineName
from gateway.city.registry import enrolment
from gateway.city.stores.api import Series
from gateway.core.batch import Batch, Gap
from gateway.core.books import Counts
from gateway.core.days import SHANGHAI, day_of
from gateway.core.schema import Kind
from gateway.core.status import Reason
from gateway.wire.frame import BodyEncoder, Header, join, seal
from gateway.wire.records import BooksRecord, MachineRecord
from gateway.wire.topics import frame_topic, state_topic
from tests.support.broker import Mosquitto
from tests.support.city import (
    EPOCH,
    EPOCH_HEX,
    OTHER_USCC,
    USCC,
    Clock,
    assembled,
    batch_of,
    city_config,
    city_on,
    machine_now,
    proofs_of,
    rows_of,
    running,
    schema_of,
    sender,
)
from tests.support.influx2_contract import BUCKET, ORG, TOKEN, ContractServer
from tests.support.waiting import until

MACHINE = MachineName(USCC, "1", "B-001")


def now() -> int:
    return time.time_ns() // 1_000_000


async def test_a_frame_is_stored_settled_and_acknowledged(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schema, at = schema_of("speed", "power", assets=("B-001", "B-404")), now()
    books = BooksRecord.of("line-1", day_of(at), Counts(due=4, ok=4, buffered=4))
    lost = Gap("line-1", "fast", ("speed",), Reason.TIMEOUT, at - 5_000, at - 1_000)
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, schema, batch_of(schema, at, 1.5, 2.5, 3.5, 4.5), books, lost)
            ack = await gateway.acked(1)
        assert (ack.epoch, ack.upto, ack.ranges, ack.want) == (EPOCH_HEX, 1, [], [])
        assert await city.store.count(["gw-1"], at, at + 1) == 4
        (mark,) = rows_of(city, watermark)
        assert (mark["upto"], mark["values_committed"], mark["values_quarantined"]) == (1, 4, 0)
        proof, stranger = await proofs_of(city)
        hour = 1 << datetime.fromtimestamp(at / 1000, SHANGHAI).hour
        for one in (proof, stranger):  # a machine outside the ledger keeps its days
            found = (one["day"], one["source"], one["good_hours"])
            assert found == (day_of(at), "controller", hour)
        assert (proof["first_ms"], proof["last_ms"], proof["seeded"]) == (at, at, False)
        (unknown,) = city.database.run_now(lambda c: c.execute(orphan_query(c)).all())
        assert (unknown.gateway, unknown.asset_no, unknown.days) == ("gw-1", "B-404", 1)
        (kept,) = rows_of(city, edge_books)
        assert (kept["due"], kept["buffered"], kept["epoch"]) == (4, 4, EPOCH_HEX)
        (hole,) = rows_of(city, gap)
        assert (hole["cause"], hole["to_ms"]) == ("timeout", at - 1_000)
        machine = await machine_now(city, MACHINE)
        assert machine is not None
        assert {name: value.value for name, value in machine.values.items()} == {
            "speed": 1.5,
            "power": 2.5,
        }
        assert machine.last_ms == at


async def test_the_same_on_postgresql(
    mosquitto: Mosquitto, tmp_path: Path, postgres_url: str
) -> None:
    schema, at = schema_of("speed", assets=("B-001", "B-404")), now()
    books = BooksRecord.of("line-1", day_of(at), Counts(due=4, ok=4, buffered=4))
    lost = Gap("line-1", "", (), Reason.TIMEOUT, at - 5_000)
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", database={"url": postgres_url}) as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        for seq in (1, 2):
            batch = batch_of(schema, at + seq, 1.0, 2.0)
            await gateway.send(seq, schema, batch, books, lost)
            await gateway.acked(seq)
        await gateway.raw(b"garbage\0")
        await until(lambda: rows_of(city, quarantine))
        await until(lambda: rows_of(city, gap))
        assert (await proofs_of(city))[0]["last_ms"] == at + 2
        assert len(city.database.run_now(lambda c: c.execute(orphan_query(c)).all())) == 1
        assert rows_of(city, watermark)[0]["values_committed"] == 4
        assert len(rows_of(city, edge_books)) == 1


async def test_repeated_frames_count_once_and_are_acknowledged_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schema, at = schema_of("speed"), now()
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            first = await gateway.send(1, schema, batch_of(schema, at, 1.0))
            await gateway.send(3, batch_of(schema, at + 2, 3.0))
            await until(lambda: gateway.acks and gateway.acks[-1].ranges == [(3, 3)])
            for _ in range(3):
                await gateway.raw(first)
            count = len(gateway.acks)
            await until(lambda: len(gateway.acks) > count)
            await gateway.send(2, batch_of(schema, at + 1, 2.0))
            ack = await gateway.acked(3)
        assert ack.ranges == []
        (proof,) = await proofs_of(city)
        assert (proof["first_ms"], proof["last_ms"]) == (at, at + 2)
        assert rows_of(city, watermark)[0]["values_committed"] == 3
        assert await city.store.count(["gw-1"], at, at + 3) == 3


async def test_of_merged_frames_those_that_are_held_count_once(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Sent again after an outage, a frame can come in other company than before."""
    schema, at = schema_of("speed"), now()
    bodies = [
        (seq, 1, BodyEncoder().encode([schema, batch_of(schema, at + seq, float(seq))]))
        for seq in range(1, 6)
    ]
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            for first, last in ((3, 4), (1, 3), (2, 5), (1, 5)):
                frames = bodies[first - 1 : last]
                header = Header(EPOCH, last, len(frames), len(frames) - 1)
                await gateway.raw(seal(join(frames), header))
            ack = await gateway.acked(5)
        assert ack.ranges == []
        (proof,) = await proofs_of(city)
        assert (proof["first_ms"], proof["last_ms"]) == (at + 1, at + 5)
        assert rows_of(city, watermark)[0]["values_committed"] == 5
        assert await city.store.count(["gw-1"], at, at + 9) == 5


@pytest.mark.parametrize("messages", [[(1, 2)], [(2, 2), (1, 2)], [(2, 3), (1, 3)]])
async def test_of_merged_frames_the_newest_books_hold(
    mosquitto: Mosquitto, tmp_path: Path, messages: list[tuple[int, int]]
) -> None:
    """A gateway that stops reports twice in a row, and what is sent again has older reports."""
    schema, at = schema_of("speed"), now()
    bodies = []
    for seq in (1, 2, 3):
        books = BooksRecord.of("line-1", day_of(at), Counts(due=seq, ok=seq, buffered=seq))
        told = MachineRecord("line-1", "1", "B-001", day_of(at), seq, seq, at, at + seq)
        batch = batch_of(schema, at + seq, float(seq))
        bodies.append((seq, 1, BodyEncoder().encode([schema, batch, books, told])))
    newest = messages[-1][1]
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            for first, last in messages:
                frames = bodies[first - 1 : last]
                header = Header(EPOCH, last, len(frames), len(frames) - 1)
                body = join(frames) if len(frames) > 1 else frames[0][2]
                await gateway.raw(seal(body, header))
            await gateway.acked(newest)
        assert [row["buffered"] for row in rows_of(city, edge_books)] == [newest]
        assert [row["valid"] for row in rows_of(city, machine_books)] == [newest]


async def test_a_restarted_city_goes_on(mosquitto: Mosquitto, tmp_path: Path) -> None:
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1"),
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        first = await gateway.send(1, schema, batch_of(schema, at, 1.0))
        await gateway.acked(1)
    async with assembled(city_config(mosquitto.url, tmp_path)) as city, running(city):
        await until(city.ingest.opened.is_set)
        recalled = await machine_now(city, MACHINE)
        assert recalled is not None
        assert (recalled.values["speed"].value, recalled.last_ms) == (1.0, at)
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.raw(first)
            await gateway.acked(1)
            await gateway.send(2, batch_of(schema, at + 1, 2.0))  # the schema is known still
            await gateway.acked(2)
        assert rows_of(city, watermark)[0]["values_committed"] == 2
        assert city.live.values(MACHINE)["speed"].value == 2.0


async def test_missing_schemas_are_asked_for_all_at_once(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schemas = [schema_of("speed", device=f"line-{n}") for n in range(3)]
    batches = [batch_of(schema, now(), 1.0) for schema in schemas]
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            frame = await gateway.send(1, *batches)
            await until(lambda: gateway.acks)
            assert gateway.acks[-1].upto == 0
            assert gateway.acks[-1].want == sorted(f"{schema.id:016x}" for schema in schemas)
            assert rows_of(city, watermark) == []
            await gateway.send(2, *schemas)
            await gateway.raw(frame)
            await gateway.acked(2)
        assert len(rows_of(city, tag_schema)) == 3


async def test_foreign_equipment_is_quarantined_and_the_rest_goes_on(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    mine, foreign, at = schema_of("speed"), schema_of("speed", uscc=OTHER_USCC), now()
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(
                1, mine, foreign, batch_of(foreign, at, 9.0), batch_of(mine, at, 1.0)
            )
            await gateway.acked(1)
        assert await city.store.count(["gw-1"], 0, 2**42) == 1
        (mark,) = rows_of(city, watermark)
        assert (mark["values_committed"], mark["values_quarantined"]) == (1, 1)
        (entry,) = rows_of(city, quarantine)
        assert entry["gateway"] == "gw-1"
        assert entry["value_count"] == 1
        assert f"equipment {OTHER_USCC}/1 is not of the gateway's enterprise" in entry["reason"]
        assert await machine_now(city, MachineName(OTHER_USCC, "1", "B-001")) is None
        (hole,) = rows_of(city, gap)
        assert (hole["device"], hole["tag_group"], hole["cause"]) == (
            "line-1",
            "fast",
            "quarantine",
        )
        assert (hole["from_ms"], hole["to_ms"]) == (at, at + 1)


def header_like(frame: bytes, seq: int, values: int) -> bytes:
    """The header of a frame with another number and count, without chain and checksum."""
    times = frame[20:36]
    return frame[:12] + seq.to_bytes(8, "little") + times + values.to_bytes(4, "little") + bytes(8)


async def test_poison_frames_are_settled_and_garbage_is_not(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schema, at = schema_of("speed"), now()
    limit = {"broker": {"max_message_bytes": 4_096}}
    async with city_on(mosquitto.url, tmp_path, "gw-1", **limit) as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.state()
            await until(lambda: (g := city.live.gateways().get("gw-1")) and g.state)
            good = await gateway.send(1, schema, batch_of(schema, at, 1.0))
            await gateway.acked(1)
            await gateway.raw(header_like(good, 2, 7) + b"not the body")  # wrong checksum
            await gateway.acked(2)
            await gateway.raw(header_like(good, 3, 5) + bytes(5_000))  # too large
            await gateway.acked(3)
            foreign_epoch = good[:4] + bytes(range(8)) + good[12:44] + bytes(4) + b"?"
            for garbage in (b"", b"\x01", b"\xff" * 100, foreign_epoch):
                await gateway.raw(garbage)
            await gateway.raw(good, frame_topic("stranger"))
            await gateway.raw(good, "qulink/2/up/7/gw-1/frame")
            await gateway.raw(b"{", state_topic("gw-1"))
            await gateway.send(4, batch_of(schema, at + 1, 2.0))
            await gateway.acked(4)
            await until(lambda: len(rows_of(city, quarantine)) == 9)
        (mark,) = rows_of(city, watermark)
        holes = [row for row in rows_of(city, gap) if row["cause"] == "quarantine"]
        assert [(row["device"], row["from_ms"] >= at) for row in holes] == [("", True)]
        assert mark["epoch"] == EPOCH_HEX
        assert (mark["upto"], mark["values_committed"], mark["values_quarantined"]) == (4, 2, 12)
        reasons = " | ".join(sorted(row["reason"] for row in rows_of(city, quarantine)))
        for expected in (
            "checksum differs",
            "bytes are over the limit of 4096",
            "0 bytes are too short for a frame",
            "format version 255 is not 4: edge and city must run the same qulink",
            "gateway stranger is not enrolled or is revoked",
            "gateway 'gw-1' belongs to partition",
            "no state message",
        ):
            assert expected in reasons


async def test_what_the_store_refuses_is_a_gap(mosquitto: Mosquitto, tmp_path: Path) -> None:
    at, numbers = now(), schema_of("speed")
    (tag,) = numbers.tags
    texts = replace(numbers, device="line-2", tags=(replace(tag, kind=Kind.STRING),))
    words = np.array(["fast"], object)
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(1, numbers, batch_of(numbers, at, 1.0))
        present = np.ones(1, np.bool_)
        batches = [Batch(texts, at + late, present, (words,)) for late in (0, 1_000, 90_000)]
        await gateway.send(2, texts, *batches)
        await gateway.acked(2)
        assert rows_of(city, watermark)[0]["values_quarantined"] == 3
        holes = [(r["device"], r["cause"], r["from_ms"], r["to_ms"]) for r in rows_of(city, gap)]
        assert holes == [
            ("line-2", "quarantine", at, at + 1_001),
            ("line-2", "quarantine", at + 90_000, at + 90_001),
        ]


async def test_implausible_times_are_no_evidence(mosquitto: Mosquitto, tmp_path: Path) -> None:
    schema, at = schema_of("speed"), now()
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            times = (at + 3_600_000, 1_000, at)
            await gateway.send(1, schema, *(batch_of(schema, t, 1.0) for t in times))
            await gateway.acked(1)
        (proof,) = await proofs_of(city)
        assert (proof["first_ms"], proof["last_ms"]) == (at, at)
        assert rows_of(city, watermark)[0]["values_committed"] == 3


async def test_a_gateway_enrolled_or_revoked_while_the_city_runs(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schema, at = schema_of("speed"), now()
    async with city_on(mosquitto.url, tmp_path) as city:
        async with sender(mosquitto.port, "late") as gateway:
            await gateway.send(1, schema, batch_of(schema, at, 1.0))
            await until(lambda: rows_of(city, quarantine))
            city.database.run_now(enrolment.add, "late", USCC, "1", at)
            await until(lambda: "late" in city.live.gateways())
            await gateway.send(1, schema, batch_of(schema, at, 1.0))
            await gateway.acked(1)
            city.database.run_now(enrolment.revoke, "late", at)
            await until(lambda: "late" not in city.live.gateways())
            before = len(rows_of(city, quarantine))
            await gateway.send(2, batch_of(schema, at + 1, 2.0))
            await until(lambda: len(rows_of(city, quarantine)) > before)
        assert rows_of(city, watermark)[0]["upto"] == 1


async def test_nothing_is_acknowledged_before_the_store_has_committed(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    schema, at = schema_of("speed"), now()
    with ContractServer() as server:
        store = {
            "type": "influxdb2",
            "url": server.url,
            "org": ORG,
            "bucket": BUCKET,
            "token": {"file": secret},
        }
        async with city_on(mosquitto.url, tmp_path, "gw-1", store=store) as city:
            await until(lambda: server.requests)
            async with sender(mosquitto.port, "gw-1") as gateway:
                server.script = [(503, {}), (429, {"Retry-After": "0"}), (401, {})]
                await gateway.send(1, schema, batch_of(schema, at, 1.0))
                await until(lambda: city.ingest.persistence.store_problem)
                assert gateway.acks == []
                assert rows_of(city, watermark) == []
                await gateway.acked(1)
            assert server.script == []
            assert city.ingest.persistence.store_problem == ""
            assert await city.store.count(["gw-1"], at, at + 1) == 1
            assert city.metrics.registry.get_sample_value("qulink_city_store_up") == 1


async def test_silence_is_a_gap_until_the_gateway_speaks_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    clock = Clock()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", clock=clock) as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.state()
        await until(lambda: city.live.gateways()["gw-1"].online)
        assert rows_of(city, gap) == []
        clock.ahead_ms = 61_000
        await until(lambda: rows_of(city, gap))
        (silence,) = rows_of(city, gap)
        assert (silence["device"], silence["cause"]) == ("", "gateway_silent")
        assert silence["to_ms"] is None
        assert not city.live.gateways()["gw-1"].online
        await gateway.state()
        await until(lambda: rows_of(city, gap)[0]["to_ms"] is not None)
        assert city.live.gateways()["gw-1"].online
        await gateway.state(online=False)  # as a last will does: no waiting for the silence
        await until(lambda: len(rows_of(city, gap)) == 2)


async def test_the_city_does_not_blame_gateways_while_its_broker_is_away(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    clock = Clock()
    async with city_on(mosquitto.url, tmp_path, "gw-1", clock=clock) as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.state()
            await until(lambda: city.live.gateways()["gw-1"].online)
        mosquitto.stop(kill=True)
        await until(lambda: city.uplink.connected_since_ms is None)
        clock.ahead_ms = 120_000
        await city.presence.tick()
        assert rows_of(city, gap) == []
        mosquitto.start()
        await until(lambda: city.uplink.connected_since_ms is not None)
        async with sender(mosquitto.port, "gw-1") as gateway:
            schema = schema_of("speed")
            await gateway.send(1, schema, batch_of(schema, now(), 1.0))
            await gateway.acked(1)
        assert rows_of(city, gap) == []


async def test_what_a_revoked_gateway_left_open_ends(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Nobody expects anything of it any more."""
    at = now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", "gw-2") as city,
        sender(mosquitto.port, "gw-1") as gateway,
        sender(mosquitto.port, "gw-2") as other,
    ):
        for one in (gateway, other):
            await one.send(1, Gap("line-1", "", (), Reason.TIMEOUT, at + 9_000_000))
            await one.acked(1)
            await one.state(online=False)
        await until(lambda: len(rows_of(city, gap)) == 4)
        city.database.run_now(enrolment.revoke, "gw-1", at + 5)
        ends = {row["to_ms"] for row in rows_of(city, gap) if row["gateway"] == "gw-1"}
        assert None not in ends
        assert at + 9_000_000 in ends  # never before it began
        assert {r["to_ms"] for r in rows_of(city, gap) if r["gateway"] == "gw-2"} == {None}
        await until(lambda: "gw-1" not in city.live.gateways())
        city.database.run_now(enrolment.add, "gw-1", USCC, "1", at + 6)
        await until(lambda: "gw-1" in city.live.gateways())
        await gateway.state()
        await until(lambda: city.live.gateways()["gw-1"].online)
        await city.presence.tick()
        assert ends == {row["to_ms"] for row in rows_of(city, gap) if row["gateway"] == "gw-1"}


async def test_each_gateway_is_asked_once_a_connection_for_what_was_not_heard(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        for _ in range(2):
            async with sender(mosquitto.port, "gw-1") as gateway:
                schema = schema_of("speed")
                for number in range(3):
                    await gateway.state()
                    await until(lambda: city.uplink.states.bytes == 0)
                    await gateway.send(1, schema, batch_of(schema, now(), float(number)))
                    await until(lambda n=number: len(gateway.acks) == n + 2)
                assert [ack.again for ack in gateway.acks].count(True) == 1
            mosquitto.stop(kill=True)
            await until(lambda: city.uplink.connected_since_ms is None)
            mosquitto.start()
            await until(lambda: city.uplink.connected_since_ms is not None)


async def test_series_names_the_machine(mosquitto: Mosquitto, tmp_path: Path) -> None:
    schema, at = schema_of("speed"), now()
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, schema, batch_of(schema, at, 1.0))
            await gateway.acked(1)
        latest = await city.store.latest(Series("grinder", USCC, "1", "gw-1", "line-1", "B-001"))
        assert latest["speed"].value == 1.0
