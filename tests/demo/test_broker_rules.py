"""The demonstration's broker keeps the access rules of ``deploy/``, commands included."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.validation import validated
from gateway.demo.broker import write_rules
from gateway.mqtt.client import Client, MqttError
from gateway.wire.topics import ack_topic, command_topic, frame_topic, reply_topic
from tests.support.peers import free_port, wait_for_port

USERS = ("city", "gw-1", "gw-2")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    port = free_port()
    rules = write_rules(tmp_path, port, "city", {user: f"{user}-secret" for user in USERS})
    process = subprocess.Popen([sys.executable, "-m", "gateway.demo.broker", str(rules)])
    try:
        wait_for_port(port)
        yield port
    finally:
        process.kill()
        process.wait(10)


async def test_the_city_alone_commands_and_each_gateway_hears_its_own(broker: int) -> None:
    def client(user: str) -> aiomqtt.Client:
        return aiomqtt.Client("127.0.0.1", broker, username=user, password=f"{user}-secret")

    async with client("city") as city, client("gw-1") as one, client("gw-2") as two:
        await one.subscribe(command_topic("gw-1"), qos=1)
        for stranger in (command_topic("gw-1"), ack_topic("gw-1"), frame_topic("gw-1")):
            await two.subscribe(stranger, qos=1)
        await two.subscribe(command_topic("gw-2"), qos=1)
        await city.subscribe("qulink/2/up/+/+/reply", qos=1)
        await two.publish(command_topic("gw-1"), b"forged", qos=1)
        await two.publish(reply_topic("gw-1"), b"forged", qos=1)
        await city.publish(command_topic("gw-1"), b"for one", qos=1)
        await city.publish(command_topic("gw-2"), b"for two", qos=1)
        assert (await anext(aiter(one.messages))).payload == b"for one"
        assert (await anext(aiter(two.messages))).payload == b"for two"
        await one.publish(reply_topic("gw-1"), b"done", qos=1)
        assert (await anext(aiter(city.messages))).payload == b"done"


async def test_a_refused_subscription_to_commands_costs_no_session(
    broker: int, tmp_path: Path
) -> None:
    """As at a broker with rules from before there were commands."""
    secret = tmp_path / "secret"
    secret.write_text("gw-2-secret")
    settings = {"url": f"mqtt://127.0.0.1:{broker}", "password": {"file": secret}}
    config = validated(QulinkNorthbound, settings | {"protocol": "3.1.1"})
    async with Client(config, username="gw-2") as client:
        assert await client.try_to_listen(command_topic("gw-1"))
        assert await client.try_to_listen(command_topic("gw-2")) == ""
        await client.listen(ack_topic("gw-2"))
        with pytest.raises(MqttError, match="refuses to subscribe us to"):
            await client.listen(ack_topic("gw-1"))
