"""Whose answer is it: two devices behind one endpoint, and one that answers late."""

# ruff: noqa: S101 - these are tests

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import product

import pytest

from gateway.core.batch import Reading
from gateway.core.status import FIRST_BAD
from gateway.drivers.api import Driver, DriverError, Point, Value
from gateway.drivers.kit.bench import HASTE_S, Action, Bench, needs, values_of


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One of two devices behind an endpoint.

    Attributes:
        driver: a driver of its own for it.
        points: what is read.
        expected: what it holds there; the other one holds something else.
        deadline_s: longest wait for a reading.
    """

    driver: Driver
    points: Sequence[Point]
    expected: Sequence[Value]
    deadline_s: float

    async def read(self) -> Reading:
        """Read it once."""
        async with asyncio.timeout(self.deadline_s):
            return await self.driver.read(self.driver.plan(self.points))

    async def connect(self) -> None:
        """Connect it under the deadline."""
        async with asyncio.timeout(self.deadline_s):
            await self.driver.connect()

    def lies(self, reading: Reading) -> Iterator[str]:
        """Values that are not BAD and not its own."""
        values = values_of(self.points, reading)
        for point, value, status, own in zip(
            self.points, values, reading.status.tolist(), self.expected, strict=True
        ):
            if status < FIRST_BAD and value != own:
                yield f"{point.name} is {value!r}, but the device holds {own!r}"


Pair = Callable[[], AbstractAsyncContextManager[tuple[Neighbour, Neighbour]]]


async def late_answers(connected: Pair, stall: Action, resume: Action) -> None:
    """Let one device answer late in every way there is, and read the other one.

    Whether the poller has closed the first driver by then, and whether the second one had asked
    already when the late answer came, makes the difference between drivers.

    Args:
        connected: two new drivers, connected, that are closed at the end.
        stall: hold back what devices answer.
        resume: let it through.
    """
    for is_closed, is_asked_first in product((True, False), (False, True)):
        async with connected() as (one, other):
            await _is_right(one, other)
            await stall()
            with suppress(TimeoutError, DriverError):
                async with asyncio.timeout(HASTE_S):
                    await one.read()
            if is_closed:
                await one.driver.close()
            await _answered_late(other, resume, is_asked_first=is_asked_first)
            await other.driver.close()
            await other.connect()
            await _is_right(other)


async def _answered_late(other: Neighbour, resume: Action, *, is_asked_first: bool) -> None:
    """What the other device gives meanwhile: its own values, BAD ones, or an error."""
    reading = asyncio.ensure_future(other.read())
    if is_asked_first:
        await asyncio.sleep(HASTE_S)
    await resume()
    try:
        lies = list(other.lies(await reading))
    except (DriverError, TimeoutError):
        return  # the poller connects it anew
    assert not lies, f"D-29: the late answer of another device was taken: {lies}"


async def _is_right(*devices: Neighbour) -> None:
    for device in devices:
        reading = await device.read()
        assert not reading.status.any(), "D-29: a living device is GOOD"
        assert not list(device.lies(reading)), "D-29: values of another device"


class NeighbourRules:
    """Rules of devices behind one endpoint; a part of ``DriverConformance``."""

    async def test_d29_a_late_answer_is_never_another_devices(self, bench: Bench) -> None:
        """D-29: what one device answers late is never taken for the answer of another."""
        if bench.spec.link is not None:
            return  # LinkConformance shows it, by its own devices
        written, expected = needs(
            bench.spec, "D-29", bench.other, "another device behind the same endpoint"
        )
        stall = needs(bench.spec, "D-29", bench.stall, "a way to stall the device")
        resume = needs(bench.spec, "D-29", bench.resume, "a way to let it answer again")
        if set(expected) & set(bench.expected):
            pytest.fail("D-29: give the bench another device whose values all differ")

        @asynccontextmanager
        async def connected() -> AsyncIterator[tuple[Neighbour, Neighbour]]:
            points = bench.points()
            one = Neighbour(bench.driver(), points, bench.expected, bench.deadline_s)
            other = Neighbour(bench.driver(written), points, expected, bench.deadline_s)
            try:
                await one.connect()
                await other.connect()
                yield one, other
            finally:
                await one.driver.close()
                await other.driver.close()

        await late_answers(connected, stall, resume)
