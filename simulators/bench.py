"""A lean Modbus TCP server for benchmarks: many units, and every value changes at every poll.

It answers reads of holding and input registers only, from noise made in advance, at a few
microseconds a request, so that it does not disturb what is measured beside it.
"""

import asyncio
import random
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from simulators.serving import port_in_use

_HEAD = struct.Struct(">HHHBBHH")
_MBAP = struct.Struct(">HHHBB")
_READS = (3, 4)
_MOST = 125
_FRAMES = 64


def noise(registers: int, seed: int) -> tuple[bytes, ...]:
    """Images of all registers, each different in every float32: 0 … 1000, high word first."""
    dice = random.Random(seed)
    floats = (registers + 1) // 2 + _FRAMES
    pool = struct.pack(f">{floats}f", *(dice.uniform(0, 1000) for _ in range(floats)))
    return tuple(pool[4 * frame : 4 * frame + 2 * registers] for frame in range(_FRAMES))


class BenchServer(asyncio.Protocol):
    """One connection.

    The image shown is that of the current 100 ms, moved on by the unit id: two polls at least
    100 ms and less than 6.4 s apart never see equal values.
    """

    def __init__(self, images: tuple[bytes, ...], units: int) -> None:
        self._images = images
        self._units = units
        self._registers = len(images[0]) // 2
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        data = self._rest + data
        at, answers = 0, []
        while len(data) - at >= _HEAD.size:
            answers.append(self._answer(_HEAD.unpack_from(data, at)))
            at += 6 + int.from_bytes(data[at + 4 : at + 6], "big")
        self._rest = data[at:]
        if answers and self._transport is not None:
            self._transport.write(b"".join(answers))

    def _answer(self, request: tuple[int, ...]) -> bytes:
        transaction, _, _, unit, code, start, count = request
        problem = self._problem(unit, code, start, count)
        if problem:
            return _MBAP.pack(transaction, 0, 3, unit, code | 0x80) + bytes((problem,))
        image = self._images[(int(time.monotonic() * 10) + unit) % _FRAMES]
        body = image[2 * start : 2 * (start + count)]
        return _MBAP.pack(transaction, 0, 3 + len(body), unit, code) + bytes((len(body),)) + body

    def _problem(self, unit: int, code: int, start: int, count: int) -> int:
        """Exception code of a request, 0 if it can be answered."""
        if not 1 <= unit <= self._units:
            return 0x0B
        if code not in _READS:
            return 1
        if not 1 <= count <= _MOST:
            return 3
        return 2 if start + count > self._registers else 0


@asynccontextmanager
async def listening(
    host: str, port: int, devices: int, tags: int, seed: int
) -> AsyncIterator[None]:
    """Serve ``devices`` units with ``tags`` float32 each from register 0.

    Raises:
        PortInUseError: the port cannot be listened on.
    """
    images = noise(2 * tags, seed)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: BenchServer(images, devices), host, port)
    except OSError:
        raise port_in_use(host, port, "Modbus TCP") from None
    try:
        yield
    finally:
        server.close()
