"""``qulink write`` as a person types it: real processes, machines by others."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.edge.commands.audit import audit_path, entries
from gateway.edge.control.client import ask
from gateway.edge.control.protocol import ControlError
from tests.commands.line import Asked, Line
from tests.drivers.modbus.peers import libmodbus, modbus_serial
from tests.drivers.opcua.server import URI, ForeignServer
from tests.edge.one_device import configured, running
from tests.support.command import qulink
from tests.support.waiting import until

SPEED = {
    "name": "speed",
    "address": "holding:100:uint16",
    "scale": 0.1,
    "access": "read-write",
    "maximum": 100,
}
TAGS = [
    SPEED,
    {"name": "setpoint", "address": "holding:110:float32:CDAB", "access": "read-write"},
    {"name": "run", "address": "coil:5", "access": "read-write"},
    {"name": "count", "address": "holding:120:uint16"},
    {"name": "sensor", "address": "input:3:uint16", "access": "read-write"},
]

Server = Callable[[Path], AbstractContextManager[int]]


def allowed(config: Path) -> Path:
    """Let the gateway of a file write."""
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    document["commands"] = {"enabled": True}
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config


def is_up(config: Path) -> bool:
    try:
        devices = ask(config.parent / "b.sock", "devices")
    except ControlError:
        return False
    return all(device["state"] == "up" for device in devices)


def write(config: Path, assignment: str, *more: str) -> tuple[int, str]:
    done = qulink("write", config, "press-1", assignment, "--yes", *more)
    return done.returncode, (done.stdout + done.stderr).strip()


def record(config: Path) -> list[tuple[str, str]]:
    return [(one.event, one.state) for one in entries(audit_path(config.parent / "b.db"))]


@pytest.fixture(params=["modbus-serial", "libmodbus"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    with modbus_serial() if request.param == "modbus-serial" else libmodbus(tmp_path) as port:
        yield port


async def test_a_person_writes_through_the_gateway_and_alone(server: int, tmp_path: Path) -> None:
    connection = {"host": "127.0.0.1", "port": server}
    config = allowed(configured(tmp_path, "modbus", connection, TAGS))
    with running(config) as gateway:
        await until(lambda: is_up(config))
        assert write(config, "speed=12.5") == (0, "verified: press-1 speed was 0.0 and is 12.5")
        assert write(config, "setpoint=-0.1")[0] == 0
        assert write(config, "run=on") == (0, "verified: press-1 run was False and is True")
        for assignment, words in (
            ("speed=12.55", "nearest values that can are 12.5 and 12.6"),
            ("speed=101", "the most that may be written is 100"),
            ("count=1", "is for reading only"),
            ("none=1", "has no tag 'none'; can be written: speed, setpoint, run"),
            ("sensor=1", "cannot write sensor"),
            ("speed", "write TAG=VALUE"),
        ):
            code, said = write(config, assignment)
            assert (code, words in said) == (1, True), said
        seen = json.loads(qulink("read", config, "press-1", "speed", "--json").stdout)
        assert seen[0]["value"] == 12.5
        gateway.send_signal(signal.SIGTERM)
        assert gateway.wait(60) == 0
    code, said = write(config, "speed=3.5")
    assert (code, "was 12.5 and is 3.5" in said) == (0, True), said
    assert "opened for this command" in said
    audit = qulink("commands", "audit", config)
    assert audit.returncode == 0, audit.stderr
    assert "the chain is whole" in audit.stdout
    assert record(config).count(("result", "verified")) == 4


async def test_nothing_is_written_without_a_yes_or_where_it_is_not_allowed(
    server: int, tmp_path: Path
) -> None:
    config = configured(tmp_path, "modbus", {"host": "127.0.0.1", "port": server}, TAGS)
    code, said = write(config, "speed=1")
    assert (code, "this gateway writes nothing" in said) == (1, True)
    assert "It may not (commands are not enabled) write 3 tags" in qulink("check", config).stdout
    allowed(config)
    assert "It may write 3 tags: press-1 speed, press-1 setpoint" in qulink("check", config).stdout
    asked = qulink("write", config, "press-1", "speed=1")  # nobody answers
    assert asked.returncode == 1
    assert "press-1 speed: now 0.0, to be 1 (raw 10)" in asked.stdout
    assert [one for one in record(config) if one[0] == "write"] == []
    path = audit_path(tmp_path / "b.db")
    path.write_bytes(path.read_bytes().replace(b'"speed"', b'"other"'))
    broken = qulink("commands", "audit", config)
    assert (broken.returncode, "the chain is broken: line 1" in broken.stderr) == (1, True)
    assert "was changed after line 0" in write(config, "speed=1")[1]


async def test_opc_ua_is_written_by_the_same_gate(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def tag(name: str, node: str, kind: str, **more: Any) -> dict[str, Any]:
        address = f"nsu={URI};s={node}|{kind}"
        return {"name": name, "address": address, "access": "read-write", **more}

    tags = [
        tag("item", "Item.0", "float64", scale=0.5, maximum=100),
        tag("fixed", "ReadOnly", "float64"),
        tag("text", "String", "string"),
    ]
    with ForeignServer(tmp_path_factory.mktemp("pki"), items=1) as server:
        config = allowed(configured(tmp_path, "opcua", {"url": server.url}, tags))
        with running(config):
            await until(lambda: is_up(config))
            assert write(config, "item=21.25")[0] == 0
            assert write(config, "text=轴承 7")[0] == 0
            code, said = write(config, "item=100.5")
            assert (code, "the most that may be written is 100" in said) == (1, True)
            code, said = write(config, "fixed=2")
            assert (code, "BadNotWritable" in said) == (1, True), said
            text = json.loads(qulink("read", config, "press-1", "text", "--json").stdout)
            assert text[0]["value"] == "轴承 7"


def thirty(folder: Path, port: int) -> Path:
    """A gateway of thirty units on one line, which it can never read in time."""
    config = allowed(configured(folder, "modbus", {}, [SPEED], timeout_ms=5_000))
    document = yaml.safe_load(config.read_text(encoding="utf-8"))
    (device,) = document["devices"]
    document["devices"] = [
        device
        | {"id": f"press-{unit}", "asset_no": f"M{unit}"}
        | {"connection": {"host": "127.0.0.1", "port": port, "unit": unit, "connections": 1}}
        for unit in range(1, 31)
    ]
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return config


async def test_a_write_overtakes_thirty_polls_that_wait(tmp_path: Path) -> None:
    """Each answer takes 30 ms, each of thirty units is due each 100 ms: all of them wait."""
    line = Line(answer_s=0.03)
    async with line.serving() as port:
        config = thirty(tmp_path, port)
        with running(config):
            await until(lambda: is_up(config))
            order = {"device": "press-1", "tag": "speed", "value": 5, "who": "tester"}
            for turn in range(5):
                await until(lambda: line.asked[-1].unit == 1)  # its next turn is the farthest
                at = len(line.asked)
                sock = config.parent / "b.sock"
                answer = await asyncio.to_thread(ask, sock, "write", id=f"c{turn}", **order)
                assert answer["state"] == "verified"
                seen = line.asked[at : line.asked.index(Asked(1, True, 100, 50), at) + 2]
                others = [one for one in seen if one.unit != 1]
                assert len(others) <= 4, f"{len(others)} polls of others went before: {seen}"


async def test_a_command_that_gets_no_answer_says_that_it_may_be_written(tmp_path: Path) -> None:
    line = Line()
    line.answers_writes = False
    async with line.serving() as port:
        connection = {"host": "127.0.0.1", "port": port, "unit": 1}
        config = allowed(configured(tmp_path, "modbus", connection, [SPEED], timeout_ms=3_000))
        code, said = await asyncio.to_thread(write, config, "speed=5")  # no gateway runs
        assert (code, "unknown: press-1 speed: it may have been written" in said) == (2, True), said
        assert record(config) == [("write", ""), ("result", "unknown")]
        with running(config) as gateway:
            await until(lambda: is_up(config))
            lost = asyncio.create_task(asyncio.to_thread(write, config, "speed=6"))
            await until(lambda: len(line.writes) == 2)
            gateway.kill()
            code, said = await lost
            assert (code, "unknown: press-1 speed: it may have been wr" in said) == (2, True), said


async def test_killed_between_record_and_answer_it_is_unknown_and_never_repeated(
    tmp_path: Path,
) -> None:
    line = Line()
    line.answers_writes = False
    async with line.serving() as port:
        connection = {"host": "127.0.0.1", "port": port, "unit": 1}
        config = allowed(configured(tmp_path, "modbus", connection, [SPEED], timeout_ms=30_000))
        order = {"id": "c1", "device": "press-1", "tag": "speed", "value": 5, "who": "tester"}
        sock = config.parent / "b.sock"
        with running(config) as gateway:
            await until(lambda: is_up(config))
            lost = asyncio.create_task(asyncio.to_thread(ask, sock, "write", **order))
            await until(lambda: line.writes)
            gateway.kill()
            with pytest.raises(ControlError):
                await lost
        line.answers_writes = True
        with running(config):
            await until(lambda: is_up(config))
            answer = await asyncio.to_thread(ask, sock, "write", **order)
            assert answer["state"] == "unknown"
            assert "it may have been written" in answer["words"]
            assert len(line.writes) == 1
            assert record(config) == [("write", ""), ("result", "unknown")]
            again = await asyncio.to_thread(ask, sock, "write", **(order | {"id": "c2"}))
            assert again["state"] == "verified", "a new command goes on"
