"""``qulink test``: the layer that fails is named, alone and through the gateway that runs."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.edge.control.client import ask
from gateway.edge.control.protocol import ControlError
from gateway.edge.device.asking.network import Place, name_and_route, place_of, port_open
from gateway.web.i18n import LANGUAGES, catalog
from tests.drivers.modbus.peers import libmodbus
from tests.edge.one_device import configured, running
from tests.edge.test_fault_ids import Slave
from tests.support.command import qulink
from tests.support.peers import free_port
from tests.support.waiting import until

TAGS = [{"name": f"t{at}", "address": f"input:{at}:uint16"} for at in range(7)]
Case = tuple[dict[str, object], str, str]


@pytest.fixture
async def slave() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(Slave, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def steps_of(config: Path) -> tuple[int, list[dict[str, Any]]]:
    done = await asyncio.to_thread(qulink, "test", config, "press-1", "--json")
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def first_failure(steps: list[dict[str, Any]]) -> tuple[str, str]:
    failed = next(one for one in steps if one["is_ok"] is False)
    return failed["step"], failed["fault"]


def device(config: Path) -> dict[str, Any]:
    try:
        (one,) = ask(config.parent / "b.sock", "devices")
    except ControlError:
        return {"state": "starting", "failures": 0}
    found: dict[str, Any] = one
    return found


CASES: list[Case] = [
    ({"host": "no-such-plc.invalid"}, "name", "name_unknown"),
    ({"port": 1}, "port", "port_refused"),
    ({"unit": 2}, "unit", "wrong_answer"),
    ({"unit": 9, "request_timeout_ms": 200}, "unit", "silent"),
    ({"unit": 1}, "address", "unreadable"),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("wrong", "step", "fault"), CASES)
async def test_the_layer_that_fails_is_named(
    slave: int, tmp_path: Path, wrong: dict[str, object], step: str, fault: str
) -> None:
    connection = {"host": "127.0.0.1", "port": slave, "framing": "tcp", **wrong}
    config = configured(tmp_path, "modbus", connection, TAGS, retry_min_ms=100, retry_max_ms=1_000)
    code, steps = await steps_of(config)
    assert (code, *first_failure(steps)) == (1, step, fault)
    if fault == "silent":
        others = {
            one["tried"][:7].rstrip(","): one["fault"] for one in steps if "other" in one["step"]
        }
        assert others["unit 1"] == "wrong_unit"
    with running(config):
        await until(lambda: device(config)["state"] == "up" or device(config)["failures"] > 0)
        code, steps = await steps_of(config)
        found = first_failure(steps)
    # A gateway whose session a wrong answer has ended tells what it found, or that it has ended.
    assert code == 1
    assert found[1] in ({fault, "connection_ended"} if fault == "wrong_answer" else {fault})
    assert found[0] in ({step, "connect"} if fault == "wrong_answer" else {step})


@pytest.mark.timeout(300)
async def test_a_sound_connection_is_ok_in_every_layer_and_the_gateway_keeps_its_session(
    tmp_path: Path,
) -> None:
    expected = ["name", "route", "port", "connect", "unit", *["function"] * 4, "address"]
    with libmodbus(tmp_path) as port:
        off = {"name": "off", "address": "input:8:uint16", "no_value": [56]}
        config = configured(tmp_path, "modbus", {"host": "127.0.0.1", "port": port}, [*TAGS, off])
        code, steps = await steps_of(config)
        assert (code, [one["step"] for one in steps]) == (0, expected), steps
        said = await asyncio.to_thread(qulink, "test", config, "press-1")
        assert "8 of 8 are readable; 1 of them the device has no value for now" in said.stdout
        assert "FAILED" not in said.stdout
        with running(config):
            await until(lambda: device(config)["state"] == "up")
            code, steps = await steps_of(config)
            assert device(config)["failures"] == 0
    # It serves one connection: a second one would have ended the gateway's, or waited for ever.
    assert (code, [one["step"] for one in steps]) == (0, [s for s in expected if s != "port"])


@pytest.mark.timeout(300)
async def test_a_person_reads_what_failed_and_what_to_do(tmp_path: Path) -> None:
    connection = {"host": "127.0.0.1", "port": free_port()}
    config = configured(tmp_path, "modbus", connection, TAGS)
    done: subprocess.CompletedProcess[str] = await asyncio.to_thread(
        qulink, "test", config, "press-1"
    )
    assert done.returncode == 1
    assert "nobody listens at the port" in done.stdout
    assert done.stdout.splitlines()[0].startswith("Name")
    unknown = await asyncio.to_thread(qulink, "test", config, "press-9")
    assert (
        unknown.stderr == "there is no device 'press-9'; did you mean 'press-1'?; known: press-1\n"
    )


@pytest.mark.parametrize(
    ("endpoint", "place"),
    [
        ("plc:502", Place("plc", 502)),
        ("[::1]:502", Place("::1", 502)),
        ("opc.tcp://plc:4840/UA/x", Place("plc", 4840)),
        ("/dev/serial/by-id/usb-FTDI-if00-port0", None),
        ("plc", None),
        ("plc:99999", None),
    ],
)
def test_host_and_port_of_an_endpoint(endpoint: str, place: Place | None) -> None:
    assert place_of(endpoint) == place


async def test_a_port_that_answers_nothing_is_no_connection() -> None:
    found = [one async for one in name_and_route(Place("127.0.0.1", 502))]
    assert [(one.step, one.is_ok) for one in found] == [("name", True), ("route", True)]
    assert (await port_open(Place("127.0.0.1", free_port()), 5)).fault == "port_refused"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_has_a_title(language: Any) -> None:
    steps = {"name", "route", "port", "connect", "unit", "other_unit", "function", "address"}
    assert steps <= {key.removeprefix("test_step.") for key in catalog(language)}
