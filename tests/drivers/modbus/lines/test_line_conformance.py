"""The kit's rules of links for Modbus on a serial line, and in RTU framing over UDP."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from gateway.drivers.kit.conformance import LinkBench, LinkConformance
from gateway.drivers.modbus import SPEC
from tests.drivers.modbus.lines.bus import Bus, bus, registers, value
from tests.support.serial_server import crc

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


class UdpServer(asyncio.DatagramProtocol):
    """A serial server that passes RTU frames on in datagrams; one unit of its bus is silent."""

    def __init__(self) -> None:
        self.senders: set[tuple[str, int]] = set()
        self.port = 0
        self._held: list[tuple[bytes, tuple[str, int]]] | None = None
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop, at = asyncio.get_running_loop(), ("127.0.0.1", self.port)
        made, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=at)
        self._transport = cast("asyncio.DatagramTransport", made)
        self.port = made.get_extra_info("sockname")[1]

    async def stop(self) -> None:
        assert self._transport is not None
        self._transport.abort()

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        assert crc(data[:-2]) == data[-2:]
        self.senders.add(sender)
        if data[0] == SILENT:
            return
        said = data[:1] + registers(data[0], data[1:-2])
        if self._held is not None:
            self._held.append((said + crc(said), sender))
        elif self._transport is not None:
            self._transport.sendto(said + crc(said), sender)

    async def stall(self) -> None:
        self._held = []

    async def resume(self) -> None:
        held, self._held = self._held or [], None
        assert self._transport is not None
        for said, sender in held:
            self._transport.sendto(said, sender)


class TestRtuOverUdp(LinkConformance):
    """Two units and a silent one behind a serial server that speaks UDP."""

    @pytest.fixture
    async def links(self) -> AsyncIterator[LinkBench]:
        server = UdpServer()
        await server.start()
        at = {"host": "127.0.0.1", "port": server.port, "transport": "udp", "framing": "rtu"}
        yield LinkBench(
            spec=SPEC,
            one={**at, "unit": 1},
            other={**at, "unit": 2},
            silent={**at, "unit": SILENT, "request_timeout_ms": 100},
            elsewhere={**at, "port": 1, "unit": 1},
            address="holding:0",
            values=(value(1, 0), value(2, 0)),
            stop=server.stop,
            start=server.start,
            stall=server.stall,
            resume=server.resume,
            connections=lambda: 0,  # a server knows none
            opened=lambda: len(server.senders),
            changed={**at, "pause_between_requests_ms": 20, "unit": 1},
            deadline_s=10,
        )
        await server.stop()
