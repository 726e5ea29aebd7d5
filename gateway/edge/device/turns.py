"""Turns on what several devices are reached by, and whether it can keep up with them."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from gateway.drivers.api import Link
from gateway.edge.live.records import LinkLoad

_log = logging.getLogger(__name__)

WINDOW_S = 30.0
"""A link is judged by so much time at once."""

OVERLOADED = 0.99
"""Share of such a time in which somebody waited: the link never caught up. It is no longer than
the intervals of most devices, so one that keeps up has seen the end of its queue in it."""

RELIEVED = 0.8
"""A link that could not keep up is called so until somebody waited for less than this."""


class Turns:
    """A link's turns: as many at a time as it has, in the order in which they were asked for.

    A device asks for one turn at a time, so each has its own before another has its second. It
    is a context: entering waits for a turn, leaving gives it back.

    Args:
        link: says how many turns there are; it may change its mind.
        load: is kept up to date.
        seconds: a clock that never steps.
    """

    def __init__(self, link: Link, load: LinkLoad, seconds: Callable[[], float]) -> None:
        self._link = link
        self._load = load
        self._seconds = seconds
        self._granted = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._counted_s = self._window_s = seconds()
        self._window_waited_s = 0.0

    async def __aenter__(self) -> None:
        if self._waiting or self._granted >= self._link.turns:
            await self._wait()
        else:
            self._count()
            self._granted += 1

    async def __aexit__(self, *_: object) -> None:
        self._give_back()

    async def _wait(self) -> None:
        """Wait until somebody who gives a turn back hands it on: nobody can slip in between."""
        grant = asyncio.get_running_loop().create_future()
        self._count()
        self._waiting.append(grant)
        try:
            await grant
        except asyncio.CancelledError:
            if grant.cancelled():
                self._count()
                if grant in self._waiting:
                    self._waiting.remove(grant)
            else:  # granted in the same moment
                self._give_back()
            raise

    def _give_back(self) -> None:
        self._count()
        self._granted -= 1
        while self._waiting and self._granted < self._link.turns:
            grant = self._waiting.popleft()
            if not grant.done():  # else its device was stopped just now
                self._granted += 1
                grant.set_result(None)

    def _count(self) -> None:
        """Count the time since the last change, before the next one."""
        now_s = self._seconds()
        load, passed_s = self._load, now_s - self._counted_s
        self._counted_s = now_s
        load.turns = self._link.turns
        load.busy_s += self._granted * passed_s
        if self._waiting:
            load.waited_s += passed_s
        if now_s - self._window_s >= WINDOW_S:
            self._judge(now_s)

    def _judge(self, now_s: float) -> None:
        load = self._load
        share = (load.waited_s - self._window_waited_s) / (now_s - self._window_s)
        self._window_s, self._window_waited_s = now_s, load.waited_s
        if not load.is_overloaded and share >= OVERLOADED:
            load.is_overloaded = True
            _log.warning(
                "%s cannot keep up with its %d devices: one of them was waiting all the time, so "
                "readings are skipped; lengthen interval_ms, or let it have more connections if "
                "what is behind it answers over several at once",
                load.name,
                load.devices,
            )
        elif load.is_overloaded and share <= RELIEVED:
            load.is_overloaded = False
            _log.info("%s keeps up with its %d devices again", load.name, load.devices)
