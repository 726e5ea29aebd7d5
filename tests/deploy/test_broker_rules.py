"""The access rule of ``deploy/`` on a real mosquitto, with credentials that enrolment made."""

import asyncio
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from gateway.city.db.tables import enterprise
from gateway.city.db.upgrade import upgrade
from gateway.relational.database import connect
from gateway.wire.topics import (
    ack_topic,
    command_topic,
    frame_topic,
    reply_topic,
    state_topic,
)
from tests.support.city import USCC, batch_of, city_on, schema_of, sending
from tests.support.command import qulink
from tests.support.shipped_broker import ShippedMosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ShippedMosquitto]:
    with ShippedMosquitto(tmp_path) as running:
        yield running


async def test_a_gateway_uses_its_own_topics_and_no_others(broker: ShippedMosquitto) -> None:
    heard: list[str] = []
    async with broker.city() as city, broker.gateway("gw-1") as one, broker.gateway("gw-2") as two:
        await city.subscribe("qulink/2/up/#", qos=1)
        await two.subscribe("#", qos=1)
        await two.subscribe("$SYS/#", qos=1)
        await two.subscribe(ack_topic("gw-1"), qos=1)
        for topic in (frame_topic("gw-1"), state_topic("gw-1"), "qulink/2/up/0/city/frame"):
            await two.publish(topic, b"as somebody else", qos=1)
        await two.publish(ack_topic("gw-1"), b"as the city", qos=1)
        await two.publish(frame_topic("gw-2"), b"own", qos=1)
        await one.publish(frame_topic("gw-1"), b"last", qos=1)
        async for message in city.messages:
            heard.append(message.topic.value)
            if message.payload == b"last":
                break
        assert heard == [frame_topic("gw-2"), frame_topic("gw-1")]
        await city.publish(ack_topic("gw-1"), b"for one", qos=1)
        await city.publish(ack_topic("gw-2"), b"for two", qos=1)
        async for message in two.messages:
            assert message.payload == b"for two"
            break


async def test_the_city_publishes_acknowledgements_only(broker: ShippedMosquitto) -> None:
    """Who has its password cannot send values in a gateway's name."""
    async with broker.city() as city, broker.gateway("gw-1") as gateway:
        await city.subscribe("qulink/2/up/#", qos=1)
        await city.publish(frame_topic("gw-1"), b"forged", qos=1)
        await city.publish(state_topic("gw-1"), b"forged", qos=1)
        await gateway.publish(frame_topic("gw-1"), b"frame", qos=1)
        assert (await anext(aiter(city.messages))).payload == b"frame"


async def test_the_city_alone_commands_and_each_gateway_hears_its_own(
    broker: ShippedMosquitto,
) -> None:
    async with broker.city() as city, broker.gateway("gw-1") as one, broker.gateway("gw-2") as two:
        for gateway in (one, two):
            await gateway.subscribe("qulink/2/down/#", qos=1)
        await city.subscribe("qulink/2/up/#", qos=1)
        for gateway in (one, two):
            await gateway.publish(command_topic("gw-1"), b"forged", qos=1)
        await two.publish(reply_topic("gw-1"), b"forged", qos=1)
        await city.publish(reply_topic("gw-1"), b"forged", qos=1)
        await city.publish(command_topic("gw-1"), b"for one", qos=1)
        await city.publish(command_topic("gw-2"), b"for two", qos=1)
        assert (await anext(aiter(one.messages))).payload == b"for one"
        assert (await anext(aiter(two.messages))).payload == b"for two"
        await one.publish(reply_topic("gw-1"), b"done", qos=1)
        assert (await anext(aiter(city.messages))).payload == b"done"


async def test_wrong_credentials_are_refused(broker: ShippedMosquitto) -> None:
    for more in ({}, {"username": "city", "password": "gw-2-secret"}):
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", broker.port, **more):
                pass


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def write_city(folder: Path, port: int, passwords: Path) -> Path:
    (folder / "city-password").write_text("city-secret\n")
    config = folder / "city.yaml"
    config.write_text(
        f"""
city: {{region: "330800", name_zh: 衢州, name_en: Quzhou}}
data_dir: {folder}/data
broker:
  url: mqtt://127.0.0.1:{port}
  password: {{file: city-password}}
  password_file: {passwords}
identifier: {{prefix: "88.999"}}
console: {{listen: "127.0.0.1:0"}}
node: {{type: embedded, listen: "127.0.0.1:0"}}
"""
    )
    return config


