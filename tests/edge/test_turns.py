"""Turns on a link: in order, as many as it has, and whether it keeps up."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from gateway.drivers.api import Driver
from gateway.edge.device.turns import MOST_URGENT, WINDOW_S, Turn, Turns
from gateway.edge.live.records import LinkLoad


class Line:
    """A link with as many turns as the test wants."""

    def __init__(self, turns: int = 1) -> None:
        self.turns = turns

    def configure(self, connections: Sequence[Any]) -> None:
        raise AssertionError("turns configure nothing")

    def driver(self, connection: Any) -> Driver:
        raise AssertionError("turns make no driver")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def turns_of(line: Line, clock: Clock | None = None) -> tuple[Turns, LinkLoad]:
    load = LinkLoad("plant link here", ("a", "b", "c"))
    return Turns(line, load, clock or Clock()), load


async def soon() -> None:
    """Let everybody go on who can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_turns_are_granted_in_order_and_one_at_a_time() -> None:
    turns, _ = turns_of(Line())
    order: list[str] = []
    inside = 0

    async def unit(name: str) -> None:
        nonlocal inside
        turn = turns.of_one_device()
        for _ in range(5):
            async with turn:
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                order.append(name)
                inside -= 1

    await asyncio.gather(*(unit(name) for name in "abc"))
    assert all(Counter(order[at : at + 3]) == Counter("abc") for at in range(0, 15, 3))


