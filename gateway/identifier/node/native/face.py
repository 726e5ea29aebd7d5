"""The native protocol of handles, served over TCP and UDP at one port."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from socket import socket
from typing import Protocol, cast

from gateway.identifier.irp.datagrams import Assemblies, cut
from gateway.identifier.irp.message import Stream, keeps_alive
from gateway.identifier.irp.octets import WireError
from gateway.identifier.node.native.unproved import Unproved
from gateway.throttle import site_of as visitor_of

log = logging.getLogger(__name__)


class Answer(Protocol):
    """What is answered to a whole request of a visitor."""

    def __call__(
        self, request: bytes, visitor: str, *, is_datagram: bool
    ) -> bytes | AsyncGenerator[bytes, None]:
        """An answer at once, or later ones; one that is empty is none.

        Raises:
            WireError: it is no request.
        """
        ...


MAX_CONNECTIONS = 256
MAX_UNDER_WAY = 64
"""Answers of one connection that are not there yet; until then no more is heard of it."""
IDLE_S = 60.0
"""A connection that asks nothing for so long is closed."""


class NativeFace:
    """Connections of the native protocol.

    Args:
        answer: to a whole request; quick where it does not await, since it runs on the loop.
    """

    def __init__(self, answer: Answer) -> None:
        self._work = _Work(answer)
        self._open: set[_Connection] = set()

    async def serve(self, listener: socket, datagrams: socket | None = None) -> None:
        """Answer until cancelled.

        Args:
            listener: a bound TCP socket.
            datagrams: a bound UDP socket; None: one is made at the same address.
        """
        loop = asyncio.get_running_loop()
        address = None if datagrams else listener.getsockname()[:2]
        hearing, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._work), local_addr=address, sock=datagrams
        )
        try:
            server = await loop.create_server(self._accepted, sock=listener)
            async with server:
                await self._close_idle(loop)
        finally:
            hearing.close()
            for connection in tuple(self._open):
                connection.abort()
            await self._work.end()

    def _accepted(self) -> "_Connection":
        return _Connection(self._work, self._open)

    async def _close_idle(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            await asyncio.sleep(IDLE_S / 4)
            for connection in tuple(self._open):
                if connection.heard_s < loop.time() - IDLE_S:
                    connection.abort()


class _Work:
    """Answers that are under way."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, telling: Coroutine[None, None, None]) -> None:
        """Tell answers once they are there; a fault in between tells nothing, and is logged."""
        task = asyncio.create_task(self._done(telling))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _done(self, telling: Coroutine[None, None, None]) -> None:
        try:
            await telling
        except WireError:
            pass
        except Exception:
            log.exception("node: a native request was not answered")

    async def end(self) -> None:
        """Wait for what cannot be stopped, and tell nothing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, work: _Work, others: "set[_Connection]") -> None:
        self._work = work
        self._others = others
        self._stream = Stream()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._visitor = ""
        self._under_way = 0
        self._is_read = asyncio.Event()
        self._is_read.set()
        self.heard_s = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._visitor = _visitor(transport.get_extra_info("peername"))
        self._others.add(self)
        if len(self._others) > MAX_CONNECTIONS:  # the one that was silent longest goes
            min(self._others, key=lambda one: one.heard_s).abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._others.discard(self)
        self._is_read.set()  # nobody waits for it any more

    def abort(self) -> None:
        """End it at once."""
        self._others.discard(self)
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_s = self._loop.time()
        try:
            for whole in self._stream.feed(data):
                if self._transport is None or self._transport.is_closing():
                    return
                answer = self._work.answer(whole, self._visitor, is_datagram=False)
                if isinstance(answer, bytes):
                    self._tell(answer)
                    self._answered(keeps_alive=keeps_alive(whole))
                else:
                    self._under_way += 1
                    self._work.later(self._tell_each(answer, keeps_alive=keeps_alive(whole)))
                    self._listen()
        except WireError:  # nobody who speaks the protocol
            self.abort()

    def _tell(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)

    def _answered(self, *, keeps_alive: bool) -> None:
        if self._transport is not None and not keeps_alive:
            self._transport.close()

    async def _tell_each(self, answers: AsyncGenerator[bytes, None], *, keeps_alive: bool) -> None:
        """Tell answers, the next one only when those before are read; each shows a live client."""
        try:
            async with aclosing(answers):
                async for answer in answers:
                    self._tell(answer)
                    await self._is_read.wait()
                    if self._transport is None or self._transport.is_closing():
                        return
                    self.heard_s = self._loop.time()
        finally:
            self._under_way -= 1
            self._answered(keeps_alive=keeps_alive)
            self._listen()

    def _listen(self) -> None:
        """Hear more only while answers are read and not too many are under way."""
        if self._transport is None or self._transport.is_closing():
            return
        if not self._is_read.is_set() or self._under_way >= MAX_UNDER_WAY:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        """Answers are not read: no more is asked until they are."""
        self._is_read.clear()
        self._listen()

    def resume_writing(self) -> None:
        self._is_read.set()
        self._listen()


def _visitor(peer: object) -> str:
    return visitor_of(str(peer[0])) if isinstance(peer, tuple) else ""


class _Datagrams(asyncio.DatagramProtocol):
    """Requests and answers of one datagram or several."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._assemblies = Assemblies()
        self._unproved = Unproved()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: tuple[str | object, int]) -> None:
        try:
            whole = self._assemblies.add(data, address, self._loop.time())
            if whole is None:
                return
            answer = self._work.answer(whole, _visitor(address), is_datagram=True)
        except WireError:
            return
        if isinstance(answer, bytes):
            self._tell(whole, answer, address)
        else:
            self._work.later(self._tell_first(whole, answer, address))

    async def _tell_first(
        self,
        request: bytes,
        answers: AsyncGenerator[bytes, None],
        address: tuple[str | object, int],
    ) -> None:
        """Tell one answer: what would follow has no place among datagrams."""
        async with aclosing(answers):
            async for answer in answers:
                self._tell(request, answer, address)
                return

    def _tell(self, request: bytes, answer: bytes, address: tuple[str | object, int]) -> None:
        if not answer or self._transport.is_closing():
            return
        now_s = self._loop.time()
        for part in cut(self._unproved.sent(request, answer, _visitor(address), now_s)):
            self._transport.sendto(part, address)
