"""What the client adds to the library: it heeds cancellations, and every fault has its words."""

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from edge_config.models.base import Secret, SecretUnavailableError
from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.validation import validated
from gateway.mqtt import attempts as attempts_module
from gateway.mqtt.attempts import Attempts
from gateway.mqtt.client import Client, MqttError
from gateway.mqtt.faults import reason
from tests.support.broker import Mosquitto
from tests.support.waiting import until

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

CONNACK = bytes.fromhex("20020000")
SUBACK_REFUSED = bytes.fromhex("9003000180")
CONNACK_5 = bytes.fromhex("2003000000")
SUBACK_5 = bytes.fromhex("900400010001")
TAKEN_OVER = bytes.fromhex("e0028e00")


@contextlib.asynccontextmanager
async def broker(peer: Peer, **options: object) -> AsyncIterator[QulinkNorthbound]:
    """The configuration of a broker that does what ``peer`` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield validated(
            QulinkNorthbound, {"url": f"mqtt://127.0.0.1:{port}", "protocol": "3.1.1", **options}
        )


async def fault_of(client: Client) -> str:
    """Why a session ends."""
    with pytest.raises(MqttError) as caught:
        async with client:
            await client.listen("a/b")
            async for _ in client.messages:
                pass
    return reason(caught.value)


async def test_a_cancellation_in_the_turn_of_the_answer_is_heeded() -> None:
    config = validated(QulinkNorthbound, {"url": "mqtt://127.0.0.1:1"})
    client = Client(config, username="x")
    answer: asyncio.Future[None] = asyncio.Future()
    task = asyncio.create_task(client._wait_for(answer, 5))
    await asyncio.sleep(0)
    answer.set_result(None)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def test_a_broker_that_hangs_up_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async def peer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with broker(peer, connect_timeout_ms=60_000) as config, asyncio.timeout(50):
        words = await fault_of(Client(config, username="x"))
    assert "Connection reset" in words or "hung up" in words
    assert caplog.messages == []


async def test_a_broker_that_says_nothing_is_left_with_a_closed_socket() -> None:
    ended = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        ended.set()

    async with broker(peer, connect_timeout_ms=500) as config:
        words = await fault_of(Client(config, username="x"))
        async with asyncio.timeout(60):
            await ended.wait()
    assert words == "no answer from the broker within 0.5 s"


async def test_nobody_listening_is_said() -> None:
    async def peer(*_: object) -> None:
        return

    async with broker(peer) as config:
        pass
    assert "Connection refused" in await fault_of(Client(config, username="x"))


async def test_a_name_that_no_host_can_have_is_a_fault() -> None:
    config = validated(QulinkNorthbound, {"url": f"mqtt://{'a' * 64}:1883"})
    assert "no host can have the name" in await fault_of(Client(config, username="x"))


async def test_a_refused_subscription_is_a_fault() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(CONNACK)
        await reader.read(4096)
        writer.write(SUBACK_REFUSED)
        await reader.read()

    async with broker(peer) as config:
        words = await fault_of(Client(config, username="x"))
    assert "refuses to subscribe us to a/b" in words


async def test_a_refused_publish_ends_the_session(tmp_path: Path) -> None:
    (tmp_path / "acl").write_text("topic read #\n")
    rules = f"allow_anonymous true\nuser root\nacl_file {tmp_path}/acl"
    with Mosquitto(tmp_path, rules) as running:
        client = Client(QulinkNorthbound(url=running.url), username="x")
        with pytest.raises(MqttError) as caught:
            async with client:
                await client.publish("a/b", b"", qos=1)
                async for _ in client.messages:
                    pass
    assert reason(caught.value) == "the broker refuses what we publish: Not authorized"


async def test_all_that_has_come_is_handed_out_at_once(mosquitto: Mosquitto) -> None:
    """One at a time they would pile up in the library, where nothing bounds them."""
    config = validated(QulinkNorthbound, {"url": mosquitto.url})
    async with Client(config, username="x") as reader, Client(config, username="y") as writer:
        await reader.listen("a/b")
        for number in range(50):
            await writer.publish("a/b", str(number), qos=1)
        await until(lambda: len(reader.messages) == 50)
        came = await anext(reader.received())
        assert [bytes(message.payload) for message in came] == [b"%d" % n for n in range(50)]


async def test_a_session_that_is_left_as_the_broker_hangs_up_leaves_no_complaint(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    config = validated(QulinkNorthbound, {"url": mosquitto.url})
    async with Client(config, username="x") as client:
        mosquitto.stop(kill=True)
        await until(client._disconnected.done)
    del client
    gc.collect()
    assert caplog.messages == []


async def test_a_session_that_the_broker_ends_says_why() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(CONNACK_5)
        await reader.read(4096)
        writer.write(SUBACK_5 + TAKEN_OVER)
        await reader.read()

    async with broker(peer, protocol="5") as config:
        words = await fault_of(Client(config, username="x"))
    assert words == "the broker ended the session: Session taken over"


async def test_a_loss_is_one_line_and_so_is_its_end_however_often_a_session_breaks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    attempts = Attempts("mqtt://b:1883", 30_000)
    for _ in range(4):
        attempts.failed(MqttError("taken over"))
        with attempts.session():
            await asyncio.sleep(0.001)
    assert [line.partition(": ")[2] for line in caplog.messages] == [
        "taken over; trying again",
        "connected after 1 failed attempts",
        "taken over; trying again",
    ]
    assert attempts.failures == 3
    assert 1.0 <= attempts.pause_s <= 2.0
    monkeypatch.setattr(attempts_module, "SOUND_S", 0.01)
    with attempts.session():
        await until(lambda: attempts.failures == 0)
    assert "connected after 3 failed attempts" in caplog.messages[-1]
    assert len(caplog.messages) == 4


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: …", "'tls.ca_file'"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "'url'"),
        ("tlsv1 alert unknown ca", "'tls.cert_file'"),
    ],
)
def test_faults_of_tls_come_with_advice(words: str, advice: str) -> None:
    said = reason(ExceptionGroup("", [MqttError(words)]))
    assert said.startswith(words)
    assert advice in said


def test_a_secret_that_cannot_be_read_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(SecretUnavailableError) as caught:
        Secret(file=tmp_path / "none").reveal()
    assert reason(ExceptionGroup("", [caught.value])) == str(caught.value)
