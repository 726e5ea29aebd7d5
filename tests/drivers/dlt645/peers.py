"""Meters made by others, and our own simulated ones, on loopback and on pseudo-terminals."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import dlt645
from loguru import logger

from gateway.drivers.dlt645 import SPEC
from gateway.drivers.kit.conformance import FaultProxy
from simulators.servers.dlt645 import Meter, MeterLine, number
from tests.support.peers import free_port

ONE, OTHER, SILENT = "000000000001", "202611270002", "000000000009"


def meter(address: str = ONE, volts: float = 229.0) -> Meter:
    """A meter with three phases and some energies."""
    phases = [volts, volts + 1.1, volts - 1.1]
    currents = [5.123, -0.25, 0.0]
    single = {f"02010{at}00": number(value, 2, 1) for at, value in enumerate(phases, 1)}
    single |= {
        f"02020{at}00": number(value, 3, 3, is_signed=True) for at, value in enumerate(currents, 1)
    }
    return Meter(
        address,
        single
        | {
            "0201FF00": b"".join(single[f"02010{at}00"] for at in (1, 2, 3)),
            "00010000": number(123_456.78, 4, 2),
            "00000000": number(-12.5, 4, 2, is_signed=True),
            "02030000": number(-1.2345, 3, 4, is_signed=True),
            "02060000": number(0.987, 2, 3, is_signed=True),
            "02800002": number(49.98, 2, 2),
            "04000501": bytes.fromhex("0800"),
            "04000101": bytes.fromhex("05271126"),
            "04000102": bytes.fromhex("563412"),
            "04000402": bytes.fromhex("214365870900"),
            "04000403": b"QULINK-7".rjust(32, b"\0")[::-1],
            "01010000": number(1.2345, 3, 4) + bytes.fromhex("3412271126"),
            "02010A00": b"\xff\xff",
            "02010B00": b"\x0a\x22",
            "0600FF01": b"".join(number(at, 4, 0) for at in range(125)),
        },
    )


@contextmanager
def library_meter(address: str = ONE) -> Iterator[Any]:
    """The server of PyPI ``dlt645``, over TCP: one meter; its attribute ``server.port``."""
    logger.remove()
    service = dlt645.MeterServerService.new_tcp_server("127.0.0.1", free_port(), 3)
    fill(service, address)
    assert service.start()
    try:
        yield service
    finally:
        service.stop()


def fill(service: Any, address: str) -> None:
    """Values for a meter of the library."""
    assert service.set_address(bytes.fromhex(address)[::-1])  # a text would stand as on the wire
    service.set_00(0x00010000, 123_456.78)
    service.set_02(0x02010100, 229.0)
    service.set_02(0x02010200, 230.1)
    service.set_02(0x02020100, 5.123)
    service.set_02(0x02800002, 49.98)
    service.set_04(0x04000101, "26112705")


@asynccontextmanager
async def line(*meters: Meter) -> AsyncIterator[tuple[MeterLine, FaultProxy]]:
    """Meters behind a serial server, and a proxy before it."""
    async with MeterLine(*meters) as server, FaultProxy(server.port) as proxy:
        yield server, proxy


def connection(port: int, address: str = ONE, **more: Any) -> dict[str, Any]:
    """``connection:`` of a meter, as an operator writes it."""
    return {"host": "127.0.0.1", "port": port, "meter": address, **more}


@asynccontextmanager
async def reading(port: int, address: str = ONE, **more: Any) -> AsyncIterator[Any]:
    """A connected driver that is closed at the end."""
    from edge_config.models.validation import validated

    driver = SPEC.make(validated(SPEC.connection, connection(port, address, **more)))
    try:
        async with asyncio.timeout(60):
            await driver.connect()
        yield driver
    finally:
        await driver.close()