def fill_enterprise(folder: Path) -> None:
    """An enterprise in the ledger of the city in a folder."""
    database = connect("sqlite:///city.db", folder / "data")
    upgrade(database)
    row = {"uscc": USCC, "name": "甲", "county": "330822", "industry": "3451", "above_scale": True}
    database.run_now(lambda c: c.execute(enterprise.insert().values(row)))
    database.close()


async def test_enrolment_gives_a_credential_that_the_broker_and_the_city_take(
    broker: ShippedMosquitto, tmp_path: Path
) -> None:
    config = write_city(tmp_path, broker.port, broker.passwords)
    add = ("city", "gateway", "add", "-c", str(config), "--id", "gw-9", "--enterprise", USCC)
    refused = qulink(*add)
    assert refused.returncode == 1
    assert "is not in the ledger" in refused.stderr
    fill_enterprise(tmp_path)
    done = qulink(*add)
    assert done.returncode == 0, done.stderr
    username = re.search(r"username: (.*)", done.stdout)
    password = re.search(r"password: (.*)", done.stdout)
    assert username is not None and password is not None
    assert password[1].encode() not in everything_in(tmp_path)  # kept nowhere in clear
    broker.reload()
    given = {"username": username[1], "password": password[1]}
    async with aiomqtt.Client("127.0.0.1", broker.port, **given):
        pass
    listed = qulink("city", "gateway", "list", "-c", str(config)).stdout
    assert listed == f"gw-9\t{USCC}\t甲\t1\tenrolled\tnever\n"
    other = qulink(*add, "--site", "2")
    assert other.returncode == 1
    assert "choose another id" in other.stderr
    assert qulink("city", "gateway", "revoke", "-c", str(config), "--id", "gw-9").returncode == 0
    assert "revoked" in qulink("city", "gateway", "list", "-c", str(config)).stdout
    assert "gw-9:" not in broker.passwords.read_text()
    assert qulink("city", "gateway", "revoke", "-c", str(config), "--id", "gw-9").returncode == 1


def test_registry_and_password_file_change_together_or_not_at_all(tmp_path: Path) -> None:
    """A revocation that left the credential could not be made again."""
    folder, away = tmp_path / "broker", tmp_path / "away"
    config = ("-c", str(write_city(tmp_path, 1, folder / "passwords")))
    fill_enterprise(tmp_path)
    add = ("city", "gateway", "add", *config, "--id", "gw-9", "--enterprise", USCC)
    revoke = ("city", "gateway", "revoke", *config, "--id", "gw-9")

    def refused(command: tuple[str, ...]) -> str:
        done = qulink(*command)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"cannot change the broker's password file {folder}" in done.stderr
        return qulink("city", "gateway", "list", *config).stdout

    assert refused(add) == ""
    folder.mkdir()
    assert qulink(*add).returncode == 0
    folder.rename(away)
    assert "\tenrolled\t" in refused(revoke)
    away.rename(folder)
    assert qulink(*revoke).returncode == 0
    assert (folder / "passwords").read_text() == ""


async def test_city_and_gateway_work_under_the_shipped_rules(
    broker: ShippedMosquitto, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("city-secret")
    user = {"broker": {"username": "city", "password": {"file": secret}}}
    schema, at = schema_of("speed"), time.time_ns() // 1_000_000
    async with (
        city_on(broker.url, tmp_path / "data", "gw-1", **user) as city,
        sending(broker.gateway("gw-1"), "gw-1") as gateway,
    ):
        await gateway.send(1, schema, batch_of(schema, at, 1.0))
        await gateway.acked(1)
        assert await city.store.count(["gw-1"], at, at + 1) == 1


async def test_qulink_city_runs_and_stops(broker: ShippedMosquitto, tmp_path: Path) -> None:
    config = write_city(tmp_path, broker.port, broker.passwords)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", "city", str(config), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    log = ""
    try:
        async with asyncio.timeout(60):
            while not (": connected" in log and "is running" in log):
                line = await process.stderr.readline()
                assert line, log
                log += line.decode()
            process.send_signal(signal.SIGTERM)
            log += (await process.stderr.read()).decode()
            assert await process.wait() == 0, log
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert "city Quzhou stops" in log
    assert "Traceback" not in log
    assert "city-secret" not in log
