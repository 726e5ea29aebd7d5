"""A Modbus TCP server whose units refuse, keep silent, or give no more than a little at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from struct import pack, unpack

Unit = Callable[[int, int, int], "int | None"]
"""Function, first address, count → 0 for data, the code of an exception, None for silence."""


@dataclass
class OddUnits:
    """What it serves, and what was seen.

    Attributes:
        units: by number; others are silent.
        default: how others answer.
        asked: unit, function, first address, count of each request.
        connections: how many were open at one time at most.
        overlapping: requests that came before the one before was answered.
    """

    units: Mapping[int, Unit]
    default: int | None = None
    asked: list[tuple[int, int, int, int]] = field(default_factory=list)
    connections: int = 0
    open: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.connections = max(self.connections, self.open)
        try:
            while True:
                head = await reader.readexactly(7)
                pdu = await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)
                answer = self._answer(head[6], pdu)
                if answer is not None:
                    writer.write(head[:4] + pack(">HB", len(answer) + 1, head[6]) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()

    def _answer(self, number: int, pdu: bytes) -> bytes | None:
        if len(pdu) != 5:
            return bytes((pdu[0] | 0x80, 1))
        function, start, count = unpack(">BHH", pdu)
        self.asked.append((number, function, start, count))
        unit = self.units.get(number)
        code = self.default if unit is None else unit(function, start, count)
        if code is None:
            return None
        if code:
            return bytes((function | 0x80, code))
        if function <= 2:
            return bytes((function, (count + 7) // 8)) + bytes((count + 7) // 8)
        words = b"".join((at % 65_536).to_bytes(2, "big") for at in range(start, start + count))
        return bytes((function, 2 * count)) + words

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


def holding(*spans: tuple[int, int], most: int = 125, too_much: int = 3) -> Unit:
    """Has these holding registers, other tables are exception 1."""

    def answer(function: int, start: int, count: int) -> int:
        if function != 3:
            return 1
        if count > most:
            return too_much
        is_there = any(first <= start and start + count <= stop for first, stop in spans)
        return 0 if is_there else 2

    return answer
