"""The S7 driver keeps the contract: the kit against a controller by others."""

from collections.abc import AsyncIterator

import pytest

from gateway.drivers.api import Value
from gateway.drivers.kit.conformance import Bench, DriverConformance, FaultProxy
from gateway.drivers.quality.claims import exempt_rules
from gateway.drivers.s7 import SPEC
from tests.drivers.s7.peers import snap7_server
from tests.support.peers import free_port

GOOD: list[tuple[str, Value]] = [
    ("DB10.DBD8:real", 12.5),
    ("DB10.DBW4:int", -1_234),
    ("DB10.DBB6:sint", -7),
    ("DB10.DBB16:lreal", 0.1),
    ("DB10.DBB24:ulint", 2**64 - 2),
    ("DB10.DBD500:udint", 4_000_000_000),
    ("MW10", 65_000),
    ("DB1.DBX0.0", True),
    ("DB10.DBB100:string[16]:gbk", "轴承 7"),
    ("DB10.DBB200:wstring[10]", "轴承"),
]
TEXT_HEADS = {100: bytes((16,)), 200: (10).to_bytes(2, "big")}
"""What a program that declared the texts has put before them."""


class TestS7(DriverConformance):
    """Every rule of ``docs/driver-contract.md``."""

    exempt = exempt_rules(SPEC)

    @pytest.fixture
    async def bench(self) -> AsyncIterator[Bench]:
        with snap7_server() as plc:
            for at, head in TEXT_HEADS.items():
                plc.db[at : at + len(head)] = head
            async with FaultProxy(plc.port) as proxy:
                bench = Bench(
                    spec=SPEC,
                    connection={"host": "127.0.0.1", "port": proxy.port},
                    dead={"host": "127.0.0.1", "port": free_port()},
                    good=GOOD,
                    unknown="DB99.DBW0",
                    stop=proxy.stop,
                    start=proxy.start,
                    writable=("DB10.DBD40:dint", -123_456),
                    read_only=("I0.0", True),
                    stall=proxy.stall,
                    resume=proxy.resume,
                    garble=proxy.garble,
                    libraries=("snap7",),
                )
                async with bench.connected() as driver:
                    for raw, value in GOOD:
                        await driver.write(bench.point(raw), value)
                yield bench
