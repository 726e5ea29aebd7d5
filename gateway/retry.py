"""Trying again: growing random pauses, one log line when a fault begins and one when it ends.

One :class:`Retry` belongs to one thing that can be away: a database, a store, a node. Whoever
uses it says what to do and which errors mean "later"; every other error passes through.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.core.schedule import backoff_ms

T = TypeVar("T")

LONGEST_WISH_S = 60.0
"""A server may ask us to stay away for so long (``Retry-After``), not longer."""
SOUND_S = 10.0
"""What is lost again sooner was not back: a loose plug, or two clients that take a session from
each other, would else fill the log and the network."""
_CAUSES = 8
"""Different causes of one fault that are logged; a server can put anything into its words."""


def heed_cancellation() -> None:
    """End the task if it has been cancelled; for loops that try again after a fault.

    A fault may take the place of a cancellation. The loop would go on then, and whoever waits for
    its end would wait for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Retry:
    """The attempts at one thing.

    Args:
        log: logger of the caller.
        lost: said when a fault begins and when its cause changes, before the cause.
        back: said when it ends.
        first_ms: pause after the first failure; it doubles with each further one.
        longest_ms: longest pause.
        level: of the line that begins a fault.
        sleep: waits some seconds; tests give their own.
        spread: a number from 0 to 1: the pause is between a half and the whole of its length, so
            that clients which lost a server together do not come back together.

    Attributes:
        failures: failures in a row so far.
    """

    def __init__(
        self,
        log: logging.Logger,
        lost: str,
        back: str,
        *,
        first_ms: int = 250,
        longest_ms: int = 15_000,
        level: int = logging.WARNING,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._log, self._lost, self._back, self._level = log, lost, back, level
        self._first_ms, self._longest_ms = first_ms, longest_ms
        self._sleep, self._spread = sleep, spread
        self._said: set[str] = set()
        self.failures = 0

    async def until_done(
        self,
        work: Callable[[], Awaitable[T]],
        *later: type[Exception],
        words: Callable[[Exception], str] = str,
    ) -> T:
        """Do some work, again after each failure, until it succeeds or the task is cancelled.

        Args:
            work: one attempt. If its error has an attribute ``retry_after_s`` (seconds or None),
                the pause is at least so long.
            later: errors that mean "try again".
            words: how to put such an error into one sentence.
        """
        while True:
            try:
                result = await work()
            except later as fault:
                self.failed(words(fault))
                await self._sleep(self.pause_s(getattr(fault, "retry_after_s", None)))
            else:
                self.succeeded()
                return result

    def failed(self, cause: str) -> None:
        """Count a failure; a cause is logged once while a fault lasts."""
        self.failures += 1
        if cause not in self._said and len(self._said) < _CAUSES:
            self._said.add(cause)
            self._log.log(self._level, "%s: %s; trying again", self._lost, cause)

    def succeeded(self) -> None:
        """End the fault, if there was one."""
        if self.failures:
            self._log.info("%s after %d failed attempts", self._back, self.failures)
        self.failures = 0
        self._said.clear()

    def pause_s(self, wish_s: float | None = None) -> float:
        """How long to wait before the next attempt, seconds.

        Args:
            wish_s: what the other side has asked for, if anything.
        """
        longest = backoff_ms(max(self.failures, 1), self._first_ms, self._longest_ms) / 1000
        return max(longest * (0.5 + self._spread() / 2), min(wish_s or 0.0, LONGEST_WISH_S))
