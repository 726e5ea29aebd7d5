"""What a gateway, or who has stolen from one, tries at the shipped broker."""

import asyncio
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from gateway.city.registry.credentials import password_line
from gateway.wire.topics import ack_topic, frame_topic, state_topic
from tests.support.city import city_on, rows_of
from tests.support.shipped_broker import ADMITTED, ShippedMosquitto
from tests.support.waiting import until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ShippedMosquitto]:
    with ShippedMosquitto(tmp_path) as running:
        yield running


async def heard_by_the_city(broker: ShippedMosquitto, attack: Any) -> list[str]:
    """Topics of what the city hears while somebody attacks, up to the attacked one's own sign."""
    topics: list[str] = []
    async with broker.city() as city, broker.gateway("gw-7") as attacked:
        await city.subscribe("qulink/2/up/#", qos=1)
        await attack()
        await attacked.publish(state_topic("gw-7"), b"alive", qos=1)
        async for message in city.messages:
            topics.append(message.topic.value)
            if message.payload == b"alive":
                return topics
    raise AssertionError("the city's session ended")


@pytest.mark.parametrize("claimed", ["qulink-gw-7", "gw-7", "city", ""])
async def test_no_client_id_ends_the_session_of_another(
    broker: ShippedMosquitto, claimed: str
) -> None:
    async def attack() -> None:
        async with broker.gateway("gw-8", identifier=claimed) as thief:
            await thief.publish(frame_topic("gw-8"), b"own", qos=1)

    # the attacked one still has its session: else its publish would fail
    assert await heard_by_the_city(broker, attack) == [frame_topic("gw-8"), state_topic("gw-7")]


@pytest.mark.parametrize(
    ("user", "password"),
    [("gw-7", "gw-7-secret"), ("city", "city-secret"), ("gw-7", None), ("city", "wrong")],
)
async def test_a_certificate_is_bound_to_its_gateway(
    broker: ShippedMosquitto, user: str, password: str | None
) -> None:
    """gw-8's, with whatever user and password: it stays gw-8."""
    with broker.passwords.open("a") as file:
        file.write(password_line("gw-7", "gw-7-secret", 1000) + "\n")
    broker.reload()

    async def attack() -> None:
        async with broker.gateway("gw-8", username=user, password=password) as thief:
            await thief.publish(frame_topic("gw-7"), b"in its name", qos=1)
            await thief.publish(ack_topic("gw-7"), b"as the city", qos=1)
            await thief.publish(frame_topic("gw-8"), b"own", qos=1)

    assert await heard_by_the_city(broker, attack) == [frame_topic("gw-8"), state_topic("gw-7")]


async def test_a_stolen_password_without_a_certificate_opens_nothing(
    broker: ShippedMosquitto,
) -> None:
    context = ssl.create_default_context(cafile=broker.authority.file)
    assert await broker.answer(context, login=("city", "city-secret")) == b""
    context.load_cert_chain(*broker.authority.client("gw-8"))
    assert await broker.answer(context, login=("city", "city-secret")) == ADMITTED  # as gw-8


async def test_a_revoked_certificate_is_refused(broker: ShippedMosquitto) -> None:
    certificate, key = broker.authority.client("gw-8")
    context = ssl.create_default_context(cafile=broker.authority.file)
    context.load_cert_chain(certificate, key)
    assert await broker.answer(context) == ADMITTED
    broker.authority.revoke(certificate)
    broker.stop()
    broker.start()
    assert await broker.answer(context) == b""
    async with broker.gateway("gw-7"):
        pass  # others are as before


async def test_nothing_is_retained(broker: ShippedMosquitto) -> None:
    async with broker.gateway("gw-8") as gateway:
        kept = gateway.publish(state_topic("gw-8"), b"for ever", qos=1, retain=True)
        publishing = asyncio.create_task(kept)
        with pytest.raises(aiomqtt.MqttError):
            async for _ in gateway.messages:  # until its session ends
                pass
        publishing.cancel()  # nobody confirms it
    context = ssl.create_default_context(cafile=broker.authority.file)
    context.load_cert_chain(*broker.authority.client("gw-8"))
    assert await broker.answer(context, will=(state_topic("gw-8"), "for ever")) != ADMITTED
    assert await broker.answer(context) == ADMITTED
    async with broker.city() as city:
        await city.subscribe("qulink/2/up/#", qos=1)
        async with broker.gateway("gw-8") as gateway:
            await gateway.publish(frame_topic("gw-8"), b"frame", qos=1)
        assert (await anext(aiter(city.messages))).payload == b"frame"


@pytest.mark.parametrize("cipher", ["AES128-SHA256", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA"])
async def test_weak_ciphers_are_refused(broker: ShippedMosquitto, cipher: str) -> None:
    """Without forward secrecy, or without authenticated encryption."""
    context = ssl.create_default_context(cafile=broker.authority.file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", broker.tls_port, ssl=context)


async def test_a_revoked_gateway_that_still_sends_is_not_heard(
    broker: ShippedMosquitto, tmp_path: Path
) -> None:
    """Also until its certificate is on the broker's list."""
    secret = tmp_path / "secret"
    secret.write_text("city-secret")
    user = {"broker": {"username": "city", "password": {"file": secret}}}
    async with (
        city_on(broker.url, tmp_path / "data", "gw-7", **user) as city,
        broker.gateway("gw-8") as gateway,
    ):
        await gateway.publish(state_topic("gw-8"), b'{"online":true}', qos=1)
        quarantine = await asyncio.to_thread(rows_until, city, "quarantine")
        assert "gw-8 is not enrolled or is revoked" in quarantine[0]["reason"]
        await until(lambda: city.live.gateway("gw-8") is None)


def rows_until(city: Any, _name: str) -> list[dict[str, Any]]:
    """The quarantine of a city, once there is something in it."""
    from gateway.city.db.tables import quarantine

    deadline = time.monotonic() + 60
    while not (rows := rows_of(city, quarantine)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return rows
