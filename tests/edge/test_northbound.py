"""Over a real mosquitto: frames go in order, and only the city's word frees them."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import aiomqtt
import numpy as np
import pytest

from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.validation import validated
from gateway.core.batch import Batch
from gateway.core.books import Counts
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit, NewFrame
from gateway.edge.live.view import DeviceRecord, Live
from gateway.edge.northbound.acks.unstored import Unstored
from gateway.edge.northbound.session import Northbound
from gateway.wire.frame import BodyEncoder
from gateway.wire.messages import Ack, encode_message
from gateway.wire.topics import ack_topic
from tests.edge.city import City
from tests.support.broker import Mosquitto
from tests.support.clocks import FixedClock
from tests.support.consumers import for_city
from tests.support.edge import sending
from tests.support.waiting import until

SCHEMA = Schema(
    "d", "g", "p", "sensor", True, (Equipment("u", "1", "m"),), (Tag("t", Kind.FLOAT64),), 1000
)

HOUR = 7_200
"""Frames of an hour at the default period of commits."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, "allow_anonymous true\nset_tcp_nodelay true") as running:
        yield running


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame is a message of its own."""
    monkeypatch.setattr("gateway.edge.northbound.queue.MOST_FRAMES", 1)


class Sender:
    """A northbound on a real buffer, fed by the test."""

    consumers = for_city()

    def __init__(self, folder: Path, url: str, **options: object) -> None:
        self.buffer = Buffer.open(folder / "b.db", self.consumers)
        self.live = Live()
        self.live.add_device(DeviceRecord("d", "here", "modbus", "p", "m"))
        self.wake = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        settings = {
            "url": url,
            "ack_timeout_ms": 60_000,  # also for PUBACK: a busy machine may miss a shorter one
            "retry_max_ms": 1_000,
            "state_interval_ms": 500,
            **options,
        }
        self.unstored = Unstored()
        self.north = Northbound(
            config=validated(QulinkNorthbound, settings),
            gateway="gw",
            software="1",
            outlet=self.buffer.city,
            wake=self.wake,
            live=self.live,
            clock=FixedClock(1),
            unstored=self.unstored,
        )
        self.times = 0

    def feed(self, frames: int, *, schema: bool = True) -> None:
        made = []
        for _ in range(frames):
            self.times += 1
            values = (np.array([float(self.times)]),)
            batch = Batch(SCHEMA, self.times, np.ones(1, np.bool_), values)
            records = [SCHEMA, batch] if schema else [batch]
            share = (("d", date(2026, 1, 1), 1),)
            made.append(NewFrame(BodyEncoder().encode(records), 1, 1, 1, share))
        counts = {("d", date(2026, 1, 1)): Counts(frames, frames, 0, 0, 0, frames)}
        self.buffer.append(Commit(made, counts, schemas=(SCHEMA,)), 0)
        self.loop.call_soon_threadsafe(self.wake.set)

    async def flush(self) -> None:
        await asyncio.to_thread(self.buffer.append, Commit(), 0)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Sender"]:
        async with sending(self.north, self.buffer):
            yield self


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_frames_go_in_order_and_are_freed_by_the_city(
    tmp_path: Path, broker: Mosquitto, protocol: str
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url, protocol=protocol)
    async with city.running(), sender.running():
        sender.feed(50)
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
        assert city.order == list(range(1, 51))
        assert sender.buffer.city.pending().frames == 0
        assert {time for _, _, time in city.points} == set(range(1, 51))


@pytest.mark.usefixtures("alone")
async def test_a_puback_frees_nothing_and_the_window_is_kept(
    tmp_path: Path, broker: Mosquitto
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url, window=5, ack_timeout_ms=1_000)
    async with city.running(), sender.running():
        await until(lambda: sender.live.northbound().acks == 1)  # it has answered the question
        city.answer = False
        sender.feed(20)
        await until(lambda: city.questions >= 4)  # one before the first five, others behind them
        assert city.order == [1, 2, 3, 4, 5]  # what is not answered is not sent again
        await sender.flush()
        assert sender.buffer.city.pending().frames == 20
        city.answer = True
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
    assert set(city.values) == set(range(1, 21))


def feed_an_hour(sender: Sender) -> None:
    """An hour of frames at one commit in 500 ms."""
    for _ in range(HOUR // 400):
        sender.feed(400)
    assert sender.buffer.city.pending().frames >= HOUR


@pytest.mark.timeout(600)
async def test_an_hour_without_broker_is_sent_in_order(
    tmp_path: Path, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url, ack_timeout_ms=10_000)
    async with city.running(), sender.running():
        sender.feed(5)
        await until(lambda: city.upto == 5)
        await asyncio.to_thread(broker.stop, kill=True)
        await until(lambda: not sender.live.northbound().connected)
        await asyncio.to_thread(feed_an_hour, sender)
        await asyncio.to_thread(broker.start)
        await until(lambda: city.upto == HOUR + 5, 120)
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
    first = list(dict.fromkeys(city.order))
    assert first == list(range(1, HOUR + 6))
    assert len(city.points) == HOUR + 5
    warned = [line for line in caplog.messages if "trying again" in line]
    assert warned
    assert len(warned) == len(set(warned))  # a new cause is one more line, none is said twice


@pytest.mark.timeout(600)
async def test_an_hour_without_city_is_sent_in_order(tmp_path: Path, broker: Mosquitto) -> None:
    sender = Sender(tmp_path, broker.url, ack_timeout_ms=3_000)
    async with sender.running():
        await until(lambda: sender.live.northbound().connected)
        await asyncio.to_thread(feed_an_hour, sender)
        assert sender.buffer.city.pending().frames == HOUR
        assert sender.live.northbound().sent == 0  # the broker would take some and drop them
        city = City(broker.port, "gw")
        async with city.running():
            await until(lambda: city.upto == HOUR, 120)
            async with asyncio.timeout(60):
                await sender.north.drain(sender.flush)
    assert list(dict.fromkeys(sorted(city.order))) == list(range(1, HOUR + 1))
    assert len(city.points) == HOUR


async def test_garbage_and_foreign_acknowledgements_are_counted_and_free_nothing(
    tmp_path: Path, broker: Mosquitto
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url)
    epoch = f"{sender.buffer.epoch:016x}"
    bad = [
        b"",
        b"\xff\x00{{",
        b'{"epoch":7}',
        b'{"epoch":"%s","upto":"x"}' % epoch.encode(),
        b'{"epoch":"\xff\xfe","upto":1}',
        os.urandom(100),
        encode_message(Ack("0" * 16, 3)),
        encode_message(Ack(epoch, -1)),
    ]
    ahead = [encode_message(Ack(epoch, 4)), encode_message(Ack(epoch, 0, [(1, 10**12)]))]
    async with city.running(), sender.running():
        await until(lambda: sender.live.northbound().acks == 1)
        city.answer = False
        sender.feed(3)
        await until(lambda: len(city.order) >= 3)
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            for body in [*bad, *ahead]:
                await client.publish(ack_topic("gw"), body, qos=1)
        await until(lambda: sender.live.northbound().ignored_acks == len(bad))
        await until(lambda: city.questions == 2)  # whoever is ahead is asked
        await sender.flush()
        assert sender.buffer.city.pending().frames == 3


@pytest.mark.usefixtures("alone")
async def test_a_city_that_was_set_back_is_told_what_will_not_come_and_served_at_full_speed(
    tmp_path: Path, broker: Mosquitto
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url, window=5)
    async with city.running(), sender.running():
        sender.feed(20)
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
        city.upto = 7  # its database was restored from a backup
        city.values = dict.fromkeys(range(1, 8), 1)
        sender.feed(30)
        async with asyncio.timeout(50):  # nothing waits for the time to send again
            await sender.north.drain(sender.flush)
    assert city.upto == 50
    assert sender.live.northbound().resent == 0


@pytest.mark.usefixtures("alone")
async def test_a_city_that_begins_to_listen_gets_again_what_it_missed(
    tmp_path: Path, broker: Mosquitto
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url)
    async with city.running(), sender.running():
        await until(lambda: sender.live.northbound().acks == 1)
        city.answer = False
        sender.feed(3)
        await until(lambda: len(city.order) >= 3)
        city.answer = True
        hello = Ack(f"{sender.buffer.epoch:016x}", 0, again=True)
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.publish(ack_topic("gw"), encode_message(hello), qos=1)
        await until(lambda: city.order == [1, 2, 3, 1, 2, 3])
        assert sender.live.northbound().resent == 3


async def test_a_backlog_of_small_frames_leaves_as_few_messages(
    tmp_path: Path, broker: Mosquitto
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url)
    sender.feed(2_500)
    async with city.running(), sender.running():
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
        assert city.order == list(range(1, 2_501))
        assert len(city.points) == 2_500
        assert city.messages == 3


async def test_a_damaged_frame_among_merged_ones_costs_only_itself(
    tmp_path: Path, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url)
    sender.feed(4)
    sender.buffer._writer.execute("UPDATE frame SET body = x'01ff' WHERE seq = 3")
    sender.buffer.city._fresh.add(None, 0)
    async with city.running(), sender.running():
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
    assert city.quarantined == [3]
    assert {time for _, _, time in city.points} == {1, 2, 4}
    assert "frames 1 to 4 are sent apart" in caplog.text


async def test_a_schema_that_the_city_lacks_is_sent_with_the_frame(
    tmp_path: Path, broker: Mosquitto
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url, window=2)
    async with city.running(), sender.running():
        sender.feed(6, schema=False)
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
    assert city.wanted >= 1
    assert len(city.points) == 6


@pytest.mark.usefixtures("alone")
async def test_a_frame_that_has_rotted_in_the_buffer_holds_nothing_up(
    tmp_path: Path, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url, window=2)
    sender.feed(4, schema=False)
    (body,) = sender.buffer._writer.execute("SELECT body FROM frame WHERE seq = 1").fetchone()
    rotten = body[:-1] + bytes([body[-1] ^ 1])
    sender.buffer._writer.execute("UPDATE frame SET body = ? WHERE seq = 1", (rotten,))
    sender.buffer.city._fresh.add(None, 0)  # as after a while
    sender.north._transfer._preface.want(
        [f"{SCHEMA.id:016x}"], 0.0
    )  # goes in front of the first frame
    async with city.running(), sender.running():
        async with asyncio.timeout(60):
            await sender.north.drain(sender.flush)
    assert city.quarantined == [1]
    assert {time for _, _, time in city.points} == {2, 3, 4}
    assert "frame 1 is damaged in the buffer" in caplog.text


async def test_signs_of_life_say_what_changes_at_once_and_the_last_will_says_offline(
    tmp_path: Path, broker: Mosquitto
) -> None:
    city = City(broker.port, "gw")
    sender = Sender(tmp_path, broker.url, state_interval_ms=60_000)
    async with city.running(), sender.running():
        await until(lambda: len(city.states) == 1)
        assert city.states[0].online
        sender.live.set_link("d", "up", 5)
        await until(lambda: len(city.states) == 2)
        assert city.states[1].devices["d"].link == "up"
        sender.north.close()
        await until(lambda: len(city.states) == 3)
    assert not city.states[-1].online


async def test_a_wrong_password_is_said_once_and_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "passwd"
    passwords.write_text("")
    passwords.chmod(0o600)
    monkeypatch.setenv("SECRET", "hunter2-in-vain")
    extra = f"user root\nallow_anonymous false\npassword_file {passwords}"
    with Mosquitto(tmp_path, extra) as strict:
        secret = {"env": "SECRET"}
        sender = Sender(tmp_path, strict.url, password=secret)
        async with sender.running():
            await until(lambda: sender.north._attempts.failures >= 3)
            assert "uthori" in sender.live.northbound().error
    assert sum("trying again" in line for line in caplog.messages) == 1
    assert "hunter2" not in caplog.text


async def test_a_missing_secret_is_said_and_tried_again(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(tmp_path, broker.url, password={"env": "QULINK_TEST_SECRET"})
    async with sender.running():
        await until(lambda: "QULINK_TEST_SECRET" in sender.live.northbound().error)
        monkeypatch.setenv("QULINK_TEST_SECRET", "x")
        await until(lambda: sender.live.northbound().connected)


async def test_a_cancellation_ends_it_although_leaving_the_broker_fails(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = aiomqtt.Client.__aexit__

    async def failing(client: aiomqtt.Client, *fault: object) -> None:
        await leave(client, *fault)  # type: ignore[arg-type]
        raise aiomqtt.MqttError("could not disconnect")

    monkeypatch.setattr(aiomqtt.Client, "__aexit__", failing)
    sender = Sender(tmp_path, broker.url)
    task = asyncio.create_task(sender.north.run())
    await until(lambda: sender.live.northbound().connected)
    task.cancel()
    await asyncio.wait([task], timeout=60)
    assert task.cancelled()
    sender.buffer.close()
