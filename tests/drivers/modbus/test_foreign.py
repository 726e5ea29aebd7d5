"""Against servers by others: npm modbus-serial, pymodbus, libmodbus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.core.status import Reason
from gateway.drivers.api import DriverError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.channel import Channel
from gateway.drivers.modbus.config import Unit
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.pauses import Pauses
from gateway.drivers.modbus.types.names import DataType
from gateway.drivers.modbus.types.orders import Order
from tests.drivers.modbus.peers import SIZE, libmodbus, modbus_serial, pymodbus
from tests.drivers.modbus.support import connected, points, read, reasons

PEERS = ["modbus-serial", "pymodbus", "libmodbus"]
SAMPLES: dict[DataType, list[Any]] = {
    DataType.INT16: [-32_768, -2, 32_767],
    DataType.UINT16: [0, 0x1234, 65_535],
    DataType.INT32: [-(2**31), -70_000, 2**31 - 1],
    DataType.UINT32: [0, 0x12345678, 2**32 - 1],
    DataType.INT64: [-(2**63), -(2**40), 2**63 - 1],
    DataType.UINT64: [0, 0x123456789ABCDEF0, 2**64 - 1],
    DataType.FLOAT32: [-1.5, 0.0, 3.4028234663852886e38],
    DataType.FLOAT64: [-1e300, 0.1, 5e-324],
}


@pytest.fixture(params=PEERS)
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[int]:
    async with AsyncExitStack() as stack:
        if request.param == "pymodbus":
            yield await stack.enter_async_context(pymodbus())
        elif request.param == "libmodbus":
            yield stack.enter_context(libmodbus(tmp_path))
        else:
            yield stack.enter_context(modbus_serial())


def everything() -> tuple[list[str], list[Any]]:
    """Addresses and values: every number type in every order, and texts."""
    addresses, values, at = [], [], 0
    for data_type, samples in SAMPLES.items():
        orders = list(Order) if data_type.size > 2 else [Order.ABCD, Order.BADC]
        for order in orders:
            for value in samples:
                addresses.append(f"holding:{at}:{data_type}:{order}")
                values.append(value)
                at += data_type.size // 2
    for text, options in [("P-101", ""), ("衢州轴承", ":gbk"), ("门", ":utf-8:BADC")]:
        addresses.append(f"holding:{at}:string[8]{options}")
        values.append(text)
        at += 8
    return addresses, values


async def test_every_type_and_order_is_written_and_read_back(port: int) -> None:
    addresses, values = everything()
    wanted = points(*addresses)
    async with connected(port) as driver, asyncio.timeout(60):
        for point, value in zip(wanted, values, strict=True):
            await driver.write(point, value)
        plan = driver.plan(wanted)
        assert len(plan.blocks) == 3
        reading = await driver.read(plan)
        assert not reading.status.any()
        assert values_of(wanted, reading) == values


async def test_registers_hold_the_bytes_that_the_order_says(port: int) -> None:
    async with connected(port, write_multiple=True) as driver:
        for at, order in enumerate(Order):
            point = points(f"holding:{10 * at}:uint32:{order}")[0]
            await driver.write(point, 0x01020304)
            pair = points(f"holding:{10 * at}", f"holding:{10 * at + 1}")
            wire = ["ABCD".index(letter) + 1 for letter in order]
            assert await read(driver, pair) == [wire[0] << 8 | wire[1], wire[2] << 8 | wire[3]]


async def test_bits_of_coils_and_registers(port: int) -> None:
    pattern = [i % 3 == 0 or i % 7 == 0 for i in range(40)]
    async with connected(port) as driver:
        coils = points(*(f"coil:{i}" for i in range(3, 43)))
        for point, value in zip(coils, pattern, strict=True):
            await driver.write(point, value)
        assert await read(driver, coils) == pattern
        await driver.write(points("holding:500")[0], 0b1000_0000_0000_0101)
        bits = points(*(f"holding:500.{bit}" for bit in range(16)))
        assert await read(driver, bits) == [bit in {0, 2, 15} for bit in range(16)]


async def test_many_coils_in_one_request(port: int) -> None:
    pattern = [i % 5 == 0 for i in range(77)]
    link = Channel(Transactions(), Pauses())
    await asyncio.get_running_loop().create_connection(lambda: link, "127.0.0.1", port)
    answers = await link.exchange(Unit(1, 1, 5.0), [codec.write_bits(100, pattern)])
    link.abort("done")
    await link.closed
    assert answers == [b""]
    async with connected(port) as driver:
        assert await read(driver, points(*(f"coil:{i}" for i in range(100, 177)))) == pattern


@pytest.mark.parametrize("port", ["pymodbus", "libmodbus"], indirect=True)
async def test_read_only_tables(port: int) -> None:
    async with connected(port) as driver:
        inputs = points(*(f"input:{i}" for i in range(0, 300, 2)))
        assert await read(driver, inputs) == [7 * i for i in range(0, 300, 2)]
        discretes = points(*(f"discrete:{i}" for i in range(SIZE)))
        assert await read(driver, discretes) == [i % 3 == 0 for i in range(SIZE)]


async def test_an_address_the_device_does_not_have(port: int) -> None:
    wanted = points(
        f"holding:{SIZE - 2}", f"holding:{SIZE - 1}", f"holding:{SIZE + 1}", "holding:0"
    )
    async with connected(port) as driver:
        plan = driver.plan(wanted)
        for _ in range(3):
            async with asyncio.timeout(60):
                reading = await driver.read(plan)
            expected = [Reason.NONE, Reason.NONE, Reason.ILLEGAL_ADDRESS, Reason.NONE]
            assert reasons(reading) == expected
        with pytest.raises(DriverError, match=r"illegal_address \(exception 2\)") as caught:
            await driver.write(wanted[2], 1)
        assert not isinstance(caught.value, NotConnectedError)


@pytest.mark.parametrize("port", ["modbus-serial", "libmodbus"], indirect=True)
async def test_a_window_of_requests(port: int) -> None:
    wanted = points(*(f"holding:{i}" for i in range(0, 1000, 20)))
    async with connected(port, window=8, max_gap=0) as driver:
        for point in wanted:
            await driver.write(point, point.address.address + 1)
        plan = driver.plan(wanted)
        assert len(plan.blocks) == 50
        for _ in range(3):
            async with asyncio.timeout(60):
                reading = await driver.read(plan)
            assert values_of(wanted, reading) == [i + 1 for i in range(0, 1000, 20)]


async def test_the_largest_requests(port: int) -> None:
    registers = points(*(f"holding:{i}" for i in range(250)))
    bits = points(*(f"coil:{i}" for i in range(SIZE)))
    async with connected(port) as driver:
        assert len(driver.plan(registers).blocks) == 2
        assert len(await read(driver, registers)) == 250
        assert len(driver.plan(bits).blocks) == 1
        assert await read(driver, bits) == [False] * SIZE


@pytest.mark.parametrize("port", ["pymodbus"], indirect=True)
async def test_a_server_that_drops_what_comes_early_is_noticed(port: int) -> None:
    # This server handles one request of a piece and forgets the rest: why the default window is 1.
    wanted = points(*(f"holding:{i}" for i in range(0, 1000, 20)))
    async with connected(port, window=8, max_gap=0, request_timeout_ms=300) as driver:
        reading = await driver.read(driver.plan(wanted))
        assert Reason.TIMEOUT in reasons(reading)
    async with connected(port, max_gap=0) as driver:
        assert await read(driver, wanted) == [0] * len(wanted)


async def test_connecting_again_and_again(port: int) -> None:
    async with connected(port) as driver:
        assert isinstance(driver, ModbusDriver)
        for _ in range(10):
            async with asyncio.timeout(60):
                await driver.connect()
            assert await read(driver, points("holding:0")) == [0]
