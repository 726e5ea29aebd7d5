"""Servers of the native protocol on loopback: the node's own, and ones that answer otherwise."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from gateway.identifier.irp.data import BOTH, TCP, UDP, Interface, Server, Site
from gateway.identifier.node.native.face import Answer, NativeFace
from gateway.web.listen import bind


def site_at(port: int, *protocols: int) -> Site:
    """A site of one server on loopback."""
    ways = tuple(Interface(BOTH, one, port) for one in protocols or (TCP, UDP))
    return Site((Server(1, "127.0.0.1", ways),))


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """A server whose answers are what a function says; gives its port."""

    def told(request: bytes, _visitor: str, *, is_datagram: bool) -> bytes:
        return answer(request)

    async with serving(told) as port:
        yield port


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[int]:
    """A face of a node; gives its port."""
    listener = bind("127.0.0.1:0")
    port = int(listener.getsockname()[1])
    task = asyncio.create_task(NativeFace(answer).serve(listener))
    try:
        yield port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        listener.close()


Send = Callable[[asyncio.StreamWriter, bytes], Any]


@asynccontextmanager
async def sending(send: Send) -> AsyncIterator[int]:
    """A TCP server that does something with whatever it reads; gives its port."""

    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await send(writer, data)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.gather(*filter(None, serving))  # they end when their clients have gone


async def nothing(_writer: asyncio.StreamWriter, _data: bytes) -> None:
    """What a server does that is connected to and says nothing, as a half-open one."""


@asynccontextmanager
async def by_datagrams(parts: Callable[[bytes], list[bytes]]) -> AsyncIterator[int]:
    """A server that hears datagrams only; gives its port."""

    class Hearing(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            for part in parts(data):
                self.transport.sendto(part, address)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Hearing, local_addr=("127.0.0.1", 0))
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
