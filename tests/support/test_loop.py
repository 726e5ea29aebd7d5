"""The event loop of tests: what a server of a test accepted is no leak, what a client left is."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Callable, Coroutine
from contextlib import ExitStack

import pytest

from tests.support.loop import ServingLoop

Test = Callable[[socket.socket], Coroutine[None, None, None]]


async def accepts(client: socket.socket) -> None:
    """Its handler is cancelled with the test, and closes nothing."""
    begun = asyncio.Event()
    # A log of the cancellation would hold the connection until some later test.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        begun.set()
        await reader.read()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client.connect(server.sockets[0].getsockname())
    await begun.wait()
    server.close()


async def connects(peer: socket.socket) -> None:
    peer.bind(("127.0.0.1", 0))
    peer.listen()
    await asyncio.open_connection(*peer.getsockname())


@pytest.mark.parametrize(
    ("test", "loop", "leaks"),
    [
        (accepts, asyncio.SelectorEventLoop, True),
        (accepts, ServingLoop, False),
        (connects, ServingLoop, True),
    ],
)
def test_what_is_left_open(
    test: Test, loop: Callable[[], asyncio.AbstractEventLoop], leaks: bool
) -> None:
    with ExitStack() as end:
        caught = end.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always", ResourceWarning)
        peer = end.enter_context(socket.socket())
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(test(peer))
        gc.collect()
    assert bool(caught) is leaks
