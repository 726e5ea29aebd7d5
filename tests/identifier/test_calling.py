"""Requests to servers that are not ours, and how far each came."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.identifier.calling import Caller, Fate, Reply
from tests.support.peers import free_port

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def server(*parts: bytes, drip: bytes = b"") -> AsyncIterator[str]:
    """Answers every request with these parts, then drips for ever or closes."""
    served = asyncio.Queue[bool]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.writelines(parts)
        while drip and not reader.at_eof():
            writer.write(drip)
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.05)
        writer.close()
        served.put_nowait(True)

    port = free_port()
    listening = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{port}"
        await served.get()  # the client has gone, and so has who answered it
    finally:
        listening.close()
        await listening.wait_closed()


async def asked(url: str, timeout_s: float = 30) -> Reply:
    caller = Caller(url, timeout_s, max_bytes=10_000)
    try:
        return await caller.call("GET", "/a")
    finally:
        await caller.close()


async def test_an_answer() -> None:
    async with server(HEAD, b'content-length: 8\r\nX-A: b\r\n\r\n{"a": 1}') as url:
        reply = await asked(url)
    assert (reply.fate, reply.status, reply.body) == (Fate.ANSWERED, 200, {"a": 1})
    assert reply.headers["x-a"] == "b"


async def test_nobody_listens() -> None:
    reply = await asked(f"http://127.0.0.1:{free_port()}")
    assert reply.fate is Fate.UNSENT
    assert "ConnectError" in reply.why


async def test_no_tls_where_it_is_expected() -> None:
    async with server(b"no TLS\r\n\r\n") as url:
        assert (await asked(url.replace("http:", "https:"))).fate is Fate.UNSENT


@pytest.mark.parametrize(
    "parts", [(), (HEAD, b"content-length: 99\r\n\r\n{"), (b"GIF89a\r\n\r\n",)]
)
async def test_an_answer_that_breaks_off(parts: tuple[bytes, ...]) -> None:
    async with server(*parts) as url:
        assert (await asked(url)).fate is Fate.LOST


async def test_a_drip_has_no_more_time_than_silence() -> None:
    async with server(HEAD, b"content-length: 9999\r\n\r\n", drip=b" ") as url:
        reply = await asked(url, timeout_s=0.5)
    assert (reply.fate, reply.why) == (Fate.LOST, "no answer in 0.5 s")


async def test_an_answer_without_end() -> None:
    async with server(HEAD, b"\r\n", drip=b"x" * 4_000) as url:
        reply = await asked(url)
    assert (reply.fate, reply.why) == (Fate.HUGE, "an answer of more than 10000 octets")


@pytest.mark.parametrize("body", [b"[" * 9_000, b"\xff", b"", b"9" * 5_000])
async def test_a_body_that_is_no_json(body: bytes) -> None:
    async with server(HEAD, b"content-length: %d\r\n\r\n" % len(body), body) as url:
        reply = await asked(url)
    assert (reply.fate, reply.body) == (Fate.ANSWERED, None)
