"""The MC driver keeps the contract: the kit against a controller by others, and stations."""

from collections.abc import AsyncIterator

import pytest

from gateway.drivers.api import Value
from gateway.drivers.kit.conformance import (
    Bench,
    DriverConformance,
    FaultProxy,
    LinkBench,
    LinkConformance,
)
from gateway.drivers.mc import SPEC
from gateway.drivers.quality.claims import exempt_rules
from tests.drivers.mc.odd_plc import odd_plc
from tests.drivers.mc.peers import VALUES, station, stations, virtual_plc
from tests.support.peers import free_port

GOOD: list[tuple[str, Value]] = [
    ("D10:float32", 12.5),
    ("D12:int32", -7),
    ("D14", -1_234),
    ("D15:uint16", 65_000),
    ("M5", True),
    ("Y1F", True),
    ("D20:string[8]:gbk", "轴承"),
    ("W1A:float64", 0.1),
    ("D11000", 11),
    ("TN3", 42),
]
FRAMES = [("3e", "q", "Q"), ("4e", "q", "Q"), ("3e", "iqr", "iQ-R"), ("4e", "iqr", "iQ-R")]


class TestMc(DriverConformance, LinkConformance):
    """Every rule of ``docs/driver-contract.md``, in each frame and naming; stations in 4E."""

    exempt = exempt_rules(SPEC)

    @pytest.fixture(params=FRAMES, ids=lambda one: f"{one[0]}-{one[1]}")
    async def bench(self, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
        frame, series, profile = request.param
        with virtual_plc(profile) as (plc, _):
            async with FaultProxy(plc) as proxy:
                how = {"host": "127.0.0.1", "frame": frame, "series": series}
                bench = Bench(
                    spec=SPEC,
                    connection={**how, "port": proxy.port},
                    dead={**how, "port": free_port()},
                    good=GOOD,
                    unknown="D12288",
                    stop=proxy.stop,
                    start=proxy.start,
                    writable=("D100:int32", -123_456),
                    read_only=("X0", True),
                    stall=proxy.stall,
                    resume=proxy.resume,
                    garble=proxy.garble,
                    libraries=("gateway.drivers.mc.channel",),
                )
                async with bench.connected() as driver:
                    for raw, value in GOOD:
                        await driver.write(bench.point(raw), value)
                yield bench

    @pytest.fixture
    async def links(self) -> AsyncIterator[LinkBench]:
        async with odd_plc(stations) as module, FaultProxy(module) as proxy:
            yield LinkBench(
                spec=SPEC,
                one=station(proxy.port, 1),
                other=station(proxy.port, 2),
                silent=station(proxy.port, 3, request_timeout_ms=100, monitoring_timer_ms=250),
                elsewhere=station(free_port(), 1),
                address="D100",
                values=(VALUES[1], VALUES[2]),
                stop=proxy.stop,
                start=proxy.start,
                stall=proxy.stall,
                resume=proxy.resume,
                connections=lambda: proxy.open,
                opened=lambda: proxy.connections,
                deadline_s=10,
            )
