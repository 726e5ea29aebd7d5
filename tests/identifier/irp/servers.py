"""Servers of the native protocol on loopback: the node's own, and ones that answer otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.identifier.irp.data import BOTH, TCP, UDP, Interface, Server, Site
from gateway.identifier.node.native_face import Answer, NativeFace
from gateway.web.listen import bind


def site_at(port: int, *protocols: int) -> Site:
    """A site of one server on loopback."""
    ways = tuple(Interface(BOTH, one, port) for one in protocols or (TCP, UDP))
    return Site((Server(1, "127.0.0.1", ways),))


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[int]:
    """A server whose answers are what a function says; gives its port."""
    listener = bind("127.0.0.1:0")
    port = int(listener.getsockname()[1])
    serving = asyncio.create_task(NativeFace(answer).serve(listener))
    try:
        yield port
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        listener.close()
