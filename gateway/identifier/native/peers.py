"""One request to one server: over a TCP connection that stays open, or by datagrams."""

import asyncio
from contextlib import suppress
from typing import Protocol

from gateway.identifier.irp.datagrams import Assembly, cut, is_truncated
from gateway.identifier.irp.message import keeps_alive
from gateway.identifier.irp.octets import WireError
from gateway.identifier.native.line import NUMBER, Line

_RESEND_S = (0.5, 1.0, 1.5)
"""Pauses after which a datagram is sent again (RFC 3652, 2.3)."""


class PeerError(Exception):
    """A server was not reached, did not answer in time, or sent what is no message."""


class Peer(Protocol):
    """A way to a server.

    Attributes:
        address: its IP address, once it has answered; before, what was given.
    """

    address: str

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

    It is shared by all questions, unless the server closes it after one answer, as those of the
    protocol's authors do: then each question has a connection of its own.

    Args:
        host: name or address.
        port: of the server.
        timeout_s: for connecting, and for each answer.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._where = f"{host}:{port}"
        self._host, self._port, self._timeout_s = host, port, timeout_s
        self.address = host
        self._opening = asyncio.Lock()
        self._line: Line | None = None
        self._is_shared = True

    async def ask(self, request: bytes) -> bytes:
        """See ``Peer``; a connection that was lost unnoticed is opened once more.

        One on which nothing at all came in time is given up: its other end may be gone.
        """
        line: Line | None = None
        heard = 0
        try:
            async with asyncio.timeout(self._timeout_s):
                if not self._is_shared:
                    return await self._asked_alone(request)
                try:
                    line = await self._connected()
                    heard = line.heard
                    answer = await line.ask(request)
                except ConnectionError:
                    return await self._asked_alone(request)
                self._is_shared = keeps_alive(answer)
                return answer
        except TimeoutError:
            if line is not None and line.heard == heard:
                line.lose(ConnectionResetError("the server says nothing"))
            raise PeerError(f"{self._where} did not answer in {self._timeout_s:g} s") from None
        except (OSError, WireError) as error:
            self.close()
            raise PeerError(f"{self._where}: {error}") from error

    async def _connected(self) -> Line:
        async with self._opening:
            if self._line is None or self._line.is_lost:
                self._line = await self._opened()
            return self._line

    async def _asked_alone(self, request: bytes) -> bytes:
        line = await self._opened()
        try:
            return await line.ask(request)
        finally:
            line.lose(ConnectionResetError("closed"))

    async def _opened(self) -> Line:
        loop = asyncio.get_running_loop()
        way, line = await loop.create_connection(Line, self._host, self._port)
        self.address = way.get_extra_info("peername")[0]
        return line

    def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.lose(ConnectionResetError("closed"))
            self._line = None


class UdpPeer:
    """Datagrams to a server; sent again while no answer comes.

    An answer that is too long for them is asked for by TCP, at the same port.

    Args:
        host: name or address.
        port: of the server.
        timeout_s: for the whole answer.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._where = f"{host}:{port}/udp"
        self._place, self._timeout_s = (host, port), timeout_s
        self.address = host

    async def ask(self, request: bytes) -> bytes:
        """See ``Peer``."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                transport, heard = await loop.create_datagram_endpoint(
                    lambda: _Heard(request[NUMBER]), remote_addr=self._place
                )
                self.address = transport.get_extra_info("peername")[0]
                try:
                    return await self._sent(transport, heard, request)
                finally:
                    transport.close()
        except _TruncatedError:
            return await self._by_tcp(request)
        except TimeoutError:
            raise PeerError(f"{self._where} did not answer in {self._timeout_s:g} s") from None
        except OSError as error:
            raise PeerError(f"{self._where}: {error}") from error

    async def _by_tcp(self, request: bytes) -> bytes:
        peer = TcpPeer(*self._place, self._timeout_s)
        try:
            return await peer.ask(request)
        finally:
            peer.close()

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


class _TruncatedError(Exception):
    """The answer is not to be had by datagrams."""


class _Heard(asyncio.DatagramProtocol):
    """The answer with one number."""

    def __init__(self, number: bytes) -> None:
        self._number = number
        self._assembly = Assembly()
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: object) -> None:
        if data[NUMBER] != self._number or self.answer.done():
            return
        if is_truncated(data):
            self.answer.set_exception(_TruncatedError())
            return
        with suppress(WireError):  # a part that is none; the rest may still come
            whole = self._assembly.add(data)
            if whole is not None:
                self.answer.set_result(whole)

    def error_received(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
