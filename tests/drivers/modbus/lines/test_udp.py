"""Modbus TCP frames over UDP: lost, late, doubled, cut and false datagrams give no wrong value."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.drivers.api import NoResponseError, NotConnectedError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import ModbusDriver
from tests.drivers.modbus.lines.bus import registers, value
from tests.drivers.modbus.support import points, read, reasons

FATES = ("answer", "lose", "double", "late", "cut", "halves", "false")
PLACES = (0, 200, 400)
WANTED = points(*(f"holding:{place}" for place in PLACES))


class Server(asyncio.DatagramProtocol):
    """Does to each answer what is next in its list, and then answers."""

    def __init__(self) -> None:
        self.fates: list[str] = []
        self.late: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        said = data[6:7] + registers(data[6], data[7:])
        whole = data[:4] + len(said).to_bytes(2, "big") + said
        fate = self.fates.pop(0) if self.fates else "answer"
        false = whole[:-1] + bytes((whole[-1] ^ 0xFF,))  # another value, of another request
        pieces = {
            "answer": [whole],
            "lose": [],
            "double": [whole, whole],
            "late": [],
            "cut": [whole[:-1]],
            "halves": [whole[:5], whole[5:]],
            "false": [bytes((data[0] ^ 0x80,)) + false[1:], whole],
        }[fate]
        for piece in self.late + pieces:
            self.transport.sendto(piece, sender)
        self.late = [whole] if fate == "late" else []


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Server, ModbusDriver]]:
    loop = asyncio.get_running_loop()
    transport, one = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    way = {"host": "127.0.0.1", "port": port, "transport": "udp", "request_timeout_ms": 40}
    driver = cast("ModbusDriver", SPEC.make(validated(Connection, way)))
    await driver.connect()
    yield one, driver
    await driver.close()
    transport.close()


async def a_reading(driver: ModbusDriver, plan: object) -> None:
    """Read; whatever is GOOD is right."""
    try:
        reading = await driver.read(plan)  # type: ignore[arg-type]
    except NoResponseError:
        return
    except NotConnectedError:
        await driver.connect()
        return
    for place, got, reason in zip(
        PLACES, values_of(WANTED, reading), reasons(reading), strict=True
    ):
        assert reason or got == value(1, place)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(FATES), max_size=20))
def test_whatever_becomes_of_datagrams_no_value_is_wrong(fates: list[str]) -> None:
    async def run() -> None:
        async with server() as (one, driver):
            one.fates = list(fates)
            plan = driver.plan(WANTED)
            while one.fates:
                await a_reading(driver, plan)

    asyncio.run(run())


@pytest.mark.parametrize("fate", FATES)
async def test_it_goes_on_after_it(fate: str) -> None:
    async with server() as (one, driver):
        plan = driver.plan(WANTED)
        one.fates = [fate] * 3
        for _ in range(3):
            await a_reading(driver, plan)
        one.fates = []
        await a_reading(driver, plan)
        assert await read(driver, WANTED) == [value(1, place) for place in PLACES]
