"""A protocol that keeps what happens to it."""

import asyncio
from typing import cast

from gateway.drivers.transport.way import Way
from tests.support.waiting import until


class Listener(asyncio.Protocol):
    """Attributes: pieces that came; whether it is lost, and by what."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.made = 0
        self.losses: list[Exception | None] = []

    @property
    def heard(self) -> bytes:
        return b"".join(self.pieces)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made += 1
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.losses.append(exc)

    async def lost(self) -> Exception | None:
        await until(lambda: self.losses)
        return self.losses[0]


async def opened(way: Way) -> Listener:
    listener = Listener()
    await way.open(lambda: listener)
    assert listener.made == 1
    return listener
