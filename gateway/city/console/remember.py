"""Keep costly answers for a moment, so that many open pages cost as much as one."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

LIMIT = 256


class Remembered:
    """Answers by key, each for its own time; a key is computed once even if many ask at once."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._locks: dict[Hashable, asyncio.Lock] = {}

    async def get(self, key: Hashable, for_s: float, make: Callable[[], Awaitable[T]]) -> T:
        """The answer for ``key``, at most ``for_s`` seconds old."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            made_at, answer = self._answers.get(key, (float("-inf"), None))
            if time.monotonic() - made_at > for_s:
                answer = await make()
                self._answers[key] = (time.monotonic(), answer)
                self._forget()
            kept: T = answer
            return kept

    def _forget(self) -> None:
        while len(self._answers) > LIMIT:
            key, _ = self._answers.popitem(last=False)
            lock = self._locks.get(key)
            if lock is not None and not lock.locked():
                del self._locks[key]
