"""Caches, the order of sources, and that a failure takes nothing away."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import aclosing, closing
from itertools import count
from pathlib import Path

import msgspec
import pytest

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.codes.oid import Oid
from gateway.identifier.resolving.answer import (
    FAILURE_KEPT_S,
    MAX_KEPT_S,
    NOT_FOUND_KEPT_S,
    Answer,
    Item,
    Outcome,
    kept_s,
)
from gateway.identifier.resolving.keeping import Disk, Memory
from gateway.identifier.resolving.resolver import BAD_S, Resolver
from gateway.identifier.resolving.tally import Tally
from tests.support.waiting import until

MACHINE = Handle("88.999.QZ01", "1")
FOUND = Answer(str(MACHINE), Outcome.FOUND, (Item("DESC", "磨床", 1),), "node", ttl_s=300)
ABSENT = Answer(str(MACHINE), Outcome.NOT_FOUND, source="node", why="there is none")
OWN = Answer(str(MACHINE), Outcome.FOUND, FOUND.items, "own ledger", is_own=True)
ELSEWHERE = Answer(str(MACHINE), Outcome.NOT_RESPONSIBLE, source="node", why="is another's")
AWAY = Answer(str(MACHINE), Outcome.UNREACHABLE, source="node", why="no answer")


class Scripted:
    """A source that says what it was given to say, one after the other; the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.name = "scripted"
        self.answers = list(answers)
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def takes(self, code: Code) -> bool:
        return isinstance(code, Handle)

    async def ask(self, _: Code) -> Answer:
        self.asked += 1
        await self.may_answer.wait()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def close(self) -> None:
        """Nothing is kept."""


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with closing(Disk(tmp_path / "resolved.db", 100)) as made:
        yield made


async def test_an_answer_is_given_again_until_its_time_is_over(clock: Clock) -> None:
    source = Scripted(FOUND)
    resolver = Resolver([source], Memory(10), None, clock)
    for _ in range(3):
        assert await resolver.resolve(MACHINE) == FOUND
    assert source.asked == 1
    clock.now_s += 301
    await resolver.resolve(MACHINE)
    assert source.asked == 2


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [(FOUND, 300), (ABSENT, NOT_FOUND_KEPT_S), (AWAY, FAILURE_KEPT_S)],
)
async def test_absences_and_failures_are_kept_shortly(
    clock: Clock, answer: Answer, seconds: int
) -> None:
    source = Scripted(answer)
    resolver = Resolver([source], Memory(10), None, clock)
    for step_s in (0, seconds - 1, 2):
        clock.now_s += step_s
        await resolver.resolve(MACHINE)
    assert source.asked == 2


def test_no_record_is_kept_for_longer_than_two_days() -> None:
    assert kept_s(Answer("x", Outcome.FOUND, ttl_s=10**9)) == MAX_KEPT_S
    assert kept_s(Answer("x", Outcome.FOUND, ttl_s=-1)) == 0


async def test_a_failure_never_takes_a_record_away(clock: Clock, disk: Disk) -> None:
    source = Scripted(FOUND, AWAY, AWAY, FOUND)
    resolver = Resolver([source], Memory(10), disk, clock)
    await resolver.resolve(MACHINE)
    for _ in range(2):
        clock.now_s += 1_000
        stale = await resolver.resolve(MACHINE)
        assert (stale.is_stale, stale.items, stale.why) == (True, FOUND.items, "no answer")
    clock.now_s += 1_000
    assert not (await resolver.resolve(MACHINE)).is_stale


@pytest.mark.parametrize("sources", [[ABSENT, AWAY], [AWAY, ABSENT]])
async def test_one_who_knows_of_none_takes_no_record_away_while_another_cannot_be_asked(
    clock: Clock, disk: Disk, sources: list[Answer]
) -> None:
    await Resolver([Scripted(FOUND)], Memory(10), disk, clock).resolve(MACHINE)
    clock.now_s += 1_000
    resolver = Resolver([Scripted(one) for one in sources], Memory(10), disk, clock)
    for _ in range(2):
        stale = await resolver.resolve(MACHINE)
        assert (stale.is_stale, stale.items) == (True, FOUND.items)
        clock.now_s += 1_000


async def test_what_is_said_to_be_gone_is_gone(clock: Clock, disk: Disk) -> None:
    source = Scripted(FOUND, ABSENT, AWAY)
    resolver = Resolver([source], Memory(10), disk, clock)
    for outcome in (Outcome.FOUND, Outcome.NOT_FOUND, Outcome.UNREACHABLE):
        assert (await resolver.resolve(MACHINE)).outcome is outcome
        clock.now_s += 1_000


async def test_a_restart_knows_what_was_found(clock: Clock, disk: Disk) -> None:
    await Resolver([Scripted(FOUND)], Memory(10), disk, clock).resolve(MACHINE)
    source = Scripted(AWAY)
    again = Resolver([source], Memory(10), disk, clock)
    assert await again.resolve(Handle("88.999.qz01", "1")) == FOUND
    assert source.asked == 0


async def test_the_first_record_counts_and_an_absence_before_it_does_not(clock: Clock) -> None:
    first, second, third = Scripted(ABSENT), Scripted(AWAY), Scripted(FOUND)
    resolver = Resolver([first, second, third], Memory(10), None, clock)
    assert (await resolver.resolve(MACHINE)).outcome is Outcome.FOUND
    resolver = Resolver([first, second], Memory(10), None, clock)
    assert (await resolver.resolve(MACHINE)).outcome is Outcome.NOT_FOUND


async def test_nobody_is_asked_for_what_he_does_not_take(clock: Clock) -> None:
    resolver = Resolver([Scripted(FOUND)], Memory(10), None, clock)
    answer = await resolver.resolve(Oid.parse("1.2.156.1"))
    assert answer.outcome is Outcome.UNREACHABLE
    assert "nobody is configured for oid" in answer.why


