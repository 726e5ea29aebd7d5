"""What Modbus costs beside its bytes: planning, decoding, and a request on loopback.

Processor time (user and system) of this process, medians of several rounds; devices run in a
process of their own.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import numpy as np
import uvloop

from benchmarks.edge.plant import Plant
from edge_config.models.validation import validated
from gateway.drivers.api import Point
from gateway.drivers.frames import FrameLog
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.plan import layout
from gateway.edge.process.memory import collect_seldom

_ROUNDS = 9
_TAGS = 10_000
_PLACES = 32_000
"""Float32 that the holding registers of a unit hold."""
_REGISTERS = 125
_REQUESTS = 17
"""Of a reading of a thousand float32."""
_READINGS = 100
_RAW_SIZE = 12  # bytes of a request

Result = dict[str, object]


def measure() -> list[Result]:
    """Every row."""
    return [*_planning(), _decoding(), *uvloop.run(_requests())]  # the edge's loop


def points(at: Iterable[int]) -> tuple[Point, ...]:
    """Float32 at these places, counted in values."""
    addresses = [
        validated(SPEC.address, {"table": "holding", "address": 2 * one, "type": "float32"})
        for one in at
    ]
    return tuple(Point(f"t{at}", SPEC.kind(one), one) for at, one in enumerate(addresses))


def _cpu_s(work: Callable[[], object], times: int = 1) -> float:
    """Median processor time of a call."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - began) / times)
    return statistics.median(rounds)


def _planning() -> Iterator[Result]:
    """As on the edge, where the garbage collector looks seldom."""
    collect_seldom()
    placed = {
        "one after the other": range(_TAGS),
        "scattered in any order": random.Random(1).sample(range(_PLACES), _TAGS),  # noqa: S311 - places
    }
    for name, places in placed.items():
        wanted, connection = points(places), Connection(host="127.0.0.1")
        requests = len(layout(wanted, connection).blocks)
        took_s = _cpu_s(lambda: layout(wanted, connection))  # noqa: B023 - called at once
        named = f"Modbus planner, {_TAGS:,} tags {name}, {requests:,} requests"
        yield {"name": named, "cpu_ms": round(1_000 * took_s, 1)}


def _decoding() -> Result:
    """62 float32 from one answer of 125 registers to columns."""
    made = layout(points(range(_REGISTERS // 2)), Connection(host="127.0.0.1"))
    image, status = bytes(made.size), np.zeros(len(made.places), np.uint8)
    took_s = _cpu_s(lambda: made.decoder.columns(image, status), 10_000)
    return {"name": "Modbus decoding, 125 registers of float32", "cpu_us": round(1e6 * took_s, 2)}


async def _requests() -> list[Result]:
    """A request and its answer over loopback: bare, by the driver one by one, and together."""
    tags = 1_000
    plant = Plant(addresses=1, units=1, tags=tags)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qulink-bench-")))
        port = plant.start(stack, folder).port
        bare = await _bare(port)
        alone = await _driven(port, tags, window=1)
        together = await _driven(port, tags, window=None)
    named = {"bare asyncio": bare, "one by one": alone, "window found": together}
    return [
        {
            "name": f"Modbus request on loopback, {name}",
            "cpu_us": round(1e6 * cost_s, 1),
            "beside_bare_us": round(1e6 * (cost_s - bare), 1),
        }
        for name, cost_s in named.items()
    ]


async def _driven(port: int, tags: int, window: int | None) -> float:
    driver = cast("ModbusDriver", SPEC.make(Connection(host="127.0.0.1", port=port, window=window)))
    driver.record(FrameLog())  # as the edge has it
    await driver.connect()
    try:
        plan = driver.plan(points(range(tags)))
        return await _each_s(lambda: driver.read(plan), len(plan.blocks))
    finally:
        await driver.close()


class _Bare(asyncio.Protocol):
    """Asks again as soon as as many bytes have come as an answer has."""

    def __init__(self, request: bytes, answer: int) -> None:
        self._request, self._answer = request, answer
        self._came = self._left = 0
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready."""
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, times: int) -> None:
        """One request after the other."""
        self._left, self._done = times, asyncio.get_running_loop().create_future()
        self._transport.write(self._request)
        await self._done

    def data_received(self, data: bytes) -> None:
        """Count."""
        self._came += len(data)
        if self._came < self._answer:
            return
        self._came = 0
        self._left -= 1
        if self._left:
            self._transport.write(self._request)
        elif self._done is not None:
            self._done.set_result(None)


async def _bare(port: int) -> float:
    """What the event loop and the kernel take of it, without any driver."""
    request = b"\0\0\0\0\0\6\1\3\0\0" + (2 * (_REGISTERS // 2)).to_bytes(2, "big")
    answer = 9 + 4 * (_REGISTERS // 2)
    transport, protocol = await asyncio.get_running_loop().create_connection(
        lambda: _Bare(request, answer), "127.0.0.1", port
    )
    try:
        return await _each_s(lambda: protocol.ask(_REQUESTS), _REQUESTS)
    finally:
        transport.close()


async def _each_s(read: Callable[[], Awaitable[object]], requests: int) -> float:
    """Median processor time of a request, after a warm-up in which a window is found."""
    for _ in range(_READINGS):
        await read()
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        for _ in range(_READINGS):
            await read()
        rounds.append((time.process_time() - began) / _READINGS / requests)
    return statistics.median(rounds)