class Units:
    """Devices that hold their turn until the test lets them go."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.inside: list[str] = []
        self.order: list[str] = []
        self.turn: dict[str, Turn] = {}
        self.leave: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str) -> None:
        self.leave[name] = asyncio.Event()
        self.tasks[name] = asyncio.create_task(self._hold(name))
        await soon()

    async def _hold(self, name: str) -> None:
        """Capitals do not answer."""
        with suppress(TimeoutError):
            async with self.turn.setdefault(name, self.turns.of_one_device()):
                self.inside.append(name)
                self.order.append(name)
                await self.leave[name].wait()
                self.inside.remove(name)
                if name.isupper():
                    raise TimeoutError

    async def go(self, name: str) -> None:
        self.leave[name].set()
        await soon()

    async def cancel(self, name: str) -> None:
        self.tasks[name].cancel()
        await soon()


async def test_a_link_that_comes_to_have_more_turns_grants_them() -> None:
    line = Line()
    units = Units(turns_of(line)[0])
    for name in "abcd":
        await units.ask(name)
    assert units.inside == ["a"]
    line.turns = 2
    await units.go("a")
    assert units.inside == ["b", "c"]
    line.turns = 1
    await units.go("b")
    assert units.inside == ["c"]
    await units.go("c")
    assert units.inside == ["d"]


async def test_who_gives_up_waiting_keeps_nobody_waiting() -> None:
    units = Units(turns_of(Line())[0])
    for name in "abc":
        await units.ask(name)
    await units.cancel("b")
    await units.go("a")
    assert units.inside == ["c"]
    await units.go("c")
    await units.ask("e")
    assert units.inside == ["e"]


async def test_a_turn_that_is_granted_to_who_gives_up_goes_to_the_next() -> None:
    turns, _ = turns_of(Line())
    units = Units(turns)
    async with turns.of_one_device():
        await units.ask("b")
        await units.ask("c")
    await units.cancel("b")  # it has been granted the turn, but has not run since
    assert units.inside == ["c"]


async def test_devices_that_do_not_answer_come_after_those_that_wait_and_have_their_turn() -> None:
    units = Units(turns_of(Line())[0])
    for name in "XYZ":  # each fails once
        await units.ask(name)
        await units.go(name)
    units.order.clear()
    for name in "XYabZ":
        await units.ask(name)
    await units.go("X")
    await units.ask("c")  # asks later than Y, and need not be served before it
    for name in "ab":
        await units.go(name)
        await units.ask(name)
    await units.go("Y")
    for name in "cabZ":
        await units.go(name)
    assert "".join(units.order) == "XabYcabZ"


async def test_an_urgent_turn_is_the_next_one_whoever_waits() -> None:
    units = Units(turns_of(Line())[0])
    waiting = [f"u{at}" for at in range(30)]
    for name in ["first", *waiting]:
        await units.ask(name)
    for name in ("write 1", "write 2"):
        units.turn[name] = units.turn["u29"].beside(is_urgent=True)
        await units.ask(name)
    units.turn["look"] = units.turn["u0"].beside(is_urgent=False)
    await units.ask("look")
    expected = ["first", "write 1", "write 2", *waiting, "look"]
    for name in expected:
        await units.go(name)
    assert units.order == expected


async def test_a_flood_of_urgent_turns_stops_no_reading() -> None:
    units = Units(turns_of(Line())[0])
    for name in ("first", "poll 1", "poll 2"):
        await units.ask(name)
    flood = [f"write {at}" for at in range(2 * MOST_URGENT + 3)]
    for name in flood:
        units.turn[name] = units.turn["first"].beside(is_urgent=True)
        await units.ask(name)
    while units.inside:
        await units.go(units.inside[0])
    assert units.order == [
        *("first", *flood[:MOST_URGENT]),
        *("poll 1", *flood[MOST_URGENT : 2 * MOST_URGENT]),
        *("poll 2", *flood[2 * MOST_URGENT :]),
    ]


async def test_a_failed_turn_lets_nobody_before_an_urgent_one() -> None:
    units = Units(turns_of(Line())[0])
    for name in ("X", "a"):
        await units.ask(name)
    units.turn["write"] = units.turn["a"].beside(is_urgent=True)
    units.turn["write"].has_failed = True
    await units.ask("write")
    await units.go("X")
    assert units.inside == ["write"]


async def test_one_device_never_has_two_turns_and_keeps_nobody_else_waiting() -> None:
    units = Units(turns_of(Line(turns=3))[0])
    await units.ask("a")
    for name, is_urgent in (("look", False), ("write", True)):
        units.turn[name] = units.turn["a"].beside(is_urgent=is_urgent)
        await units.ask(name)
    assert units.inside == ["a"]
    await units.ask("b")  # there are turns left, and those before it wait for their device
    await units.ask("c")
    assert units.inside == ["a", "b", "c"]
    await units.go("a")
    assert units.inside == ["b", "c", "write"]
    await units.ask("a")
    await units.go("write")
    await units.go("look")
    assert units.inside == ["b", "c", "a"]


async def test_a_link_that_cannot_keep_up_is_named_once_and_so_is_its_relief(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    turns, load = turns_of(Line(), clock)
    units = Units(turns)

    async def pass_on(names: str, seconds: float) -> None:
        """Each holds the turn while the next one waits for it."""
        for name, after in pairwise(names):
            await units.ask(after)
            clock.now_s += seconds
            await units.go(name)

    await units.ask("a")
    await pass_on("abcdefgh", WINDOW_S / 3)
    assert load.is_overloaded
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "plant link here cannot keep up with its 3 devices" in caplog.text
    clock.now_s += WINDOW_S  # the last one has it, and nobody waits
    await units.go("h")
    assert not load.is_overloaded
    assert "keeps up with its 3 devices again" in caplog.records[-1].message
    assert len(caplog.records) == 2
    assert load.busy_s == clock.now_s
    assert load.waited_s == clock.now_s - WINDOW_S


async def test_one_slow_device_is_no_overload() -> None:
    clock = Clock()
    turns, load = turns_of(Line(), clock)
    units = Units(turns)
    for _ in range(10):
        await units.ask("a")
        clock.now_s += WINDOW_S / 3
        await units.go("a")
    assert load.busy_s == clock.now_s
    assert not load.is_overloaded
