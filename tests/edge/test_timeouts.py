"""Readings that take too long end, all others go on, by one timer."""

import asyncio

import pytest

from gateway.edge.device.timeouts import Timeout, Timeouts

LONG_S = 3_600.0
SHORT_S = 0.01


async def waiting(limit: Timeout, until: asyncio.Event) -> str:
    """How waiting for an event under a time-out ends."""
    try:
        with limit:
            await until.wait()
    except TimeoutError:
        return "late"
    return "in time"


async def test_what_is_late_ends_and_the_rest_goes_on() -> None:
    timeouts, never, soon = Timeouts(), asyncio.Event(), asyncio.Event()
    patient = asyncio.create_task(waiting(timeouts.after(LONG_S), soon))
    await asyncio.sleep(0)
    assert await waiting(timeouts.after(SHORT_S), never) == "late"  # begun later, ends earlier
    assert not patient.done()
    soon.set()
    assert await patient == "in time"


async def test_several_that_are_late_end_one_after_the_other() -> None:
    timeouts, never = Timeouts(), asyncio.Event()
    lasting = [timeouts.after(SHORT_S * part) for part in (3, 1, 2, 1)]
    assert await asyncio.gather(*(waiting(one, never) for one in lasting)) == ["late"] * 4


async def test_a_timeout_is_used_again_and_leaves_its_task_as_it_was() -> None:
    timeout, never, set_already = Timeouts().after(SHORT_S), asyncio.Event(), asyncio.Event()
    set_already.set()
    task = asyncio.current_task()
    assert task is not None
    for until, ending in [(never, "late"), (set_already, "in time"), (never, "late")]:
        assert await waiting(timeout, until) == ending
        assert task.cancelling() == 0


async def test_a_cancellation_by_somebody_else_passes_through() -> None:
    timeouts, never = Timeouts(), asyncio.Event()
    task = asyncio.create_task(waiting(timeouts.after(LONG_S), never))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_outranks_a_timeout_at_the_same_moment() -> None:
    timeout, never = Timeouts().after(LONG_S), asyncio.Event()
    task = asyncio.create_task(waiting(timeout, never))
    await asyncio.sleep(0)
    timeout.expire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_fault_within_the_time_stays_what_it_is() -> None:
    timeout = Timeouts().after(LONG_S)
    with pytest.raises(ValueError, match="odd"), timeout:
        raise ValueError("odd")
