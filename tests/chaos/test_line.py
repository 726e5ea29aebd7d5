"""A disturbed connection does what its fault says, and is whole again after it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.chaos.bent.line import Line

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echoing() -> AsyncIterator[Line]:
    served = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        with suppress(OSError):
            while data := await reader.read(100):
                writer.write(data)
            writer.write(b"end")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    line = Line(server.sockets[0].getsockname()[1])
    async with asyncio.timeout(60), line.listening():
        yield line
    server.close()
    await asyncio.gather(*served)


@asynccontextmanager
async def said(line: Line, text: bytes = b"hello") -> AsyncIterator[Ends]:
    """A connection over which a text has come back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    try:
        writer.write(text)
        assert await reader.readexactly(len(text)) == text
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def test_a_cut_line_resets_what_stands_and_what_comes_until_it_is_mended() -> None:
    async with echoing() as line:
        async with said(line) as (reader, _):
            line.cut()
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            async with said(line):
                pass
        line.mend()
        async with said(line):
            pass


@pytest.mark.parametrize("to_target", [True, False])
async def test_a_stalled_line_holds_back_and_then_lets_all_through(to_target: bool) -> None:
    async with echoing() as line, said(line) as (reader, writer):
        line.stall(to_target=to_target, to_client=not to_target)
        writer.write(b"more")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(4), 0.2)
        line.mend()
        assert await reader.readexactly(4) == b"more"


async def test_a_half_closed_line_still_answers() -> None:
    async with echoing() as line, said(line) as (reader, _):
        line.half_close()
        assert await reader.readexactly(3) == b"end"


async def test_a_slow_line_is_whole() -> None:
    async with echoing() as line:
        line.slow(7, 0.001)
        async with said(line, bytes(range(256))):
            pass
