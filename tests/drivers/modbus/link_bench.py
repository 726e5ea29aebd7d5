"""Two units and a silent one behind a serial server, as the kit wants them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.drivers.kit.conformance import FaultProxy, LinkBench
from gateway.drivers.modbus import SPEC
from tests.support.peers import free_port
from tests.support.serial_server import serial_server

SILENT = 9


@asynccontextmanager
async def link_bench(*, is_rtu: bool) -> AsyncIterator[LinkBench]:
    """The bench, in one framing."""
    async with (
        serial_server(dead=[SILENT], is_rtu=is_rtu) as (server, port),
        FaultProxy(port) as proxy,
    ):
        framing = "rtu" if is_rtu else "tcp"
        at = {"host": "127.0.0.1", "port": proxy.port, "framing": framing}
        yield LinkBench(
            spec=SPEC,
            one={**at, "unit": 1},
            other={**at, "unit": 2},
            silent={**at, "unit": SILENT, "request_timeout_ms": 100},
            elsewhere={**at, "port": free_port(), "unit": 1},
            address="holding:0",
            values=(1, 2),
            stop=proxy.stop,
            start=proxy.start,
            stall=proxy.stall,
            resume=proxy.resume,
            connections=lambda: proxy.open,
            opened=lambda: proxy.connections,
            at_once=lambda: server.at_once,
            changed={**at, "unit": 1, "connections": 2},
            deadline_s=10,
        )
