"""A line at work: its machines, their servers, and the time that passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from simulators.faults import Faults
from simulators.line import Line, living
from simulators.manual import Unit
from simulators.servers.serving import LineServer

STEP_S = 1.0
"""Machines move on by this much at a time, in real time."""


class Plant:
    """The machines of a line and up to two servers; a protocol that no machine speaks has none."""

    def __init__(self, line: Line, seed: int, clock_s: float, faults: Faults) -> None:
        self._modbus: dict[int, Unit] = {}
        self._opcua: dict[str, Unit] = {}
        for place, unit in living(line, seed, clock_s):
            if place.node is not None:
                self._opcua[place.node] = unit
            elif place.unit is not None:
                unit.frozen = place.unit in faults.frozen
                self._modbus[place.unit] = unit
        self._dead = faults.dead

    def servers(self, host: str, modbus: int, opcua: int) -> dict[str, LineServer]:
        """The servers that the machines need, by the address to announce."""
        found: dict[str, LineServer] = {}
        if self._modbus:
            from simulators.servers.modbus import ModbusLine

            found[f"modbus={host}:{modbus}"] = ModbusLine(host, modbus, self._modbus, self._dead)
        if self._opcua:
            from simulators.servers.opcua import OpcUaLine

            found[f"opcua=opc.tcp://{host}:{opcua}/"] = OpcUaLine(host, opcua, self._opcua)
        return found

    @asynccontextmanager
    async def running(self, host: str, modbus: int, opcua: int) -> AsyncIterator[str]:
        """Listen and let time pass while the block runs; gives the addresses listened on.

        Raises:
            PortInUseError: a port cannot be listened on.
        """
        servers = self.servers(host, modbus, opcua)
        async with AsyncExitStack() as stack:
            for server in servers.values():
                await server.start()
                stack.push_async_callback(server.stop)
            passing = asyncio.create_task(self._pass(list(servers.values())))
            stack.push_async_callback(_end, passing)
            yield " ".join(servers)

    async def _pass(self, servers: list[LineServer]) -> None:
        """Let time pass: each step is as long as it really took."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(STEP_S)
            # By the clock and not by STEP_S: on a busy machine sleeping takes longer.
            now = loop.time()
            for unit in (*self._modbus.values(), *self._opcua.values()):
                unit.step(now - last)
            last = now
            for server in servers:
                await server.refresh()


async def _end(task: asyncio.Task[None]) -> None:
    """End the passing of time; a fault in it is raised here."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (fault := task.exception()) is not None:
        raise fault
