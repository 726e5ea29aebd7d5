"""Keep costly answers for a moment, so that many open pages cost as much as one."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.web.waiting import Making, NotYetError

T = TypeVar("T")

LIMIT = 256
REST = 20
"""An answer is kept for at least so many times as long as it costs: at most 5 % of a core."""
PATIENCE_S = 0.1
"""How long a visitor waits for a fresh answer while the last one may still be shown."""
RECALLED_S = 300.0
"""How old an answer from before a start is taken to be: old enough to be made anew at once."""
OLD_S = 0.2
"""The same where the last one is very old, and says so itself."""
SHOWN_S = 900.0
"""How old an answer may be before a visitor waits longer for a fresh one."""
WAIT_S = 2.0
"""How long a visitor waits for the first answer, or instead of seeing one that is very old."""
HASTY_S = 0.2
"""The same in a large city, where no first answer comes within :data:`WAIT_S`: so it is not waited
for in vain."""
LONG_S = 10.0
"""What has been made for so long takes longer: who comes then is told at once."""
MISSED_S = 30.0
"""How long a failure that nobody waited for is kept for who asks next: a page that comes back by
itself is to say it, but by the next morning it may be over."""


@dataclass(slots=True)
class _Answer:
    """The last answer of a key, and the making of the next.

    Attributes:
        value: the last answer.
        made_at: when it was made, by the monotonic clock.
        took_s: how long that took; before the first nothing.
        cost_s: what an answer costs: the lesser of the last two. The first one is made cold, and
            one may fall on a busy moment; for twenty times that long nothing would be fresh.
        begun_ms: when the next one was begun, UTC milliseconds.
        begun_at: the same by the monotonic clock.
        making: makes the next one; None: nobody does.
        missed: the last failure and when it was; None: there is none, or somebody was told of it.
    """

    value: Any = None
    made_at: float = float("-inf")
    took_s: float = 0.0
    cost_s: float = 0.0
    begun_ms: int = 0
    begun_at: float = 0.0
    making: "asyncio.Task[None] | None" = None
    missed: tuple[Exception, float] | None = None

    async def make(self, function: Callable[[], Awaitable[Any]]) -> None:
        begun = self.begun_at
        try:
            # Before the clock is read again: if it fails, the last answer keeps its age.
            self.value = await function()
            self.made_at = time.monotonic()
            took_s = self.made_at - begun
            self.cost_s, self.took_s = min(took_s, self.took_s), took_s
        except NotYetError:  # it is known why there is none, and told to each who asks
            raise
        except Exception as error:
            self.missed = (error, time.monotonic())
            raise
        finally:
            # Here, as all who asked may be gone: what ended hours ago is no answer to the next.
            self.making = None

    def begin(self, function: Callable[[], Awaitable[Any]]) -> "asyncio.Task[None]":
        """Make the next answer, unless a failure is to be told first."""
        missed, self.missed = self.missed, None
        if missed is not None and time.monotonic() - missed[1] < MISSED_S:
            raise missed[0]
        self.begun_at, self.begun_ms = time.monotonic(), time.time_ns() // 1_000_000
        # It outlives the visitor who asked first: others wait for it too.
        self.making = asyncio.ensure_future(self.make(function))
        self.making.add_done_callback(_failed)
        return self.making


def _failed(making: "asyncio.Task[None]") -> bool:
    """Whether it has; asyncio is not to log what :attr:`_Answer.missed` has for who asks next."""
    return making.cancelled() or making.exception() is not None


class Remembered:
    """Answers by key, each for its own time; a key is computed once even if many ask at once."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    async def get(
        self,
        key: Hashable,
        for_s: float,
        make: Callable[[], Awaitable[T]],
        wait_s: float | None = None,
        *,
        is_dated: bool = False,
    ) -> T:
        """The answer for ``key``, made anew when it is older than ``for_s`` seconds.

        A costly answer rests longer (:data:`REST`), and while it is made anew the last one is
        given for a while, so that nobody waits for what somebody saw a moment ago.

        Args:
            key: what is asked.
            for_s: how long an answer holds, at least.
            make: makes the next one.
            wait_s: how long to wait where there is none, or a very old one only;
                None: as long as a page may (:data:`WAIT_S`).
            is_dated: whoever is shown an answer reads of what time it is, so a page shows a very
                old one soon; where ``wait_s`` is given, a fresh one is waited for all the same.

        Raises:
            NotYetError: there is none yet; it goes on being made for who asks again.
        """
        answer = self._answers.setdefault(key, _Answer())
        self._answers.move_to_end(key)
        self._forget()
        if self._age(answer) > max(for_s, REST * answer.cost_s):
            await self._renew(answer, make, wait_s, is_dated)
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

    async def _renew(
        self,
        answer: _Answer,
        make: Callable[[], Awaitable[Any]],
        wait_s: float | None,
        is_dated: bool,
    ) -> None:
        """Wait for the next answer, but briefly if the last one may be shown."""
        making = answer.making or answer.begin(make)
        patience = wait_s
        if wait_s is None:
            takes_long = time.monotonic() - answer.begun_at >= LONG_S
            patience = PATIENCE_S if takes_long else WAIT_S
        age = self._age(answer)
        if age < SHOWN_S:
            patience = PATIENCE_S
        elif is_dated and wait_s is None and age < float("inf"):
            patience = OLD_S
        await asyncio.wait({making}, timeout=patience)
        if making.done():
            answer.missed = None  # this visitor is told
            is_given_up = isinstance(making.exception(), NotYetError)
            if not (is_given_up and age < float("inf")):  # the last one says of what time it is
                making.result()
        elif answer.made_at == float("-inf"):
            raise NotYetError(Making(answer.begun_ms))

    def _forget(self) -> None:
        while len(self._answers) > LIMIT:
            self._answers.popitem(last=False)
