"""What was opened to a device: used until it is lost, and then not again."""

import asyncio
from typing import cast


class Opened(asyncio.Protocol):
    """The protocol of an open way; whoever waits for an answer is woken when it is lost.

    Attributes:
        peer: who is at the other end, for people.
        loss: why it cannot be used; empty while it can.
        closed: done when it is closed.
    """

    peer = "the other side"

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self.loss = "not connected"
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready; the event loop has set TCP_NODELAY."""
        self._transport = cast("asyncio.Transport", transport)
        self.loss = ""

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits."""
        self._fail(f"connection lost: {exc}" if exc else f"{self.peer} closed the connection")
        if not self.closed.done():
            self.closed.set_result(None)

    def abort(self, why: str) -> None:
        """Drop it at once: later calls say why."""
        self._fail(why)
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        """Send; only while it is open."""
        cast("asyncio.Transport", self._transport).write(data)

    def _fail(self, why: str) -> None:
        if not self.loss:
            self.loss = why
            self._wake()

    def _wake(self) -> None:
        """It was open and is lost: tell whoever waits."""
        raise NotImplementedError
