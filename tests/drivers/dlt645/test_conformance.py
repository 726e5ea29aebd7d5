"""The DL/T 645 driver keeps the contract: the kit against meters by others and on one line."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from gateway.drivers.api import Value
from gateway.drivers.dlt645 import SPEC
from gateway.drivers.kit.conformance import (
    Bench,
    DriverConformance,
    FaultProxy,
    LinkBench,
    LinkConformance,
)
from gateway.drivers.quality.claims import exempt_rules
from tests.drivers.dlt645.peers import (
    ONE,
    OTHER,
    SILENT,
    connection,
    library_meter,
    line,
    meter,
)
from tests.support.peers import free_port

GOOD: list[tuple[Any, Value]] = [
    ("02010100", 229.0),
    ("A相电流", 5.123),
    ("00010000", 123_456.78),
    ("frequency", 49.98),
    ("日期", "2026-11-27"),
]


@pytest.fixture(scope="module")
def theirs() -> Iterator[int]:
    with library_meter() as service:
        yield service.server.port


class TestDlt645(DriverConformance, LinkConformance):
    """Every rule of ``docs/driver-contract.md``."""

    exempt = exempt_rules(SPEC)

    @pytest.fixture
    async def bench(self, theirs: int) -> AsyncIterator[Bench]:
        async with FaultProxy(theirs) as proxy:
            yield Bench(
                spec=SPEC,
                connection=connection(proxy.port),
                dead=connection(free_port()),
                good=GOOD,
                unknown="0201FF00[9]",
                stop=proxy.stop,
                start=proxy.start,
                read_only=("02010100", 230.0),
                stall=proxy.stall,
                resume=proxy.resume,
                garble=proxy.garble,
                libraries=("serial", "dlt645", "gateway.drivers.dlt645.line"),
            )

    @pytest.fixture
    async def links(self) -> AsyncIterator[LinkBench]:
        async with line(meter(ONE), meter(OTHER, 231.0)) as (_, proxy):
            yield LinkBench(
                spec=SPEC,
                one=connection(proxy.port),
                other=connection(proxy.port, OTHER),
                silent=connection(proxy.port, SILENT, request_timeout_ms=100),
                elsewhere=connection(free_port()),
                address="02010100",
                values=(229.0, 231.0),
                stop=proxy.stop,
                start=proxy.start,
                stall=proxy.stall,
                resume=proxy.resume,
                connections=lambda: proxy.open,
                opened=lambda: proxy.connections,
                deadline_s=10,
            )
