"""The real ``qulink run`` while somebody sets the system's clock (libfaketime)."""

# ruff: noqa: F811 - fixtures of another module

import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.core.status import Reason
from tests.edge.city import City
from tests.edge.test_run import (
    TAGS,
    Factory,
    agree,
    ended,
    factory,  # noqa: F401 - a fixture
)
from tests.support.peers import missing
from tests.support.waiting import until

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
HOUR_MS = 3_600_000


class SystemClock:
    """What the gateway's process sees of the system's clock; the one that never steps is real."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if not LIBRARY.exists():
            missing("libfaketime", "(apt install libfaketime)")
        self._file = folder / "offset"
        self.set(0)
        for name, value in {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }.items():
            monkeypatch.setitem(os.environ, name, value)

    def set(self, ahead_ms: int) -> None:
        """Set it so far ahead of the real time."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead_ms // 1000:+d}")
        fresh.rename(self._file)


@pytest.fixture
def clock(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SystemClock]:
    """Set after broker and machine were started: theirs is right."""
    yield SystemClock(factory.config.parent, monkeypatch)


STEPS_MS = (-8 * HOUR_MS, 0, HOUR_MS, -600_000, -25 * HOUR_MS, 40 * 24 * HOUR_MS, 0)


@pytest.mark.timeout(600)
async def test_a_confirmed_gateway_notices_no_step(factory: Factory, clock: SystemClock) -> None:
    """Its times only grow, only what passed is due, and no value is missing."""
    city = City(factory.broker.port, "gw")
    city.tells_time = True
    async with city.running():
        with factory.gateway("--drain-s", "10") as process:
            await until(lambda: bool(city.states) and not city.states[-1].clock_doubt)
            for ahead_ms in STEPS_MS:
                clock.set(ahead_ms)
                held = len(city.points)
                await until(lambda held=held: len(city.points) >= held + 20 * TAGS)
            process.send_signal(signal.SIGTERM)
            assert await ended(process) == 0
    agree(factory, city)
    for times in city.times.values():
        assert times == sorted(set(times))
    assert due_by_device(factory) <= (span_of(city) / 50 + 100) * TAGS
    assert Reason.CLOCK not in {gap.cause for gap in city.gaps.values()}
    assert "the clock was set by" in factory.log.read_text()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("ahead_ms", [8 * HOUR_MS, -25 * HOUR_MS, 3_652 * 24 * HOUR_MS])
async def test_a_gateway_that_began_with_a_wrong_clock_follows_the_right_one(
    factory: Factory, clock: SystemClock, ahead_ms: int
) -> None:
    """Values flow on within seconds, at right times; what is stored stays."""
    city = City(factory.broker.port, "gw")
    city.tells_time = True
    clock.set(ahead_ms)
    async with city.running():
        with factory.gateway("--drain-s", "10") as process:
            await until(lambda: len(city.points) >= 20 * TAGS)
            assert city.states[-1].clock_doubt
            clock.set(0)
            await until(lambda: not city.states[-1].clock_doubt)
            held = len(city.points)
            await until(lambda: len(city.points) >= held + 20 * TAGS)
            process.send_signal(signal.SIGTERM)
            assert await ended(process) == 0
    agree(factory, city)
    for times in city.times.values():
        assert len(times) == len(set(times))
        (leap_ms,) = [new - old for old, new in pairwise(times) if abs(new - old) > HOUR_MS]
        assert abs(leap_ms + ahead_ms) < 60_000
    assert due_by_device(factory) < 60_000 / 50 * TAGS
    assert Reason.CLOCK in {gap.cause for gap in city.gaps.values()}


def due_by_device(factory: Factory) -> float:
    books = factory.books()
    assert books is not None
    return books.totals.due / 2


def span_of(city: City) -> int:
    times = [time for of in city.times.values() for time in of]
    return max(times) - min(times)
