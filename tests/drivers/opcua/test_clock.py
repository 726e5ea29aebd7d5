"""A server whose own clock stands still gives no fresh values; one without a clock may."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.status import GOOD, Reason, uncertain
from gateway.drivers.opcua.clock import ServerClock
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import ForeignServer, point

FROZEN = uncertain(Reason.FROZEN)
_PATIENCE_S = 60.0


def moved(clock: ServerClock, times: int, every_s: float, start_s: float = 0.0) -> float:
    """Let a clock move so often; when it did last."""
    clock.connected(start_s)
    for at in range(times + 1):
        clock.shows(1000 + at, start_s + at * every_s)
    return start_s + times * every_s


def test_a_clock_that_moved_stands_still_after_three_pauses() -> None:
    clock = ServerClock("learn", 5.0)
    last = moved(clock, 3, 5.0)
    assert not clock.stands_still(last + 15.0)
    assert clock.stands_still(last + 15.1)
    clock.shows(9_999, last + 100.0)
    assert not clock.stands_still(last + 114.9), "the stand-still is not taken for its pace"
    assert clock.stands_still(last + 115.1)


def test_a_clock_that_is_set_once_a_minute_has_three_minutes() -> None:
    clock = ServerClock("learn", 5.0)
    last = moved(clock, 3, 60.0)
    assert not clock.stands_still(last + 179.0)
    assert clock.stands_still(last + 181.0)


@pytest.mark.parametrize(("rule", "stands"), [("learn", False), ("demand", True)])
def test_a_clock_that_never_moved_is_judged_on_demand_only(rule: str, stands: bool) -> None:
    clock = ServerClock(rule, 5.0)  # type: ignore[arg-type]
    moved(clock, 0, 5.0)
    clock.shows(1000, 50.0)
    assert clock.stands_still(60.0) is stands


@pytest.mark.parametrize("rule", ["learn", "demand"])
def test_a_server_that_shows_no_time_is_not_judged(rule: str) -> None:
    clock = ServerClock(rule, 5.0)  # type: ignore[arg-type]
    clock.connected(0.0)
    assert not clock.stands_still(1e9)


def test_what_is_ignored_never_stands_still() -> None:
    clock = ServerClock("ignore", 5.0)
    assert not clock.stands_still(moved(clock, 5, 5.0) + 1e6)
    assert not clock.look(1e9)


def test_a_lost_session_and_a_busy_gateway_are_no_pause() -> None:
    clock = ServerClock("learn", 5.0)
    last = moved(clock, 3, 5.0)
    clock.connected(last + 3600.0)
    assert not clock.stands_still(last + 3600.0)
    clock.forgive(100.0)
    assert not clock.stands_still(last + 3700.0)
    clock.forgive(1.0)
    assert clock.stands_still(last + 3716.0), "it moved before: the new session needs not learn"


def test_it_is_looked_at_now_and_then() -> None:
    clock = ServerClock("learn", 5.0)
    clock.connected(10.0)
    assert clock.look(10.0)
    assert not clock.look(14.0), "also where the server shows nothing"
    assert clock.look(15.0)


@pytest.fixture
def held(pki: Path) -> Iterator[ForeignServer]:
    """A server of its own, because its clock is held."""
    server = ForeignServer(pki)
    server.start()
    yield server
    server.stop()


async def status_of_next(driver: OpcUaDriver, server: ForeignServer, value: int) -> int:
    """Status of a value that the server has just been given; its source time never moves."""
    await asyncio.to_thread(server.set, "Double", value, time=1_700_000_000_000 + value)
    async with asyncio.timeout(_PATIENCE_S):
        (arrivals,) = await driver.arrivals()
    return int(arrivals.status[-1])


async def polled(driver: OpcUaDriver, server: ForeignServer, value: int) -> int:
    plan = driver.plan([point("Double", "float64")])
    return int((await driver.read(plan)).status[0])


@pytest.mark.parametrize("subscribed", [True, False])
async def test_values_of_a_server_whose_clock_is_held_are_frozen(
    held: ForeignServer, driver_for: Connect, subscribed: bool
) -> None:
    years_ms = 315_360_000_000
    driver = driver_for(
        held.connection(publishing_ms=50, keepalive_ms=500, max_clock_difference_ms=years_ms)
    )
    await driver.connect()
    if subscribed:
        await driver.subscribe("all", [point("Double", "float64")], 50)
    look = status_of_next if subscribed else polled
    value = 0

    async def until(wanted: int, *, learnt: bool = False) -> None:
        nonlocal value
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            value += 1
            if await look(driver, held, value) == wanted and (not learnt or knows(driver)):
                return
        raise TimeoutError(f"status never was {wanted}")

    await until(GOOD, learnt=True)
    held.tell(hold=True)
    await until(FROZEN)
    held.tell(hold=False)
    await until(GOOD)


def knows(driver: OpcUaDriver) -> bool:
    """Whether the driver has seen the clock move often enough."""
    return driver._clock._moves >= 3
