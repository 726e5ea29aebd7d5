"""Commands of the city over a real broker: obeyed once, in time, and from nobody else."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.edge.commands.audit import audit_path, entries
from gateway.edge.northbound.intake import MOST_AT_ONCE
from gateway.wire.commands import Command, CommandAnswer, encode_command
from gateway.wire.topics import command_topic, reply_topic
from tests.commands.line import Line
from tests.commands.test_write_command import SPEED, allowed
from tests.deploy.test_broker_rules import fill_enterprise, write_city
from tests.edge.city import City
from tests.edge.one_device import configured, running
from tests.support.broker import Mosquitto
from tests.support.city import USCC
from tests.support.command import qulink
from tests.support.shipped_broker import ShippedMosquitto
from tests.support.waiting import until, wait_until


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def gateway_file(folder: Path, machine: int, north: dict[str, Any], **more: Any) -> Path:
    connection = {"host": "127.0.0.1", "port": machine, "unit": 1}
    config = allowed(configured(folder, "modbus", connection, [SPEED], timeout_ms=30_000))
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    document["northbound"] = [{"retry_max_ms": 1_000, "state_interval_ms": 500, **north}]
    document["gateway"].update(more)
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config


def order(id_: str, value: object = 5, *, age_ms: int = 0, life_ms: int = 60_000) -> Command:
    issued_ms = now_ms() - age_ms
    return Command(id_, "press-1", "speed", value, issued_ms, issued_ms + life_ms, "an officer")  # type: ignore[arg-type]


async def give(city: City, command: Command | bytes, *, retain: bool = False) -> None:
    body = command if isinstance(command, bytes) else encode_command(command)
    assert city.client is not None
    await city.client.publish(command_topic("gw"), body, qos=1, retain=retain)


async def final(city: City, id_: str) -> CommandAnswer:
    """The next final answer to a command."""

    def found() -> list[CommandAnswer]:
        return [one for one in city.replies if one.id == id_ and one.state != "accepted"]

    await until(found)
    (answer,) = found()
    city.replies.clear()
    return answer


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path, "allow_anonymous true\nset_tcp_nodelay true") as running_:
        yield running_


@asynccontextmanager
async def ready(broker: Mosquitto, line: Line, folder: Path) -> AsyncIterator[tuple[City, Path]]:
    """A city that confirms clocks, a machine, and the file of a gateway between them."""
    city = City(broker.port, "gw")
    city.tells_time = True
    async with line.serving() as port, city.running():
        yield city, gateway_file(folder, port, {"url": broker.url})


async def is_sure(city: City) -> None:
    """Wait until the gateway is up and sure of its clock."""
    city.states.clear()

    def sure() -> bool:
        states = [one for one in city.states if one.online and not one.clock_doubt]
        return any(all(d.link == "up" for d in one.devices.values()) for one in states)

    await until(sure)


async def test_a_command_is_carried_out_once_and_answered_each_time(
    broker: Mosquitto, tmp_path: Path
) -> None:
    line = Line()
    async with ready(broker, line, tmp_path) as (city, config):
        with running(config):
            await is_sure(city)
            command = order("c1", "12.5")
            await give(city, command)
            await until(lambda: len(city.replies) == 2)
            accepted, verified = city.replies
            assert (accepted.state, accepted.id) == ("accepted", "c1")
            assert (verified.state, verified.before, verified.shows) == ("verified", 0.0, 12.5)
            city.replies.clear()
            for _ in range(3):
                await give(city, command)
                assert await final(city, "c1") == verified
            for id_, wrong, words in (
                ("c2", order("c2", 101), "the most that may be written is 100"),
                ("c3", order("c3", "12.55"), "12.5 and 12.6"),
                ("c4", order("c4", age_ms=120_000), "it expired"),
                ("c5", Command("c5", "press-1", "speed", 1), "says when it was issued"),
                ("c6", Command("c6", "press-9", "speed", 1), "no device 'press-9'"),
                ("c1", order("c1", 7), "another command has the id"),
            ):
                await give(city, wrong)
                answer = await final(city, id_)
                assert (answer.state, words in answer.words) == ("refused", True), answer
            assert len(line.writes) == 1
    begun, *_ = entries(audit_path(tmp_path / "b.db"))
    assert (begun.origin, begun.who, begun.raw) == ("city", "an officer", 125)


async def test_what_is_retained_or_no_command_is_ignored(broker: Mosquitto, tmp_path: Path) -> None:
    line = Line()
    async with ready(broker, line, tmp_path) as (city, config):
        await give(city, order("kept"), retain=True)
        with running(config):
            await is_sure(city)
            for body in (b"", b"{", b"\xff", b'{"id": "x"}', b"[" * 10_000, b"9" * 40_000):
                await give(city, body)
            await give(city, order("c1", 3))
            assert (await final(city, "c1")).state == "verified"
            assert [one.value for one in line.writes] == [30]
        log = (tmp_path / "log").read_text()
        assert "a retained command on qulink/2/down/gw/command is ignored" in log
        assert log.count("is no command") == 1, "the others are counted by the next such line"
        assert "Traceback" not in log


async def test_a_flood_fills_neither_record_nor_log(broker: Mosquitto, tmp_path: Path) -> None:
    line = Line()
    async with ready(broker, line, tmp_path) as (city, config):
        with running(config):
            await is_sure(city)
            sent = [
                order(f"c{at}", "x" * 10_000, life_ms=600_000) for at in range(3 * MOST_AT_ONCE)
            ]
            for command in sent:
                await give(city, command)
            log = tmp_path / "log"
            await until(lambda: "more new ones than" in log.read_text())
            # Of known ones any number is answered, once those before them are.
            await until(lambda: len({one.id for one in city.replies}) >= MOST_AT_ONCE)
            for _ in range(20):
                await give(city, sent[0])
            await until(lambda: [one.id for one in city.replies].count("c0") == 21)
            late = order("late", 3)
            while not any(one.id == "late" for one in city.replies):
                await give(city, late)
                await asyncio.sleep(0.2)
            assert (await final(city, "late")).state == "verified"
    assert log.read_text().count("more new ones than") == 1
    path = audit_path(tmp_path / "b.db")
    recorded = [one for one in entries(path) if one.event == "refused"]
    assert MOST_AT_ONCE <= len(recorded) < len(sent)
    assert path.stat().st_size / len(recorded) < 1_000


async def test_killed_before_it_answers_a_command_is_unknown_and_never_repeated(
    broker: Mosquitto, tmp_path: Path
) -> None:
    line = Line()
    line.answers_writes = False
    async with ready(broker, line, tmp_path) as (city, config):
        command = order("c1", life_ms=600_000)  # it is given again after a start
        with running(config) as gateway:
            await is_sure(city)
            await give(city, command)
            await until(lambda: line.writes)
            gateway.kill()
        await until(lambda: not city.states[-1].online)  # none of its states is still to come
        line.answers_writes = True
        city.replies.clear()
        with running(config):
            await is_sure(city)
            await give(city, command)
            answer = await final(city, "c1")
            assert answer.state == "unknown" and "may have been written" in answer.words
            await give(city, command)
            assert (await final(city, "c1")).state == "unknown"
            assert len(line.writes) == 1


async def test_a_gateway_that_may_not_write_says_so(broker: Mosquitto, tmp_path: Path) -> None:
    line = Line()
    async with ready(broker, line, tmp_path) as (city, config):
        document = yaml.safe_load(config.read_text(encoding="utf-8"))
        del document["commands"]
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        with running(config):
            await is_sure(city)
            await give(city, order("c1"))
            answer = await final(city, "c1")
            assert answer.state == "refused" and "this gateway writes nothing" in answer.words
    assert line.writes == []


async def test_while_the_clock_is_in_doubt_no_command_is_obeyed(
    broker: Mosquitto, tmp_path: Path
) -> None:
    line = Line()
    async with ready(broker, line, tmp_path) as (city, config):
        city.tells_time = False
        with running(config):
            await until(lambda: any(one.online for one in city.states))
            is_doubted = city.states[-1].clock_doubt  # not where a time service keeps the clock
            await give(city, order("c1"))
            answer = await final(city, "c1")
            assert (answer.state == "refused") is is_doubted
            assert ("clock is in doubt" in answer.words) is is_doubted
    assert bool(line.writes) is not is_doubted


# -- the whole way, under the rules that are shipped ------------------------------------------


@contextmanager
def city_process(folder: Path, broker: ShippedMosquitto) -> Iterator[Path]:
    """A real city with one enrolled gateway, gw-1; its configuration."""
    folder.mkdir()
    config = write_city(folder, broker.port, broker.passwords)
    fill_enterprise(folder)
    add = qulink("city", "gateway", "add", "-c", config, "--id", "gw-1", "--enterprise", USCC)
    assert add.returncode == 0, add.stderr
    with (folder / "log").open("ab") as log:
        command = [sys.executable, "-m", "gateway", "city", str(config)]
        process = subprocess.Popen(command, stderr=log)
    try:
        wait_until(lambda: "is running" in (folder / "log").read_text(), "the city runs")
        yield config
    finally:
        process.terminate()
        process.wait(60)


def command(city: Path, *words: str) -> tuple[int, str]:
    done = qulink("city", "command", *words, "-c", city, "--yes")
    return done.returncode, (done.stdout + done.stderr).strip()


async def test_an_officer_commands_and_nobody_else_can(tmp_path: Path) -> None:
    line = Line()
    with ShippedMosquitto(tmp_path) as broker, city_process(tmp_path / "city", broker) as city:
        async with line.serving() as port:
            north = broker.settings("gw-1")
            north = {**north, "password": None, "tls": {k: str(v) for k, v in north["tls"].items()}}
            config = gateway_file(tmp_path, port, north, id="gw-1", enterprise_uscc=USCC)
            with running(config):
                await until(lambda: "confirmed by the city" in (tmp_path / "log").read_text())
                await forge(broker)
                code, said = await asyncio.to_thread(command, city, "gw-1", "press-1", "speed", "7")
                assert code == 0, said
                assert "verified; press-1 speed shows 7.0" in said and "accepted" in said
                assert [one.value for one in line.writes] == [70], "nothing that was forged"
                code, said = await asyncio.to_thread(command, city, "gw-1", "press-1", "speed", "x")
                assert (code, "refused: 'x' is no finite number" in said) == (1, True), said
        code, said = command(city, "gw-9", "press-1", "speed", "-7")
        assert (code, "no gateway gw-9 is enrolled" in said) == (1, True)
        code, said = command(city, "gw-1", "press-1", "speed", "8", "--expire-s", "1")
        assert (code, "the gateway did not answer" in said) == (2, True), said
        log = qulink("city", "audit-log", "-c", city).stdout
        assert "commanded" in log and "press-1 speed = 7" in log
        assert "command-answered" in log and "verified" in log


async def forge(broker: ShippedMosquitto) -> None:
    """Another gateway, and gw-1 itself, try to command gw-1, and to hear what is not theirs."""
    topic, body = command_topic("gw-1"), encode_command(order("forged", 99))
    async with (
        broker.gateway("gw-2") as other,
        broker.gateway("gw-1", identifier="other") as itself,
        broker.city() as city,
    ):
        await other.subscribe("qulink/2/down/#", qos=1)
        await city.subscribe("qulink/2/up/+/+/reply", qos=1)
        for client in (other, itself):
            await client.publish(topic, body, qos=1)
        await other.publish(reply_topic("gw-1"), b"forged", qos=1)
        await other.publish(reply_topic("gw-2"), b"own", qos=1)
        assert (await anext(aiter(city.messages))).payload == b"own"
        await city.publish(command_topic("gw-2"), b"for two", qos=1)
        assert (await anext(aiter(other.messages))).payload == b"for two"
