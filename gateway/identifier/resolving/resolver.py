"""The order in which places are asked, and that nobody is asked twice at once."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.identifier.codes.classify import classify
from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.resolving.answer import Answer, Outcome, Source, kept_s
from gateway.identifier.resolving.keeping import Disk, Memory


class Resolver:
    """Memory, disk, then the sources in their order; what is stale comes last, and says so.

    Args:
        sources: whom to ask; the nearest first.
        memory: answers of the last minutes.
        disk: records that were found; None keeps none.
        now_s: seconds since 1970.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        memory: Memory,
        disk: Disk | None,
        now_s: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._memory = memory
        self._disk = disk
        self._now_s = now_s
        self._asking: dict[str, asyncio.Task[Answer]] = {}

    async def close(self) -> None:
        """Let go of all sources; the disk is its opener's."""
        for source in self._sources:
            await source.close()

    async def resolve_text(self, text: str) -> Answer:
        """What is known of a text: its readings are asked for, the likeliest first."""
        first: Answer | None = None
        for reading in classify(text):
            if reading.code is None:
                answer = Answer(text, Outcome.INVALID, why=reading.reason)
            else:
                answer = await self.resolve(reading.code)
            if answer.outcome is Outcome.FOUND:
                return answer
            first = first or answer
        return first or Answer(text, Outcome.INVALID, why="a code of no system that is known")

    async def resolve(self, code: Code) -> Answer:
        """What is known of a code. Those who ask at the same time are told the same."""
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

    async def resolve_many(self, codes: Iterable[Code], at_once: int = 16) -> list[Answer]:
        """Answers in the order of the codes; so many are asked for at once."""
        room = asyncio.Semaphore(at_once)

        async def one(code: Code) -> Answer:
            async with room:
                return await self.resolve(code)

        return list(await asyncio.gather(*(one(code) for code in codes)))

    def forget(self, code: Code) -> None:
        """What is held of a code was changed: ask for it anew."""
        self._memory.forget(key_of(code))

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
                held[0], is_stale=True, why=answer.why, hops=answer.hops, ttl_s=0
            )
        self._memory.keep(key, answer, self._now_s() + max(1, kept_s(answer)))
        return answer

    async def _of_sources(self, code: Code) -> tuple[Answer, bool]:
        """The first record; else that somebody knows of none; else why nobody could be asked.

        Returns:
            The answer, and whether it is sure: an absence is where nobody failed who may know.
        """
        answers: list[Answer] = []
        for source in self._sources:
            if source.takes(code):
                answers.append(await source.ask(code))
                if answers[-1].outcome is Outcome.FOUND:
                    break
        if not answers:
            why = f"nobody is configured for {code.system}"
            return Answer(str(code), Outcome.UNREACHABLE, why=why), False
        certain = [one for one in reversed(answers) if one.is_certain]
        best = certain[0] if certain else answers[-1]
        is_sure = best.outcome is Outcome.FOUND or len(certain) == len(answers)
        hops = tuple(hop for one in answers for hop in one.hops)
        return msgspec.structs.replace(best, hops=hops), is_sure


def key_of(code: Code) -> str:
    """Equal for codes that mean the same: a handle's prefix may be written in any case."""
    if isinstance(code, Handle):
        return f"handle:{code.prefix.upper()}/{code.suffix}"
    return f"{code.system}:{code}"
