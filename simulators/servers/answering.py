"""A TCP server that answers frames by a pure function, for devices that need nothing more."""

import asyncio
from collections.abc import Callable
from typing import Protocol, Self

from simulators.servers.serving import port_in_use


class Cutter(Protocol):
    """Tells where frames end."""

    def cut(self, data: bytes, *, is_request: bool) -> tuple[list[bytes], bytes]:
        """The whole frames in what came, and the rest."""


class AnsweringServer:
    """Answers each request by itself.

    Args:
        framing: tells where requests end.
        answer: what a request is answered with; empty: nothing.
        protocol: its name, for messages.

    Attributes:
        port: where it listens.
    """

    def __init__(self, framing: Cutter, answer: Callable[[bytes], bytes], protocol: str) -> None:
        self.port = 0
        self._framing, self._answer, self._protocol = framing, answer, protocol
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError:
            raise port_in_use(host, port, self._protocol) from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        rest = b""
        try:
            while data := await reader.read(4_096):
                frames, rest = self._framing.cut(rest + data, is_request=True)
                writer.write(b"".join(map(self._answer, frames)))
        except (OSError, asyncio.CancelledError):
            pass  # the client has gone, or the process ends
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
