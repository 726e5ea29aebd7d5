"""Profiles of real devices, read by the driver from a server that has their registers, in RTU.

The frames are those of the makers' manuals; what is asked for them is compared byte by byte.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.loading.library import BUILT_IN
from edge_config.loading.load import load_gateway
from edge_config.loading.resolved import LoadedGateway
from gateway.core.arrival.processor import GroupProcessor
from gateway.core.status import GOOD, reason_of
from gateway.core.values.plain import plain_values
from gateway.drivers.api import Point
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.config import Framing
from gateway.drivers.modbus.framing.rtu import crc
from gateway.drivers.registry import installed
from gateway.edge.device.model import ModelCompiler
from tests.drivers.modbus.support import connected, points, read
from tests.edge.plant import USCC

DEVICES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "devices.yaml").read_text("utf-8")
)
FUNCTIONS = {3: "holding", 4: "input"}
Registers = Mapping[tuple[str, int], bytes]


def registers(device: Mapping[str, Any]) -> Registers:
    """By table and address."""
    return {
        (table, start + at): bytes.fromhex(word)
        for table in FUNCTIONS.values()
        for start, words in device.get(table, {}).items()
        for at, word in enumerate(str(words).split())
    }


@asynccontextmanager
async def device_with(has: Registers) -> AsyncIterator[tuple[int, list[str]]]:
    """A device behind a serial server; its port and the requests that it was sent."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(request := await reader.read(8)) == 8:
            asked.append(request.hex(" ").upper())
            writer.write(answer(request, has))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


def answer(request: bytes, has: Registers) -> bytes:
    """The answer to a read request; registers between those that are there are 0."""
    unit, function, start, count = struct.unpack(">BBHH", request[:6])
    table = FUNCTIONS[function]
    words = [has.get((table, start + at), b"\0\0") for at in range(count)]
    body = bytes((unit, function, 2 * count)) + b"".join(words)
    return body + crc(body)


def loaded(folder: Path, profile: str, port: int) -> LoadedGateway:
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "devices": [
            {
                "id": "d",
                "driver": "modbus",
                "profile": profile,
                "asset_no": "M1",
                "connection": {"host": "127.0.0.1", "port": port, "framing": "rtu"},
            }
        ],
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    return load_gateway(file, installed())


async def shown(gateway: LoadedGateway) -> dict[str, Any]:
    """What every tag of the device shows, or the reason why it shows nothing."""
    (resolved,) = gateway.devices
    (group,) = ModelCompiler(gateway.config.gateway).compile(resolved, SPEC).groups
    driver = SPEC.make(resolved.connection)
    try:
        async with asyncio.timeout(60):
            await driver.connect()
            reading = await driver.read(driver.plan(group.points))
    finally:
        await driver.close()
    outcome = GroupProcessor(group.schema, group.rules).process(reading, 1_800_000_000_000)
    values = [value for column in outcome.columns for value in plain_values(column)]
    return {
        point.name: value if code == GOOD else reason_of(code).code
        for point, value, code in zip(group.points, values, outcome.status.tolist(), strict=True)
    }


@pytest.mark.parametrize("profile", sorted(DEVICES))
async def test_a_profile_shows_what_the_panel_shows(profile: str, tmp_path: Path) -> None:
    device = DEVICES[profile]
    async with device_with(registers(device)) as (port, _):
        gateway = loaded(tmp_path, profile, port)
        assert not gateway.warnings
        assert await shown(gateway) == device["values"]


FRAMES = [
    (["input:0:float32", "input:2:float32", "input:4:float32"], "01 04 00 00 00 06 70 08"),
    (["holding:0x64:int16", "holding:0x65:int16", "holding:0x66:int16"], "01 03 00 64 00 03 44 14"),
    (["holding:0x16A:int32"], "01 03 01 6A 00 02 E5 EB"),
    (["holding:0x3000"], "01 03 30 00 00 01 8B 0A"),
    (["holding:0x2103", "holding:0x2104"], "01 03 21 03 00 02 3E 37"),
    (["holding:0x2000:int16"], "01 03 20 00 00 01 8F CA"),
]
"""SDM630, ADL400 twice, MD380 family, Delta VFD, E5CC."""


@pytest.mark.parametrize(("addresses", "frame"), FRAMES)
async def test_requests_are_the_frames_of_the_manuals(addresses: list[str], frame: str) -> None:
    async with device_with({}) as (port, asked), connected(port, framing=Framing.RTU) as driver:
        await read(driver, points(*addresses))
        assert asked == [frame]


async def test_the_voltage_of_the_manual() -> None:
    has = {("input", 0): bytes.fromhex("435C"), ("input", 1): bytes.fromhex("8000")}
    async with device_with(has) as (port, _), connected(port, framing=Framing.RTU) as driver:
        wanted: list[Point] = points("input:0:float32")
        assert await read(driver, wanted) == [220.5]


@pytest.mark.parametrize("profile", sorted(DEVICES))
def test_profiles_say_where_they_are_from_and_that_no_hardware_was_there(profile: str) -> None:
    written = yaml.safe_load((BUILT_IN / f"{profile}.yaml").read_text("utf-8"))
    assert len(written["provenance"]) > 30
    assert written["verified_on_hardware"] is False
    for tag in (tag for group in written["groups"] for tag in group["tags"]):
        assert tag["label_zh"] != tag["label_en"]
