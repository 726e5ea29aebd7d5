"""One request to one server: over a TCP connection that stays open, or by datagrams."""

import asyncio
from contextlib import suppress
from typing import Protocol, cast

from gateway.identifier.irp.datagrams import Assembly, cut
from gateway.identifier.irp.message import Stream
from gateway.identifier.irp.octets import WireError

_RESEND_S = (0.5, 1.0, 1.5)
"""Pauses after which a datagram is sent again (RFC 3652, 2.3)."""
_ID = slice(8, 12)


class PeerError(Exception):
    """A server was not reached, did not answer in time, or sent what is no message."""


class Peer(Protocol):
    """A way to a server."""

    async def ask(self, request: bytes) -> bytes:
        """The whole answer to a whole request; an answer to another one is not taken.

        Raises:
            PeerError: there is none.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class TcpPeer:
    """A connection that is opened when it is needed, and again after it was lost.

    Args:
        host: name or address.
        port: of the server.
        timeout_s: for connecting, and for each answer.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._where = f"{host}:{port}"
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self._opening = asyncio.Lock()
        self._line: _Line | None = None

    async def ask(self, request: bytes) -> bytes:
        """See ``Peer``; a connection that was lost unnoticed is opened once more."""
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    return await (await self._connected()).ask(request)
                except ConnectionError:
                    return await (await self._connected()).ask(request)
        except TimeoutError:
            raise PeerError(f"{self._where} did not answer in {self._timeout_s:g} s") from None
        except (OSError, WireError) as error:
            self.close()
            raise PeerError(f"{self._where}: {error}") from error

    async def _connected(self) -> "_Line":
        async with self._opening:
            if self._line is None or self._line.is_lost:
                loop = asyncio.get_running_loop()
                _, self._line = await loop.create_connection(_Line, self._host, self._port)
            return self._line

    def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.lose(ConnectionResetError("closed"))
            self._line = None


class _Line(asyncio.Protocol):
    """An open connection: answers find their requests by number."""

    def __init__(self) -> None:
        self._stream = Stream()
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._transport: asyncio.Transport | None = None
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> bytes:
        if self.is_lost or self._transport is None:
            raise ConnectionResetError("the connection was lost")
        number = request[_ID]
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._transport.write(request)
            return await answer
        finally:
            self._waiting.pop(number, None)

    def data_received(self, data: bytes) -> None:
        try:
            for whole in self._stream.feed(data):
                waiting = self._waiting.pop(whole[_ID], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(whole)
        except WireError as error:
            self.lose(error)

    def connection_lost(self, error: Exception | None) -> None:
        self.lose(error or ConnectionResetError("the server closed the connection"))

    def lose(self, error: Exception) -> None:
        """Nothing more comes; whoever waits is told."""
        self.is_lost = True
        if self._transport is not None:
            self._transport.abort()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)


class UdpPeer:
    """Datagrams to a server; sent again while no answer comes.

    Args:
        host: name or address.
        port: of the server.
        timeout_s: for the whole answer.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._where = f"{host}:{port}/udp"
        self._address, self._timeout_s = (host, port), timeout_s

    async def ask(self, request: bytes) -> bytes:
        """See ``Peer``."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                transport, heard = await loop.create_datagram_endpoint(
                    lambda: _Heard(request[_ID]), remote_addr=self._address
                )
                try:
                    return await self._sent(transport, heard, request)
                finally:
                    transport.close()
        except TimeoutError:
            raise PeerError(f"{self._where} did not answer in {self._timeout_s:g} s") from None
        except OSError as error:
            raise PeerError(f"{self._where}: {error}") from error

    async def _sent(
        self, transport: asyncio.DatagramTransport, heard: "_Heard", request: bytes
    ) -> bytes:
        for pause_s in (*_RESEND_S, self._timeout_s):
            for part in cut(request):
                transport.sendto(part)
            with suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(heard.answer), pause_s)
        raise TimeoutError

    def close(self) -> None:
        """Nothing is kept."""


class _Heard(asyncio.DatagramProtocol):
    """The answer with one number."""

    def __init__(self, number: bytes) -> None:
        self._number = number
        self._assembly = Assembly()
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: object) -> None:
        if data[_ID] != self._number or self.answer.done():
            return
        with suppress(WireError):  # a part that is none; the rest may still come
            whole = self._assembly.add(data)
            if whole is not None:
                self.answer.set_result(whole)

    def error_received(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
