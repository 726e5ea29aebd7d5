"""The Modbus driver keeps the contract: the kit against a server by others."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.drivers.api import Value
from gateway.drivers.kit.conformance import (
    Bench,
    DriverConformance,
    FaultProxy,
    LinkBench,
    LinkConformance,
)
from gateway.drivers.modbus import SPEC
from tests.drivers.modbus.link_bench import link_bench
from tests.drivers.modbus.peers import modbus_serial
from tests.support.peers import free_port

GOOD: list[tuple[str, Value]] = [
    ("holding:10:float32:CDAB", 12.5),
    ("holding:12:int32", -7),
    ("holding:14:uint16", 65_000),
    ("holding:14.3", True),
    ("coil:5", True),
    ("holding:20:string[4]:gbk", "轴承"),
]


@pytest.fixture(scope="module")
def device() -> Iterator[int]:
    with modbus_serial() as port:
        yield port


class TestModbus(DriverConformance, LinkConformance):
    """Every rule of ``docs/driver-contract.md``."""

    @pytest.fixture
    async def bench(self, device: int) -> AsyncIterator[Bench]:
        async with FaultProxy(device) as proxy:
            bench = Bench(
                spec=SPEC,
                connection={"host": "127.0.0.1", "port": proxy.port},
                dead={"host": "127.0.0.1", "port": free_port()},
                good=GOOD,
                unknown="holding:5000",
                stop=proxy.stop,
                start=proxy.start,
                writable=("holding:100:int32:DCBA", -123_456),
                read_only=("input:10", 1),
                stall=proxy.stall,
                resume=proxy.resume,
                garble=proxy.garble,
                libraries=("pymodbus", "gateway.drivers.modbus.link"),
            )
            async with bench.connected() as driver:
                for raw, value in GOOD:
                    if raw != "holding:14.3":  # a bit of 65000, which has it set
                        await driver.write(bench.point(raw), value)
            yield bench

    @pytest.fixture(params=[False, True], ids=["tcp", "rtu"])
    async def links(self, request: pytest.FixtureRequest) -> AsyncIterator[LinkBench]:
        async with link_bench(is_rtu=request.param) as bench:
            yield bench
