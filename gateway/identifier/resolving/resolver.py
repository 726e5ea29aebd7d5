"""The order in which places are asked, and that nobody is asked twice at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import msgspec

from gateway.identifier.codes.classify import Candidate, classify
from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.codes.noise import clean
from gateway.identifier.resolving.answer import (
    FAILURE_KEPT_S,
    Answer,
    Hop,
    Outcome,
    Source,
    kept_s,
)
from gateway.identifier.resolving.keeping import Disk, Memory

BAD_S = 30.0
"""How long a source that failed is asked last."""
TOTAL_S = 10.0
"""For all sources together."""
_WAITING = 8
"""Answers that wait for the one before them, for each question under way."""


class Resolver:
    """Our own ledger, memory, disk, then the sources; what is stale comes last, and says so.

    Args:
        sources: whom to ask; the nearest first.
        memory: answers of the last minutes.
        disk: records that were found; None keeps none.
        now_s: seconds since 1970.
        own: our own ledger. It is never out of date, so nothing that was kept stands before it.
        total_s: for all sources together.
        default_prefix: of handles that are asked for without any; empty: none is added.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        memory: Memory,
        disk: Disk | None,
        now_s: Callable[[], float],
        *,
        own: Source | None = None,
        total_s: float = TOTAL_S,
        default_prefix: str = "",
    ) -> None:
        self._sources = sources
        self._memory = memory
        self._disk = disk
        self._now_s = now_s
        self._own = own
        self._total_s = total_s
        self._bad_until_s: dict[int, float] = {}
        self._default_prefix = default_prefix
        self._asking: dict[str, asyncio.Task[Answer]] = {}

    @property
    def sources(self) -> Sequence[Source]:
        """Whom it asks, besides our own ledger."""
        return self._sources

    async def close(self) -> None:
        """Let go of all sources; the disk is its opener's."""
        for source in (*self._sources, *([self._own] if self._own else [])):
            await source.close()

    async def resolve_text(self, text: str) -> Answer:
        """What is known of a text: its readings are asked for, the likeliest first.

        However many there are, they have the time of one.
        """
        first: Answer | None = None
        until_s = asyncio.get_running_loop().time() + self._total_s
        for reading in (*classify(text), *_suffix(text, self._default_prefix)):
            try:
                # The first ends by itself, and says who was asked.
                async with asyncio.timeout_at(until_s if first is not None else None):
                    answer = await self._read(text, reading)
            except TimeoutError:
                break
            if answer.outcome is Outcome.FOUND:
                return answer
            first = first or answer
        return first or Answer(text, Outcome.INVALID, why="a code of no system that is known")

    async def _read(self, text: str, reading: Candidate) -> Answer:
        if reading.code is None:
            return Answer(text, Outcome.INVALID, why=reading.reason)
        return await self.resolve(reading.code)

    async def resolve(self, code: Code) -> Answer:
        """What is known of a code. Those who ask at the same time are told the same.

        Their question is its own: it goes on, for ``total_s`` at most, when all of them have left
        or the time that ``resolve_text`` has for a later reading is over; what it finds is kept.
        """
        if self._own is not None and self._own.takes(code):
            answer = await self._own.ask(code)
            if answer.is_certain:
                return answer
        key = key_of(code)
        fresh = self._memory.fresh(key, self._now_s())
        if fresh is not None:
            return fresh
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._asked(key, code))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)  # who gives up takes nobody else's answer away

    async def resolve_texts(
        self, texts: Iterable[str], at_once: int = 16
    ) -> AsyncIterator[tuple[str, Answer]]:
        """Texts with their answers, in their order, as they come; so many are asked for at once.

        However many there are, few are held.
        """
        room = asyncio.Semaphore(at_once)

        async def one(text: str) -> tuple[str, Answer]:
            async with room:
                return text, await self.resolve_text(text)

        waiting: deque[asyncio.Task[tuple[str, Answer]]] = deque()
        try:
            for text in texts:
                waiting.append(asyncio.create_task(one(text)))
                if len(waiting) >= _WAITING * at_once:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _asked(self, key: str, code: Code) -> Answer:
        held = self._disk.held(key) if self._disk else None
        now_s = self._now_s()
        if held is not None and held[1] > now_s:
            self._memory.keep(key, held[0], held[1])
            return held[0]
        answer, is_sure = await self._of_sources(code)
        if is_sure and self._disk is not None:
            self._disk.keep(key, answer, int(now_s))
        elif held is not None:
            answer = msgspec.structs.replace(
                held[0], is_stale=True, why=answer.why, hops=answer.hops, ttl_s=FAILURE_KEPT_S
            )
        self._memory.keep(key, answer, self._now_s() + max(1, kept_s(answer)))
        return answer

    async def _of_sources(self, code: Code) -> tuple[Answer, bool]:
        """The first record; else that somebody knows of none; else why nobody could be asked.

        Returns:
            The answer, and whether it is sure: an absence is where nobody failed who may know.
        """
        answers: list[Answer] = []
        until_s = asyncio.get_running_loop().time() + self._total_s
        for source in self._ordered(code):
            answers.append(await self._within(source, code, until_s))
            if answers[-1].outcome is Outcome.FOUND:
                break
        if not answers:
            why = f"nobody is configured for {code.system}"
            return Answer(str(code), Outcome.UNREACHABLE, why=why), False
        concerned = [one for one in answers if one.outcome is not Outcome.NOT_RESPONSIBLE]
        certain = [one for one in reversed(concerned) if one.is_certain]
        best = certain[0] if certain else (concerned or answers)[-1]
        is_sure = best.outcome is Outcome.FOUND or 0 < len(certain) == len(concerned)
        hops = tuple(hop for one in answers for hop in one.hops)
        return msgspec.structs.replace(best, hops=hops), is_sure

    def _ordered(self, code: Code) -> list[Source]:
        """Sources that take a code, the nearest first; those that failed a moment ago last."""
        now_s = self._now_s()
        taking = [source for source in self._sources if source.takes(code)]
        return sorted(taking, key=lambda one: self._bad_until_s.get(id(one), 0.0) > now_s)

    async def _within(self, source: Source, code: Code, until_s: float) -> Answer:
        """What a source says, if there is time left; how it did is remembered."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            async with asyncio.timeout_at(until_s):
                answer = await source.ask(code)
        except TimeoutError:
            why = f"{self._total_s:g} s are over"
            hop = Hop(source.name, "", str(code), why, loop.time() - began_s)
            answer = Answer(
                str(code), Outcome.UNREACHABLE, source=source.name, why=why, hops=(hop,)
            )
        if answer.outcome in _FAILED:
            self._bad_until_s[id(source)] = self._now_s() + BAD_S
        else:
            self._bad_until_s.pop(id(source), None)
        return answer


_FAILED = frozenset({Outcome.BUSY, Outcome.UNREACHABLE, Outcome.BROKEN})


def _suffix(text: str, prefix: str) -> tuple[Candidate, ...]:
    """A text without a prefix as a handle of this one, after whatever else it may be."""
    suffix = clean(text).text
    if not prefix or not suffix or "/" in suffix:
        return ()
    try:
        handle = Handle.parse(f"{prefix}/{suffix}")
    except HandleError:
        return ()
    return (Candidate(handle.system, 0.0, f"a suffix below {prefix}", handle),)


def key_of(code: Code) -> str:
    """Equal for codes that mean the same: a handle's prefix may be written in any case."""
    if isinstance(code, Handle):
        return f"handle:{code.prefix.upper()}/{code.suffix}"
    return f"{code.system}:{code}"
