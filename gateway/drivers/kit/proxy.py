"""A TCP proxy between a driver and its device that a bench can make misbehave."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self, cast

Alter = Callable[[bytes], bytes]


def noise(data: bytes) -> bytes:
    """As many bytes of no meaning; the last one, which may end a line, stays."""
    return bytes(byte ^ 0x55 for byte in data[:-1]) + data[-1:]


class FaultProxy:
    """Forwards ``127.0.0.1:port`` to a target; each fault holds until it is lifted.

    Attributes:
        port: where it listens; the same for its whole life.
        delay_s: how long every piece from the device is held back.
        alter: changes what the device sends, piece by piece.
        piece: at most so many bytes of the device are passed on at once.
        passed: bytes of the device that were passed on.
        connections: connections that were accepted.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.port = 0
        self.delay_s = 0.0
        self.alter: Alter | None = None
        self.piece = 65_536
        self.passed = 0
        self.connections = 0

    async def start(self) -> None:
        """Listen, on the same port again after :meth:`stop`; harmless while it does."""
        if self._server is not None:
            return
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    @property
    def open(self) -> int:
        """How many connections there are now."""
        return len(self._tasks)

    async def stop(self) -> None:
        """Refuse new connections and break the present ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await self.deserted()

    async def deserted(self) -> None:
        """Wait until no connection is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def cut(self) -> None:
        """Break all present connections at once (a reset, not an orderly end)."""
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()

    async def stall(self) -> None:
        """Half-open: connections live, but nothing of the device comes through."""
        self._open.clear()

    async def garble(self) -> None:
        """Make everything from the device unreadable, but for where it ends."""
        self.alter = noise

    async def resume(self) -> None:
        """Let everything through again as it is, first what was held back."""
        if self.alter is noise:
            self.alter = None
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # cut, or the device is away: the driver's side sees a closed connection
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        device_in, device_out = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers.add(device_out)
        try:
            up = asyncio.create_task(self._pump(reader, device_out, from_device=False))
            down = asyncio.create_task(self._pump(device_in, writer, from_device=True))
            try:
                await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                up.cancel()
                down.cancel()
                await asyncio.gather(up, down, return_exceptions=True)
        finally:
            device_out.transport.abort()
            self._writers.discard(device_out)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, from_device: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(self.piece if from_device else 65_536):
                if from_device:
                    data = await self._hold(data)
                    self.passed += len(data)
                sink.write(data)
                await sink.drain()

    async def _hold(self, data: bytes) -> bytes:
        await self._open.wait()
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        return self.alter(data) if self.alter else data

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
