"""With meters and readers by others: PyPI ``dlt645`` as server and client, over TCP and serial."""

import asyncio
from pathlib import Path
from typing import Any

import dlt645
import pytest
from loguru import logger

from edge_config.models.validation import validated
from gateway.drivers.api import NotConnectedError, Point
from gateway.drivers.dlt645 import SPEC
from gateway.drivers.kit.conformance import values_of
from simulators.servers.dlt645 import MeterLine
from tests.drivers.dlt645.peers import ONE, fill, library_meter, meter, reading
from tests.support.terminals import Cable

WANTED = {"02010100": 229.0, "02010200": 230.1, "02020100": 5.123, "00010000": 123_456.78}


def points(*written: Any) -> list[Point]:
    addresses = [validated(SPEC.address, one) for one in written]
    return [Point(str(one), SPEC.kind(one), one) for one in addresses]


async def values(driver: Any, *written: Any) -> list[Any]:
    """What is read; asked again, as a poll does, of a meter that a busy machine kept waiting."""
    wanted = points(*written)
    async with asyncio.timeout(60):
        while (reading_ := await driver.read(driver.plan(wanted))).status.any():
            pass
    return values_of(wanted, reading_)


async def test_their_meter_over_tcp() -> None:
    with library_meter() as service:
        async with reading(service.server.port) as driver:
            assert await values(driver, *WANTED) == list(WANTED.values())


async def test_the_only_meter_of_a_line_needs_no_address() -> None:
    with library_meter("000000000815") as service:
        async with reading(service.server.port, "AAAAAAAAAAAA") as driver:
            assert await values(driver, "02010100") == [229.0]


async def test_their_meter_on_a_serial_line(tmp_path: Path) -> None:
    """2400 8E1 over a pair of pseudo-terminals; the port vanishes and returns."""
    logger.remove()
    cable = Cable(tmp_path)
    service = dlt645.MeterServerService.new_rtu_server(
        str(cable.far.link), data_bits=8, stop_bits=1, baud_rate=2400, parity="N", timeout=0.2
    )
    fill(service, ONE)
    try:
        assert service.start()
        written = {"meter": "1", "serial": str(cable.near.link)}
        driver = SPEC.make(validated(SPEC.connection, written))
        await driver.connect()
        try:
            assert await values(driver, *WANTED) == list(WANTED.values())
            cable.near.pull_out()
            with pytest.raises(NotConnectedError, match=r"not there|vanished|connection lost"):
                async with asyncio.timeout(60):
                    while True:
                        await driver.read(driver.plan(points("02010100")))
            await driver.close()
            cable.near.plug_in()
            await driver.connect()
            assert await values(driver, "02010100") == [229.0]
        finally:
            await driver.close()
    finally:
        service.stop()
        cable.close()


async def test_their_reader_reads_our_simulated_meter() -> None:
    logger.remove()
    async with MeterLine(meter()) as line:

        def read() -> list[Any]:
            client = dlt645.MeterClientService.new_tcp_client("127.0.0.1", line.port, 5)
            client.set_address(bytes.fromhex(ONE)[::-1].hex())  # it wants the text as on the wire
            try:
                energy = client.read_00(0x00010000).value
                return [energy, *(client.read_02(di).value for di in (0x02010100, 0x02800002))]
            finally:
                client.disconnect()

        assert await asyncio.to_thread(read) == [123_456.78, 229.0, 49.98]
