"""``qulink read`` and ``watch``, through the real gateway and alone, against a foreign server."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from edge_config.models.validation import validated
from gateway.drivers.registry import installed
from gateway.edge.control.client import ask
from gateway.edge.control.protocol import ControlError
from gateway.edge.control.values import AskedAddress
from tests.drivers.modbus.peers import libmodbus
from tests.edge.one_device import configured, running
from tests.support.command import qulink
from tests.support.waiting import until

TAGS = [
    {"name": "speed", "address": "input:3:uint16", "scale": 0.1, "unit": "m/min"},
    {"name": "limit", "address": "input:4:uint16", "maximum": 10},
    {"name": "absent", "address": "input:5000:uint16"},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with libmodbus(tmp_path_factory.mktemp("libmodbus")) as port:
        yield port


@pytest.fixture
def config(server: int, tmp_path: Path) -> Path:
    return configured(tmp_path, "modbus", {"host": "127.0.0.1", "port": server}, TAGS)


def is_up(config: Path) -> bool:
    try:
        (device,) = ask(config.parent / "b.sock", "devices")
    except ControlError:
        return False
    return bool(device["state"] == "up")


def rows_of(config: Path, *words: str) -> dict[str, dict[str, Any]]:
    done = qulink("read", config, "press-1", *words, "--json")
    assert done.returncode == 0, done.stderr
    return {row["tag"]: row for row in json.loads(done.stdout)}


def expect_the_three_tags(rows: dict[str, dict[str, Any]]) -> None:
    speed, limit, absent = rows["speed"], rows["limit"], rows["absent"]
    assert (speed["value"], speed["raw"], speed["unit"]) == (2.1, 21, "m/min")
    assert (speed["quality"], speed["reason"]) == ("good", "")
    assert (limit["value"], limit["raw"], limit["quality"]) == (None, 28, "bad")
    assert limit["reason"] == "range"
    assert (absent["value"], absent["raw"]) == (None, None)
    assert (absent["quality"], absent["reason"]) == ("bad", "illegal_address")
    assert "exception 2" in absent["detail"]


async def test_through_the_running_gateway_and_alone_it_reads_the_same(config: Path) -> None:
    expect_the_three_tags(rows_of(config))
    with running(config):
        await until(lambda: is_up(config))
        expect_the_three_tags(rows_of(config))
        (device,) = ask(config.parent / "b.sock", "devices")
        assert device["failures"] == 0
    assert "opened for this command" in qulink("read", config, "press-1", "speed").stderr


async def test_an_address_that_no_tag_has_is_read(config: Path) -> None:
    words = ("input:10:uint16", "speed", "input:3:int32:CDAB")
    alone = rows_of(config, *words)
    assert list(alone) == ["speed", "input:10:uint16", "input:3:int32:CDAB"]
    assert alone["input:10:uint16"]["value"] == 70
    assert alone["input:3:int32:CDAB"]["value"] == 28 * 65536 + 21
    with running(config):
        await until(lambda: is_up(config))
        asked = rows_of(config, *words)
    for word in words:
        assert {**asked[word], "time_ms": 0} == {**alone[word], "time_ms": 0}


def test_what_is_neither_tag_nor_address_is_told_and_nothing_is_opened(config: Path) -> None:
    done = qulink("read", config, "press-1", "holdng:10:uint16")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'holdng:10:uint16' is no tag of press-1, and no address of modbus" in done.stderr
    assert "opened" not in done.stderr
    done = qulink("read", config, "press-1", "sped")
    assert "did you mean 'speed'?" in done.stderr
    done = qulink("read", config, "press-9")
    assert (done.returncode, done.stderr) == (
        1,
        "there is no device 'press-9'; did you mean 'press-1'?; known: press-1\n",
    )


def test_a_person_sees_value_unit_quality_reason_and_raw(config: Path) -> None:
    said = qulink("read", config, "press-1").stdout
    for word in ("2.1 m/min", "good", "out of range", "28", "no such address", "input:3:uint16"):
        assert word in said


async def test_watch_shows_each_change_once_with_quality_and_reason(config: Path) -> None:
    for is_running in (False, True):
        if is_running:
            with running(config):
                await until(lambda: is_up(config))
                done = qulink("watch", config, "press-1", "--changes", "3")
        else:
            done = qulink("watch", config, "press-1", "--changes", "3")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == 3, "values that stand still are shown once"
        assert any("press-1 speed = 2.1 m/min  good  raw 21" in line for line in lines)
        assert any("press-1 limit = –  bad (out of range)  raw 28" in line for line in lines)
        assert any("press-1 absent = –  bad (no such address" in line for line in lines)


async def test_where_two_machines_have_a_name_each_is_called_by_its_machine(
    server: int, tmp_path: Path
) -> None:
    other = {"name": "speed", "address": "input:10:uint16", "asset_no": "PR-2"}
    here = {"host": "127.0.0.1", "port": server}
    config = configured(tmp_path, "modbus", here, [TAGS[0], TAGS[1], other])
    own = "M1/speed"
    for is_running in (False, True):
        with running(config) if is_running else nullcontext():
            if is_running:
                await until(lambda: is_up(config))
            assert {name: row["raw"] for name, row in rows_of(config).items()} == {
                own: 21,
                "PR-2/speed": 70,
                "limit": 28,
            }
            assert rows_of(config, "PR-2/speed")["PR-2/speed"]["address"] == "input:10:uint16"
            done = qulink("read", config, "press-1", "speed")
            assert done.returncode == 1
            assert f"each of another machine; write {own} or PR-2/speed" in done.stderr
            done = qulink("watch", config, "press-1", "--changes", "3")
            lines = "\n".join(sorted(line[31:] for line in done.stdout.splitlines()))
            assert f"press-1 {own} = 2.1 m/min  good" in lines
            assert "press-1 PR-2/speed = 70  good" in lines
            done = qulink("watch", config, "press-1", "PR-2/speed", "--changes", "1")
            assert "press-1 PR-2/speed = 70  good" in done.stdout
            done = qulink("watch", config, "press-1", "speed")
            assert f"write {own} or PR-2/speed" in done.stderr


async def test_a_stopped_or_unreachable_device_says_so(config: Path, tmp_path: Path) -> None:
    with running(config):
        await until(lambda: is_up(config))
        assert qulink("device", "stop", config, "press-1").returncode == 0
        done = qulink("read", config, "press-1")
        assert done.returncode == 1
        assert "press-1 at 127.0.0.1" in done.stderr
        assert "is stopped: start it with" in done.stderr
    gone = configured(tmp_path, "modbus", {"host": "127.0.0.1", "port": 1}, TAGS)
    done = qulink("read", gone, "press-1")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr


@pytest.mark.parametrize("driver", ["modbus", "opcua"])
def test_an_address_survives_its_way_to_the_gateway(driver: str) -> None:
    spec = installed()[driver]

    class Model:
        pass

    model: Any = Model()
    model.spec = spec
    for example in spec.examples:
        address = validated(spec.address, example.text)
        travelled = AskedAddress(
            example.text, json.loads(json.dumps(AskedAddress.of(example.text, address).fields))
        )
        assert travelled.tag(model).address == address
        assert spec.kind(travelled.tag(model).address) == spec.kind(address)
    with pytest.raises(ControlError, match="nonsense"):
        AskedAddress("nonsense", {"nonsense": 1}).tag(model)
