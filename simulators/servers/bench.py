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

from simulators.servers.serving import port_in_use

_HEAD = struct.Struct(">HHHBBHH")
_MBAP = struct.Struct(">HHHBB")
_READS = (3, 4)
_MOST = 125
_FRAMES = 64


class Noise:
    """Images of all units: every float32 differs from unit to unit and from frame to frame.

    Values are 0 … 1000, high word first; no two units share any, so nothing can be gained by
    compressing them together.
    """

    def __init__(self, registers: int, units: int, seed: int) -> None:
        self.registers = registers
        self.units = units
        self._stride = 2 * registers + 4 * _FRAMES
        dice = random.Random(seed)
        floats = units * self._stride // 4
        self._pool = struct.pack(f">{floats}f", *(dice.uniform(0, 1000) for _ in range(floats)))

    def read(self, unit: int, frame: int, start: int, count: int) -> bytes:
        """Bytes of ``count`` registers of a unit from ``start`` on, in a frame."""
        at = (unit - 1) * self._stride + 4 * (frame % _FRAMES) + 2 * start
        return self._pool[at : at + 2 * count]


class BenchServer(asyncio.Protocol):
    """One connection.

    The image shown is that of the current 100 ms: two polls at least 100 ms and less than 6.4 s
    apart never see equal values.
    """

    def __init__(self, noise: Noise) -> None:
        self._noise = noise
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
        body = self._noise.read(unit, int(time.monotonic() * 10), start, count)
        return _MBAP.pack(transaction, 0, 3 + len(body), unit, code) + bytes((len(body),)) + body

    def _problem(self, unit: int, code: int, start: int, count: int) -> int:
        """Exception code of a request, 0 if it can be answered."""
        if not 1 <= unit <= self._noise.units:
            return 0x0B
        if code not in _READS:
            return 1
        if not 1 <= count <= _MOST:
            return 3
        return 2 if start + count > self._noise.registers else 0


@asynccontextmanager
async def listening(
    host: str, port: int, devices: int, tags: int, seed: int
) -> AsyncIterator[None]:
    """Serve ``devices`` units with ``tags`` float32 each from register 0.

    Raises:
        PortInUseError: the port cannot be listened on.
    """
    noise = Noise(2 * tags, devices, seed)
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: BenchServer(noise), host, port)
    except OSError:
        raise port_in_use(host, port, "Modbus TCP") from None
    try:
        yield
    finally:
        server.close()
