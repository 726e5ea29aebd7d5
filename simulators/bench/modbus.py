"""A lean Modbus TCP server for benchmarks: many units, and every value changes at every poll.

It answers reads of holding and input registers only, from noise made in advance, at a few
microseconds a request, so that it does not disturb what is measured beside it.
"""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import numpy as np

from simulators.bench.addresses import address, place
from simulators.bench.watch import Watch
from simulators.servers.serving import port_in_use

_HEAD = struct.Struct(">HHHBBHH")
_MBAP = struct.Struct(">HHHBB")
_READS = (3, 4)
_MOST = 125
_IMAGES = 31
_IMAGE_S = 0.01
"""An image is shown for so long; polls that are a multiple of 0.31 s apart see equal values."""


class Noise:
    """Images of all units: every float32 differs from unit to unit and from image to image.

    Values are 0 … 1000, high word first; no two images share any, so nothing can be gained by
    compressing them together.
    """

    def __init__(self, registers: int, units: int, seed: int) -> None:
        self.registers = registers
        self.units = units
        floats = np.random.default_rng(seed).random((units, _IMAGES, registers // 2), np.float32)
        self._images = (floats * 1000).astype(">f4").tobytes()

    def read(self, unit: int, image: int, start: int, count: int) -> bytes:
        """Bytes of ``count`` registers from ``start`` on, of a unit counted from 0, in an image."""
        at = 2 * (self.registers * (unit * _IMAGES + image % _IMAGES) + start)
        return self._images[at : at + 2 * count]


class BenchServer(asyncio.Protocol):
    """One connection; the address it comes in on says which units stand behind it."""

    def __init__(self, noise: Noise, units: int, watch: Watch) -> None:
        self._noise = noise
        self._units = units
        self._watch = watch
        self._first = 0
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast(asyncio.Transport, transport)
        self._first = place(transport.get_extra_info("sockname")[0]) * self._units

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
        number, now = self._first + unit - 1, time.time()
        if start == 0:  # the first of the requests that are one poll
            self._watch.began(number, now)
        body = self._noise.read(number, int(now / _IMAGE_S), start, count)
        return _MBAP.pack(transaction, 0, 3 + len(body), unit, code) + bytes((len(body),)) + body

    def _problem(self, unit: int, code: int, start: int, count: int) -> int:
        """Exception code of a request, 0 if it can be answered."""
        if not 1 <= unit <= self._units:
            return 0x0B
        if code not in _READS:
            return 1
        if not 1 <= count <= _MOST:
            return 3
        return 2 if start + count > self._noise.registers else 0


@asynccontextmanager
async def listening(
    port: int, addresses: int, units: int, tags: int, watch: Watch, seed: int
) -> AsyncIterator[None]:
    """Serve ``units`` units with ``tags`` float32 each, from register 0, at each address.

    Raises:
        PortInUseError: the port cannot be listened on.
    """
    noise = Noise(2 * tags, addresses * units, seed)
    loop = asyncio.get_running_loop()
    hosts = [address(number) for number in range(addresses)]
    try:
        server = await loop.create_server(lambda: BenchServer(noise, units, watch), hosts, port)
    except OSError:
        raise port_in_use(f"{hosts[0]} … {hosts[-1]}", port, "Modbus TCP") from None
    try:
        yield
    finally:
        server.close()
