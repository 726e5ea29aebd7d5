"""What is late is told so, once; what ends in time costs no timer of its own."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.deadlines import Deadlines, deadlines

LONG_S = 3_600.0
SHORT_S = 0.01


@dataclass(eq=False)
class Waiting:
    """Something that is late when it is told so."""

    ends_at: float
    late: asyncio.Event = field(default_factory=asyncio.Event)

    def expire(self) -> None:
        """The time is over."""
        assert not self.late.is_set()
        self.late.set()


def within(seconds: float) -> Waiting:
    return Waiting(asyncio.get_running_loop().time() + seconds)


async def test_a_thousand_that_end_in_time_cost_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    timers: list[float] = []
    set_timer = loop.call_at

    def counted(when: float, *rest: object, **more: object) -> asyncio.TimerHandle:
        timers.append(when)
        return set_timer(when, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_at", counted)
    watched = Deadlines()
    for _ in range(1_000):
        one = within(LONG_S)
        watched.begin(one)
        watched.end(one)
    assert len(timers) == 1


async def test_the_late_are_told_though_others_that_began_before_have_longer() -> None:
    watched, patient, hasty = Deadlines(), within(LONG_S), within(SHORT_S)
    watched.begin(patient)
    watched.begin(hasty)
    await hasty.late.wait()
    assert not patient.late.is_set()


async def test_who_ended_is_told_nothing_when_the_timer_rings() -> None:
    watched, ended, late = Deadlines(), within(SHORT_S), within(2 * SHORT_S)
    watched.begin(ended)
    watched.begin(late)
    watched.end(ended)
    await late.late.wait()
    assert not ended.late.is_set()


async def test_who_begins_again_when_it_is_told_is_told_again() -> None:
    watched, again = Deadlines(), within(SHORT_S)
    for _ in range(3):
        watched.begin(again)
        await again.late.wait()
        again.late.clear()
        again.ends_at += SHORT_S


@dataclass(eq=False)
class Ending(Waiting):
    """Ends another when it is late, as a connection that is given up does with its requests."""

    watched: Deadlines = field(default_factory=Deadlines)
    other: Waiting | None = None

    def expire(self) -> None:
        """The time is over."""
        super().expire()
        if self.other is not None:
            self.watched.end(self.other)


async def test_who_is_ended_by_another_that_is_late_is_told_nothing() -> None:
    watched, ends_at = Deadlines(), asyncio.get_running_loop().time() + SHORT_S
    one, two = Ending(ends_at, watched=watched), Ending(ends_at, watched=watched)
    one.other, two.other = two, one
    watched.begin(one)
    watched.begin(two)
    late = within(2 * SHORT_S)
    watched.begin(late)
    await late.late.wait()
    assert one.late.is_set() != two.late.is_set()


class Failing(Waiting):
    """Has a bug."""

    def expire(self) -> None:
        """The time is over."""
        raise ValueError


async def test_a_bug_of_one_keeps_nobody_else_waiting() -> None:
    watched, late = Deadlines(), within(2 * SHORT_S)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    watched.begin(Failing(asyncio.get_running_loop().time() + SHORT_S))
    watched.begin(late)
    async with asyncio.timeout(10):
        await late.late.wait()


async def test_all_of_one_loop_share_them() -> None:
    assert deadlines() is deadlines()
    there = await asyncio.to_thread(lambda: asyncio.run(_of_another()))
    assert there is not deadlines()


async def _of_another() -> Deadlines:
    return deadlines()
