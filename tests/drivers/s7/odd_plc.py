"""A controller that answers as a test says: late, in pieces, wrongly."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

_CONFIRM = bytes.fromhex("0300 0016 11d0 0001 0001 00 c0010a c1020100 c2020102")
_READ, _SETUP = 0x04, 0xF0


@dataclass(frozen=True)
class Asked:
    """A request as it came, without its ISO head."""

    message: bytes

    @property
    def function(self) -> int:
        return self.message[10]

    @property
    def parts(self) -> list[tuple[int, int, int]]:
        """Data block, first byte and length of each part of a read message."""
        found = []
        for at in range(12, 12 + 12 * self.message[11], 12):
            length, db = (int.from_bytes(self.message[at + i : at + i + 2], "big") for i in (4, 6))
            found.append((db, int.from_bytes(self.message[at + 9 : at + 12], "big") // 8, length))
        return found

    def answer(self, data: bytes, *, error: int = 0, shift: int = 0, count: int = 0) -> bytes:
        """An answer with these data; with an error, another number or count of parts if given."""
        parameters = self.message[10:11] + bytes((count or self.message[11],))
        number = (int.from_bytes(self.message[4:6], "big") + shift) % 0x10000
        head = b"\x32\x03\0\0" + number.to_bytes(2, "big")
        head += len(parameters).to_bytes(2, "big") + len(data).to_bytes(2, "big")
        return framed(head + error.to_bytes(2, "big") + parameters + data)

    @property
    def data(self) -> bytes:
        """What it asks for: each byte is the low byte of its own address."""
        found = b""
        for _, start, length in self.parts:
            found += b"\xff\x04" + (8 * length).to_bytes(2, "big")
            found += bytes((start + i) % 256 for i in range(length)) + b"\0" * (length % 2)
        return found


def framed(message: bytes) -> bytes:
    """TPKT and COTP around a message."""
    return b"\x03\0" + (len(message) + 7).to_bytes(2, "big") + b"\x02\xf0\x80" + message


Script = Callable[[Asked], Iterable[bytes]]
"""Pieces that are sent one by one; nothing: silence."""


def _agreed(asked: Asked, pdu: int) -> bytes:
    head = b"\x32\x03\0\0" + asked.message[4:6] + bytes.fromhex("0008 0000 0000")
    return framed(head + bytes.fromhex("f000 0001 0001") + pdu.to_bytes(2, "big"))


@asynccontextmanager
async def odd_plc(script: Script, pdu: int = 240) -> AsyncIterator[int]:
    """Serve by a script; gives the port."""

    async def message(reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(4)
        return await reader.readexactly(int.from_bytes(head[2:], "big") - 4)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await message(reader)
            writer.write(_CONFIRM)
            while True:
                asked = Asked((await message(reader))[3:])
                is_setup = asked.function == _SETUP
                for piece in [_agreed(asked, pdu)] if is_setup else script(asked):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, OSError):
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
