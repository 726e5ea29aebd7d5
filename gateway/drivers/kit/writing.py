"""Writing: what may not be written is refused, what was written is what is read."""

# ruff: noqa: S101 - these are tests

import asyncio

import pytest

from gateway.core.schema import Kind
from gateway.drivers.api import DriverError, NotConnectedError
from gateway.drivers.kit.bench import Bench, needs, values_of

MISFIT = "no such value"
"""No number and no truth value; many of them are too long for any text."""


class WritingRules:
    """Rules of writing; a part of ``DriverConformance``."""

    async def test_d14_a_read_only_point_is_not_written(self, bench: Bench) -> None:
        """D-14: the driver says so, and the connection stays good."""
        raw, value = needs(bench.spec, "D-14", bench.read_only, "a read-only address")
        async with bench.connected() as driver:
            async with asyncio.timeout(bench.deadline_s):
                with pytest.raises(DriverError) as caught:
                    await driver.write(bench.point(raw), value)
            assert not isinstance(caught.value, NotConnectedError)
            reading = await bench.read(driver, bench.points())
            assert values_of(bench.points(), reading) == bench.expected

    async def test_d14_a_value_that_does_not_fit_is_refused(self, bench: Bench) -> None:
        """D-14: what the point cannot hold is a ``DriverError``, and nothing is written."""
        raw, _ = needs(bench.spec, "D-14", bench.writable, "a writable address")
        point = bench.point(raw)
        async with bench.connected() as driver, asyncio.timeout(bench.deadline_s):
            before = values_of([point], await bench.read(driver, [point]))
            misfit = MISFIT * 50_000 if point.kind is Kind.STRING else MISFIT
            with pytest.raises(DriverError) as caught:
                await driver.write(point, misfit)
            assert not isinstance(caught.value, NotConnectedError), "D-14: no lost connection"
            assert values_of([point], await bench.read(driver, [point])) == before

    async def test_d16_a_written_value_is_read_back(self, bench: Bench) -> None:
        """D-16: what was written is what is read; the former value is put back."""
        raw, value = needs(bench.spec, "D-16", bench.writable, "a writable address")
        point = bench.point(raw)
        async with bench.connected() as driver:
            (before,) = values_of([point], await bench.read(driver, [point]))
            assert before != value, "D-16: give the bench a value that the point does not hold"
            for written in (value, before):
                async with asyncio.timeout(bench.deadline_s):
                    await driver.write(point, written)
                assert values_of([point], await bench.read(driver, [point])) == [written]
