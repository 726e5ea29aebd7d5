"""Frames that are too large for a real broker: cut, or given up, and never in the way of others."""

import asyncio
import contextlib
import os
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from gateway.core.batch import Batch
from gateway.core.books import Counts
from gateway.core.days import day_of
from gateway.core.outcome import Outcome
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.edge.buffer.incoming import GroupProgress
from gateway.edge.buffer.recorder import Recorder
from gateway.edge.live.view import DeviceRecord
from tests.edge.city import City
from tests.edge.test_northbound import Sender
from tests.support.broker import Mosquitto
from tests.support.waiting import until

NOW = 1_800_000_000_000
DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto" / "mosquitto.conf"


def schema_of(tags: int, group: str = "g", label_bytes: int = 0) -> Schema:
    """A group of texts; labels are such that they do not compress well, and always the same."""
    chance = random.Random(7)
    names = tuple(
        Tag(f"t{at}", Kind.STRING, label_en=chance.randbytes(label_bytes // 2).hex())
        for at in range(tags)
    )
    return Schema("d", group, "p", "sensor", True, (Equipment("u", "1", "m"),), names, 1000)


class Station(Sender):
    """A northbound on a buffer that a recorder fills, with texts that do not compress well."""

    def __init__(self, folder: Path, url: str, **options: object) -> None:
        super().__init__(folder, url, **options)
        self.values = 0
        self.recorder = Recorder(
            buffer=self.buffer, live=self.live, now_ms=lambda: NOW, interval_ms=20, wake=self.wake
        )

    async def poll(self, tags: int, size: int, schema: Schema | None = None) -> None:
        """One poll of texts, made durable."""
        schema = schema or schema_of(tags)
        time_ms = NOW + self.values
        texts = np.array([os.urandom(size // 2).hex() for _ in range(tags)], object)
        batch = Batch(schema, time_ms, np.ones(tags, np.bool_), (texts,))
        counts = {day_of(time_ms): Counts(tags, tags, buffered=tags)}
        outcome = Outcome(batch, counts, np.zeros(tags, np.uint8), (texts,), time_ms)
        self.values += tags
        self.recorder.processed("d", schema.group, outcome, GroupProgress(time_ms, time_ms))
        await self.recorder.commit()

    async def drained(self) -> None:
        """All that waited has been acknowledged, and the books are told."""
        async with asyncio.timeout(100):
            await self.recorder.finish()
            await self.north.drain(self.recorder.finish)

    def balances(self, city: City) -> int:
        """How many values are with the city; the others must be counted as dropped."""
        totals = self.buffer.totals()
        dropped = sum(totals.dropped.values())
        assert totals.buffered == self.values == len(city.points) + dropped
        assert city.totals().dropped == totals.dropped
        return len(city.points)


@contextlib.asynccontextmanager
async def station(broker: Mosquitto, **options: object) -> AsyncIterator[tuple[Station, City]]:
    folder = broker.folder
    city, one = City(broker.port, "gw"), Station(folder, broker.url, **options)
    async with city.running(), one.running():
        await until(lambda: one.live.northbound().connected)
        yield one, city


async def arrived(city: City, values: int) -> None:
    await until(lambda: len(city.points) >= values)


def limited(folder: Path, *lines: str) -> Mosquitto:
    return Mosquitto(folder, "\n".join(["allow_anonymous true", "set_tcp_nodelay true", *lines]))


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_thousand_texts_of_8_kb_pass_the_shipped_broker(
    tmp_path: Path, protocol: str
) -> None:
    shipped = re.findall(
        r"^(?:message_size_limit|max_packet_size) .*$", DEPLOY.read_text(), re.MULTILINE
    )
    assert len(shipped) == 2
    with limited(tmp_path, *shipped) as broker:
        async with station(broker, protocol=protocol) as (one, city):
            await one.poll(1_000, 8_000)
            await one.poll(3, 10)
            await one.drained()
            assert one.balances(city) == 1_003
            assert one.live.northbound().resent == 0


@pytest.mark.parametrize(
    ("protocol", "limit"),
    [
        ("5", "max_packet_size 20000"),
        ("3.1.1", "max_packet_size 20000"),
        ("5", "message_size_limit 20000"),
    ],
)
async def test_a_broker_that_takes_less_gets_less(
    tmp_path: Path, protocol: str, limit: str
) -> None:
    with limited(tmp_path, limit) as broker:
        async with station(broker, protocol=protocol, retry_max_ms=1_000) as (one, city):
            await one.poll(20, 8_000)
            await one.poll(3, 10)
            await one.drained()
            assert one.balances(city) == 23
            await one.poll(20, 8_000)  # cut in time now
            resent = one.live.northbound().resent
            await one.drained()
            assert one.balances(city) == 43
            assert one.live.northbound().resent == resent


async def test_a_broker_that_confirms_what_it_throws_away_is_found_out(tmp_path: Path) -> None:
    with limited(tmp_path, "message_size_limit 20000") as broker:
        async with station(broker, protocol="3.1.1", ack_timeout_ms=1_000) as (one, city):
            await one.poll(20, 2_000)  # twice too large
            behind = 0
            while len(city.points) < 20 + behind:
                await one.poll(1, 10)
                behind += 1
                await arrived(city, behind)  # small ones do not wait for it
            await one.drained()
            assert one.balances(city) == 20 + behind


async def test_frames_that_wait_are_cut_when_the_limit_shrinks(tmp_path: Path) -> None:
    with limited(tmp_path) as broker:
        async with station(broker) as (one, city):
            await one.poll(1, 10)
            await one.drained()
            await asyncio.to_thread(broker.stop)
            await until(lambda: not one.live.northbound().connected)
            for _ in range(3):
                await one.poll(20, 8_000)
            held = one.buffer.city.pending().frames
            assert held <= 4
            broker.extend("max_packet_size 30000")
            await asyncio.to_thread(broker.start)
            await one.drained()
            assert one.balances(city) == 61
            assert one.buffer.last_seq > 5 + held


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_value_that_no_message_may_carry_is_given_up_and_told(
    tmp_path: Path, protocol: str
) -> None:
    most = 5_500
    with limited(tmp_path, f"max_packet_size {most}") as broker:
        async with station(broker, protocol=protocol, retry_max_ms=1_000) as (one, city):
            await one.poll(2, 15_000)  # compresses to a half, which is still too much
            await one.poll(5, 1_000)
            await one.drained()
            assert one.balances(city) == 5
            assert one.buffer.totals().dropped == {"too_large": 2}
            gaps = {(gap.device, gap.group, gap.tags, gap.from_ms) for gap in city.gaps.values()}
            assert gaps == {("d", "g", (f"t{at}",), NOW) for at in range(2)}
            assert {gap.cause.code for gap in city.gaps.values()} == {"too_large"}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_group_whose_description_is_too_large_stands_in_nobodys_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    """Without it the city can do nothing with its values; they were sent again and again."""
    large = schema_of(200, "large", label_bytes=180)  # some 20 kB compressed
    with limited(tmp_path, "max_packet_size 12000") as broker:
        async with station(broker, protocol=protocol, retry_max_ms=1_000) as (one, city):
            for turn in range(1, 4):
                await one.poll(200, 10, large)
                await one.poll(5, 100)
                await arrived(city, 5 * turn)  # they do not wait for the others to be given up
            await one.drained()
            assert one.balances(city) == 15
            assert one.buffer.totals().dropped == {"too_large": 600}
            (gap,) = city.gaps.values()
            assert (gap.device, gap.group, gap.tags, gap.cause.code) == (
                "d",
                "large",
                (),
                "too_large",
            )
            assert (gap.from_ms, gap.to_ms) == (NOW, NOW + 2 * 205 + 1)
    told = [r.message for r in caplog.records if "description of 200 tags" in r.message]
    assert len(told) == 1
    assert told[0].startswith("device d group large: its description of 200 tags takes ")


async def test_a_description_that_fills_most_of_a_message_makes_its_values_smaller(
    tmp_path: Path,
) -> None:
    """Beside a frame of common size there is no room for it, though it can be sent."""
    large = schema_of(100, "large", label_bytes=180)  # some 9 kB compressed
    with limited(tmp_path, "max_packet_size 16000") as broker:
        async with station(broker) as (one, city):
            city.forgetful = True  # it asks for every schema
            await one.poll(100, 250, large)  # some 13 kB
            await one.drained()
            assert one.balances(city) == 100


async def test_a_state_that_the_broker_refuses_leaves_its_devices_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the first message of each session: none would last."""
    with limited(tmp_path, "max_packet_size 4000") as broker:
        city, one = City(broker.port, "gw"), Station(broker.folder, broker.url)
        for at in range(200):
            one.live.add_device(DeviceRecord(f"device-{at}", "here", "modbus", "press", "M1"))
        async with city.running(), one.running():
            await one.poll(3, 10)
            await one.drained()
            assert one.balances(city) == 3
            assert city.states
            assert city.states[0].online
            assert city.states[0].devices == {}
    (told,) = [r.message for r in caplog.records if r.levelname == "ERROR"]
    assert "so the state of the devices is not sent" in told
