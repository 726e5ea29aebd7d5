"""The Modbus driver keeps the rules of links on a serial line, too: the kit over a real port."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.drivers.kit.conformance import LinkBench, LinkConformance
from gateway.drivers.modbus import SPEC
from tests.drivers.modbus.lines.bus import Bus, bus, value

SILENT = 9


class TestSerialLine(LinkConformance):
    """Two units and a silent one on one port, in both framings."""

    @pytest.fixture(params=["rtu", "ascii"])
    async def links(
        self, request: pytest.FixtureRequest, tmp_path: Path
    ) -> AsyncIterator[LinkBench]:
        async with bus(tmp_path, request.param, dead=(SILENT,)) as line:
            yield link_bench(line, request.param)


def link_bench(line: Bus, framing: str) -> LinkBench:
    """The bench of a bus; its port vanishes and returns."""
    port = str(line.terminal.link)
    at = {"serial": port, "framing": framing}

    async def pull_out() -> None:
        line.pull_out()

    async def plug_in() -> None:
        line.plug_in()

    return LinkBench(
        spec=SPEC,
        one={**at, "unit": 1},
        other={**at, "unit": 2},
        silent={**at, "unit": SILENT, "request_timeout_ms": 100},
        elsewhere={**at, "serial": f"{port}-2", "unit": 1},
        address="holding:0",
        values=(value(1, 0), value(2, 0)),
        stop=pull_out,
        start=plug_in,
        stall=line.stall,
        resume=line.resume,
        connections=lambda: int(line.terminal.is_taken),
        changed={**at, "serial": {"port": port, "baud": 19_200}, "unit": 1},
        deadline_s=10,
    )
