"""Modbus units whose registers tell what they are, whose, and of when: an oracle for drivers.

In each ten addresses the first four hold the unit's clock, microseconds as uint64, high word
first; each of the others holds ``1000 × unit + address``, in the input registers with the highest
bit set. So a value of another unit, table or address shows, and one of another time too: the
clock is ``CLOCK_MONOTONIC`` of the machine, which a test in another process reads as well.
"""

import asyncio
import time
from typing import Self

from simulators.hostile.frames import Framing
from simulators.servers.serving import port_in_use

SPAN = 10
"""Addresses after which the next clock begins."""
CLOCK = 4
"""Registers of a clock."""
SIZE = 1_000
"""Addresses of a table; beyond is exception 2."""
UNITS = 31
"""Most units: the code of the last one still fits."""
_HOLDING, _INPUT = 3, 4


def code(unit: int, address: int, *, is_input: bool = False) -> int:
    """What a register holds that is no part of a clock."""
    return (1_000 * unit + address) | (0x8000 if is_input else 0)


def now_us() -> int:
    """The time of every unit's clock."""
    return time.monotonic_ns() // 1_000


def registers(unit: int, address: int, count: int, clock_us: int, *, is_input: bool) -> bytes:
    """Registers as they go on the wire. Pure."""
    clock = clock_us.to_bytes(2 * CLOCK, "big")
    return b"".join(
        clock[2 * (at % SPAN) : 2 * (at % SPAN) + 2]
        if at % SPAN < CLOCK
        else code(unit, at, is_input=is_input).to_bytes(2, "big")
        for at in range(address, address + count)
    )


def answer(unit: int, pdu: bytes, clock_us: int) -> bytes:
    """The PDU that a unit answers with. Pure."""
    if len(pdu) != 5 or pdu[0] not in (_HOLDING, _INPUT):
        return bytes((pdu[0] | 0x80, 1))
    address, count = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
    if not 1 <= count <= 125:
        return bytes((pdu[0] | 0x80, 3))
    if address + count > SIZE:
        return bytes((pdu[0] | 0x80, 2))
    data = registers(unit, address, count, clock_us, is_input=pdu[0] == _INPUT)
    return bytes((pdu[0], len(data))) + data


class Clockwork:
    """A server of such units; others are silent.

    Args:
        units: 1…31: units 1 to this one exist.
        framing: Modbus TCP or RTU over TCP.
    """

    def __init__(self, units: int, framing: Framing) -> None:
        self._units, self._framing = units, framing
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError:
            raise port_in_use(host, port, "Modbus") from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        rest = b""
        try:
            while data := await reader.read(4_096):
                frames, rest = self._framing.cut(rest + data, is_request=True)
                writer.write(b"".join(map(self._answered, frames)))
        except (OSError, asyncio.CancelledError):
            pass  # the client has gone, or the process ends
        finally:
            writer.transport.abort()
            self._writers.discard(writer)

    def _answered(self, frame: bytes) -> bytes:
        unit, pdu = self._framing.unit(frame), self._framing.pdu(frame)
        if not 1 <= unit <= self._units or not pdu:
            return b""
        return self._framing.with_pdu(frame, answer(unit, pdu, now_us()))
