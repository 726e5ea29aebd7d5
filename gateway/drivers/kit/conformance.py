"""The conformance kit: what every driver must prove, as one test class to inherit.

A driver's test module needs a few lines (pytest, and pytest-asyncio in its auto mode)::

    class TestMyDriver(DriverConformance):
        @pytest.fixture
        async def bench(self) -> AsyncIterator[Bench]:
            async with my_simulator() as sim:
                yield Bench(SPEC, connection=…, dead=…, good=…, stop=sim.stop, start=sim.start)

Rule numbers are those of ``docs/driver-contract.md``. A rule that a bench cannot exercise (no
writable point, say) is skipped with what the bench lacks; rules of subscriptions and of refusals
are classes of their own, for the drivers that have them.
"""

# ruff: noqa: S101 - these are tests

import asyncio
from collections.abc import Iterator, Sequence
from typing import cast

import pytest

from gateway.core.schema import runs_of
from gateway.core.status import FIRST_BAD
from gateway.drivers.api import (
    Arrivals,
    NotConnectedError,
    Point,
    RefusedError,
    SubscribingDriver,
    Value,
)
from gateway.drivers.kit.bench import Bench, endless, needs, values_of
from gateway.drivers.kit.link_bench import LinkBench
from gateway.drivers.kit.links import LinkConformance
from gateway.drivers.kit.proxy import FaultProxy
from gateway.drivers.kit.rules import DriverConformance

__all__ = [
    "Bench",
    "DriverConformance",
    "FaultProxy",
    "LinkBench",
    "LinkConformance",
    "RefusalConformance",
    "SubscribingConformance",
    "values_of",
]

SUBSCRIPTION_INTERVAL_MS = 100


class RefusalConformance(DriverConformance):
    """Inherit this if the device can refuse credentials or certificates."""

    async def test_d11_a_refusal_is_told_apart(self, bench: Bench) -> None:
        """D-11: wrong credentials raise ``RefusedError``."""
        driver = bench.driver(
            needs(bench.spec, "D-11", bench.refused, "a connection that is refused")
        )
        async with asyncio.timeout(bench.deadline_s):
            with pytest.raises(RefusedError):
                await driver.connect()
            await driver.close()


class SubscribingConformance(DriverConformance):
    """Inherit this (both, where both apply) if the driver subscribes."""

    async def test_d18_subscribed_values_arrive(self, bench: Bench) -> None:
        """D-18: every good point delivers its value and then its changes; a bad one is BAD."""
        points = bench.points()
        async with bench.connected() as driver, asyncio.timeout(bench.deadline_s):
            pushing = cast("SubscribingDriver", driver)
            status = await pushing.subscribe("group", points, SUBSCRIPTION_INTERVAL_MS)
            assert len(status) == len(points)
            assert not status.any(), "D-18: good points are accepted"
            latest = await _latest(pushing, points, set(range(len(points))))
            assert [latest[i] for i in range(len(points))] == bench.expected
            if bench.change is not None:
                await bench.change()
                assert (await _latest(pushing, points, {0}))[0] != bench.expected[0]

    async def test_d18_an_unknown_point_is_refused_alone(self, bench: Bench) -> None:
        """D-18: ``subscribe`` marks what the device does not know; the rest arrives."""
        unknown = bench.point(
            needs(bench.spec, "D-18", bench.unknown, "an unknown address"), "unknown"
        )
        points = [*bench.points(), unknown]
        async with bench.connected() as driver, asyncio.timeout(bench.deadline_s):
            pushing = cast("SubscribingDriver", driver)
            status = await pushing.subscribe("group", points, SUBSCRIPTION_INTERVAL_MS)
            assert status[-1] >= FIRST_BAD
            assert not status[:-1].any()
            latest = await _latest(pushing, points, set(range(len(points) - 1)))
            assert [latest[i] for i in range(len(points) - 1)] == bench.expected

    async def test_d19_a_silent_subscription_is_an_exception(self, bench: Bench) -> None:
        """D-19: ``arrivals`` raises when the connection is lost."""
        async with bench.connected() as driver, asyncio.timeout(bench.deadline_s):
            pushing = cast("SubscribingDriver", driver)
            await pushing.subscribe("group", bench.points(), SUBSCRIPTION_INTERVAL_MS)
            await bench.stop()
            with pytest.raises(NotConnectedError):
                await endless(pushing.arrivals)


async def _latest(
    driver: SubscribingDriver, points: Sequence[Point], wanted: set[int]
) -> dict[int, Value]:
    """Wait until every wanted point has delivered; the latest value of each."""
    latest: dict[int, Value] = {}
    while not wanted <= latest.keys():
        for arrivals in await driver.arrivals():
            latest.update(_pairs(points, arrivals))
    return latest


def _pairs(points: Sequence[Point], arrivals: Arrivals) -> Iterator[tuple[int, Value]]:
    index = arrivals.index.tolist()
    assert index == sorted(index), "D-18: index ascends"
    assert len(arrivals.time_ms) == len(arrivals.status) == len(index)
    runs = runs_of(points[i].kind for i in index)
    assert [column.dtype for column in arrivals.columns] == [run.kind.dtype for run in runs]
    values = [value for column in arrivals.columns for value in column.tolist()]
    for i, value, status in zip(index, values, arrivals.status.tolist(), strict=True):
        if status < FIRST_BAD:
            yield i, value
