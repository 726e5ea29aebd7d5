"""An open connection to a server of the native protocol."""

import asyncio
from typing import cast

from gateway.identifier.irp.message import Stream
from gateway.identifier.irp.octets import WireError

NUMBER = slice(8, 12)
"""Where a message has its number, by which an answer finds its request."""
_MOST_UNASKED = 64
"""Answers for which nobody waits any more, as late ones are; a server that sends more is left."""


class Line(asyncio.Protocol):
    """An open connection: answers find their requests by number."""

    def __init__(self) -> None:
        self._stream = Stream()
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._transport: asyncio.Transport | None = None
        self.is_lost = False
        """Whether nothing can be asked any more."""
        self.heard = 0
        """Octets that came."""
        self._unasked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes) -> bytes:
        """The whole answer to a whole request.

        Raises:
            ConnectionResetError: the connection was lost, before or after the request was sent.
            WireError: what came is no message.
        """
        if self.is_lost or self._transport is None:
            raise ConnectionResetError("the connection was lost")
        number = request[NUMBER]
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._transport.write(request)
            return await answer
        finally:
            self._waiting.pop(number, None)

    def data_received(self, data: bytes) -> None:
        """What is whole with this piece is told to who waits for it."""
        self.heard += len(data)
        try:
            for whole in self._stream.feed(data):
                self._tell(whole)
        except WireError as error:
            self.lose(error)

    def _tell(self, whole: bytes) -> None:
        waiting = self._waiting.pop(whole[NUMBER], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(whole)
            return
        self._unasked += 1
        if self._unasked > _MOST_UNASKED:
            self.lose(WireError("answers to questions that nobody asked"))

    def connection_lost(self, error: Exception | None) -> None:
        """The other end is gone."""
        self.lose(error or ConnectionResetError("the server closed the connection"))

    def lose(self, error: Exception) -> None:
        """Nothing more comes; whoever waits is told."""
        self.is_lost = True
        if self._transport is not None:
            self._transport.abort()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
