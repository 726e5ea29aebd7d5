"""Ends what takes too long, by one timer of the event loop for all that may.

Nearly everything ends in time. A timer that is set and cancelled for each reading and each series
of requests, as ``asyncio.timeout`` and ``call_later`` do, is a twentieth of a poll. Here one
timer waits for the earliest end of what is under way, and looks only then who is late.
"""

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary


class Deadline(Protocol):
    """Something that ends in time or is told that it has not.

    Attributes:
        ends_at: when its time is over, in the time of the event loop; who moves it while it is
            watched begins anew.
    """

    ends_at: float

    def expire(self) -> None:
        """The time is over; it is not watched any more."""


class Deadlines:
    """What is under way in one event loop and must end in time."""

    def __init__(self) -> None:
        self._running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0

    def begin(self, one: Deadline) -> None:
        """Watch something until it ends."""
        self._running.add(one)
        if self._timer is None or one.ends_at < self._rings_at:
            self._set(one.ends_at)

    def end(self, one: Deadline) -> None:
        """Watch it no more. The timer stays: others will want it before it rings."""
        self._running.discard(one)

    def _set(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = at
        self._timer = asyncio.get_running_loop().call_at(at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        try:
            for one in [one for one in self._running if one.ends_at <= now]:
                if one in self._running:  # else one that was told before it has ended it
                    self._running.discard(one)
                    one.expire()
        finally:  # a bug of one keeps no other waiting
            if self._running:
                self._set(min(one.ends_at for one in self._running))


_OF_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, Deadlines] = WeakKeyDictionary()


def deadlines() -> Deadlines:
    """Those of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _OF_LOOPS:
        _OF_LOOPS[loop] = Deadlines()
    return _OF_LOOPS[loop]
