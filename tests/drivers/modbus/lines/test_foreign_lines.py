"""Serial lines and UDP with servers by others: libmodbus and pymodbus."""

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusUdpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_config.models.validation import validated
from gateway.core.status import Reason
from gateway.drivers.api import Driver, NotConnectedError
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.plan import write_request
from tests.drivers.modbus.peers import compiled_libmodbus
from tests.drivers.modbus.support import points, read, reasons
from tests.support.peers import free_port
from tests.support.terminals import Cable

INPUTS = points("input:3", "input:500:uint32", "discrete:3", "discrete:4")
INPUTS_ARE = [21, (3500 << 16) + 3507, True, False]


def unit_of_pymodbus() -> SimDevice:
    bits = DataType.BITS
    tables = (
        [SimData(0, values=[False] * 1_000, datatype=bits)],
        [SimData(0, values=[i % 3 == 0 for i in range(1_000)], datatype=bits)],
        [SimData(0, count=1_000, values=0, datatype=DataType.REGISTERS)],
        [SimData(0, values=[i * 7 for i in range(1_000)], datatype=DataType.REGISTERS)],
    )
    return SimDevice(1, tables)


@asynccontextmanager
async def driver_of(connection: dict[str, object]) -> AsyncIterator[Driver]:
    driver = SPEC.make(validated(Connection, connection))
    async with asyncio.timeout(60):
        await driver.connect()
    try:
        yield driver
    finally:
        await driver.close()


async def proves_itself(driver: Driver) -> None:
    """Reads and writes, and what is not there."""
    assert await read(driver, INPUTS) == INPUTS_ARE  # type: ignore[arg-type]
    written = points("holding:10:float32:CDAB", "coil:5", "holding:12")
    for point, value in zip(written, (12.5, True, 65_000), strict=True):
        await driver.write(point, value)
    assert await read(driver, written) == [12.5, True, 65_000]  # type: ignore[arg-type]
    some = points("input:3", "input:5000")
    reading = await driver.read(driver.plan(some))
    assert reasons(reading) == [Reason.NONE, Reason.ILLEGAL_ADDRESS]


WRITES: dict[str, list[tuple[str, float | bool | str, int]]] = {
    "{}": [
        ("coil:5", True, 5),
        ("holding:12", 65_000, 6),
        ("holding:14:float64:CDAB", -2.5e-7, 16),
        ("holding:20:string[4]", "P-101", 16),
        ("holding:12.1", True, 22),
        ("holding:15.4-7:uint32", 9, 22),
    ],
    '{"write_multiple": true}': [("coil:7", True, 15), ("holding:30", 258, 16)],
    '{"write_function": 23}': [("holding:32:uint32:BADC", 0x01020304, 23)],
}
"""What is written with which settings of the connection, and by which function."""


async def is_written(way: dict[str, object]) -> None:
    """Whatever is written, by whichever function, is what is read back."""
    for options, writes in WRITES.items():
        connection = {**way, **json.loads(options)}
        async with driver_of(connection) as driver:
            wanted = points(*(address for address, _, _ in writes))
            for point, (_, value, function) in zip(wanted, writes, strict=True):
                request = write_request(point, value, validated(Connection, connection))
                assert request.pdu[0] == function
                await driver.write(point, value)
                assert await read(driver, [point]) == [value]  # type: ignore[arg-type]


async def test_libmodbus_on_a_serial_line(tmp_path: Path) -> None:
    binary = compiled_libmodbus(tmp_path)
    with closing(Cable(tmp_path)) as cable:
        command = [str(binary), str(cable.far.link), "17"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: ASYNC220
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == b"ready\n"
                serial = {"port": str(cable.near.link), "baud": 19_200}
                async with driver_of({"serial": serial, "unit": 17}) as driver:
                    await proves_itself(driver)
                await is_written({"serial": serial, "unit": 17})
            finally:
                server.kill()


@pytest.mark.parametrize("framing", ["rtu", "ascii"])
async def test_pymodbus_on_a_serial_line(tmp_path: Path, framing: str) -> None:
    with closing(Cable(tmp_path)) as cable:
        server = ModbusSerialServer(
            unit_of_pymodbus(), framer=FramerType(framing), port=str(cable.far.link)
        )
        await server.serve_forever(background=True)
        try:
            serial = str(cable.near.link)
            async with driver_of({"serial": serial, "framing": framing}) as driver:
                await proves_itself(driver)
            await is_written({"serial": serial, "framing": framing})
        finally:
            await server.shutdown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("framing", ["tcp", "rtu", "ascii"])
async def test_pymodbus_over_udp(framing: str) -> None:
    port = free_port()
    framer = FramerType.SOCKET if framing == "tcp" else FramerType(framing)
    server = ModbusUdpServer(unit_of_pymodbus(), framer=framer, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    way = {"host": "127.0.0.1", "port": port, "transport": "udp", "framing": framing}
    try:
        async with driver_of(way) as driver:
            await proves_itself(driver)
        await is_written(way)
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
    async with driver_of(way) as driver:
        with pytest.raises(NotConnectedError, match=f"127.0.0.1:{port}/udp"):
            await read(driver, INPUTS)  # type: ignore[arg-type]
        with contextlib.suppress(NotConnectedError):
            await driver.connect()
