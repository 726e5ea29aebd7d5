"""What a reading may cost: memory that stays, and computing time for a value."""

# ruff: noqa: S101 - these are tests

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.drivers.api import Driver, Point
from gateway.drivers.kit.bench import Bench

WARM_UP = 20
"""Readings before memory is looked at: what is kept for good is there by then."""
READINGS = 200
KEPT_BYTES = 256 * 1024
"""More than a bounded ring of frames takes while it fills."""
VALUES = 64
COST_FLOOR = 40
"""A value may cost as much computing as so many exchanges over a pipe of this process."""


class CostRules:
    """Rules of what readings cost; a part of ``DriverConformance``."""

    async def test_d30_readings_leave_nothing_behind(self, bench: Bench) -> None:
        """D-30: the memory of a driver does not grow with the number of readings."""
        async with bench.connected() as driver:
            plan = driver.plan(bench.points())
            was_tracing = tracemalloc.is_tracing()
            tracemalloc.start()
            try:
                await _repeat(lambda: driver.read(plan), WARM_UP, bench.deadline_s / 2)
                before = _traced()
                await _repeat(lambda: driver.read(plan), READINGS, bench.deadline_s / 2)
                kept = _traced() - before
            finally:
                if not was_tracing:
                    tracemalloc.stop()
        assert kept < KEPT_BYTES, f"D-30: readings have left {kept} bytes"

    async def test_d31_a_value_is_cheap(self, bench: Bench) -> None:
        """D-31: a value costs little computing, against an exchange of lines in this process.

        No clock on the wall decides: a slow device or a busy machine changes nothing.
        """
        points = [bench.points()[i % len(bench.good)] for i in range(VALUES)]
        points = [Point(f"tag_{i}", point.kind, point.address) for i, point in enumerate(points)]
        async with bench.connected() as driver:
            cost = await _cost_of_values(driver, points, bench.deadline_s)
        exchange = await _cost_of_exchanges()
        assert cost < COST_FLOOR * exchange, (
            f"D-31: a value costs {cost * 1e6:.0f} µs of computing, {cost / exchange:.0f} exchanges"
        )


async def _repeat(call: Callable[[], Awaitable[Any]], times: int, longest_s: float) -> int:
    """Call it so many times, or as often as the time allows; returns how often."""
    end = time.monotonic() + longest_s
    for done in range(times):
        await call()
        if time.monotonic() > end:
            return done + 1
    return times


def _traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


async def _cost_of_values(driver: Driver, points: list[Point], deadline_s: float) -> float:
    """Seconds of computing for a value, the device's own if it runs in this process."""
    plan = driver.plan(points)
    async with asyncio.timeout(deadline_s):
        await driver.read(plan)
    begin = time.process_time()
    done = await _repeat(lambda: driver.read(plan), 5, deadline_s / 2)
    return (time.process_time() - begin) / (done * len(points))


async def _cost_of_exchanges() -> float:
    """Seconds of computing for one line there and one back, both ends in this process."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for line in reader:
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])

    async def exchange() -> None:
        writer.write(b"R 1 7=12.5\n")
        await reader.readuntil()

    await _repeat(exchange, WARM_UP, 1.0)
    begin = time.process_time()
    await _repeat(exchange, READINGS, 5.0)
    cost = (time.process_time() - begin) / READINGS
    writer.close()
    server.close()
    return cost
