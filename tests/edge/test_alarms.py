"""Devices are woken at their ticks, whatever happens to the clock and to each other."""

import asyncio

from gateway.edge.device.alarms import Alarms
from tests.edge.plant import Clock
from tests.support.waiting import until


def waiting(alarms: Alarms, clock: Clock, *ahead_ms: int) -> list[asyncio.Task[None]]:
    """A task for each time ahead."""
    now = clock.now_ms()
    return [asyncio.ensure_future(alarms.wait(now + one)) for one in ahead_ms]


async def test_each_is_woken_at_its_tick_and_not_before() -> None:
    clock = Clock()
    alarms = Alarms(clock)
    begin, woken = clock.now_ms(), {}

    async def device(ahead_ms: int) -> None:
        await alarms.wait(begin + ahead_ms)
        woken[ahead_ms] = clock.now_ms() - begin

    await asyncio.gather(*(device(one) for one in (60, 20, 40, -5)))
    assert list(woken) == [-5, 20, 40, 60]
    assert all(at >= ahead for ahead, at in woken.items())


async def test_one_that_is_stopped_harms_nobody_who_waits_for_the_same_tick() -> None:
    clock = Clock()
    first, second = waiting(Alarms(clock), clock, 30, 30)
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert first.cancelled()


async def test_a_clock_that_leaps_ahead_wakes_whoever_is_due_then() -> None:
    clock = Clock()
    clock.synchronised = False
    (hour,) = waiting(Alarms(clock), clock, 3_600_000)
    await asyncio.sleep(0)
    clock.step_ms = 3_600_000
    assert clock.look() is not None
    await hour


async def test_everybody_is_woken_to_look_again() -> None:
    clock = Clock()
    alarms = Alarms(clock)
    tasks = waiting(alarms, clock, 50_000, 60_000)
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    alarms.wake_all()
    await until(lambda: all(task.done() for task in tasks))
