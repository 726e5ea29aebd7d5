"""A serial server: one bus of Modbus units behind one port, with the limits of real ones.

As a process it takes its settings as JSON and prints its port; whoever connects to the port
after it is told what it has seen, as JSON.
"""

import asyncio
import json
import math
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.server import ServerProcess


@dataclass(kw_only=True)
class SerialServer:
    """Answers each request of a living unit with the unit's number in every register.

    Attributes:
        dead: units that are not on the bus.
        dies_after: so many answers they give before.
        most: connections that are served.
        excess: what becomes of one more: ``close``, ``hang`` (accepted, never read), ``replace``
            (it is served, the oldest is closed).
        is_rtu: whether it passes RTU frames on instead of speaking Modbus TCP.
        answer_s: how long the bus is taken by a request and its answer.
        dead_s: how long by a request to a dead unit.
        refusal: exception code that is answered for a dead unit then; 0: nothing is.
        ignored: so many requests are not answered, whoever they are to.
        pause_s: units that do not hear what comes so soon after their last answer.
        unheard: requests that came too soon, by unit.
        asked: requests by unit.
        served: answers.
        accepted: connections that are or were served.
        turned_away: those that were not.
        at_once: most requests that were under way at one time.
        ended_s: when the last answer was given, seconds of the loop's clock.
        shortest_s: from an answer to the next request, at its shortest.
    """

    dead: Collection[int] = ()
    dies_after: int = 0
    most: int = 99
    excess: str = "close"
    is_rtu: bool = False
    answer_s: float = 0.0
    dead_s: float = 0.0
    refusal: int = 0
    ignored: int = 0
    pause_s: dict[int, float] = field(default_factory=dict)
    unheard: Counter[int] = field(default_factory=Counter)
    asked: Counter[int] = field(default_factory=Counter)
    served: int = 0
    accepted: int = 0
    turned_away: int = 0
    at_once: int = 0
    ended_s: float = -math.inf
    shortest_s: float = math.inf

    def __post_init__(self) -> None:
        self.order: list[int] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.half_open: list[asyncio.StreamWriter] = []  # their requests get lost
        self._bus = asyncio.Lock()
        self._answered_s: dict[int, float] = {}
        self._under_way = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if len(self.writers) >= self.most and not await self._makes_room(reader):
            writer.transport.abort()
            return
        self.accepted += 1
        self.writers.append(writer)
        try:
            while True:
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side has ended it, or it gave way to another
        finally:
            if writer in self.writers:
                self.writers.remove(writer)
            writer.transport.abort()

    async def _makes_room(self, reader: asyncio.StreamReader) -> bool:
        self.turned_away += 1
        if self.excess == "hang":
            while await reader.read(4096):
                pass
        if self.excess != "replace":
            return False
        self.writers.pop(0).transport.abort()
        return True

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(8 if self.is_rtu else 12)
        body = request[:-2] if self.is_rtu else request[6:]
        if self.is_rtu and crc(body) != request[-2:]:
            return
        self.shortest_s = min(self.shortest_s, asyncio.get_running_loop().time() - self.ended_s)
        if writer in self.half_open:
            return
        self._under_way += 1
        self.at_once = max(self.at_once, self._under_way)
        async with self._bus:
            answer = await self._on_the_bus(body)
        self._under_way -= 1
        if writer.transport.is_closing():
            raise ConnectionResetError
        if answer and self.is_rtu:
            writer.write(answer + crc(answer))
        elif answer:
            writer.write(request[:4] + len(answer).to_bytes(2, "big") + answer)

    async def _on_the_bus(self, body: bytes) -> bytes:
        unit, function, count = body[0], body[1], body[5]
        self.asked[unit] += 1
        self.order.append(unit)
        now_s = asyncio.get_running_loop().time()
        if now_s - self._answered_s.get(unit, 0.0) < self.pause_s.get(unit, 0.0):
            self.unheard[unit] += 1
            return b""
        if self.ignored:
            self.ignored -= 1
            return b""
        if unit in self.dead and self.asked[unit] > self.dies_after:
            await asyncio.sleep(self.dead_s)
            return bytes([unit, function | 0x80, self.refusal]) if self.refusal else b""
        await asyncio.sleep(self.answer_s)
        self.served += 1
        self._answered_s[unit] = self.ended_s = asyncio.get_running_loop().time()
        return bytes([unit, function, 2 * count]) + bytes([0, unit]) * count

    async def report(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell what was seen."""
        names = ("served", "accepted", "turned_away", "shortest_s")
        seen = {name: getattr(self, name) for name in names}
        writer.write(json.dumps({**seen, "asked": self.asked}).encode())
        writer.close()


def crc(body: bytes) -> bytes:
    """CRC-16 of Modbus RTU (MODBUS over Serial Line V1.02, 6.2.2), low byte first."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


@asynccontextmanager
async def serial_server(**settings: Any) -> AsyncIterator[tuple[SerialServer, int]]:
    """One in this process, and its port."""
    one = SerialServer(**settings)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    try:
        yield one, server.sockets[0].getsockname()[1]
    finally:
        server.close()


class SerialServerProcess(ServerProcess):
    """One as a process.

    Args:
        settings: of :class:`SerialServer`.

    Attributes:
        port: where it listens, again after each start.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = json.dumps(settings)
        self.port = self._report = 0

    def start(self) -> None:
        """Start it and wait until it listens."""
        module = "tests.support.serial_server"
        command = [sys.executable, "-m", module, self._settings, str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port, self._report = map(int, self._process.stdout.readline().split())

    def seen(self) -> dict[str, Any]:
        """What it has seen; ``asked`` by unit."""
        with socket.create_connection(("127.0.0.1", self._report), timeout=20) as connection:
            seen: dict[str, Any] = json.load(connection.makefile())
        seen["asked"] = {int(unit): count for unit, count in seen["asked"].items()}
        return seen


async def _main(settings: dict[str, Any], port: int) -> None:
    one = SerialServer(**settings)
    bus = await asyncio.start_server(one.serve, "127.0.0.1", port)
    report = await asyncio.start_server(one.report, "127.0.0.1", 0)
    ports = [str(server.sockets[0].getsockname()[1]) for server in (bus, report)]
    sys.stdout.write(" ".join(ports) + "\n")
    sys.stdout.flush()
    await bus.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1]), int(sys.argv[2])))
