"""A controller that answers as a test says: late, in pieces, wrongly."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A request as it came: everything of its head that an answer repeats, and its command."""

    begin: bytes  # serial number of a 4E frame included
    route: bytes
    command: int
    data: bytes

    @classmethod
    def of(cls, message: bytes) -> "Asked":
        at = 6 if message[:2] == b"\x54\0" else 2
        command = int.from_bytes(message[at + 9 : at + 11], "little")
        return cls(message[:at], message[at : at + 5], command, message[at + 13 :])

    def answer(self, data: bytes, end: int = 0, serial: int | None = None) -> bytes:
        """A right answer, or one with another end code or serial number."""
        begin = bytearray(self.begin)
        begin[0] += 0x80
        if serial is not None:
            begin[2:4] = serial.to_bytes(2, "little")
        length = (len(data) + 2).to_bytes(2, "little")
        return bytes(begin) + self.route + length + end.to_bytes(2, "little") + data

    @property
    def words(self) -> bytes:
        """What each word asked for holds: the number of its device."""
        if self.command == 0x0403:
            places = range(2, len(self.data), 4)
            return b"".join(self.data[place : place + 2] for place in places)
        first = int.from_bytes(self.data[:3], "little")
        count = int.from_bytes(self.data[4:6], "little")
        return b"".join((first + i).to_bytes(2, "little") for i in range(count))


Script = Callable[[Asked], Iterable[bytes]]
"""Pieces that are sent one by one; nothing: silence."""


@asynccontextmanager
async def odd_plc(script: Script) -> AsyncIterator[int]:
    """Serve by a script; gives the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                begin = await reader.readexactly(2)
                rest = 7 if begin == b"\x50\0" else 11
                head = begin + await reader.readexactly(rest)
                body = await reader.readexactly(int.from_bytes(head[-2:], "little"))
                for piece in script(Asked.of(head + body)):
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
