"""``qulink probe modbus`` against servers by others and against units that are odd."""

import asyncio
import json
import signal
import struct
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from edge_config.loading.load import load_gateway
from gateway.drivers.registry import installed
from tests.drivers.modbus.lines.bus import bus, registers
from tests.drivers.modbus.peers import libmodbus, modbus_serial, pymodbus
from tests.support.waiting import until
from tests.survey.odd_units import OddUnits, holding
from tests.survey.plant import command, device, serving
from tests.survey.test_decode import CONFIG, run

pytestmark = pytest.mark.long

QUICK = ("--pause-ms", 0, "--timeout-ms", 300)


async def probed(port: int, *options: object, scheme: str = "tcp") -> dict[str, Any]:
    url = f"{scheme}://127.0.0.1:{port}"
    code, out, error = await run("probe", "modbus", url, *QUICK, *options, "--json")
    assert code in (0, 1), error
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize("peer", ["modbus-serial", "pymodbus", "libmodbus"])
async def test_servers_by_others_are_mapped(peer: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        if peer == "pymodbus":
            port = await stack.enter_async_context(pymodbus())
        elif peer == "libmodbus":
            port = stack.enter_context(libmodbus(tmp_path))
        else:
            port = stack.enter_context(modbus_serial())
        tables = ("--tables", "holding,input,coil,discrete")
        found = await probed(port, "--unit", "1-3", "--addresses", "990-1010", *tables)
    (unit, *others) = found["devices"]
    assert unit["name"] == "unit 1"
    assert all(one["name"] != "unit 1" for one in others)
    for table in ("holding", "input", "coil", "discrete"):
        last = [one for one in unit["readable"] if one.startswith(f"{table} ")][-1]
        bits_in_words = peer == "pymodbus" and table in ("coil", "discrete")
        assert last.endswith("–1007" if bits_in_words else "–999"), unit["readable"]


async def test_units_with_holes_silence_and_exceptions() -> None:
    odd = OddUnits(
        {
            2: holding((0, 20), (30, 31)),
            5: holding((0, 256), most=16, too_much=3),
            7: lambda *_: 11,  # a gateway that has no such unit
            8: lambda *_: 1,
            9: holding((0, 10)),
        }
    )
    async with odd.serving() as port:
        found = await probed(port, "--unit", "1-8", "--addresses", "0-255")
    units = {one["name"]: one for one in found["devices"]}
    assert list(units) == ["unit 2", "unit 5", "unit 8"]
    assert units["unit 2"]["readable"][:2] == ["holding 0–19", "holding 30"]
    assert units["unit 5"]["readable"][0] == "holding 0–255"
    assert units["unit 5"]["connection"]["max_registers"] == 16
    assert any("no such table" in one for one in units["unit 8"]["remarks"])
    assert odd.connections == 1
    assert not [one for one in odd.asked if one[0] == 9]


async def test_a_device_that_ignores_unit_ids_is_one_device() -> None:
    async with OddUnits({}, default=0).serving() as port:
        found = await probed(port, "--no-map")
    assert [one["name"] for one in found["devices"]] == ["unit 1"]
    assert "the device ignores it" in found["devices"][0]["remarks"][0]


async def test_units_are_told_from_the_exception_that_any_number_gets() -> None:
    async with OddUnits({4: holding((0, 9))}, default=4).serving() as port:
        found = await probed(port, "--unit", "1-6", "--no-map")
    assert [one["name"] for one in found["devices"]] == ["unit 4"]


async def test_nobody_is_told_with_what_to_try() -> None:
    async with OddUnits({}).serving() as port:
        found = await probed(port, "--unit", "1-2")
    assert found["devices"] == []
    assert "see wiring, baud rate and unit ids" in found["remarks"][0]
    assert "rtu+tcp://" in found["remarks"][0]


async def test_the_search_keeps_the_pace_that_was_asked_for() -> None:
    odd = OddUnits({1: holding((0, 9))})
    async with odd.serving() as port:
        url, began = f"tcp://127.0.0.1:{port}", time.monotonic()
        options = ("--unit", "1-9", "--no-map", "--timeout-ms", 20, "--pause-ms", 300)
        code, _, error = await run("probe", "modbus", url, *options)
    assert code == 0, error
    assert len(odd.asked) >= 12  # three rare numbers, and these
    assert time.monotonic() - began >= 12 * 0.3


async def test_requests_are_limited_and_what_is_left_is_said() -> None:
    async with OddUnits({1: holding((3, 4))}).serving() as port:
        found = await probed(port, "--unit", "1", "--requests", 5)
    assert any(
        "undecided after 5 requests (--requests)" in one for one in found["devices"][0]["remarks"]
    )


@pytest.mark.parametrize("framing", ["rtu", "ascii"])
async def test_units_of_a_serial_line_are_found(framing: str, tmp_path: Path) -> None:
    async with bus(tmp_path, framing) as line:
        line.answer = lambda unit, pdu: (
            registers(unit, pdu) if unit in (2, 5) and pdu[0] == 3 else b""
        )
        scheme = "serial" if framing == "rtu" else "ascii+serial"
        url = f"{scheme}://{line.terminal.link}?baud=115200"
        options = ("--unit", "1-6", "--addresses", "0-9", "--tables", "holding", *QUICK, "--json")
        code, out, error = await run("probe", "modbus", url, *options)
    assert code == 0, error
    devices = json.loads(out)["devices"]
    assert [one["name"] for one in devices] == ["unit 2", "unit 5"]
    assert devices[0]["connection"]["serial"]["baud"] == 115_200


async def test_wrong_framing_finds_nobody_and_says_what_to_try(tmp_path: Path) -> None:
    async with bus(tmp_path, "rtu") as line:
        url = f"ascii+serial://{line.terminal.link}"
        code, _, error = await run("probe", "modbus", url, "--unit", "1-2", *QUICK)
    assert code == 1
    assert "no unit of 1-2 answered" in error


async def test_the_line_of_a_running_gateway_is_left_alone(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    async with OddUnits({3: holding((0, 20))}).serving() as port:
        config.write_text(CONFIG.format(port=port), "utf-8")
        url = f"tcp://127.0.0.1:{port}"
        options = ("--unit", 3, "--no-map", *QUICK, "--config", config)
        with command("run", config):
            await until((tmp_path / "qulink-buffer.sock").exists)
            code, _, error = await run("probe", "modbus", url, *options)
            assert code == 1
            assert "runs and reads meter-1" in error
            assert "--force" in error
            code, _, error = await run("probe", "modbus", url, *options, "--force")
            assert code == 0, error
        code, _, error = await run("probe", "modbus", url, *options)
        assert code == 0, error


def floats(*values: float) -> list[int]:
    return [
        word for value in values for (word,) in struct.iter_unpack(">H", struct.pack(">f", value))
    ]


SDM630 = {
    0: floats(229.1, 230.2, 231.3, 5.1, 5.2, 5.3),
    52: floats(3300.0),
    70: floats(50.01, 12345.6),
}


async def test_a_meter_is_known_and_written_in_one_step(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(CONFIG.format(port=1), "utf-8")
    async with serving(device(3, {0: [0]}, SDM630)) as port:
        url = f"tcp://127.0.0.1:{port}"
        options = ("--unit", 3, "--config", config, "--write", "meter-2", "--asset-no", "M2")
        code, out, error = await run("probe", "modbus", url, *QUICK, *options)
    assert code == 0, error
    assert "profile meter_sdm630" in out
    assert "wrote meter-2 into gateway.yaml" in out
    written = load_gateway(config, installed()).devices[1]
    assert (written.config.profile, written.config.asset_no) == ("meter_sdm630", "M2")
    assert written.connection.unit == 3
    assert config.read_text("utf-8").startswith("# 电表\n")


NEW = """# 新车间
gateway: {id: gw-1, enterprise_uscc: 91330822MA0000015W, site_no: "1"}
"""


async def test_the_first_device_is_written_into_a_configuration_that_has_none(
    tmp_path: Path,
) -> None:
    config = tmp_path / "gateway.yaml"
    options = ("--unit", 3, "--config", config, "--write", "meter-1", "--asset-no", "M1")
    async with serving(device(3, {0: [0]}, SDM630)) as port:
        url = f"tcp://127.0.0.1:{port}"
        config.write_text(NEW + "bufer: {}\n", "utf-8")
        code, _, error = await run("probe", "modbus", url, *QUICK, *options)
        assert code == 1
        assert "bufer: unknown key" in error
        config.write_text(NEW, "utf-8")
        code, _, error = await run("probe", "modbus", url, *QUICK, *options)
    assert code == 0, error
    (written,) = load_gateway(config, installed()).devices
    assert (written.config.id, written.config.profile) == ("meter-1", "meter_sdm630")
    assert config.read_text("utf-8").startswith(NEW)


async def test_a_unit_says_who_it_is() -> None:
    made = {"VendorName": "Eastron", "ProductCode": "SDM630", "MajorMinorRevision": "1.5"}
    async with serving(device(3, {0: [0]}, SDM630), **made) as port:
        found = await probed(port, "--unit", 3)
    (unit,) = found["devices"]
    assert {"Eastron", "SDM630", "1.5"} <= set(unit["identity"].values())
    (best, second, *_) = unit["profiles"]
    assert best["profile"] == "meter_sdm630"
    assert best["score"] > second["score"] + 0.1


async def test_what_nobody_knows_becomes_a_point_table(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(CONFIG.format(port=1), "utf-8")
    async with OddUnits({2: holding((10, 14))}).serving() as port:
        url = f"tcp://127.0.0.1:{port}"
        options = ("--unit", 2, "--config", config, "--write", "pump-1", "--asset-no", "P1")
        code, out, error = await run("probe", "modbus", url, *QUICK, *options)
    assert code == 0, error
    assert "wrote pump-1 into pump-1.csv, pump-1.yaml, gateway.yaml" in out
    pump = load_gateway(config, installed()).devices[1]
    names = [tag.config.name for tag in pump.groups[0].tags]
    assert names == ["holding_10", "holding_11", "holding_12", "holding_13"]


async def test_ctrl_c_shows_what_was_found() -> None:
    odd = OddUnits({1: holding((0, 9)), 2: holding((0, 9))})
    async with odd.serving() as port:
        url = f"tcp://127.0.0.1:{port}"
        options = ("--unit", "1-200", "--timeout-ms", 300, "--no-map", "--json")
        with command("probe", "modbus", url, *options) as process:
            await until(lambda: any(unit == 4 for unit, *_ in odd.asked))
            process.send_signal(signal.SIGINT)
            out, error = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 2, error
    assert "interrupted: there may be more" in error
    found = json.loads(out)
    assert not found["whole"]
    assert [one["name"] for one in found["devices"]] == ["unit 1", "unit 2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--unit", "0-300"), "--unit: '0-300' in '0-300': numbers go up from 0 to 255"),
        (("--tables", "holdings"), "--tables: there is no table 'holdings'"),
        (("--pause-ms", "x"), "--pause-ms: must be a whole number"),
        (("--write", "d"), "--write needs --config FILE and --asset-no"),
    ],
)
async def test_mistakes_are_told(arguments: tuple[str, ...], words: str) -> None:
    code, out, error = await run("probe", "modbus", "tcp://127.0.0.1:1", *arguments)
    assert (code, out) == (1, "")
    assert words in error, error


async def test_nobody_there_is_told() -> None:
    code, _, error = await run("probe", "modbus", "tcp://127.0.0.1:1", "--unit", 1)
    assert code == 1
    assert "cannot connect to Modbus unit 1 at 127.0.0.1:1" in error
