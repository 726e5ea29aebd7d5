"""A line at work: its machines, their servers, and the time that passes."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from simulators.faults import Faults
from simulators.line import Line, living
from simulators.manual import Unit
from simulators.servers.serving import LineServer

STEP_S = 1.0
"""Machines move on by this much at a time, in real time."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a line listens.

    Attributes:
        modbus: of all Modbus units.
        opcua: of the OPC UA server.
        controllers: of the first machines that have a port each, in their order; the others have
            that of the catalogue.
    """

    modbus: int
    opcua: int
    controllers: Sequence[int] = ()


class Plant:
    """The machines of a line and their servers; a protocol that no machine speaks has none."""

    def __init__(self, line: Line, seed: int, clock_s: float, faults: Faults) -> None:
        self._modbus: dict[int, Unit] = {}
        self._opcua: dict[str, Unit] = {}
        self._controllers: dict[int, Unit] = {}
        for place, unit in living(line, seed, clock_s):
            if place.node is not None:
                self._opcua[place.node] = unit
            elif place.controller_port is not None:
                self._controllers[place.controller_port] = unit
            elif place.unit is not None:
                unit.frozen = place.unit in faults.frozen
                self._modbus[place.unit] = unit
        self._dead = faults.dead

    def servers(self, host: str, ports: Ports) -> dict[str, LineServer]:
        """The servers that the machines need, by the address to announce."""
        found: dict[str, LineServer] = {}
        if self._modbus:
            from simulators.servers.modbus import ModbusLine

            line = ModbusLine(host, ports.modbus, self._modbus, self._dead)
            found[f"modbus={host}:{ports.modbus}"] = line
        if self._opcua:
            from simulators.servers.opcua import OpcUaLine

            server = OpcUaLine(host, ports.opcua, self._opcua)
            found[f"opcua=opc.tcp://{host}:{ports.opcua}/"] = server
        given = dict(zip(self._controllers, ports.controllers, strict=False))
        for own, unit in self._controllers.items():
            port = given.get(own, own)
            found[f"{unit.manual.protocol}={host}:{port}"] = _controller(host, port, unit)
        return found

    @asynccontextmanager
    async def running(self, host: str, ports: Ports) -> AsyncIterator[str]:
        """Listen and let time pass while the block runs; gives the addresses listened on.

        Raises:
            PortInUseError: a port cannot be listened on.
        """
        servers = self.servers(host, ports)
        async with AsyncExitStack() as stack:
            for server in servers.values():
                await server.start()
                stack.push_async_callback(server.stop)
            passing = asyncio.create_task(self._pass(list(servers.values())))
            stack.push_async_callback(_end, passing)
            yield " ".join(servers)

    def _units(self) -> Iterator[Unit]:
        yield from self._modbus.values()
        yield from self._opcua.values()
        yield from self._controllers.values()

    async def _pass(self, servers: list[LineServer]) -> None:
        """Let time pass: each step is as long as it really took."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(STEP_S)
            # By the clock and not by STEP_S: on a busy machine sleeping takes longer.
            now = loop.time()
            for unit in self._units():
                unit.step(now - last)
            last = now
            for server in servers:
                await server.refresh()


def _controller(host: str, port: int, unit: Unit) -> LineServer:
    if unit.manual.protocol == "mc":
        from simulators.servers.melsec import MelsecController

        return MelsecController(host, port, unit)
    from simulators.servers.simatic import SimaticController

    return SimaticController(host, port, unit)


async def _end(task: asyncio.Task[None]) -> None:
    """End the passing of time; a fault in it is raised here."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (fault := task.exception()) is not None:
        raise fault
