"""Thirty Modbus units behind one port, and what they were asked, in its order."""

import asyncio
import contextlib
import struct
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from tests.support.peers import free_port

_HEAD = struct.Struct(">HHHBBHH")
_READ, _WRITE = 3, 6


class Asked(NamedTuple):
    """One request."""

    unit: int
    is_write: bool
    address: int
    value: int  # a count, if it is to read


class Line:
    """One request at a time, as on a wire.

    Attributes:
        answer_s: how long each takes.
        answers_writes: whether a write is answered; it is carried out all the same.
        asked: all requests.
    """

    def __init__(self, answer_s: float = 0.0) -> None:
        self.answer_s = answer_s
        self.answers_writes = True
        self.asked: list[Asked] = []
        self._registers: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._wire = asyncio.Lock()
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def writes(self) -> list[Asked]:
        """Those that write."""
        return [one for one in self.asked if one.is_write]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Listen; the port."""
        port = free_port()
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        try:
            yield port
        finally:
            server.close()
            serving = set(self._serving)
            for task in serving:
                task.cancel()
            if serving:
                await asyncio.wait(serving)
            await asyncio.sleep(0)  # in which aborted transports close

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            try:
                while True:
                    request = await reader.readexactly(_HEAD.size)
                    async with self._wire:
                        await asyncio.sleep(self.answer_s)
                        writer.write(self._answer(request))
            finally:
                self._serving.discard(task)
                writer.transport.abort()

    def _answer(self, request: bytes) -> bytes:
        number, _, _, unit, function, address, value = _HEAD.unpack(request)
        self.asked.append(Asked(unit, function == _WRITE, address, value))
        if function == _WRITE:
            self._registers[unit, address] = value
            return request if self.answers_writes else b""
        assert function == _READ
        words = [self._registers[unit, address + at] for at in range(value)]
        head = struct.pack(">HHHBBB", number, 0, 3 + 2 * value, unit, function, 2 * value)
        return head + struct.pack(f">{value}H", *words)
