"""Who keeps the console waiting keeps nobody out: half requests, half handshakes, no reading."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from edge_config.models.base import ConsoleConfig, ServerTls
from gateway.web.connections import accepting, protocol
from gateway.web.connections.load import MOST_REQUESTS
from gateway.web.connections.visitors import MOST, MOST_OF_ONE, Visitors
from tests.console.conftest import served
from tests.console.http import get
from tests.support.certificates import Authority

HALF = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: "


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    body = b""
    while (message := await receive()).get("body") or message.get("more_body"):
        body += message["body"]
        if not message.get("more_body"):
            break
    answer: Response = PlainTextResponse(f"hello {len(body)}")
    await answer(scope, receive, send)


def port_of(base: str) -> int:
    return int(base.rpartition(":")[2])


@contextlib.asynccontextmanager
async def half_sent(
    base: str, count: int, context: ssl.SSLContext | None = None
) -> AsyncIterator[list[asyncio.StreamReader]]:
    """So many connections whose request does not end."""
    names = {"server_hostname": "127.0.0.1"} if context else {}
    opened = []
    try:
        for _ in range(count):
            made = await asyncio.open_connection("127.0.0.1", port_of(base), ssl=context, **names)
            opened.append(made)
            made[1].write(HALF)
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.transport.abort()


async def answered(base: str, client: httpx.AsyncClient) -> bool:
    """Both a page and the health page, each by a connection of its own."""
    answers = [await client.get(base + path) for path in ("/", "/healthz")]
    return [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("count", [205, MOST + 60])
async def test_half_sent_requests_over_tls_keep_nobody_out(tmp_path: Path, count: int) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.server()
    console = ConsoleConfig(tls=ServerTls(cert_file=certificate, key_file=key))
    trusted = ssl.create_default_context(cafile=authority.file)
    async with (
        served(hello, console) as plain,
        half_sent(plain, count, trusted),
        httpx.AsyncClient(verify=trusted, trust_env=False, timeout=30) as client,
    ):
        assert await answered(plain.replace("http:", "https:"), client)


async def test_half_sent_requests_keep_nobody_out_of_the_city(address: str) -> None:
    async with half_sent(address, MOST + 20):
        assert (await get(f"{address}/healthz")).status_code == 200
        assert (await get(f"{address}/books")).status_code == 200


@pytest.mark.parametrize(
    "begun", [b"", HALF, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf"]
)
async def test_a_request_that_does_not_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(protocol, "REQUEST_S", 0.2)
    async with served(hello) as base, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(base))
        writer.write(begun)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_a_slow_visitor_may_ask_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for a request is each request's own."""
    monkeypatch.setattr(protocol, "REQUEST_S", 2.0)
    async with served(hello) as base:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(base))
        for _ in range(3):
            writer.write(HALF)
            await asyncio.sleep(0.8)
            writer.write(b"yes\r\n\r\n")
            assert b"200" in await reader.readuntil(b"hello 0")
        writer.close()


async def test_a_handshake_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "HANDSHAKE_S", 0.2)
    certificate, key = Authority(tmp_path).server()
    console = ConsoleConfig(tls=ServerTls(cert_file=certificate, key_file=key))
    async with served(hello, console) as base, asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(base))
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_who_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALL_S", 0.2)
    gone = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        listening = asyncio.ensure_future(receive())
        while not listening.done() or (await receive())["type"] != "http.disconnect":
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            if scope.get("ended"):
                break
        gone.set()

    async with served(endless) as base, asyncio.timeout(30):
        with socket.create_connection(("127.0.0.1", port_of(base))) as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            lazy.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            await gone.wait()


async def test_a_crowd_leaves_room_for_the_watchdog() -> None:
    free, full = asyncio.Event(), asyncio.Event()
    inside = 0

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal inside
        if scope["path"] != "/healthz":
            inside += 1
            if inside == MOST_REQUESTS:
                full.set()
            await free.wait()
        await PlainTextResponse("done")(scope, receive, send)

    limits = httpx.Limits(max_connections=None)
    async with (
        served(slow) as base,
        httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as client,
    ):
        crowd = [asyncio.create_task(client.get(base)) for _ in range(MOST_REQUESTS)]
        async with asyncio.timeout(60):
            await full.wait()
        assert (await client.get(base)).status_code == 503
        assert (await client.get(f"{base}/healthz")).status_code == 200
        free.set()
        assert {answer.status_code for answer in await asyncio.gather(*crowd)} == {200}
        assert (await client.get(base)).status_code == 200


class Someone:
    """A connection that only stands there."""

    def __init__(self, address: str, is_waiting: bool) -> None:
        self.address, self.is_waiting, self.is_open = address, is_waiting, True

    def close(self) -> None:
        self.is_open = False


someones = st.builds(
    Someone, st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1", "127.0.0.1"]), st.booleans()
)


@given(st.lists(someones, max_size=60))
def test_there_are_never_too_many_and_who_waits_goes_first(crowd: list[Someone]) -> None:
    visitors = Visitors("console", most=20, most_of_one=8)
    for at, someone in enumerate(crowd, 1):
        before = [one for one in crowd[: at - 1] if one.is_open]
        visitors.enter(someone)
        closed = [one for one in [*before, someone] if not one.is_open]
        assert len(closed) <= 1
        assert sum(one.is_open for one in crowd[:at]) <= 20
        if closed and not closed[0].is_waiting:
            same = [one for one in before if one.address == closed[0].address]
            assert not any(one.is_waiting for one in same)
    for someone in crowd:
        visitors.leave(someone)
    for _ in range(8):
        visitors.enter(late := Someone("10.0.0.1", is_waiting=False))
        assert late.is_open


def test_one_address_leaves_room_for_others() -> None:
    visitors = Visitors("console")
    flood = [Someone("10.0.0.1", is_waiting=True) for _ in range(MOST_OF_ONE * 3)]
    for one in flood:
        visitors.enter(one)
    assert sum(one.is_open for one in flood) == MOST_OF_ONE
    assert flood[-1].is_open  # the newest may be somebody behind the same address
    visitors.enter(other := Someone("10.0.0.2", is_waiting=True))
    assert other.is_open


async def test_a_lack_of_descriptors_is_logged_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was logged once a second for as long as it lasted."""
    caplog.set_level("INFO", accepting.log.name)
    monkeypatch.setattr(accepting, "_AGAIN_S", 0.0)
    loop, lacking = asyncio.get_running_loop(), 5
    accept = loop.sock_accept

    async def scarce(listener: socket.socket) -> tuple[socket.socket, object]:
        nonlocal lacking
        if lacking:
            lacking -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return await accept(listener)

    monkeypatch.setattr(loop, "sock_accept", scarce)
    async with served(hello) as base:
        assert (await get(base)).status_code == 200
    lines = [record.message for record in caplog.records]
    assert [("cannot" in line, "again" in line) for line in lines] == [(True, False), (False, True)]
