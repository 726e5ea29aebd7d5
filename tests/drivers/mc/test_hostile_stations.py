"""Stations of one connection while answers are lost, late, torn, repeated, of another number."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from struct import iter_unpack
from typing import Any

import pytest

from edge_config.models.validation import validated
from gateway.core.status import GOOD
from gateway.drivers.api import DriverError, NoResponseError
from gateway.drivers.mc import SPEC
from gateway.drivers.mc.link import McLink
from tests.drivers import trial
from tests.drivers.mc.odd_plc import Asked
from tests.drivers.mc.peers import station

POINTS = trial.points(SPEC, "D0:uint64", "D4:uint16", "D900:uint64", "D904:uint16")
"""A clock and the number of the station, at two places: a random read, or a request each."""


def now_us() -> int:
    return time.monotonic_ns() // 1_000


class Module:
    """An Ethernet module with stations that hold the time, and faults drawn by seed."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(13)
                body = await reader.readexactly(int.from_bytes(head[-2:], "little"))
                task = asyncio.create_task(self._say(writer, self._answer(Asked.of(head + body))))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except (asyncio.IncompleteReadError, OSError):
            writer.transport.abort()

    def _answer(self, asked: Asked) -> bytes:
        words = now_us().to_bytes(8, "little") + asked.route[1].to_bytes(2, "little")
        numbers = [number for (number,) in iter_unpack("<H", asked.words)]
        places = [2 * (number % 100) for number in numbers]
        return asked.answer(b"".join(words[at : at + 2].ljust(2, b"\0") for at in places))

    async def _say(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        fault = self._dice.choice((*("",) * 8, "lost", "late", "later", "torn", "twice", "other"))
        if fault == "lost":
            return
        if fault in ("late", "later"):
            await asyncio.sleep(0.08 if fault == "late" else 0.2)
        if fault == "torn":
            answer = answer[: self._dice.randrange(len(answer))]
        if fault == "other":
            serial = int.from_bytes(answer[2:4], "little") + self._dice.choice((-1, 1))
            answer = answer[:2] + (serial % 0x10000).to_bytes(2, "little") + answer[4:]
        with suppress(OSError):
            writer.write(answer * (2 if fault == "twice" else 1))


@asynccontextmanager
async def module(seed: int) -> AsyncIterator[int]:
    server = await asyncio.start_server(Module(seed).serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def read(driver: Any, plan: Any, number: int) -> int:
    """Read a station once, as the poller does; returns how many values were GOOD."""
    began = now_us()
    try:
        async with asyncio.timeout(1):
            reading = await driver.read(plan)
    except NoResponseError:
        return 0
    except (DriverError, TimeoutError):
        await driver.close()
        await driver.connect()
        return 0
    ended, good = now_us(), 0
    columns = [value for column in reading.columns for value in column.tolist()]
    for value, status, is_clock in zip(columns, reading.status, (True, False) * 2, strict=True):
        if status == GOOD:
            good += 1
            assert began <= value <= ended if is_clock else value == number
    return good


@pytest.mark.parametrize("random_read", [True, False])
@pytest.mark.parametrize("numbers", [(1,), (1, 2, 3)])
async def test_no_value_is_of_another_time_or_station(
    numbers: tuple[int, ...], random_read: bool
) -> None:
    seed = 2 * len(numbers) + random_read
    async with module(seed) as port:
        how = {
            "request_timeout_ms": 60,
            "monitoring_timer_ms": 250,
            "max_gap": 0,
            "random_read": random_read,
        }
        written = [validated(SPEC.connection, station(port, at, **how)) for at in numbers]
        link = McLink(written)
        drivers = [link.driver(one) for one in written]
        plans = [driver.plan(POINTS) for driver in drivers]
        good = 0
        try:
            for driver in drivers:
                await driver.connect()
            for _ in range(60 // len(numbers)):
                for driver, plan, number in zip(drivers, plans, numbers, strict=True):
                    good += await read(driver, plan, number)
        finally:
            for driver in drivers:
                await driver.close()
    assert good > 25
