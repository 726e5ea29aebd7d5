"""Time-outs of readings, by one timer for all devices of an edge."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from gateway.deadlines import Deadlines


class Timeouts:
    """The time-outs that are running."""

    def __init__(self) -> None:
        self._deadlines = Deadlines()

    def after(self, seconds: float) -> "Timeout":
        """A time-out of so many seconds, to be used again and again."""
        return Timeout(self._deadlines, seconds)


class Timeout:
    """What is awaited within ``with`` is cancelled when the time is over: a TimeoutError.

    As ``asyncio.timeout``, but to be used again; it is never entered twice at a time.

    Args:
        deadlines: all of them.
        seconds: how long.

    Attributes:
        ends_at: when it is over, in the time of the event loop.
    """

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
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

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Its time stands still within; what was left of it begins anew behind."""
        clock = asyncio.get_running_loop().time
        left_s = self.ends_at - clock()
        self._deadlines.end(self)
        try:
            yield
        finally:
            self.ends_at = clock() + left_s
            self._deadlines.begin(self)

    def __enter__(self) -> None:
        self._task = task = asyncio.current_task()
        self._cancelling = 0 if task is None else task.cancelling()
        self.ends_at = asyncio.get_running_loop().time() + self._seconds
        self._deadlines.begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._deadlines.end(self)
        task, self._task = self._task, None
        if not self._is_over or task is None:
            return
        self._is_over = False
        # Whoever else cancelled the task meanwhile outranks the time-out.
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
