"""Ends what takes too long, by one timer for all devices of an edge.

Nearly all readings end in time. A timer that is set and cancelled for each of them, as
``asyncio.timeout`` does, is a twentieth of what a poll costs. Here one timer waits for the
earliest end of those under way, and looks only then who is late.
"""

import asyncio
from types import TracebackType


class Timeouts:
    """The time-outs that are running."""

    def __init__(self) -> None:
        self._running: set[Timeout] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0

    def after(self, seconds: float) -> "Timeout":
        """A time-out of so many seconds, to be used again and again."""
        return Timeout(self, seconds)

    def begin(self, timeout: "Timeout") -> None:
        """Watch a time-out until it ends."""
        self._running.add(timeout)
        if self._timer is None or timeout.ends_at < self._rings_at:
            self._set(timeout.ends_at)

    def end(self, timeout: "Timeout") -> None:
        """Watch it no more. The timer stays: others will want it before it rings."""
        self._running.discard(timeout)

    def _set(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = at
        self._timer = asyncio.get_running_loop().call_at(at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for timeout in [one for one in self._running if one.ends_at <= now]:
            self._running.discard(timeout)
            timeout.expire()
        if self._running:
            self._set(min(one.ends_at for one in self._running))


class Timeout:
    """What is awaited within ``with`` is cancelled when the time is over: a TimeoutError.

    As ``asyncio.timeout``, but to be used again; it is never entered twice at a time.

    Args:
        timeouts: all of them.
        seconds: how long.

    Attributes:
        ends_at: when it is over, in the time of the event loop.
    """

    def __init__(self, timeouts: Timeouts, seconds: float) -> None:
        self._timeouts = timeouts
        self._seconds = seconds
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._is_over = False
        self.ends_at = 0.0

    def expire(self) -> None:
        """The time is over."""
        if self._task is not None:
            self._is_over = True
            self._task.cancel()

    def __enter__(self) -> None:
        self._task = task = asyncio.current_task()
        self._cancelling = 0 if task is None else task.cancelling()
        self.ends_at = asyncio.get_running_loop().time() + self._seconds
        self._timeouts.begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._timeouts.end(self)
        task, self._task = self._task, None
        if not self._is_over or task is None:
            return
        self._is_over = False
        # Whoever else cancelled the task meanwhile outranks the time-out.
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
