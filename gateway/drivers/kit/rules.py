"""The rules that every driver keeps, as one test class. See ``conformance``."""

# ruff: noqa: S101 - these are tests

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Container
from contextlib import suppress
from typing import Any, ClassVar, NoReturn

import pytest

from edge_config.models.validation import validated
from gateway.core.status import FIRST_BAD, Reason, reason_of
from gateway.drivers.api import DriverError, NotConnectedError
from gateway.drivers.kit.bench import (
    HASTE_S,
    Bench,
    endless,
    eventually,
    needs,
    open_files,
    values_of,
)
from gateway.drivers.kit.costs import CostRules
from gateway.drivers.kit.description import DescriptionRules
from gateway.drivers.kit.neighbours import NeighbourRules
from gateway.drivers.kit.writing import WritingRules

CLOSE_S = 2.0
"""The poller leaves a driver behind that takes longer to close."""
NOISE_S = 1.0
"""A driver may wait for the end of what is none; then the poller cuts it off."""
ATTEMPTS = 10
"""More than there may be sockets of an earlier connection that are closed meanwhile."""


class DriverConformance(DescriptionRules, WritingRules, NeighbourRules, CostRules):
    """Inherit it and give it a ``bench`` fixture.

    Attributes:
        exempt: rules that are not run: those that the driver's own claim is exempt from,
            ``exempt_rules(SPEC)``.
    """

    exempt: ClassVar[Container[str]] = ()

    @pytest.fixture
    async def bench(self) -> AsyncIterator[Bench]:
        """The device under test; every driver brings its own."""
        raise NotImplementedError("give the test class a 'bench' fixture that yields a Bench")
        yield  # pragma: no cover

    def test_d01_making_a_driver_does_no_io(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """D-01: ``make`` opens nothing."""
        bench.driver()  # imports are over

        def forbidden(*_: Any, **__: Any) -> NoReturn:
            pytest.fail("D-01: make() opened a socket")

        with monkeypatch.context() as patch:
            patch.setattr(socket, "socket", forbidden)
            patch.setattr(socket, "getaddrinfo", forbidden)
            bench.driver()

    async def test_d02_nobody_there_is_not_connected(self, bench: Bench) -> None:
        """D-02: ``connect`` says that nobody is there, may be repeated, and leaks nothing."""
        driver = bench.driver(bench.dead)

        async def attempt() -> str:
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(NotConnectedError) as caught:
                    await driver.connect()
            return str(caught.value)

        message = await attempt()  # it may open what the process then keeps
        before = open_files()
        for _ in range(ATTEMPTS):
            await attempt()
        await driver.close()
        endpoint = bench.spec.endpoint(validated(bench.spec.connection, bench.dead))
        assert endpoint in message, "D-02: the message names the endpoint"
        assert await eventually(bench.deadline_s, lambda: open_files() <= before), (
            "D-02: sockets leak"
        )

    async def test_d03_values_come_in_the_order_asked(self, bench: Bench) -> None:
        """D-03: one status a point and a column a run, in the order of the points."""
        async with bench.connected() as driver:
            for step in (1, -1):
                points = bench.points()[::step]
                reading = await bench.read(driver, points)
                assert values_of(points, reading) == bench.expected[::step]
                assert not reading.status.any(), "D-03: good values have status 0"

    async def test_d03_no_points_is_no_error(self, bench: Bench) -> None:
        """D-03: an empty plan gives an empty reading."""
        async with bench.connected() as driver:
            assert values_of([], await bench.read(driver, [])) == []

    async def test_d04_an_unknown_point_harms_only_itself(self, bench: Bench) -> None:
        """D-04: the fault of one point is its own BAD status with a reason."""
        unknown = needs(bench.spec, "D-04", bench.unknown, "an unknown address")
        points = [*bench.points(), bench.point(unknown, "unknown")]
        async with bench.connected() as driver:
            plan = driver.plan(points)
            for _ in range(3):  # what a driver learns must not spoil later readings
                async with asyncio.timeout(bench.deadline_s):
                    reading = await driver.read(plan)
                assert values_of(points, reading)[:-1] == bench.expected
                assert not reading.status[:-1].any(), "D-04: other points stay GOOD"
                assert reading.status[-1] >= FIRST_BAD, "D-04: an unknown point is BAD"
                assert reason_of(int(reading.status[-1])) is not Reason.NONE, "D-04: reason"

    async def test_d04_a_lost_connection_is_an_exception(self, bench: Bench) -> None:
        """D-04: a reading over a lost connection raises ``NotConnectedError``."""
        async with bench.connected() as driver:
            plan = driver.plan(bench.points())
            await bench.stop()
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(NotConnectedError):
                    await endless(lambda: driver.read(plan))

    async def test_d06_close_is_always_harmless(self, bench: Bench) -> None:
        """D-06: ``close`` never raises: before ``connect``, after it failed, twice."""
        driver = bench.driver(bench.dead)
        async with asyncio.timeout(bench.deadline_s):
            await driver.close()
            with pytest.raises(NotConnectedError):
                await driver.connect()
            await driver.close()
            await driver.close()

    async def test_d06_a_closed_driver_says_so(self, bench: Bench) -> None:
        """D-06: reading after ``close`` raises ``NotConnectedError``, and it can reconnect."""
        async with bench.connected() as driver:
            plan = driver.plan(bench.points())
            await driver.close()
            with pytest.raises(NotConnectedError):
                await driver.read(plan)
            async with asyncio.timeout(bench.deadline_s):
                await driver.connect()
                reading = await driver.read(plan)
            assert values_of(bench.points(), reading) == bench.expected

    async def test_d06_close_is_quick_when_the_device_is_gone(self, bench: Bench) -> None:
        """D-06: ``close`` does not wait for a device that does not answer any more."""
        async with bench.connected() as driver:
            await bench.stop()
            async with asyncio.timeout(CLOSE_S):
                await driver.close()

    async def test_d07_a_late_answer_is_never_the_next(self, bench: Bench) -> None:
        """D-07: after a reading was given up, the next values are right."""
        stall = needs(bench.spec, "D-07", bench.stall, "a way to stall the device")
        resume = needs(bench.spec, "D-07", bench.resume, "a way to let the device answer again")
        points = bench.points()
        async with bench.connected() as driver:
            await stall()
            with pytest.raises((TimeoutError, NotConnectedError)):
                async with asyncio.timeout(0.3):
                    await driver.read(driver.plan(points[:1]))
            async with asyncio.timeout(bench.deadline_s):
                await driver.close()
                await resume()
                await driver.connect()
            reading = await bench.read(driver, points[1:])
            assert values_of(points[1:], reading) == bench.expected[1:]

    async def test_d08_works_again_after_the_device_returns(self, bench: Bench) -> None:
        """D-08: the same driver and plan work after the device went and came back."""
        async with bench.connected() as driver:
            plan = driver.plan(bench.points())
            await bench.stop()
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(DriverError):
                    await endless(lambda: driver.read(plan))
                await driver.close()
                await bench.start()
                await driver.connect()
                reading = await driver.read(plan)
            assert values_of(bench.points(), reading) == bench.expected

    async def test_d09_nothing_is_left_after_close(self, bench: Bench) -> None:
        """D-09: no task and no open file remains."""
        before = asyncio.all_tasks()

        async def use() -> bool:
            async with bench.connected() as driver:
                await bench.read(driver, bench.points())
            return await eventually(bench.deadline_s, lambda: not asyncio.all_tasks() - before)

        assert await use(), f"D-09: left running: {asyncio.all_tasks() - before}"
        gc.collect()
        files = open_files()  # the first use may have opened what the process then keeps
        assert all([await use() for _ in range(3)])
        assert await eventually(bench.deadline_s, lambda: open_files() <= files), (
            "D-09: files stay open"
        )

    async def test_d09_a_connect_that_is_cut_off_leaves_nothing(self, bench: Bench) -> None:
        """D-09: a connection that is given up half-way leaves no task and no file."""
        stall = needs(bench.spec, "D-09", bench.stall, "a way to stall the device")
        resume = needs(bench.spec, "D-09", bench.resume, "a way to let the device answer again")
        tasks = asyncio.all_tasks()
        await stall()

        async def attempt() -> bool:
            driver = bench.driver()
            with suppress(TimeoutError, DriverError):
                async with asyncio.timeout(HASTE_S):
                    await driver.connect()
            await driver.close()
            return await eventually(bench.deadline_s, lambda: not asyncio.all_tasks() - tasks)

        assert await attempt(), f"D-09: left running: {asyncio.all_tasks() - tasks}"
        gc.collect()
        files = open_files()
        assert all([await attempt() for _ in range(3)])
        assert await eventually(bench.deadline_s, lambda: open_files() <= files), (
            "D-09: files stay open"
        )
        await resume()

    async def test_d10_what_nobody_can_read_is_no_value(self, bench: Bench) -> None:
        """D-10: noise is a ``DriverError`` or BAD, and the driver reads again afterwards."""
        garble = needs(bench.spec, "D-10", bench.garble, "a way to garble what the device answers")
        resume = needs(bench.spec, "D-10", bench.resume, "a way to let the device answer again")
        points = bench.points()
        async with bench.connected() as driver:
            plan = driver.plan(points)
            await garble()
            with suppress(DriverError, TimeoutError):  # anything else is the library's own
                async with asyncio.timeout(NOISE_S):
                    reading = await driver.read(plan)
                assert (reading.status >= FIRST_BAD).all(), "D-10: noise is taken for values"
            await driver.close()
            await resume()
            async with asyncio.timeout(bench.deadline_s):
                await driver.connect()
                reading = await driver.read(plan)
            assert values_of(points, reading) == bench.expected

    async def test_d12_a_plan_needs_no_connection_and_lasts(self, bench: Bench) -> None:
        """D-12: ``plan`` is pure; a plan may be read many times, two plans do not mix."""
        driver = bench.driver()
        points = bench.points()
        plans = driver.plan(points), driver.plan(points[::-1])
        try:
            async with asyncio.timeout(bench.deadline_s):
                await driver.connect()
                for _ in range(2):
                    forth, back = [await driver.read(plan) for plan in plans]
                    assert values_of(points, forth) == bench.expected
                    assert values_of(points[::-1], back) == bench.expected[::-1]
        finally:
            await driver.close()
