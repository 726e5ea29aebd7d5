"""The native protocol of handles, served over TCP and UDP at one port."""

import asyncio
from collections.abc import Callable
from socket import socket
from typing import cast

from gateway.identifier.irp.data import ASK, TCP, UDP, Interface, Server, Site, write_site
from gateway.identifier.irp.datagrams import Assembly, cut
from gateway.identifier.irp.message import Stream, keeps_alive
from gateway.identifier.irp.octets import WireError
from gateway.identifier.node.answering import Holdings
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.rules import foreign_prefix

Answer = Callable[[bytes], bytes]
"""The answer to a whole request; raises WireError where there is none."""
MAX_CONNECTIONS = 256
IDLE_S = 60.0
"""A connection that asks nothing for so long is closed."""


def own_holdings(lookup: Lookup, prefix: str, address: tuple[str, int]) -> Holdings:
    """What a node answers from.

    Args:
        lookup: what is registered; asked on the loop.
        prefix: country and industry node, as ``88.999``.
        address: IP address and port at which it answers.
    """
    host, port = address[:2]
    ways = (Interface(ASK, TCP, port), Interface(ASK, UDP, port))
    site = write_site(Site((Server(1, host, ways),), attributes=(("desc", f"qulink {prefix}"),)))
    return Holdings(lookup.held, lambda handle: foreign_prefix(handle, prefix) is None, site)


class NativeFace:
    """Connections of the native protocol.

    Args:
        answer: to a whole request; quick, since it runs on the loop.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._open: set[_Connection] = set()

    async def serve(self, listener: socket) -> None:
        """Answer on a bound TCP socket, and on UDP at the same address, until cancelled."""
        loop = asyncio.get_running_loop()
        address = listener.getsockname()[:2]
        datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._answer), local_addr=address
        )
        try:
            server = await loop.create_server(self._accepted, sock=listener)
            async with server:
                await self._close_idle(loop)
        finally:
            datagrams.close()
            for connection in tuple(self._open):
                connection.abort()

    def _accepted(self) -> "_Connection":
        return _Connection(self._answer, self._open)

    async def _close_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            await asyncio.sleep(IDLE_S / 4)
            for connection in tuple(self._open):
                if connection.heard_s < loop.time() - IDLE_S:
                    connection.abort()


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, answer: Answer, others: "set[_Connection]") -> None:
        self._answer = answer
        self._others = others
        self._stream = Stream()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.heard_s = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._others.add(self)
        if len(self._others) > MAX_CONNECTIONS:  # the one that was silent longest goes
            min(self._others, key=lambda one: one.heard_s).abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._others.discard(self)

    def abort(self) -> None:
        """End it at once."""
        self._others.discard(self)
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_s = self._loop.time()
        transport = self._transport
        try:
            for whole in self._stream.feed(data):
                if transport is None or transport.is_closing():
                    return
                transport.write(self._answer(whole))
                if not keeps_alive(whole):
                    transport.close()
        except WireError:  # nobody who speaks the protocol
            self.abort()

    def pause_writing(self) -> None:
        """Answers are not read: no more is asked until they are."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()


class _Datagrams(asyncio.DatagramProtocol):
    """Requests that fit one datagram; answers may take several."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str | object, int]) -> None:
        try:
            whole = Assembly().add(data)
            parts = cut(self._answer(whole)) if whole is not None else ()
        except WireError:
            return
        for part in parts:
            self._transport.sendto(part, address)
