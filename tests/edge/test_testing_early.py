"""``qulink test`` before any tag exists: by URL, and of a device whose profile has none yet."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.dlt645.peers import ONE, line, meter
from tests.drivers.mc.peers import virtual_plc
from tests.drivers.modbus.lines.bus import bus, registers
from tests.drivers.modbus.peers import libmodbus
from tests.drivers.s7.peers import snap7_server
from tests.edge.one_device import configured, running
from tests.support.command import qulink
from tests.support.peers import free_port
from tests.support.waiting import until

UNIT = ["unit", *["function"] * 4]
WAY = ["name", "route", "port", "connect"]


async def steps_of(*words: object) -> tuple[int, list[dict[str, Any]]]:
    done = await asyncio.to_thread(qulink, "test", *words, "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def names(steps: list[dict[str, Any]]) -> list[str]:
    return [one["step"] for one in steps]


@pytest.mark.timeout(300)
async def test_a_unit_behind_a_url_is_tested_as_a_configured_one(tmp_path: Path) -> None:
    with libmodbus(tmp_path) as port:
        code, steps = await steps_of("modbus", f"tcp://127.0.0.1:{port}?unit=1")
    assert (code, names(steps)) == (0, [*WAY, *UNIT]), steps


@pytest.mark.timeout(300)
@pytest.mark.parametrize("framing", ["rtu", "ascii"])
async def test_a_unit_on_a_serial_line_is_tested_by_url(tmp_path: Path, framing: str) -> None:
    """Over a real port; unit 9 is silent, and unit 1 is named as the one that answers instead."""
    scheme = "serial" if framing == "rtu" else "ascii+serial"
    async with bus(tmp_path, framing, dead=(9,)) as line:
        line.answer = lambda unit, pdu: (
            bytes((pdu[0], 1, 0)) if pdu[0] < 3 else registers(unit, pdu)
        )
        url = f"{scheme}://{line.terminal.link}?request_timeout_ms=400&unit="
        code, steps = await steps_of("modbus", f"{url}3")
        assert (code, names(steps)) == (0, ["connect", *UNIT]), steps
        code, steps = await steps_of("modbus", f"{url}9")
    failed = next(one for one in steps if one["step"] == "unit")
    assert (code, failed["is_ok"], failed["fault"]) == (1, False, "silent")
    assert any(one["found"].endswith("unit 1 is there") for one in steps)


@pytest.mark.timeout(300)
async def test_every_driver_is_tested_by_url() -> None:
    with snap7_server() as s7, virtual_plc() as (mc, _):
        async with line(meter()) as (_, proxy):
            for words in (
                ("s7", f"tcp://127.0.0.1:{s7.port}?rack=0&slot=1"),
                ("mc", f"tcp://127.0.0.1:{mc}"),
                ("dlt645", f"tcp://127.0.0.1:{proxy.port}?meter={ONE}"),
            ):
                code, steps = await steps_of(*words)
                assert (code, names(steps)[:4]) == (0, WAY), steps


@pytest.mark.timeout(300)
async def test_what_fails_behind_a_url_is_named_with_what_to_do() -> None:
    url = f"tcp://127.0.0.1:{free_port()}"
    done = await asyncio.to_thread(qulink, "test", "mc", url)
    assert done.returncode == 1
    assert "nobody listens at the port" in done.stdout
    missing = await asyncio.to_thread(qulink, "test", "modbus", "serial:///dev/no-such-port?unit=7")
    assert missing.returncode == 1
    assert "serial port is not there" in missing.stdout


@pytest.mark.parametrize(
    ("driver", "url", "words"),
    [
        ("modbsu", "tcp://plc", "did you mean 'modbus'"),
        ("modbus", "http://plc", "is no way to Modbus units; write tcp://"),
        ("modbus", "tcp://plc?unit=300", "unit"),
        ("s7", "tcp://plc?slott=1", "slott"),
    ],
)
def test_a_wrong_url_is_a_sentence(driver: str, url: str, words: str) -> None:
    done = qulink("test", driver, url)
    assert done.returncode == 1
    assert words in done.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize("tags_file", [False, True])
async def test_a_device_whose_profile_has_no_tags_yet_is_tested(
    tmp_path: Path, tags_file: bool
) -> None:
    with libmodbus(tmp_path) as port:
        connection = {"host": "127.0.0.1", "port": port}
        config = configured(tmp_path, "modbus", connection, [])
        if tags_file:
            text = config.read_text(encoding="utf-8")
            config.write_text(text.replace("tags: []", "tags_file: later.csv"), encoding="utf-8")
        code, steps = await steps_of(config, "press-1")
        assert (code, names(steps)) == (0, [*WAY, *UNIT]), steps
        said = await asyncio.to_thread(qulink, "test", config, "press-1")
    assert "`qulink check` shows" in said.stderr
    unknown = await asyncio.to_thread(qulink, "test", config, "press-9")
    assert unknown.returncode == 1
    assert "tags" in unknown.stderr


@pytest.mark.timeout(300)
async def test_a_wrong_connection_without_tags_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    config = configured(tmp_path, "modbus", {"host": "127.0.0.1", "portt": 1}, [])
    done = await asyncio.to_thread(qulink, "test", config, "press-1")
    assert done.returncode == 1
    assert "gateway.yaml:" in done.stderr
    assert "portt" in done.stderr


@pytest.mark.timeout(300)
async def test_a_gateway_that_runs_tests_what_its_file_no_longer_says(tmp_path: Path) -> None:
    tags = [{"name": "t", "address": "holding:0:uint16"}]
    with libmodbus(tmp_path) as port:
        config = configured(tmp_path, "modbus", {"host": "127.0.0.1", "port": port}, tags)
        with running(config):
            await until((tmp_path / "b.sock").exists)
            config = configured(tmp_path, "modbus", {"host": "127.0.0.1", "port": port}, [])
            done = await asyncio.to_thread(qulink, "test", config, "press-1")
    assert "opened for this command" not in done.stderr
