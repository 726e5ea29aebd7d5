"""A TCP connection that can be disturbed: what lies between gateway, broker, city and store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE = 65_536


class Line:
    """Forwards ``127.0.0.1:port`` to another port of this machine; faults hold until ``mend``.

    Attributes:
        port: where it listens.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._ends: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_target, self._to_client = asyncio.Event(), asyncio.Event()
        self.mend()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Forward until the end of the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.sleep(0)  # what was aborted closes in the loop's next turn

    def mend(self) -> None:
        """Let everything through again, first what was held back."""
        self._is_cut = False
        self._piece, self._pause_s = _PIECE, 0.0
        self._to_target.set()
        self._to_client.set()

    def cut(self) -> None:
        """Reset all connections, and new ones too."""
        self._is_cut = True
        for ends in self._ends:
            for end in ends:
                end.transport.abort()

    def stall(self, *, to_target: bool, to_client: bool) -> None:
        """Connections stand, but nothing comes through in these directions."""
        if to_target:
            self._to_target.clear()
        if to_client:
            self._to_client.clear()

    def half_close(self) -> None:
        """The clients have nothing more to say, as far as the target can see."""
        for _, target in self._ends:
            with suppress(OSError):
                target.write_eof()

    def slow(self, piece: int, pause_s: float) -> None:
        """So many bytes at a time, with a pause before each."""
        self._piece, self._pause_s = piece, pause_s

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if not self._is_cut:
                await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the target is away, or the run is over
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_in, target_out = await asyncio.open_connection("127.0.0.1", self._target)
        ends = (writer, target_out)
        self._ends.add(ends)
        up = asyncio.create_task(self._pump(reader, target_out, self._to_target))
        down = asyncio.create_task(self._pump(target_in, writer, self._to_client))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Nothing is awaited before: the end of the run may cut this short.
            self._ends.discard(ends)
            target_out.transport.abort()
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, passes: asyncio.Event
    ) -> None:
        with suppress(OSError, RuntimeError):  # reset, or written to after the half close
            while data := await source.read(self._piece):
                await passes.wait()
                await asyncio.sleep(self._pause_s)
                sink.write(data)
                await sink.drain()
