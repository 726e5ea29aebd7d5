"""Keep costly answers for a moment, so that many open pages cost as much as one."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

LIMIT = 256
REST = 20
"""An answer is kept for at least so many times as long as it took: at most 5 % of a core."""
PATIENCE_S = 0.1
"""How long a visitor waits for a fresh answer while the last one may still be shown."""
RECALLED_S = 300.0
"""How old an answer from before a start is taken to be: old enough to be made anew at once."""
SHOWN_S = 900.0
"""How long an answer may be shown while a fresh one is made; a page says of when it is."""


@dataclass(slots=True)
class _Answer:
    """The last answer of a key, and the making of the next."""

    value: Any = None
    made_at: float = float("-inf")
    cost_s: float = 0.0
    making: "asyncio.Task[None] | None" = None

    async def make(self, function: Callable[[], Awaitable[Any]]) -> None:
        begun = time.monotonic()
        # Before the clock is read again: if it fails, the last answer keeps its age.
        self.value = await function()
        self.made_at = time.monotonic()
        self.cost_s = self.made_at - begun


class Remembered:
    """Answers by key, each for its own time; a key is computed once even if many ask at once."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    async def get(self, key: Hashable, for_s: float, make: Callable[[], Awaitable[T]]) -> T:
        """The answer for ``key``, made anew when it is older than ``for_s`` seconds.

        A costly answer rests longer (:data:`REST`), and while it is made anew the last one is
        given for a while, so that nobody waits for what somebody saw a moment ago.
        """
        answer = self._answers.setdefault(key, _Answer())
        self._answers.move_to_end(key)
        self._forget()
        if self._age(answer) > max(for_s, REST * answer.cost_s):
            await self._renew(answer, make)
        value: T = answer.value
        return value

    def recall(self, key: Hashable, value: object) -> None:
        """Show an answer from before a start until the first fresh one is made."""
        answer = self._answers.setdefault(key, _Answer())
        if answer.made_at == float("-inf"):
            answer.value, answer.made_at = value, time.monotonic() - RECALLED_S

    @staticmethod
    def _age(answer: _Answer) -> float:
        return time.monotonic() - answer.made_at

    async def _renew(self, answer: _Answer, make: Callable[[], Awaitable[Any]]) -> None:
        """Wait for the next answer, but briefly if the last one may be shown."""
        if answer.making is None:
            # it outlives the visitor who asked first: others wait for it too
            answer.making = asyncio.ensure_future(answer.make(make))
        patience = PATIENCE_S if self._age(answer) < SHOWN_S else None
        making = answer.making
        await asyncio.wait({making}, timeout=patience)
        if making.done():
            if answer.making is making:  # another visitor may have begun the next
                answer.making = None
            making.result()

    def _forget(self) -> None:
        while len(self._answers) > LIMIT:
            self._answers.popitem(last=False)
