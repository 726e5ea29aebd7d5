"""Whatever pieces the bytes come in, every message is delivered once, in order, and answered."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client as Paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from edge_config.models.city import BrokerConfig
from gateway.mqtt.client import Client, MqttError
from gateway.mqtt.receiver import Receiver, publish_packet
from tests.support.broker import Mosquitto
from tests.support.waiting import until

Message = tuple[str, bytes]
VERSIONS = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}


class Wire:
    """A socket that holds pieces of what a broker has sent, and what we answer."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces, self.sent = pieces, bytearray()

    def recv(self, size: int) -> bytes:
        if not self.pieces:
            raise BlockingIOError
        piece = self.pieces.pop(0)
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
        return piece[:size]

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        """Nothing to close."""


def receiving(version: str, pieces: list[bytes]) -> tuple[Paho, Wire, list[Message]]:
    """A client of the library that reads pieces through a receiver."""
    client = Paho(CallbackAPIVersion.VERSION2, protocol=VERSIONS[version])
    got = list[Message]()
    Receiver(client, got.extend)
    wire = Wire([piece for piece in pieces if piece])
    client._sock = wire  # type: ignore[assignment]
    return client, wire, got


def with_qos_1(packet: bytes, mid: int, topic: str) -> bytes:
    """The same PUBLISH with a packet identifier."""
    body_at = 1 + next(n for n in range(1, 5) if packet[n] < 128)
    at = body_at + 2 + len(topic.encode())
    body = packet[body_at:at] + mid.to_bytes(2, "big") + packet[at:]
    size, left = bytearray(), len(body)
    while left >= 128:
        size.append(left % 128 | 128)
        left //= 128
    return bytes((0x32,)) + bytes((*size, left)) + body


@given(
    version=st.sampled_from(sorted(VERSIONS)),
    messages=st.lists(st.tuples(st.text("ab/中", min_size=1, max_size=9), st.binary(max_size=300))),
    cuts=st.lists(st.integers(0, 4000), max_size=9),
)
def test_messages_come_whole_however_they_are_cut(
    version: str, messages: list[Message], cuts: list[int]
) -> None:
    packets = [
        with_qos_1(publish_packet(topic, payload, VERSIONS[version]), mid, topic)
        for mid, (topic, payload) in enumerate(messages, 1)
    ]
    stream = b"".join(packets)
    edges = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    client, wire, got = receiving(version, pieces)
    while wire.pieces:
        assert client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert got == messages
    answers = [b"\x40\x02" + mid.to_bytes(2, "big") for mid in range(1, len(messages) + 1)]
    assert bytes(wire.sent) == b"".join(answers)


@pytest.mark.parametrize("garbage", [b"\x30\xff\xff\xff\xff\xff", b"\x32\x02\x00\x09"])
def test_what_is_no_mqtt_ends_the_session(garbage: bytes) -> None:
    client, _, got = receiving("3.1.1", [garbage])
    assert client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS
    assert not got


@pytest.mark.parametrize("version", sorted(VERSIONS))
async def test_a_real_broker_is_heard_and_told_in_bulk(
    mosquitto: Mosquitto, tmp_path: Path, version: str
) -> None:
    got = list[Message]()
    config = BrokerConfig(url=mosquitto.url, protocol=version)  # type: ignore[arg-type]
    sent = [(f"up/{n % 3}", bytes([n % 256]) * (n * 7)) for n in range(300)]
    async with Client(config, username="city", deliver=got.extend) as client:
        await client.listen("up/+")
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as other:
            await other.subscribe("down/#", qos=0)
            for topic, payload in sent:
                await other.publish(topic, payload, qos=1)
            await until(lambda: len(got) == len(sent))
            assert got == sent
            client.send((f"down/{n}", b"x" * n) for n in range(300))
            async with asyncio.timeout(60):
                heard = [(str(m.topic), m.payload) async for m in _first(other, 300)]
            assert heard == [(f"down/{n}", b"x" * n) for n in range(300)]
        mosquitto.stop(kill=True)
        with pytest.raises(MqttError):
            await client.ended()
        with pytest.raises(MqttError, match="no session"):
            client.send([("down/1", b"")])


@pytest.mark.parametrize("version", sorted(VERSIONS))
async def test_what_a_broker_kept_is_not_heard(mosquitto: Mosquitto, version: str) -> None:
    """It is old: a gateway that is dead would speak at each start of the city."""
    got = list[Message]()
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as other:
        await other.publish("up/0", b"kept", qos=1, retain=True)
        config = BrokerConfig(url=mosquitto.url, protocol=version)  # type: ignore[arg-type]
        async with Client(config, username="city", deliver=got.extend) as client:
            await client.listen("up/+")
            # this one, too, is to be kept; but we hear it as it is said
            await other.publish("up/0", b"said now", qos=1, retain=True)
            await until(lambda: bool(got))
            assert got == [("up/0", b"said now")]


async def _first(client: aiomqtt.Client, count: int) -> AsyncIterator[aiomqtt.Message]:
    async for message in client.messages:
        yield message
        count -= 1
        if not count:
            return