async def test_who_asks_at_the_same_time_is_told_the_same(clock: Clock) -> None:
    source = Scripted(FOUND)
    source.may_answer.clear()
    resolver = Resolver([source], Memory(10), None, clock)
    waiting = [asyncio.create_task(resolver.resolve(MACHINE)) for _ in range(5)]
    await until(lambda: source.asked)
    waiting[0].cancel()  # who gives up takes nobody's answer away
    source.may_answer.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [FOUND] * 4
    assert source.asked == 1


async def test_many_are_asked_for_together_and_told_in_their_order(clock: Clock) -> None:
    source = Scripted(FOUND)
    resolver = Resolver([source], Memory(1_000), None, clock)
    texts = [f"88.999.QZ01/{number % 50}" for number in range(200)]
    told = [one async for one in resolver.resolve_texts(texts, at_once=7)]
    assert [text for text, _ in told] == texts
    assert source.asked == 50


async def test_who_needs_no_more_of_many_answers_lets_go_of_the_rest(clock: Clock) -> None:
    source = Scripted(FOUND)
    resolver = Resolver([source], Memory(1_000), None, clock)
    async with aclosing(resolver.resolve_texts(map("88.1.1/{}".format, count()), 3)) as endless:
        assert (await anext(endless))[1] == FOUND
    assert source.asked <= 3 * 8


async def test_our_own_ledger_comes_before_what_was_kept_of_others(
    clock: Clock, disk: Disk
) -> None:
    remote, own = Scripted(FOUND), Scripted(AWAY, OWN, ELSEWHERE)
    resolver = Resolver([remote], Memory(10), disk, clock, own=own)
    assert [(await resolver.resolve(MACHINE)).is_own for _ in range(3)] == [False, True, False]
    assert remote.asked == 1  # the last one is from memory


async def test_one_who_does_not_answer_for_a_code_has_no_say(clock: Clock, disk: Disk) -> None:
    await Resolver([Scripted(FOUND)], Memory(10), disk, clock).resolve(MACHINE)
    clock.now_s += 1_000
    resolver = Resolver([Scripted(ELSEWHERE), Scripted(ABSENT)], Memory(10), disk, clock)
    assert (await resolver.resolve(MACHINE)).outcome is Outcome.NOT_FOUND
    clock.now_s += 1_000
    alone = Resolver([Scripted(ELSEWHERE)], Memory(10), disk, clock)
    assert (await alone.resolve(MACHINE)).outcome is Outcome.NOT_RESPONSIBLE


async def test_a_source_that_failed_is_asked_last_for_a_while(clock: Clock) -> None:
    first, second = Scripted(AWAY, FOUND), Scripted(FOUND)
    resolver = Resolver([first, second], Memory(10), None, clock)
    for number, asked in enumerate([(1, 1), (1, 2), (2, 2)]):
        await resolver.resolve(Handle("88.999.QZ01", str(number)))
        assert (first.asked, second.asked) == asked
        clock.now_s += BAD_S / 2 + 1


async def test_a_whole_question_has_its_time(clock: Clock) -> None:
    silent, late = Scripted(FOUND), Scripted(FOUND)
    silent.may_answer.clear()
    late.may_answer.clear()
    resolver = Resolver([silent, late], Memory(10), None, clock, total_s=0.1)
    answer = await resolver.resolve(MACHINE)
    assert answer.outcome is Outcome.UNREACHABLE
    assert [hop.outcome for hop in answer.hops] == ["0.1 s are over"] * 2


def test_rates_are_of_valid_codes_and_stale_ones_are_told() -> None:
    tally = Tally()
    stale = msgspec.structs.replace(FOUND, is_stale=True)
    for answer in (FOUND, stale, ABSENT, AWAY, Answer("x", Outcome.INVALID)):
        tally.count(str(MACHINE), answer)
    tally.count("1#注塑机", Answer("x", Outcome.INVALID))
    (_, counts), (_, nothing) = tally.by_system()
    assert (counts.total(), nothing.total()) == (5, 1)
    assert (tally.rate("handle"), tally.rate("none"), tally.stale("handle")) == ("75.0%", "", 1)
    assert not tally.is_whole


async def test_a_text_is_asked_for_by_its_likeliest_reading(clock: Clock) -> None:
    resolver = Resolver([Scripted(FOUND)], Memory(10), None, clock)
    assert (await resolver.resolve_text("hdl:88.999.QZ01/1\r\n")).outcome is Outcome.FOUND
    wrong = await resolver.resolve_text("6901234567893")
    assert wrong.outcome is Outcome.INVALID
    assert "2 belongs to the rest" in wrong.why
    none = await resolver.resolve_text("1#注塑机")
    assert (none.outcome, "no system" in none.why) == (Outcome.INVALID, True)


def test_memory_keeps_what_was_used_last() -> None:
    memory = Memory(2)
    for key in ("a", "b"):
        memory.keep(key, FOUND, 10)
    memory.fresh("a", 0)
    memory.keep("c", FOUND, 10)
    assert [bool(memory.fresh(key, 0)) for key in "abc"] == [True, False, True]


def test_the_file_keeps_the_newest_and_is_made_anew_where_it_is_of_another_layout(
    tmp_path: Path,
) -> None:
    path = tmp_path / "resolved.db"
    with closing(Disk(path, 2)) as disk:
        for number, key in enumerate("abc"):
            disk.keep(key, FOUND, number)
        assert [disk.held(key) is not None for key in "abc"] == [False, True, True]
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=99")
    database.close()
    with closing(Disk(path, 2)) as disk:
        assert disk.held("c") is None
    assert path.stat().st_mode & 0o077 == 0
