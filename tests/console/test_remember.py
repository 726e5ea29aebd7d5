"""Answers are shared, rest as long as they cost, and are shown while the next is made."""

import asyncio

import pytest

from gateway.city.console import remember
from gateway.city.console.remember import Remembered
from gateway.web.waiting import GivenUpError, NotYetError
from tests.support.waiting import SOON_S, until


class Source:
    """Makes answers; the next one waits until it is let go."""

    def __init__(self) -> None:
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.done = asyncio.Event()

    async def __call__(self) -> int:
        await self.gate.wait()
        self.made += 1
        self.done.set()
        return self.made


async def test_many_who_ask_at_once_cost_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "REST", 0)
    kept, source = Remembered(), Source()
    source.gate.clear()
    asked = [asyncio.ensure_future(kept.get("k", 60, source)) for _ in range(5)]
    await asyncio.sleep(0)
    asked[0].cancel()  # the visitor who asked first leaves; the others still get the answer
    source.gate.set()
    assert await asyncio.gather(*asked[1:]) == [1, 1, 1, 1]
    assert await kept.get("k", 60, source) == 1
    assert await kept.get("k", -1, source) == 2


async def test_the_last_answer_is_shown_while_the_next_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remember, "PATIENCE_S", 0.01)
    monkeypatch.setattr(remember, "REST", 0)
    kept, source = Remembered(), Source()
    assert await kept.get("k", -1, source) == 1
    source.gate.clear()
    assert await kept.get("k", -1, source) == 1
    monkeypatch.setattr(remember, "SHOWN_S", -1.0)  # very old: worth waiting for, but not for ever
    assert await kept.get("k", -1, source, wait_s=0.01) == 1
    waiting = asyncio.ensure_future(kept.get("k", -1, source, wait_s=30))
    await asyncio.sleep(0)
    source.gate.set()
    assert await waiting == 2


async def test_what_says_of_what_time_it_is_is_shown_however_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remember, "REST", 0)
    monkeypatch.setattr(remember, "SHOWN_S", -1.0)
    monkeypatch.setattr(remember, "WAIT_S", 3_600.0)
    kept, source = Remembered(), Source()
    assert await kept.get("k", -1, source) == 1
    source.gate.clear()
    async with asyncio.timeout(SOON_S):
        assert await kept.get("k", -1, source, is_dated=True) == 1
    waiting = asyncio.ensure_future(kept.get("k", -1, source, 3_600.0, is_dated=True))
    await asyncio.sleep(0)
    source.gate.set()
    assert await waiting == 2, "a file cannot be filled in later"


async def test_who_comes_late_waits_no_longer_than_who_came_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, source = Remembered(), Source()
    source.gate.clear()
    with pytest.raises(NotYetError):
        await kept.get("k", 60, source, wait_s=0.01)
    monkeypatch.setattr(remember, "WAIT_S", 3_600.0)
    kept._answers["k"].begun_at -= 3_600.0
    async with asyncio.timeout(SOON_S):
        with pytest.raises(NotYetError):
            await kept.get("k", 60, source)
    source.gate.set()


async def test_nobody_waits_for_long_for_the_first_answer() -> None:
    kept, source = Remembered(), Source()
    source.gate.clear()
    for _ in range(2):
        with pytest.raises(NotYetError) as raised:
            await kept.get("k", 60, source, wait_s=0.01)
        assert raised.value.making.since_ms
    source.gate.set()
    assert await kept.get("k", 60, source, wait_s=30) == 1, "who asks again costs nothing more"


class Costly:
    """An answer that takes some time to make.

    Args:
        takes_s: how long each takes; at the end the last one.
    """

    def __init__(self, *takes_s: float) -> None:
        self.takes_s = list(takes_s)
        self.made = 0

    async def __call__(self) -> int:
        await asyncio.sleep(self.takes_s.pop(0) if len(self.takes_s) > 1 else self.takes_s[0])
        self.made += 1
        return self.made


async def test_a_costly_answer_rests_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "REST", 10_000)
    kept, costly = Remembered(), Costly(0.05)

    async def renewed() -> bool:
        return await kept.get("k", 0, costly) == 2

    await until(renewed)
    assert await kept.get("k", 0, costly) == 2
    assert costly.made == 2


async def test_one_slow_answer_does_not_keep_what_is_seen_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a demonstration started, the first took three seconds and stood for a minute."""
    monkeypatch.setattr(remember, "REST", 10_000)
    kept, costly = Remembered(), Costly(0.1, 0.0)
    assert await kept.get("k", 0, costly) == 1

    async def goes_on() -> bool:
        return await kept.get("k", 0, costly) > 1

    await until(goes_on)


async def test_a_failure_is_told_and_not_kept() -> None:
    kept, source = Remembered(), Source()

    async def broken() -> int:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await kept.get("k", 60, broken)
    assert await kept.get("k", 60, source) == 1


async def test_an_answer_that_nobody_waited_for_is_not_given_when_it_is_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An officer closes the tab in the evening; the next one comes in the morning."""
    monkeypatch.setattr(remember, "REST", 0)
    kept, source = Remembered(), Source()
    source.gate.clear()
    with pytest.raises(NotYetError):
        await kept.get("k", 60, source, wait_s=0.01)
    source.gate.set()
    await source.done.wait()
    assert await kept.get("k", 60, source) == 1
    assert await kept.get("k", -1, source) == 2


async def test_a_failure_that_nobody_waited_for_is_told_once_and_only_soon_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept, source, gate, tried = Remembered(), Source(), asyncio.Event(), asyncio.Event()

    async def broken() -> int:
        await gate.wait()
        tried.set()
        raise ZeroDivisionError

    async def missed() -> None:
        gate.clear()
        with pytest.raises(NotYetError):
            await kept.get("k", 60, broken, wait_s=0.01)
        tried.clear()
        gate.set()
        await tried.wait()

    await missed()
    with pytest.raises(ZeroDivisionError):  # a page that comes back is to say what is wrong
        await kept.get("k", 60, source)
    await missed()
    monkeypatch.setattr(remember, "MISSED_S", 0.0)  # a night later the database is back
    assert await kept.get("k", 60, source) == 1


@pytest.mark.parametrize("is_dated", [False, True])
async def test_what_is_given_up_leaves_the_last_answer(
    monkeypatch: pytest.MonkeyPatch, is_dated: bool
) -> None:
    monkeypatch.setattr(remember, "REST", 0)
    kept, source = Remembered(), Source()

    async def in_vain() -> int:
        raise GivenUpError(4)

    with pytest.raises(GivenUpError):
        await kept.get("k", -1, in_vain, is_dated=is_dated)
    assert await kept.get("k", -1, source, is_dated=is_dated) == 1
    for _ in range(2):
        assert await kept.get("k", -1, in_vain, is_dated=is_dated) == 1
